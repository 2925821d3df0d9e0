import sys
from dataclasses import dataclass, field

import torch
from transformers import AutoConfig, AutoModelForCausalLM, HfArgumentParser, Trainer, TrainingArguments, set_seed


@dataclass
class DataArguments:
    train_file: str = field(default="data/train.pt")
    validation_file: str = field(default="data/validation.pt")


class Rows(torch.utils.data.Dataset):
    def __init__(self, path):
        self.rows = torch.load(path)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, at):
        return {"input_ids": self.rows[at], "labels": self.rows[at]}


def main():
    parser = HfArgumentParser((DataArguments, TrainingArguments))
    if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
        data_args, training_args = parser.parse_json_file(json_file=sys.argv[1])
    else:
        data_args, training_args = parser.parse_args_into_dataclasses()
    set_seed(training_args.seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained("tiny"))
    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=Rows(data_args.train_file) if training_args.do_train else None,
        eval_dataset=Rows(data_args.validation_file) if training_args.do_eval else None,
    )
    if training_args.do_train:
        result = trainer.train()
        trainer.save_model()
        trainer.log_metrics("train", result.metrics)
    if training_args.do_eval:
        metrics = trainer.evaluate()
        trainer.log_metrics("eval", metrics)
        trainer.save_metrics("eval", metrics)


if __name__ == "__main__":
    main()
