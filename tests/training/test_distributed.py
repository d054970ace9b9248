"""Two processes that train one model, as torchrun starts them, against one process that does it alone."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import distributed

from seq2seq.cli.train import main
from seq2seq.errors import DeviceError
from seq2seq.model_directory import read_weights
from seq2seq.recipe import recipe_from_text
from seq2seq.training.distributed import World, first_of_machine
from seq2seq.training.exchange import Exchange
from seq2seq.training.progress import Progress
from seq2seq.training.run import train
from tests.training.silent import Silent

ROOT = Path(__file__).parents[2]
NUMBERS = {"one": "un", "two": "deux", "three": "trois", "four": "quatre", "five": "cinq", "six": "six"}
PAIRS = [course for length in (2, 3) for course in itertools.product(NUMBERS, repeat=length)]

RECIPE = """\
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: train}]
  validation: [{prefix: valid}]
tokenizer: {vocabulary_size: 30}
model:
  encoder: {cell: gru, hidden_size: 6, embedding_size: 5}
  decoder: {cell: gru, hidden_size: 6, embedding_size: 5}
training:
  epochs: 2
  batch: 160
  precision: fp32
  optimizer: {name: sgd, learning_rate: 0.5, momentum: 0.5}
  validation: {sentences: 2, every_updates: 7}
  checkpoint_minutes: 1000
evaluation: {after_training: false}
run: {name: tiny, tensorboard: false, threads: 1, log_seconds: 0.000001}
"""

#: Everything that draws random numbers in training, and the rest that has a state.
NOISY = (
    "tokenizer.sampling.alpha=0.3",
    "model.encoder={cell: gru, hidden_size: 6, embedding_size: 5, word_dropout: 0.1, layers: 2, dropout: 0.1}",
    "model.decoder={cell: gru, hidden_size: 6, embedding_size: 5, dropout: 0.2, variational: true}",
    "training.exponential_smoothing=0.9",
    "training.schedule={name: inverse-sqrt, warmup_updates: 10}",
)
#: A place within the second epoch.
HALF = 12

#: Trains once for each name and list of overrides; `act` says what to do after an update in which process.
WORKER = """\
import json, os, signal, sys
from seq2seq.errors import CorpusError, Seq2SeqError
from seq2seq.recipe import recipe_from_text
from seq2seq.training import trainer
from seq2seq.training.interrupt import Interrupted
from seq2seq.training.run import train

text, jobs = json.loads(sys.stdin.read())
plain = trainer.Trainer._update

for name, overrides, act in jobs:

    def update(self, share):
        plain(self, share)
        if act and [self.progress.update, self.world.rank] == [3, 1]:
            exec(act)

    trainer.Trainer._update = update
    code = 0
    try:
        train(recipe_from_text(text, "recipe.yaml", [f"run.name={name}", *overrides]))
    except (Interrupted, SystemExit) as end:
        code = end.exit_code if isinstance(end, Interrupted) else end.code
    except Seq2SeqError as error:
        print(f"error: {error}", file=sys.stderr)
        code = error.exit_code
    print(f"== {code}", file=sys.stderr, flush=True)
"""


@dataclass(frozen=True)
class End:
    """How a training ended in one process: what it said, and by which exit code."""

    said: str
    code: int


def launch(folder: Path, *jobs: tuple[str, Sequence[str], str]) -> list[dict[str, End]]:
    """Run trainings one after the other in two processes; how each of them ended in each process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = []
    for rank in range(2):
        environment = os.environ | {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
        }
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WORKER],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps([RECIPE, jobs]))
        process.stdin.close()
        process.stdin = None
        started.append(process)
    ends = []
    try:
        for process in started:
            said = process.communicate(timeout=240)[1]
            assert "Traceback" not in said, said
            parts = said.split("== ")
            codes = [int(part.splitlines()[0]) for part in parts[1:]]
            texts = [parts[0], *(part.partition("\n")[2] for part in parts[1:])]
            names = [name for name, _, _ in jobs]
            ends.append({name: End(text, code) for name, text, code in zip(names, texts, codes, strict=False)})
    finally:
        for process in started:
            process.kill()
            process.communicate()
    return ends


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distributed")
    for name, pairs in (("train", PAIRS), ("valid", PAIRS[100:104])):
        english = "".join(" ".join(pair) + "\n" for pair in pairs)
        french = "".join(" ".join(NUMBERS[word] for word in reversed(pair)) + "\n" for pair in pairs)
        (folder / f"{name}.en").write_text(english, "utf-8")
        (folder / f"{name}.fr").write_text(french, "utf-8")
    return folder


@pytest.fixture(scope="module")
def ends(corpus: Path) -> list[dict[str, End]]:
    """Trainings of one process with two batches an update, of two with one each, and of both in turn."""
    one, two = ("training.accumulation=2",), ("training.accumulation=1",)
    half = (*NOISY, f"training.max_updates={HALF}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(corpus)
        alone("run.name=count", "training.epochs=1")
        alone("run.name=plain-1", *one)
        alone("run.name=noisy-1", *one, *NOISY)
        alone("run.name=first-1", *one, *half)
        ended = launch(
            corpus,
            ("plain-2", two, ""),
            ("noisy-2", (*two, *NOISY), ""),
            ("first-2", (*two, *half), ""),
            ("first-1", (*two, *NOISY), ""),
            ("hard", ("model.attention={type: hard}",), ""),
            ("torn", (), "raise CorpusError('line 7: torn')"),
            ("stopped", NOISY, "os.kill(os.getpid(), signal.SIGTERM)"),
            ("killed", (), "os.kill(os.getpid(), signal.SIGKILL)"),
        )
        alone("run.name=first-2", *one, *NOISY)
    return ended


@pytest.fixture(scope="module")
def runs(corpus: Path, ends: list[dict[str, End]]) -> Path:
    return corpus / "runs"


def alone(*overrides: str) -> None:
    train(recipe_from_text(RECIPE, "recipe.yaml", overrides), display=Silent())


def stored(run: Path) -> tuple[dict[str, torch.Tensor], Progress]:
    """The tensors of a checkpoint but the states of random generators, and the progress."""
    tensors, metadata = read_weights(run / "training" / "checkpoint.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith("random.")}
    return kept, Progress.from_json(metadata["progress"])


def journal(run: Path, kind: str) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (run / "journal.jsonl").read_text("utf-8").splitlines()]
    return [record for record in records if record["kind"] == kind]


@pytest.mark.parametrize(
    ("name", "reference"),
    [("plain-2", "plain-1"), ("noisy-2", "noisy-1"), ("first-1", "noisy-1"), ("first-2", "noisy-1")],
)
def test_processes_end_with_the_weights_of_one(runs: Path, name: str, reference: str) -> None:
    """All the way, and where one process goes on with what two began, or two with what one began."""
    (ours, progress), (theirs, expected) = stored(runs / name), stored(runs / reference)
    assert ours.keys() == theirs.keys()
    for key, tensor in theirs.items():
        torch.testing.assert_close(ours[key], tensor, rtol=1e-3, atol=1e-5, msg=lambda text, key=key: f"{key}: {text}")
    assert (progress.update, progress.epoch, progress.batch) == (expected.update, 2, 0)
    assert progress.target_tokens == expected.target_tokens
    assert progress.update > HALF > progress.update // 2  # so that those in two parts were divided within an epoch


def test_the_noise_made_a_difference(runs: Path) -> None:
    name = "model.decoder.embedding.weight"
    plain, noisy = (stored(runs / run)[0][name] for run in ("plain-1", "noisy-1"))
    assert (plain - noisy).abs().max() > 0.01


def test_the_last_group_of_an_epoch_was_too_small(runs: Path) -> None:
    """An odd number of batches, so that one of the two processes had none in the last update of an epoch."""
    batches = stored(runs / "count")[1].update
    assert batches % 2 == 1
    assert stored(runs / "plain-2")[1].update == batches + 1


def test_figures_are_of_all_processes(runs: Path) -> None:
    ours, theirs = (journal(runs / name, "train") for name in ("noisy-2", "noisy-1"))
    assert len(ours) == len(theirs) > 2 * HALF - 10
    for one, other in zip(ours, theirs, strict=True):
        for figure in ("loss", "perplexity", "gradient_norm"):
            assert one[figure] == pytest.approx(other[figure], rel=1e-3)
        assert [one[key] for key in ("update", "epoch", "learning_rate")] == [
            other[key] for key in ("update", "epoch", "learning_rate")
        ]


def test_the_leader_alone_saves_and_writes(runs: Path) -> None:
    """Every update, validation and end is in the journal once, and the folder holds what one process leaves."""
    for name, reference in (("noisy-2", "noisy-1"), ("first-1", "noisy-1")):
        for kind in ("train", "validation"):
            found = [record["update"] for record in journal(runs / name, kind)]
            assert len(found) == len(set(found))
            assert set(found) - {HALF} == {record["update"] for record in journal(runs / reference, kind)} - {HALF}
        files = [
            sorted(path.relative_to(runs / run).as_posix() for path in (runs / run).rglob("*"))
            for run in (name, reference)
        ]
        assert files[0] == files[1]
    assert [record["processes"] for record in journal(runs / "first-1", "resume")] == [2]
    assert [record["processes"] for record in journal(runs / "first-2", "start")] == [2]
    assert [record["processes"] for record in journal(runs / "first-2", "resume")] == [1]


# What is said, and ends that are not the end


def test_one_process_speaks(ends: list[dict[str, End]]) -> None:
    for name in ("plain-2", "noisy-2", "first-2", "first-1"):
        leader, other = (ends[rank][name] for rank in (0, 1))
        assert (leader.code, other.code, other.said) == (0, 0, "")
        assert leader.said.count("parameters; cpu, fp32, 2 processes, 1 threads") == 1
    said = ends[0]["first-1"].said
    assert "changed since the run was begun: training.accumulation: 2 -> 1" in said
    assert f"continuing after update {HALF}" in said
    assert "note: so far" not in said  # two processes with a batch each are one process with two


def test_a_signal_to_one_process_ends_all_at_the_same_update(runs: Path, ends: list[dict[str, End]]) -> None:
    assert [end["stopped"].code for end in ends] == [128 + signal.SIGTERM] * 2
    assert ends[1]["stopped"].said == ""
    _, progress = stored(runs / "stopped")
    assert (progress.update, progress.batch, progress.group) == (3, 6, 2)


def test_an_error_in_one_process_is_said_once_and_ends_all(ends: list[dict[str, End]]) -> None:
    assert ends[1]["torn"] == End("error: line 7: torn\n", 2)
    assert ends[0]["torn"].code == 1
    assert "error" not in ends[0]["torn"].said


def test_an_error_in_all_processes_is_said_once(ends: list[dict[str, End]]) -> None:
    assert [end["hard"].code for end in ends] == [2, 2]
    said = "".join(end["hard"].said for end in ends).splitlines()
    assert len(said) == 1
    assert said[0].startswith("error: model.attention.type hard is trained by one process alone")


def test_a_killed_process_ends_all_with_a_sentence(runs: Path, ends: list[dict[str, End]]) -> None:
    assert "killed" not in ends[1]
    assert ends[0]["killed"].code == 2
    last = ends[0]["killed"].said.splitlines()[-1]
    assert last.startswith("error: another process of this training has ended without a word")
    assert stored(runs / "killed")[1].update == 0  # what was saved when the run began is untouched


def test_torchrun_starts_the_command(corpus: Path) -> None:
    """The wrong recipe is complained of once, by the first process of the machine."""
    (corpus / "wrong.yaml").write_text(RECIPE.replace("epochs", "epoch"), "utf-8")
    program = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*program, "-m", "seq2seq.cli.train", "wrong.yaml"],
        cwd=corpus,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.count("training.epoch: unknown key") == 1


# The world in one process


@pytest.fixture
def group() -> Iterator[distributed.ProcessGroup]:
    """A group of this process alone."""
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    assert distributed.group.WORLD is not None
    yield distributed.group.WORLD
    distributed.destroy_process_group()


def test_gradients_of_any_parameters_in_any_number_of_batches(group: distributed.ProcessGroup) -> None:
    """Frozen parameters and unused ones, several batches or none: DistributedDataParallel by itself bears none."""
    model = torch.nn.ModuleDict({name: torch.nn.Linear(2, 2) for name in ("used", "frozen", "idle")})
    model["frozen"].requires_grad_(False)
    exchange = Exchange(model, group=group)
    inputs = torch.tensor([[1.0, 3.0]])
    for batches in (1, 3, 0, 2):  # its buckets are rebuilt after the first update
        model.zero_grad(set_to_none=True)
        for _ in range(batches):
            model["frozen"](model["used"](inputs)).sum().backward()
        exchange.add_gradients()
        expected = batches * model["frozen"].weight.sum(dim=0).unsqueeze(1) * inputs
        torch.testing.assert_close(model["used"].weight.grad, expected, rtol=1e-6, atol=0)
        assert model["frozen"].weight.grad is None
        assert model["idle"].weight.grad is None or not model["idle"].weight.grad.any()
    assert [float(each) for each in exchange.sums(torch.tensor(1.5), torch.tensor(-2.0))] == [1.5, -2.0]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment that torchrun gives the second of three processes, the first of its machine."""
    values = {"RANK": "1", "WORLD_SIZE": "3", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_world_is_read_from_the_environment(launched: pytest.MonkeyPatch) -> None:
    world = World.join("cpu")
    assert (world.rank, world.size, world.local_rank, world.leads) == (1, 3, 0, False)
    assert first_of_machine()
    launched.setenv("LOCAL_RANK", "1")
    assert not first_of_machine()
    for name, value in (("WORLD_SIZE", "1"), ("LOCAL_RANK", ""), ("RANK", "first")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(name, value)
            assert (World.join("cpu").size, World.join("cpu").leads) == (1, True)
            assert first_of_machine()


def test_a_process_alone_needs_nobody() -> None:
    with World.alone("cpu") as world:
        assert world.device == torch.device("cpu")
        assert world.agree(3, 0) == (3, 0)
        assert world.first(lambda: "done") == world.in_turn(lambda: "done") == "done"
        assert world.exchange(torch.nn.Linear(1, 1)) is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("cuda:0", "run.device cuda:0 is a single GPU, but 3 processes train together"),
        ("cuda", "process 3 of this machine finds only 2 GPUs"),
    ],
)
def test_every_process_needs_a_gpu_of_its_own(name: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(DeviceError, match=sentence):
        World(rank=2, size=3, local_rank=2, device_name=name)._own_device()
    world = World(rank=2, size=3, local_rank=1, device_name="cuda")
    assert world._own_device() == torch.device("cuda", 1)


@pytest.mark.parametrize(("rank", "printed"), [("0", "scored\n"), ("1", "")])
def test_scores_are_printed_once(
    rank: str, printed: str, launched: pytest.MonkeyPatch, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    launched.setenv("RANK", rank)
    scored = SimpleNamespace(tests=[SimpleNamespace(lines=lambda: ["scored"])])
    launched.setattr("seq2seq.training.run.train", lambda *_, **__: scored)
    (corpus / "right.yaml").write_text(RECIPE, "utf-8")
    assert main([str(corpus / "right.yaml")]) == 0
    assert capsys.readouterr().out == printed
