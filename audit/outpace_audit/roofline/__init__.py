"""How far a call is from what the machine can do: ceilings measured on it, work counted, the call timed."""
