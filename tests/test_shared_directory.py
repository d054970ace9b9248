"""One model directory, read while another process trains into it: every reading is of one model, old or new."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq import model_directory
from seq2seq.errors import ModelError
from seq2seq.model_directory import load_description, load_model, read_weights, save_description, save_weights
from seq2seq.model_files import open_model
from seq2seq.training.run_directory import RunDirectory
from seq2seq.translator import Translator
from tests.conftest import RECIPE, save_small_model

CPU = torch.device("cpu")
#: The same network, which translates at greater length: weights of the one fit into the other.
OTHER = RECIPE.replace("max_length_offset: 8", "max_length_offset: 80, min_length: 60")
LINE = "I would like two tickets, please; one for me and one for my sister."


def weights_of(directory: Path) -> dict[str, Tensor]:
    return read_weights(directory / "weights.safetensors")[0]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return save_small_model(tmp_path / "run")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return save_small_model(tmp_path / "new", recipe_text=OTHER, seed=40)


def meanwhile(monkeypatch: pytest.MonkeyPatch, name: str, action: Callable[[int], Any]) -> list[int]:
    """Do something right before a part of each reading, which is told its number; the list grows with the readings."""
    read = getattr(model_directory, name)
    readings: list[int] = []

    def read_late(*arguments: Any) -> Any:
        readings.append(len(readings) + 1)
        action(len(readings))
        return read(*arguments)

    monkeypatch.setattr(model_directory, name, read_late)
    return readings


@pytest.mark.parametrize("part", ["_read_description", "read_weights"])
def test_a_run_that_starts_over_while_it_is_read(
    part: str, run: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights_of(new)

    def start_over(number: int) -> None:
        if number == 1:
            RunDirectory(run).set_aside()
            os.rename(new, run)

    readings = meanwhile(monkeypatch, part, start_over)
    stored = load_model(run, device=CPU)
    assert stored.recipe.search.max_length_offset == 80
    assert all(torch.equal(tensor, expected[name]) for name, tensor in stored.model.state_dict().items())
    assert readings == [1, 2]


def test_a_run_that_is_away_for_a_moment(run: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is read again if something has changed, and only then."""
    RunDirectory(run).set_aside()

    def find(place: Path) -> Any:
        if not place.exists():
            os.rename(new, place)
            raise ModelError("missing")
        return open_model(place)

    monkeypatch.setattr(model_directory, "open_model", find)
    assert load_model(run, device=CPU).recipe.search.max_length_offset == 80
    (run / "weights.safetensors").unlink()
    readings = meanwhile(monkeypatch, "_read_description", lambda number: None)
    with pytest.raises(ModelError, match="there are no weights yet"):
        load_model(run, device=CPU)
    assert readings == [1]


def test_a_validation_while_it_is_read(run: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are those from before or after, and nothing is read twice for them."""
    after = weights_of(new)
    readings = meanwhile(
        monkeypatch,
        "read_weights",
        lambda number: shutil.move(new / "weights.safetensors", run / "weights.safetensors"),
    )
    stored = load_model(run, device=CPU)
    assert all(torch.equal(tensor, after[name]) for name, tensor in stored.model.state_dict().items())
    assert readings == [1]


def test_a_directory_that_never_rests(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = run / "recipe.yaml"
    readings = meanwhile(monkeypatch, "read_weights", lambda number: os.utime(recipe, ns=(number, number)))
    with pytest.raises(ModelError, match=r"run: is written into again and again; load it when that has ended$"):
        load_model(run, device=CPU)
    assert len(readings) > 10


READER = """
import sys, time
from seq2seq.errors import ModelError
from seq2seq.translator import Translator
_, directory, line = sys.argv
seen, readings, end = set(), 0, time.monotonic() + 60
while readings < 40 or (len(seen) < 2 and time.monotonic() < end):
    readings += 1
    try:
        text = Translator.load(directory, device="cpu").translate(line).text
        seen.add(text)
        print(text, flush=True)
    except ModelError as error:
        print("error:", error, flush=True)
"""


def test_two_processes_translate_while_a_third_trains(tmp_path: Path) -> None:
    """The third saves new weights all the time, and every tenth time it starts over with another recipe."""
    recipes = [RECIPE, OTHER]
    made = [
        save_small_model(tmp_path / f"made{place}", recipe_text=recipes[place // 2], seed=50 + place)
        for place in range(4)
    ]
    texts = {}
    for of_recipe, of_weights in product(range(2), range(4)):
        mixed = shutil.copytree(made[2 * of_recipe], tmp_path / "mixed", dirs_exist_ok=True)
        shutil.copy(made[of_weights] / "weights.safetensors", mixed)
        texts[of_recipe, of_weights] = Translator.load(mixed, device="cpu").translate(LINE).text
    whole = {text for (of_recipe, of_weights), text in texts.items() if of_weights // 2 == of_recipe}
    assert (len(whole), len(set(texts.values()))) == (4, 8)

    described = [load_description(made[2 * of_recipe]) for of_recipe in range(2)]
    weights = [weights_of(each) for each in made]
    run = Path(shutil.copytree(made[0], tmp_path / "run"))
    readers = [
        subprocess.Popen([sys.executable, "-c", READER, run, LINE], stdout=subprocess.PIPE, text=True, encoding="utf-8")
        for _ in range(2)
    ]
    of_recipe = 0
    for number in cycle(range(20)):
        if all(reader.poll() is not None for reader in readers):
            break
        starts_over = number % 10 == 9
        if starts_over:
            of_recipe = 1 - of_recipe
            RunDirectory(run).set_aside()
        recipe, source, target = described[of_recipe]
        if starts_over:
            save_description(run, recipe=recipe, source_tokenizer=source, target_tokenizer=target)
        save_weights(
            run, weights[2 * of_recipe + number % 2], source_tokenizer=source, target_tokenizer=target, metadata={}
        )
        time.sleep(0.02)
    for reader in readers:
        output, _ = reader.communicate(timeout=60)
        assert reader.returncode == 0
        lines = output.splitlines()
        assert len(lines) >= 40
        found = {line for line in lines if not line.startswith("error:")}
        assert len(found) >= 2
        assert found <= whole
        # Between its start and its first validation a run has no weights, and in its first moment nothing else either.
        for line in lines:
            assert line in found or any(
                what in line for what in ("there are no weights yet", "is missing", "does not exist", "incomplete")
            )
