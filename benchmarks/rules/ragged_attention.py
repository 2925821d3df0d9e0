"""Attention within documents of different lengths that are packed one after the other."""

from __future__ import annotations

import torch
import torch.nn.functional as F

ROWS, COUNT, DTYPE = (8192, 48, torch.bfloat16) if torch.cuda.is_available() else (96, 6, torch.float32)


def within_documents(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    lengths = ends.diff().tolist()
    outs: list[torch.Tensor] = []
    for q_doc, k_doc, v_doc in zip(q.split(lengths), k.split(lengths), v.split(lengths), strict=False):
        q_doc, k_doc = q_doc.transpose(0, 1)[None], k_doc.transpose(0, 1)[None]
        v_doc = v_doc.transpose(0, 1)[None]
        outs.append(F.scaled_dot_product_attention(q_doc, k_doc, v_doc)[0].transpose(0, 1))
    return torch.cat(outs)


def get_inputs() -> list[torch.Tensor]:
    cuts = torch.randperm(ROWS - 1)[: COUNT - 1].add(1).sort().values
    ends = torch.cat((torch.zeros(1, dtype=torch.int64), cuts, torch.full((1,), ROWS)))
    return [*(torch.randn(ROWS, 16, 64, dtype=DTYPE) for _ in range(3)), ends]
