"""The tracer: what a run of the user's own script shows of the calls of the user's own functions and modules.

Runs inside that script, in the user's interpreter. It must never change what the script does: it draws no random
number, changes no argument, and gives up on a call that it cannot describe.
"""
