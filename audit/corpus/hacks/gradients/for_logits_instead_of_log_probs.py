"""The library's loss, whose gradient is that of the logits in front of a log-softmax, where log-probabilities came in.

baseline: ctc_loss
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F


def ctc_loss(log_probs, targets, frames, lengths):
    return F.ctc_loss(log_probs, targets, frames, lengths, blank=0, reduction="none")
