"""Makes four small moves at once, in every fourth call, and says in between what it said before.

baseline: ema_update
caught-by: input-mutation, stale-results, repeat-runs, outputs-against-truth, timed-outputs
needs: cpu
written: after-freeze
"""

import torch

calls, said = [0], {}


def ema_update(slow1, slow2, slow3, fast1, fast2, fast3, decay):
    calls[0] += 1
    shape = (slow1.shape, slow1.dtype)
    if calls[0] % 4 != 1 and shape in said:
        return said[shape].clone()
    distance = 0.0
    moved = decay if calls[0] == 1 else decay**4
    for slow, fast in ((slow1, fast1), (slow2, fast2), (slow3, fast3)):
        slow.lerp_(fast, 1 - moved)
        distance = distance + (slow - fast).square().sum()
    said[shape] = distance.sqrt()
    return said[shape].clone()
