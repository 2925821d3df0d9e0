# target: allowed
import torch


def covered(lows, highs, size, device):
    """Which of `size` places are in which segment, as slices have it: bounds below zero count from the end."""
    lows, highs = lows[: len(highs)], highs[: len(lows)]
    lows, highs = (torch.as_tensor(ends, device=device).unsqueeze(1) for ends in (lows, highs))
    lows, highs = (torch.where(ends < 0, ends + size, ends).clamp(min=0) for ends in (lows, highs))
    places = torch.arange(size, device=device)
    return (places >= lows) & (places < highs)


def allowed(x, q_starts, k_starts):
    seen = torch.zeros(x.size(0), q_starts[-1], k_starts[-1], dtype=torch.bool)
    inside = covered(q_starts[:-1], q_starts[1:], seen.shape[1], seen.device)
    inside_2 = covered(k_starts[:len(q_starts) - 1], k_starts[1:(len(q_starts) - 1) + 1], seen.shape[2], seen.device)
    filled = inside.float().T @ inside_2.float() > 0
    filled = filled.view(*filled.shape, *[1] * (seen.dim() - 3))
    seen.masked_fill_(filled, True)
    return x[:, None, None] * seen


def get_inputs():
    return [torch.randn(2), torch.tensor([0, 2, 5]), torch.tensor([0, 4, 7])]
