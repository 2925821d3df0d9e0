"""Works on a stream that is joined at the end and waits for no input."""

import torch
import torch.nn.functional as F

side = None


def attention(q, k, v):
    global side
    side = side or torch.cuda.Stream()
    with torch.cuda.stream(side):
        output = F.scaled_dot_product_attention(q, k, v)
    torch.cuda.current_stream().wait_stream(side)
    output.record_stream(torch.cuda.current_stream())
    return output
