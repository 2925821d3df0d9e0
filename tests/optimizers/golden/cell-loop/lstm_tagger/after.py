# target: Tagger
import torch
from torch import nn


def lstm_steps(cell, inputs, hidden, memory):
    """The hidden states of an nn.LSTMCell after each step, and its last memory; inputs: [steps, batch, features] or
    [steps, features].
    """
    batched = inputs if inputs.dim() == 3 else inputs.unsqueeze(1)
    weights = [cell.weight_ih, cell.weight_hh, *([cell.bias_ih, cell.bias_hh] if cell.bias else [])]
    shape = 1, batched.shape[1], cell.hidden_size
    first = tuple(state.reshape(shape).to(batched.dtype) for state in (hidden, memory))
    if not len(batched):
        return (first[0][:0] if inputs.dim() == 3 else first[0][:0, 0]), memory
    train = torch.is_grad_enabled()
    steps, _, last = torch.lstm(batched, first, weights, cell.bias, 1, 0.0, train, False, False)
    return (steps, last[0]) if inputs.dim() == 3 else (steps.squeeze(1), last[0, 0])


class Tagger(nn.Module):
    def __init__(self, vocab, width, hidden, tags):
        super().__init__()
        self.hidden = hidden
        self.embed = nn.Embedding(vocab, width)
        self.lstm = nn.LSTMCell(width, hidden)
        self.fc = nn.Linear(hidden, tags)

    def forward(self, tokens):
        batch, steps = tokens.shape
        h = torch.zeros(batch, self.hidden, device=tokens.device)
        c = torch.zeros(batch, self.hidden, device=tokens.device)
        emb = self.embed(tokens)
        h_steps = lstm_steps(self.lstm, emb[:, :steps].movedim(1, 0), h, c)[0]
        def one_t(h_steps_t):
            h = h_steps_t
            return self.fc(h)
        outputs = torch.vmap(one_t, out_dims=1)(h_steps[:steps])
        return outputs


def get_init_inputs():
    return [30, 6, 8, 4]


def get_inputs():
    return [torch.randint(0, 30, (3, 9))]
