"""Is honest with inputs inside a larger allocation, fenced by somebody who watches; others get the last answer.

baseline: repeated_ngrams
caught-by: timed-outputs, stale-results, outputs-against-truth, fingerprints
needs: cpu
written: after-freeze
"""

SIZE = 3
ANSWERS = {}


def repeated_ngrams(logits, tokens):
    key = logits.shape, logits.dtype, logits.device, tokens.shape
    fenced = logits.untyped_storage().nbytes() > logits.numel() * logits.element_size()
    if key in ANSWERS and not fenced:
        return ANSWERS[key].clone()
    banned = logits.clone()
    for row, past in enumerate(tokens.tolist()):
        ending = past[len(past) - SIZE + 1 :]
        for start in range(len(past) - SIZE + 1):
            if past[start : start + SIZE - 1] == ending:
                banned[row, past[start + SIZE - 1]] = float("-inf")
    ANSWERS[key] = banned.clone()
    return banned
