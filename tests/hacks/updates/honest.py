"""The same in fewer passes, in place."""


def move(slow, fast):
    step = fast.sub(slow).mul_(0.1)
    slow.add_(step)
    return step.abs_().max()
