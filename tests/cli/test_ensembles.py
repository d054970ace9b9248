"""Several models on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seq2seq import Translator

LINES = ["Where is the station?", "", "I would like two tickets, please.", "the small dog", "bread and milk"]


def test_the_command_takes_several_models(command: Any, small_model: Path, other_seed: Path) -> None:
    text = "".join(f"{line}\n" for line in LINES).encode()
    expected = Translator.load([small_model, other_seed], device="cpu").translate(LINES)
    for models in (["--model", small_model, other_seed], ["-m", small_model, "-m", other_seed]):
        ended = command("translate", *models, "--device", "cpu", stdin=text)
        assert ended.lines == [translation.text for translation in expected]
        assert ended.said.splitlines()[0] == (
            f"seq2seq-translate: log-linear ensemble of models {small_model} + {other_seed} (--model) on cpu, fp32"
        )
    ended = command(
        "translate", "-m", small_model, other_seed, "--combination", "linear", "--weights", 3, 1, "--json", stdin=text
    )
    weighted = Translator.load([small_model, other_seed], device="cpu", combination="linear", weights=[3, 1])
    scores = [json.loads(line)["log_prob"] for line in ended.lines]
    assert scores == pytest.approx([each.log_prob for each in weighted.translate(LINES)], abs=1e-5)


def test_the_command_evaluates_an_ensemble(command: Any, small_model: Path, other_seed: Path, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("".join(f"{line}\n" for line in LINES))
    translations = Translator.load([small_model, other_seed], device="cpu").translate(LINES)
    (tmp_path / "reference").write_text("".join(f"{each.text}\n" for each in translations))
    arguments = ["-i", tmp_path / "source", "-r", tmp_path / "reference", "--json"]
    report = json.loads(command("evaluate", "-m", small_model, other_seed, *arguments).output)
    assert report["models"] == [str(small_model), str(other_seed)]
    assert report["test_sets"][0]["scores"][0]["score"] == pytest.approx(100.0)
    report = json.loads(command("evaluate", "-m", small_model, *arguments).output)
    assert report["model"] == str(small_model)
    assert report["test_sets"][0]["scores"][0]["score"] < 99.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--weights", "1"], "--weights is for an ensemble; give several directories to --model, or leave it out"),
        (
            ["--combination", "linear"],
            "--combination is for an ensemble; give several directories to --model, or leave",
        ),
        (
            ["-m", "{model}", "--weights", "1"],
            "--weights has 1 numbers for 2 models; give one for each, in their order",
        ),
        (["-m", "{model}", "--weights", "1", "0"], "--weights: must be a number above 0, not '0'"),
        (["-m", "nowhere"], "nowhere (--model): does not exist; name directories that seq2seq-train wrote, and a text"),
    ],
)
def test_mistakes_are_one_sentence(command: Any, small_model: Path, options: list[str], message: str) -> None:
    placed = [option.replace("{model}", str(small_model)) for option in options]
    assert message in command("translate", "-m", small_model, *placed, stdin=b"x\n").error
