# target: attend
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel


def attend(q, k, v):
    with sdpa_kernel([SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]):
        q = F.scaled_dot_product_attention(q, k, v)
    with sdpa_kernel(SDPBackend.MATH):
        k = torch.softmax(k, -1)
    with sdpa_kernel(SDPBackend.MATH) as chosen, torch.no_grad():
        v = F.scaled_dot_product_attention(q, k, v)
    with torch.backends.cuda.sdp_kernel(enable_flash=False, enable_math=True):
        v = F.scaled_dot_product_attention(q, k, v)
    return v


def get_inputs():
    return [torch.randn(2, 4, 6, 8) for _ in range(3)]
