# target: Gate
import torch
import torch.nn.functional as F
from torch import nn


class Gate(nn.Module):
    def __init__(self, width: int, experts: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(experts, width, dtype=torch.bfloat16) / width**0.5)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        logits = F.linear(hidden_states.type(torch.float32), self.weight.type(torch.float32), None)
        return logits.softmax(dim=-1)


def get_init_inputs():
    return [32, 8]


def get_inputs():
    return [torch.randn(2, 5, 32).bfloat16()]
