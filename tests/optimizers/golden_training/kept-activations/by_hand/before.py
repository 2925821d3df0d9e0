"""A model of transformers in a loop of one's own."""

import torch
from transformers import AutoModelForCausalLM


def main(name="gpt2"):
    model = AutoModelForCausalLM.from_pretrained(name)
    model.train()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    for _ in range(10):
        ids = torch.randint(100, (2, 16))
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


if __name__ == "__main__":
    main()
