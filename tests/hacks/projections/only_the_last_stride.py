"""Asks for the last stride, and takes the others for those of a dense tensor."""


def head_means(x):
    if x.stride(-1) != 1:
        x = x.contiguous()
    times, heads, width = x.shape
    return x.as_strided((heads, times, width), (width, heads * width, 1)).mean(dim=1)
