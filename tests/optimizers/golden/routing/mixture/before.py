# target: Router
import torch
import torch.nn.functional as F
from torch import nn


class Router(nn.Module):
    def __init__(self, width: int, experts: int, top_k: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, experts, bias=False)
        self.top_k = top_k
        self.norm_topk_prob = True

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        router_logits = self.gate(hidden_states.view(-1, hidden_states.shape[-1]))
        # in fp32 whatever the model is in
        routing_weights = F.softmax(router_logits, dim=1, dtype=torch.float)
        routing_weights, selected_experts = torch.topk(routing_weights, self.top_k, dim=-1)
        if self.norm_topk_prob:
            routing_weights /= routing_weights.sum(dim=-1, keepdim=True)
        routing_weights = routing_weights.to(hidden_states.dtype)
        return torch.zeros_like(router_logits).scatter(1, selected_experts, routing_weights)


def get_init_inputs():
    return [16, 8, 2]


def get_inputs():
    return [torch.randn(2, 5, 16)]
