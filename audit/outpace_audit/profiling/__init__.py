"""The profiler's half inside the user's own script: finds its steps, and records a few of them with torch.profiler.

It must never change what the script computes: it draws no random number, and gives up rather than raise.
"""
