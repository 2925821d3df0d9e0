"""What `[tool.outpace.training]` of a project would say, by what its training script does."""
