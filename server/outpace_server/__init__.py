"""The desk: command line and language server. Imports neither torch, triton nor litellm."""
