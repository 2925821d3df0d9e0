"""Right, and without a gradient for whoever asks for one."""


def head_means(x):
    return x.detach().mean(dim=0)
