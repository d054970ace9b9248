"""A toy task trained, translated and scored through the commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seq2seq import Translator
from tests.system.conftest import Command

pytestmark = pytest.mark.system


def test_a_toy_language_is_learnt_translated_and_scored(toy: Path, command: Command) -> None:
    trained = command("train", "toy.yaml")
    assert trained.returncode == 0, trained.stderr
    assert "Traceback" not in trained.stderr
    assert "BLEU" in trained.stdout
    assert "chrF" in trained.stdout
    assert "version:" in trained.stdout, "scores come with their signatures"

    run = toy / "runs" / "toy"
    stored = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    bleu = next(score for score in stored[0]["scores"] if score["name"].lower() == "bleu")
    assert bleu["score"] > 90.0

    translated = command("translate", "--beam", "3", stdin="one two three four five\n\nnine seven four four eight\n")
    assert translated.stdout == "cinq quatre trois deux un\n\nhuit quatre quatre sept neuf\n"
    assert "runs/toy" in translated.stderr, "the command says which model it found"

    translator = Translator.load(run, device="cpu")
    assert translator.translate("six five one two nine").text == "neuf deux un cinq six"

    evaluated = command("evaluate", "--json")
    assert evaluated.returncode == 0, evaluated.stderr
    assert json.loads(evaluated.stdout)

    # The journal and TensorBoard hold the same figures.
    records = [json.loads(line) for line in (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"start", "train", "validation", "end"} <= {record["kind"] for record in records}
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    validations = [record for record in records if record["kind"] == "validation"]
    scalars = events.Scalars("validation/bleu")
    assert [scalar.step for scalar in scalars] == [record["update"] for record in validations]
    assert [scalar.value for scalar in scalars] == pytest.approx([record["bleu"] for record in validations], rel=1e-6)

    again = command("train", "toy.yaml")
    assert again.returncode == 0
    # But for the first line, which says how long it took.
    assert again.stdout.splitlines()[1:] == trained.stdout.splitlines()[1:], "a finished run is only evaluated again"


def test_check_goes_the_whole_way_and_leaves_no_run(toy: Path, command: Command) -> None:
    checked = command("train", "toy.yaml", "--check")
    assert checked.returncode == 0, checked.stderr
    assert "the recipe is ready to train" in checked.stderr
    assert not (toy / "runs").exists()


def test_print_recipe_is_a_recipe(toy: Path, command: Command) -> None:
    printed = command("train", "toy.yaml", "training.epochs=3", "--print-recipe")
    assert "epochs: 3" in printed.stdout
    (toy / "resolved.yaml").write_text(printed.stdout, encoding="utf-8")
    assert command("train", "resolved.yaml", "--print-recipe").stdout == printed.stdout


@pytest.mark.parametrize(
    ("limits", "validated"),
    [
        (("training.max_updates=5", "training.validation.every_updates=3"), [3, 5]),
        (("training.max_updates=6", "training.validation.every_updates=3"), [3, 6]),
        (("training.epochs=1", "training.validation.every_updates=60"), [60, 81]),
    ],
)
def test_training_ends_at_the_last_update_and_validates_it(
    toy: Path, command: Command, limits: tuple[str, ...], validated: list[int]
) -> None:
    small = ("training.schedule={name: constant}", "evaluation.after_training=false", "run.tensorboard=false")
    trained = command("train", "toy.yaml", *limits, *small)
    assert trained.returncode == 0, trained.stderr
    lines = (toy / "runs" / "toy" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["update"] for record in records if record["kind"] == "validation"] == validated
    assert [record["update"] for record in records if record["kind"] == "end"] == [validated[-1]]
