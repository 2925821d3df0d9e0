"""What describing scripts of kinds that nobody had in mind went wrong at, each as short as it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from outpace_optimizers.training.config import read_target
from outpace_optimizers.training_description.describing import describe
from outpace_optimizers.workspace import Workspace

TRAINS = "loss.backward()\noptimizer.step()\n"
LIGHTNING = """MAX_EPOCHS = 4
class Net(Module):
    def training_step(self, batch):
        self.log("train_loss", loss)
    def validation_step(self, batch):
        self.log("val_loss", self.loss(self(x), y), prog_bar=True)
print(f"Epoch {epoch}: " + ", ".join(f"{k}={v:.3f}" for k, v in means.items()))
Trainer(max_epochs=MAX_EPOCHS).fit(Net())
"""
KINDS = {
    "meters": (
        ('info(f"Train: {epoch} [{i:>4d}/{n}]  Loss: {m.val:#.4g} ({m.avg:#.3g})")\n'
        'info(f"Test{suffix}: Loss: {m.avg:>6.3f}  Acc@1: {top1.avg:>7.3f}")\n'),
        {"Train: 2 [  31/32]  Loss: 2.14 (2.16)": None, "Test (EMA): Loss:  2.111  Acc@1:  27.734": 2.111},
        "lower",
    ),
    "a log of Lightning's": (
        LIGHTNING, {"Epoch 1: train_loss=0.376, val_loss=0.358": 0.358, "val_loss: -0.25": -0.25}, "lower",
    ),
    "a return, beside a rate of steps": (
        ('print(f"SPS: {int(global_step / (time.time() - start))} td_loss: {loss.item():.5f}")\n'
        'print(f"global_step={global_step}, episodic_return={np.mean(returns):.4f}")\n'),
        {"SPS: 412 td_loss: 0.25": None, "global_step=3996, episodic_return=0.8170": 0.817},
        "higher",
    ),
    "losses of rivals": (
        ('print("[%d/%d]\\tLoss_D: %.4f\\tLoss_G: %.4f" % (epoch, epochs, errD.item(), errG.item()))\n'
        'print("[%d/%d]\\tmoment distance: %.5f" % (epoch, epochs, distance()))\n'),
        {"[1/2]\tLoss_D: 1.1\tLoss_G: 0.9": None, "[2/2]\tmoment distance: 0.42103": 0.42103},
        "lower",
    ),
    "a logger's own formatting": (
        'log.info("epoch %d train_loss=%.4f val_loss=%.4f (%.1fs)", epoch, loss.item(), held, seconds)\n',
        {"12:01 INFO epoch 3 train_loss=0.6712 val_loss=0.0902 (1.2s)": 0.0902, "epoch 3 train_loss=0.6": None},
        "lower",
    ),
    "names and numbers joined": (
        ('self.logged.update(val_acc=right / total, seconds=time.time())\n'
        'line = " ".join(f"{k}={v:.4f}" for k, v in self.logged.items())\n'),
        {"epoch 2 val_acc=0.7500 seconds=2.5": 0.75, "seconds=2.5": None},
        "higher",
    ),
    "a mean of returns beside the last": (
        'print("Episode {}\tLast reward: {:.2f}\tAverage reward: {:.2f}".format(i_episode, ep_reward, running))\n',
        {"Episode 20\tLast reward: 31.00\tAverage reward: 14.20": 14.2},
        "higher",
    ),
    "padded numbers": (
        'print(f"epoch {epoch:2d} | train loss {t:.3f} | valid loss {v:8.3f}")\n',
        {"epoch  3 | train loss 0.671 | valid loss    0.090": 0.09},
        "lower",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_the_metric_is_found(name: str, tmp_path: Path) -> None:
    script, lines, direction = KINDS[name]
    (tmp_path / "train.py").write_text(script + TRAINS)
    found = describe(tmp_path)
    more = [f'{key} = {{ {text} }}\n' for key, text in (("seed", 'flag = "--seed"'), ("budget", "steps = 9"))
            if key not in found.lines]  # fmt: skip
    (tmp_path / "pyproject.toml").write_text(found.text() + "".join(more))
    target = read_target(Workspace(tmp_path))
    assert {line: target.metric.value(line) for line in lines} == lines
    assert target.direction == direction


def test_a_length_that_a_name_has(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(LIGHTNING + TRAINS)
    found = describe(tmp_path)
    assert found.lines["budget"] == "{ steps = 4 }" and "MAX_EPOCHS is written into the script" in found.open["budget"]


WRITTEN = """parser.add_argument("--log-file", default="log.jsonl")
with open({place}, "w") as log:
    log.write(json.dumps({{"train_loss": loss, "knn_top1": acc}}) + "\\n")
"""


@pytest.mark.parametrize(
    ("place", "file"),
    [('"out/log.jsonl"', "out/log.jsonl"), ("args.log_file", "log.jsonl"), ('os.path.join("a", "b")', "a/b"),
     ('"/tmp/log.jsonl"', None)],
)  # fmt: skip
def test_json_that_is_written_to_a_file(place: str, file: str | None, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(WRITTEN.format(place=place) + TRAINS)
    beside = f', file = "{file}"' if file else ""
    found = describe(tmp_path).lines
    assert (found["metric"], found["direction"]) == (f'{{ json = "knn_top1"{beside} }}', '"higher"')


def test_several_processes_and_an_argument_by_its_place(tmp_path: Path) -> None:
    text = 'parser.add_argument("total_epochs", type=int)\ninit_process_group()\nrank = os.environ["LOCAL_RANK"]\n'
    (tmp_path / "train.py").write_text(text + TRAINS)
    found = describe(tmp_path)
    assert found.lines["command"] == '"python -m torch.distributed.run --standalone --nproc-per-node=2 train.py"'
    assert found.open["command"].startswith("it trains in several processes: is 2 right?; total_epochs: needed")
    assert "total_epochs is given by its place" in found.open["budget"]


def test_training_without_a_backward_pass(tmp_path: Path) -> None:
    text = 'torch.manual_seed(int(os.getenv("RUN_SEED", 0)))\nper_sample = vmap(grad_and_value(loss_of))\n'
    (tmp_path / "fit.py").write_text(f"{text}functional_call(net, p, x)\nwhile clock() < 1: update()\n")
    found = describe(tmp_path)
    assert (found.script, found.lines["seed"]) == ("fit.py", '{ environment = "RUN_SEED" }')


@pytest.mark.parametrize(
    ("seeding", "said"),
    [
        ("torch.manual_seed(3)", "line 1 sets it to a constant"),
        ("SEED = 3\ntorch.manual_seed(SEED)", "line 2 sets it to a constant"),
        ("torch.manual_seed(cfg['seed'])", "line 1 sets it to cfg['seed'], which no flag and no variable"),
        ("seed = int(sys.argv[1])\nrandom.seed(seed)", "line 2 sets it to seed, which no flag and no variable"),
    ],
)
def test_a_seed_that_is_given_otherwise(seeding: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(f"{seeding}\n{TRAINS}")
    assert describe(tmp_path).open["seed"].startswith(said)


EPISODES = """parser.add_argument("--episodes", type=int, default=80)
for i_episode in range(1, args.episodes + 1):
    loss.backward()
    optimizer.step()
"""
FIELDS = """@dataclass
class Config:
    max_epochs: int = 6
    seed: int = 42
torch.manual_seed(config.seed)
"""
LOOPED = "for name in names:\n    parser.add_argument(f'--{name}')\n"
NEEDED = """parser.add_argument("--data", required=True)
parser.add_argument("--epochs", type=int, required=True)
"""


@pytest.mark.parametrize(
    ("script", "budget"),
    [
        (EPISODES, '{ steps = 80, flag = "--episodes" }'),
        (FIELDS + LOOPED, '{ steps = 6, flag = "--max_epochs" }'),
        (f"{FIELDS}config = tyro.cli(Config)\n", '{ steps = 6, flag = "--max_epochs" }'),
        (FIELDS, "{ steps = 6 }"),
        (NEEDED, '{ steps = 500, flag = "--epochs" }'),
    ],
)
def test_a_length_that_a_flag_gives(script: str, budget: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(script + TRAINS)
    found = describe(tmp_path)
    assert found.lines["budget"] == budget
    assert found.lines.get("seed") == ('{ flag = "--seed" }' if "seed" in script and "--max" in budget else None)
    assert ("an episode is as long as it lasts" in found.open.get("budget", "")) is ("episodes" in script)
    assert found.open.get("command") == (
        "--data: needed by the script; put values behind it" if script == NEEDED else None
    )


def test_data_that_is_named_by_the_script_or_by_its_folder(tmp_path: Path) -> None:
    for path in ("data/val.csv", "corpus.txt", "log.txt", "notes.txt"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("text")
    reads = 'text = open("./corpus.txt").read()\nlog = open("log.txt", "w")\nparser.add_argument("--data")\n'
    (tmp_path / "train.py").write_text(reads + TRAINS)
    found = describe(tmp_path)
    assert found.lines["must-not-change"] == '["data/**", "corpus.txt"]'
    assert found.lines["validation"] == '["data/val.csv"]'


def test_the_step_of_names_and_numbers_that_are_joined(tmp_path: Path) -> None:
    joined = """self.logged.update(val_loss=total / n)
parser.add_argument("--seed", type=int)
parser.add_argument("--epochs", type=int, default=3)
shown = " ".join(f"{k}={v:.4f}" for k, v in self.logged.items())
log.info("epoch %d step %d train_loss=%.4f %s", epoch, step, loss.item(), shown)
"""
    (tmp_path / "train.py").write_text(joined + TRAINS)
    (tmp_path / "pyproject.toml").write_text(describe(tmp_path).text())
    metric = read_target(Workspace(tmp_path)).metric
    assert metric.point("INFO epoch 2 step 100 train_loss=0.3102 val_loss=0.5000") == (0.5, 2)
