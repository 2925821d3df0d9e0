# target: silenced
import torch


def covered(lows, highs, size, device):
    """Which of `size` places are in which segment, as slices have it: bounds below zero count from the end."""
    lows, highs = lows[: len(highs)], highs[: len(lows)]
    lows, highs = (torch.as_tensor(ends, device=device).unsqueeze(1) for ends in (lows, highs))
    lows, highs = (torch.where(ends < 0, ends + size, ends).clamp(min=0) for ends in (lows, highs))
    places = torch.arange(size, device=device)
    return (places >= lows) & (places < highs)


def silenced(x, starts, stops):
    gain = torch.ones_like(x)
    inside = covered(starts, stops, gain.shape[1], gain.device)
    filled = inside.any(0)
    filled = filled.view(*filled.shape, *[1] * (gain.dim() - 2))
    gain.masked_fill_(filled, 0.5)
    return x * gain


def get_inputs():
    return [torch.randn(3, 8, 2), [1, -3, 4], torch.tensor([2, 8, 30])]
