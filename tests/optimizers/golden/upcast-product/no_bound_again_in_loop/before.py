# target: power
import torch


def power(x, start, steps: int):
    """From the second step on, what is multiplied was computed in fp32."""
    state = start.float()
    for _ in range(steps):
        state = torch.tanh(x @ state)
    return state


def get_inputs():
    return [torch.randn(4, 4), torch.randn(4, 4).bfloat16(), 3]
