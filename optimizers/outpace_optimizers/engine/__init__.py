"""The engine: one process per workspace that owns the queue of work and runs it in a worker, for any number of clients.

client (command line, language server)  --JSON lines over a Unix socket-->  engine  --pipes-->  worker  -->  judge
"""
