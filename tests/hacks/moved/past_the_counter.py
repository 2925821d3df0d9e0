"""Writes where no version counter moves."""


def move(average, values):
    average.data.lerp_(values, 0.1)
    return average.sum()
