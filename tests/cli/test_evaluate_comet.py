"""COMET through seq2seq-evaluate, with a module of the same calls in place of the package."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.evaluation.fake_comet import FakeComet

SOURCES = ["le chat", "le chien dort"]
REFERENCES = ["the cat", "the dog sleeps well"]
MINE = ["the cat", "the dog"]  # 1 and 1/2
THEIRS = ["the", "a cat"]  # 1/2 and 0


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeComet:
    package = FakeComet(tmp_path)
    monkeypatch.setitem(sys.modules, "comet", package)
    return package


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    texts = {"source": SOURCES, "ref": REFERENCES, "mine": MINE, "theirs": THEIRS}
    for name, lines in texts.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return {name: tmp_path / name for name in texts}


def test_comet_stands_beside_the_others(command, package: FakeComet, files: dict[str, Path]) -> None:
    hypotheses = ("--hyp", files["mine"], files["theirs"], "--src", files["source"], "--ref", files["ref"])
    arguments = (*hypotheses, "--metrics", "comet", "chrf", "--device", "cpu", "--confidence", 10, "--by-length", 2)
    lines = command("evaluate", *arguments).lines
    assert lines[1].split() == ["system", "COMET", "Δ", "p", "chrF2", "Δ", "p"]
    assert lines[2].split()[:2] == ["mine", "75.00"]
    assert lines[3].split()[:5] == ["theirs", "25.00", "±", lines[3].split()[3], "-50.00"]
    (signature,) = [line for line in lines if line.startswith("  COMET: ")]
    assert signature.startswith("  COMET: model:Unbabel/wmt22-comet-da|nrefs:1|bs:10|seed:12345|scale:100|version:")
    assert "COMET by length of the reference, in tokens (13a):" in lines
    assert package.model.asked[0][1] == {"batch_size": 16, "gpus": 0, "devices": None, "progress_bar": False}
    report = json.loads(command("evaluate", *arguments, "--json").output)
    scores = report["comparison"]["systems"][1]["scores"]
    assert (scores[0]["metric"], scores[0]["score"]) == ("comet", pytest.approx(25.0))
    buckets = report["test_sets"][0]["breakdowns"][0]["buckets"]
    assert [bucket["systems"]["mine"][0]["score"] for bucket in buckets] == pytest.approx([100.0, 50.0])


def test_of_a_model(command, package: FakeComet, small_model: Path, files: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "wmt22-comet-da"
    package.online = False
    saved = tmp_path / "saved"
    arguments = ("-m", small_model, "-o", saved, "-i", files["source"], "--ref", files["ref"], "--metrics", "comet")
    early = command("evaluate", *arguments)
    assert early.said.startswith("seq2seq-evaluate: error: COMET's model")  # before the model is loaded
    assert not saved.exists()
    ended = command("evaluate", *arguments, "--comet-model", folder)
    assert ended.lines[1].startswith("  COMET = ")
    assert "(model:wmt22-comet-da|nrefs:1|scale:100|version:" in ended.lines[1]


def test_what_is_missing_is_one_sentence(
    command, package: FakeComet, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--hyp", files["mine"], "--ref", files["ref"], "--metrics", "bleu", "comet")
    assert command("evaluate", *arguments).error == "--metrics comet reads the sources too; name them with --src"
    arguments = (*arguments, "--src", files["source"])
    package.online = False
    assert command("evaluate", *arguments).error == (
        "COMET's model Unbabel/wmt22-comet-da is not on this machine and cannot be fetched (Model "
        "'Unbabel/wmt22-comet-da' not supported by COMET); name a checkpoint that is here with --comet-model, or fetch "
        "it where there is a network"
    )
    ended = command("evaluate", *arguments, "--comet-model", "./no.ckpt")
    assert "there is no COMET model ./no.ckpt; name a checkpoint, its folder, or a model on the hub" in ended.error
    monkeypatch.setitem(sys.modules, "comet", None)
    assert command("evaluate", *arguments).error == (
        "the metric comet needs the package unbabel-comet: pip install 'seq2seq-toolkit[comet]', in an environment of "
        "its own"
    )
