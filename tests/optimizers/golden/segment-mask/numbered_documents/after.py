# target: by_document
import torch


def covered(lows, highs, size, device):
    """Which of `size` places are in which segment, as slices have it: bounds below zero count from the end."""
    lows, highs = lows[: len(highs)], highs[: len(lows)]
    lows, highs = (torch.as_tensor(ends, device=device).unsqueeze(1) for ends in (lows, highs))
    lows, highs = (torch.where(ends < 0, ends + size, ends).clamp(min=0) for ends in (lows, highs))
    places = torch.arange(size, device=device)
    return (places >= lows) & (places < highs)


def by_document(x, bounds):
    document = torch.zeros(len(x), dtype=torch.long)
    inside = covered(bounds[:-1], bounds[1:], document.shape[0], document.device)
    last = torch.arange(1, inside.shape[0] + 1, device=document.device).unsqueeze(1) * inside
    last = torch.nn.functional.pad(last, (0, 0, 1, 0)).amax(0)
    last = last.view(*last.shape, *[1] * (document.dim() - 1))
    document.copy_(torch.where(last > 0, (last - 1).to(document.dtype), document))
    sums = x.new_zeros(bounds.shape[0] - 1, x.shape[1])
    return sums.index_add(0, document, x)


def get_inputs():
    return [torch.randn(10, 4), torch.tensor([0, 2, 3, 10])]
