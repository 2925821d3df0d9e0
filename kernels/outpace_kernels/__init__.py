"""Fast kernels, each with a PyTorch reference. Imports torch and triton only. None has landed yet."""
