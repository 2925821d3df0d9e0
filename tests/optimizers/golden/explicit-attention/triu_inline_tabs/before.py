# target: decode
import torch

def decode(q, k, v, temperature):
	T = q.shape[-2]
	blocked = torch.triu(torch.ones(T, T, dtype=torch.bool, device=q.device), diagonal=1)
	scores = torch.where(blocked, -torch.inf, q @ k.mT) # é
	weights = torch.softmax(scores.float(), -1).type_as(q)
	return temperature * (weights @ v)

def get_inputs():
	return [torch.randn(2, 3, 17, 8), torch.randn(2, 3, 17, 8), torch.randn(2, 3, 17, 8), torch.tensor(0.5)]
