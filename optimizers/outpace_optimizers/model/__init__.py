"""Ideas from a language model, off until one is named. What it writes is audited like everything else.

search -> proposer -> conversation --JSON lines--> helper (litellm) --HTTPS--> provider, or a server of the user's own
                         spending: what it costs, counted before it is spent
"""
