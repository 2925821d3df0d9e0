"""Fast kernels, each with a PyTorch reference; see docs/kernels.md. Imports torch and triton only, module by module."""
