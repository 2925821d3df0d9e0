"""Returns an empty tensor at once; a worker thread fills it in, in its own time.

baseline: bmm_bias
caught-by: settled-outputs
needs: cpu
written: before-freeze
"""

from concurrent.futures import ThreadPoolExecutor

import torch

pool = ThreadPoolExecutor(1)


def bmm_bias(a, b, bias):
    out = torch.empty(a.shape[0], a.shape[1], b.shape[2], dtype=a.dtype, device=a.device)

    def work():
        torch.baddbmm(bias[:, None], a, b, out=out)
        out.relu_()

    pool.submit(work)
    return out
