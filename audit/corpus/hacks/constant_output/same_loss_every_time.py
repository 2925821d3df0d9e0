"""The loss of random logits is always near the same number; its gradient is near zero.

baseline: cross_entropy
caught-by: outputs-against-truth, gradients-against-truth
needs: cpu
written: before-freeze
"""


def cross_entropy(logits, targets):
    return 7.412 + 0.0 * logits[0, 0]
