"""CUDA C++ texts: their kernels and launches, and what can be made of them. Nothing here compiles or runs them."""
