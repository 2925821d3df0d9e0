# target: CustomLSTM
import math

import torch
import torch.nn as nn


class CustomLSTM(nn.Module):
    def __init__(self, input_sz, hidden_sz):
        super().__init__()
        self.hidden_size = hidden_sz
        self.W = nn.Parameter(torch.randn(input_sz, hidden_sz * 4) / math.sqrt(hidden_sz))
        self.U = nn.Parameter(torch.randn(hidden_sz, hidden_sz * 4) / math.sqrt(hidden_sz))
        self.bias = nn.Parameter(torch.zeros(hidden_sz * 4))

    def forward(self, x):
        """x: (batch, time, features)."""
        bs, seq_sz, _ = x.size()
        hidden_seq = []
        h_t, c_t = torch.zeros(bs, self.hidden_size).to(x.device), torch.zeros(bs, self.hidden_size).to(x.device)
        HS = self.hidden_size
        projected_steps = (x @ self.W).unbind(1)
        for t in range(seq_sz):
            # all four gates at once
            gates = projected_steps[t] + h_t @ self.U + self.bias
            i_t, f_t, g_t, o_t = (
                torch.sigmoid(gates[:, :HS]),
                torch.sigmoid(gates[:, HS : HS * 2]),
                torch.tanh(gates[:, HS * 2 : HS * 3]),
                torch.sigmoid(gates[:, HS * 3 :]),
            )
            c_t = f_t * c_t + i_t * g_t
            h_t = o_t * torch.tanh(c_t)
            hidden_seq.append(h_t.unsqueeze(0))
        hidden_seq = torch.cat(hidden_seq, dim=0)
        return hidden_seq.transpose(0, 1).contiguous()


def get_init_inputs():
    return [5, 6]


def get_inputs():
    return [torch.randn(3, 7, 5)]
