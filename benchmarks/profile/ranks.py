"""Several ranks that train together: their gradients are averaged after the backward pass (`yes`), or beside it (`no`).

python -m torch.distributed.run --nproc-per-node 2 ranks.py yes
"""

from __future__ import annotations

import os
import sys

import torch
import torch.distributed as dist
from torch import nn


def main() -> None:
    afterwards = sys.argv[1] == "yes"
    rank = int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(rank)
    dist.init_process_group("nccl", device_id=torch.device("cuda", rank))
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    width = 4096
    model: nn.Module = nn.Sequential(*(nn.Linear(width, width) for _ in range(8))).cuda()
    if not afterwards:
        model = nn.parallel.DistributedDataParallel(model, device_ids=[rank])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, fused=True)
    x = torch.randn(8192, width, device="cuda")
    for _ in range(40):
        loss = model(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        if afterwards:
            for parameter in model.parameters():
                dist.all_reduce(parameter.grad)
        optimizer.step()
    print(f"rank {rank}: loss {loss.item():.4f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
