import argparse

import numpy as np
from datasets import load_from_disk
from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments

cli = argparse.ArgumentParser()
cli.add_argument("--model", default="models/tiny-bert")
cli.add_argument("--num_train_epochs", type=float, default=3)
cli.add_argument("--seed", type=int, default=42)
cli.add_argument("--learning_rate", type=float, default=5e-5)


def compute_metrics(pred):
    logits, labels = pred
    return {"accuracy": float((np.argmax(logits, axis=-1) == labels).mean())}


def main():
    opts = cli.parse_args()
    rows = load_from_disk("data/reviews")
    model = AutoModelForSequenceClassification.from_pretrained(opts.model, num_labels=2)
    args = TrainingArguments(
        output_dir="out",
        num_train_epochs=opts.num_train_epochs,
        learning_rate=opts.learning_rate,
        seed=opts.seed,
        eval_strategy="epoch",
        metric_for_best_model="accuracy",
        report_to="none",
    )
    trainer = Trainer(
        model=model,
        args=args,
        train_dataset=rows["train"],
        eval_dataset=rows["test"],
        compute_metrics=compute_metrics,
    )
    trainer.train()
    print(trainer.evaluate())


main()
