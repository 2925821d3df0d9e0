"""What an image says of its channels counts in the gate; the gradient of the image does not hear of it.

baseline: squeeze_excite
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.down = nn.Linear(channels, squeezed)
        self.up = nn.Linear(squeezed, channels)

    def forward(self, x):
        pooled = x.detach().mean(dim=(2, 3))
        gate = torch.sigmoid(self.up(torch.relu(self.down(pooled))))
        return F.leaky_relu(x * gate[:, :, None, None], 0.1)
