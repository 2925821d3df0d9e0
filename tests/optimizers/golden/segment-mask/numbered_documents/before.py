# target: by_document
import torch


def by_document(x, bounds):
    document = torch.zeros(len(x), dtype=torch.long)
    for n in range(bounds.shape[0] - 1):
        begin = bounds[n]
        end = bounds[n + 1]
        document[begin:end] = n
    sums = x.new_zeros(bounds.shape[0] - 1, x.shape[1])
    return sums.index_add(0, document, x)


def get_inputs():
    return [torch.randn(10, 4), torch.tensor([0, 2, 3, 10])]
