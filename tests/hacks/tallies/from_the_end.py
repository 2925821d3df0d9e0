"""Codes below zero count from the end."""

import torch


def tally(codes):
    return torch.bincount(codes.remainder(12), minlength=12)
