"""The functions that call a recurrent cell's layer, as text for a user's file."""

from __future__ import annotations

GRU_STEPS = '''def gru_steps(cell, inputs, state):
    """The states of an nn.GRUCell after each step; inputs: [steps, batch, features] or [steps, features]."""
    batched = inputs if inputs.dim() == 3 else inputs.unsqueeze(1)
    if state is None:
        state = batched.new_zeros(batched.shape[1], cell.hidden_size)
    weights = [cell.weight_ih, cell.weight_hh, *([cell.bias_ih, cell.bias_hh] if cell.bias else [])]
    first = state.reshape(1, batched.shape[1], cell.hidden_size).to(batched.dtype)
    if not len(batched):
        return first[:0] if inputs.dim() == 3 else first[:0, 0]
    train = torch.is_grad_enabled()
    steps, _ = torch.gru(batched, first, weights, cell.bias, 1, 0.0, train, False, False)
    return steps if inputs.dim() == 3 else steps.squeeze(1)
'''

_RUN = """    run = torch.rnn_relu if cell.nonlinearity == "relu" else torch.rnn_tanh
    steps, _ = run("""

RNN_STEPS = (
    GRU_STEPS.replace("gru_steps", "rnn_steps")
    .replace("nn.GRUCell", "nn.RNNCell")
    .replace("    steps, _ = torch.gru(", _RUN)
)

LSTM_STEPS = '''def lstm_steps(cell, inputs, hidden, memory):
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
'''
