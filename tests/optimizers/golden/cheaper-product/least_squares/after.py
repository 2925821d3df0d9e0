# target: fit
import torch


def fit(X, y, ridge=0.1):
    gram = X.T @ X + ridge * torch.eye(X.shape[1])
    return torch.linalg.solve(gram, X.T @ y)


def get_inputs():
    return [torch.randn(20, 4), torch.randn(20)]
