"""Its result lies column by column: who takes a view of its rows gets an error."""


def head_means(x):
    return x.mean(dim=0).t().contiguous().t()
