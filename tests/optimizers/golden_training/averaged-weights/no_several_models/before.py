"""An encoder and a decoder with optimizers of their own: the mean of one fits no weights of the other."""

import torch
import torch.nn as nn

encoder, decoder = nn.GRU(8, 16, batch_first=True), nn.Linear(16, 8)
encoder_optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
decoder_optimizer = torch.optim.Adam(decoder.parameters(), lr=1e-3)
for step in range(20):
    x = torch.randn(4, 5, 8)
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    hidden, _ = encoder(x)
    loss = (decoder(hidden) - x).square().mean()
    loss.backward()
    encoder_optimizer.step()
    decoder_optimizer.step()
with torch.no_grad():
    print((decoder(encoder(x)[0]) - x).square().mean())
