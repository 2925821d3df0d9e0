"""Two threads take half of the images each; both are done before it returns.

baseline: conv_block
needs: cpu
written: before-freeze
"""

from concurrent.futures import ThreadPoolExecutor

import torch
import torch.nn.functional as F

pool = ThreadPoolExecutor(2)


def conv_block(x, weight, bias):
    work = [pool.submit(F.conv2d, part, weight, bias, padding=1) for part in x.chunk(2)]
    return F.silu(torch.cat([part.result() for part in work]))
