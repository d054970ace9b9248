"""`seq2seq-train` with wrong input: one clear sentence, exit code 2, nothing lost."""

from __future__ import annotations

import contextlib
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seq2seq.cli.train import main
from seq2seq.model_directory import read_weights

LINES = {
    "en": "one two three\nfour five\nsix seven eight nine\nten one\n" * 20,
    "fr": "trois deux un\ncinq quatre\nneuf huit sept six\nun dix\n" * 20,
}
RECIPE = """\
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: train}]
  validation: [{prefix: valid}]
tokenizer: {algorithm: char, vocabulary_size: 40}
model:
  encoder: {hidden_size: 8, embedding_size: 8}
  decoder: {hidden_size: 8, embedding_size: 8}
training: {epochs: 1, batch: 512}
run: {name: tiny, tensorboard: false}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for part in ("train", "valid"):
        for language, text in LINES.items():
            (tmp_path / f"{part}.{language}").write_text(text, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, make sure that it fails as it should, and return what it said last."""
    assert main(list(arguments)) == 2
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    return errors[errors.index("seq2seq-train: error: ") :]


def replace(path: Path, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / path).write_bytes(content) and None


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def become_directory(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return change


def shorten(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text("\n".join(path.read_text(encoding="utf-8").split("\n")[:-4]) + "\n", encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (remove("train.fr"), ("train.fr",)),
        (become_directory("train.en"), ("train.en",)),
        (lambda folder: [(folder / f"train.{side}").write_bytes(b"") for side in LINES] and None, ("empty",)),
        (replace(Path("train.en"), b"one\ntw\xff o\n" * 40), ("train.en", "line 2", "byte")),
        (shorten("train.fr"), ("train.en", "train.fr", "80", "77")),
        (remove("recipe.yaml"), ("recipe.yaml",)),
        (become_directory("recipe.yaml"), ("recipe.yaml",)),
        (replace(Path("recipe.yaml"), b"- a\n- list\n"), ("recipe.yaml", "list")),
    ],
)
def test_unusable_files(
    folder: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    change(folder)
    message = fails(capsys, "recipe.yaml")
    for word in words:
        assert word in message
    assert message.count("\n") == 1, "one sentence"


def test_a_vocabulary_that_the_text_cannot_fill(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = fails(capsys, "recipe.yaml", "tokenizer={algorithm: unigram, vocabulary_size: 9000}")
    assert "tokenizer.vocabulary_size" in message
    assert "9000" in message
    assert not (folder / "runs" / "tiny" / "format.json").exists(), "a run is not begun without its tokenizer"


def test_an_unknown_device_and_precision(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "tpu" in fails(capsys, "recipe.yaml", "--device", "tpu")
    assert "fp16 needs a GPU" in fails(capsys, "recipe.yaml", "--device", "cpu", "training.precision=fp16")


def test_all_problems_of_a_recipe_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "recipe.yaml").write_text(RECIPE + "training_: {}\n", encoding="utf-8")
    message = fails(capsys, "recipe.yaml", "model.encoder.cel=gru", "training.epochs=0")
    assert "3 problems" in message
    assert "did you mean" in message


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ["model.encoder.cell=gru-deep-transitions"],
            "override, model.encoder.cell: needs elman-tanh, elman-relu, lstm, lstm-peephole, lstm-coupled, "
            "lstm-projected, lstm-layer-norm, gru, gru-reset-before, gru-layer-norm, gru-deep-transition, mut1, mut2, "
            "mut3, mingru, minlstm or sru, but is the text 'gru-deep-transitions'; did you mean gru-deep-transition?",
        ),
        (
            ["model.encoder.bidirectional=false"],
            "override, model.encoder.bidirectional: unknown key; did you mean model.encoder.directions?",
        ),
        (
            ["model.encoder.cell=lstm-projected"],
            "override, model.encoder.cell: lstm-projected needs a projection_size; half of hidden_size is usual",
        ),
        (
            ["model.decoder.transitions=3"],
            "override, model.decoder.transitions: has no effect with cell lstm, only with gru-deep-transition; "
            "remove it",
        ),
        (
            ["model.encoder.connection=residual"],
            "override, model.encoder.connection: residual has no effect on one layer; use 2 layers or more, or plain",
        ),
        (
            ["model.encoder.directions=alternating"],
            "override, model.encoder.directions: alternating needs 2 layers or more, but layers is 1; use more, or "
            "forward",
        ),
        (
            ["model.encoder.reverse_source=true"],
            "override, model.encoder.reverse_source: true changes nothing with directions bidirectional, whose layers "
            "read both ways; remove it, or use forward",
        ),
        (
            ["model.decoder.recurrent_dropout=0.2"],
            "override, model.decoder.recurrent_dropout: has no effect with recurrent_dropout_kind none; choose "
            "variational, candidate, zoneout or dropconnect",
        ),
        (
            ["model.attention.type=summary"],
            "override, model.attention.type: summary is the top layer's output at the last source piece, which has "
            "seen the whole sentence only where that layer reads forward: with encoder.directions forward or "
            "bottom-bidirectional and reverse_source false; set them, or use another attention",
        ),
        (
            ["model.attention={type: multihead-additive, heads: 3}"],
            "override, model.attention.heads: 3 heads do not divide the attention's width 8; change heads or "
            "attention.size",
        ),
        (
            ["model.attention={type: location, location_width: 4}"],
            "override, model.attention.location_width: a filter of 4 positions has no centre; use an odd number",
        ),
        (
            ["model.attention={type: none, context: none}", "model.generator=copy"],
            "override, model.generator: copy chooses source pieces by attention, but attention.type is none; use an "
            "attention, or softmax",
        ),
        (
            ["model.decoder.context_gate=true", "model.decoder.layers=2", "model.attention.context=upper-layers"],
            "override, model.decoder.context_gate: has no effect with attention.context upper-layers, whose readout "
            "reads no context; remove it, or use output, input-feeding, previous-state or conditional",
        ),
        (
            ["model.tying=embeddings", "tokenizer.joint=false"],
            "override, model.tying: embeddings needs one vocabulary for both languages, but tokenizer.joint is false; "
            "set it true, or use none",
        ),
        (
            ["model.bridge=backward", "model.encoder.directions=forward"],
            "override, model.bridge: backward needs a top encoder layer that reads in both directions, but "
            "encoder.directions is forward; use bidirectional, or learned",
        ),
        (
            ["model.initialization={forget_bias: 1.0}", "model.encoder.cell=gru", "model.decoder.cell=mut1"],
            "override, model.initialization.forget_bias: has no effect with the cells gru and mut1, which have no "
            "forget gate; remove it",
        ),
        (
            ["tokenizer.target_vocabulary_size=50"],
            "override, tokenizer.target_vocabulary_size: with joint: true one vocabulary of vocabulary_size serves "
            "both languages; remove it, or set joint: false",
        ),
        (
            ["tokenizer.character_coverage=0.95"],
            "override, tokenizer.character_coverage: needs a number from 0.98 to 1, but is 0.95",
        ),
        (
            ["training.schedule={name: step, step_after: 2.0}"],
            "override, training.schedule.step_after: the learning rate first falls after 2 epochs, but training ends "
            "after 1; make step_after smaller, or train longer",
        ),
        (
            ["training.optimizer={name: adadelta, betas: [0.9, 0.99]}"],
            "override, training.optimizer.betas: has no effect with name adadelta, only with adam or adamw; remove it",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_about_the_network_are_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], overrides: list[str], sentence: str
) -> None:
    assert fails(capsys, "recipe.yaml", "--check", *overrides) == f"seq2seq-train: error: recipe.yaml, {sentence}\n"
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    "overrides",
    [
        ["model.attention={type: hard, context: conditional}"],
        ["model.generator=copy", "model.attention.type=coverage", "model.attention.context=input-feeding"],
        ["tokenizer={algorithm: word, vocabulary_size: 1000}", "model.decoder.readout=maxout"],
        ["tokenizer={algorithm: word, joint: false, vocabulary_size: 16, target_vocabulary_size: 17}"],
        ["training.optimizer={name: adadelta, learning_rate: 1.0}", "training.schedule={name: step, step_after: 0.5}"],
        ["model.attention={type: multihead-additive, size: 6, heads: 2}", "model.decoder.readout=plain"],
        [
            "model.encoder={cell: gru, directions: forward}",
            "model.decoder.cell=gru",
            "model.initialization.name=normal",
        ],
    ],
    ids=" ".join,
)
def test_sound_choices_pass_the_check(folder: Path, capsys: pytest.CaptureFixture[str], overrides: list[str]) -> None:
    assert main(["recipe.yaml", "--check", *overrides]) == 0
    assert "the recipe is ready to train" in capsys.readouterr().err


@contextlib.contextmanager
def small_disk(size: int) -> Iterator[None]:
    """While it lasts no file can grow beyond so many bytes, as on a disk that is full; nor could pytest's own log."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_the_last_checkpoint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe.yaml"]) == 0
    capsys.readouterr()
    checkpoint = folder / "runs" / "tiny" / "training" / "checkpoint.safetensors"
    before = checkpoint.read_bytes()
    with small_disk(8000):
        message = fails(capsys, "recipe.yaml", "training.epochs=3")
    assert "what was saved before is untouched" in message
    assert checkpoint.read_bytes() == before
    read_weights(checkpoint)
    assert not list(checkpoint.parent.glob("*.tmp")), "nothing is left lying about"
    assert main(["recipe.yaml", "training.epochs=3"]) == 0, "with room again, the run goes on"


def test_two_trainings_of_one_run_exclude_each_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from seq2seq.training.run_directory import RunDirectory

    with RunDirectory(folder / "runs" / "tiny"):
        assert "another training is at work" in fails(capsys, "recipe.yaml")


def test_a_run_begun_elsewhere_continues(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe.yaml"]) == 0
    shutil.move(folder / "runs", folder / "moved")
    assert main(["recipe.yaml", "run.directory=moved", "training.epochs=2"]) == 0
    assert "continuing after update" in capsys.readouterr().err
