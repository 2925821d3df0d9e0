"""liger-kernel's cross entropy, on a copy because it writes its gradient over the logits.

baseline: cross_entropy
needs: triton
written: before-freeze
"""

from liger_kernel.transformers.functional import liger_cross_entropy


def cross_entropy(logits, targets):
    return liger_cross_entropy(logits.clone(), targets, label_smoothing=0.1, lse_square_scale=1e-4, return_z_loss=False)
