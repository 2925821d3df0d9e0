# target: prototypes
import torch


def where_each(values, count):
    """`torch.where(values == i)` for every i below count: one sort, and one wait for the device."""
    if values.dtype not in (torch.int32, torch.int64) or values.dim() == 0:
        return [torch.where(values == i) for i in range(count)]
    ordered, order = torch.sort(values.flatten(), stable=True)
    wanted = torch.arange(count + 1, dtype=ordered.dtype, device=ordered.device)
    edges = torch.searchsorted(ordered, wanted).tolist()
    places = [place.tensor_split(edges) for place in torch.unravel_index(order, values.shape)]
    return list(zip(*places))[1:-1]


def prototypes(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    means = torch.zeros(7, x.shape[1], dtype=x.dtype, device=x.device)
    places = where_each(labels, 7)
    for c in range(7):
        mask = places[c]
        if not len(mask[0]):
            continue
        means[c] = x[mask].mean(dim=0)
    return means


def get_inputs():
    return [torch.randn(20, 8), torch.randint(-1, 6, (20,))]
