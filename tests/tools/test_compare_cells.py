"""Tests of the comparison of cells: budgets, the file of results, the rows and the page, resuming, and a small run."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, get_args

import pytest

from seq2seq.errors import UsageError
from seq2seq.plots.figure import look, save
from seq2seq.recipe import CellName
from tools.compare_cells import __main__ as command
from tools.compare_cells import running, worker
from tools.compare_cells.budget import CELLS, Budget, budgets, chosen_cells
from tools.compare_cells.report import Circumstances, page, section, table
from tools.compare_cells.results import Outcome, Results, Speeds
from tools.plots.cells import Measured, draw_bars, draw_trade, family, spread_labels

ROOT = Path(__file__).resolve().parents[2]
PHRASEBOOK = Budget("phrasebook", "Phrasebook", ROOT / "recipes" / "en-fr.yaml", 300, 7)
SCORES = {"bleu": (41.256, "nrefs:1|b"), "chrf": (60.0, "nrefs:1|c")}


def outcome(cell: str, **changes: Any) -> Outcome:
    """A trained cell."""
    given: dict[str, Any] = {"corpus": "phrasebook", "key": f"key-{cell}", "status": "trained", "parameters": 1234567}
    given |= {"updates": 300, "seconds": 90.0, "validation_loss": 1.2345, "scores": SCORES}
    return Outcome(cell=cell, **{**given, **changes})


def speeds(**by_cell: tuple[float, float, float]) -> Speeds:
    """Speeds of cells, whose names have underscores here."""
    named = {name.replace("_", "-"): figures for name, figures in by_cell.items()}
    keys = {name: f"key-{name}" for name in named}
    return Speeds("phrasebook", keys, named, 5, 2, 1, "bfloat16", dict.fromkeys(named, 1000))


@pytest.mark.parametrize("cell", CELLS)
def test_only_the_cell_differs_between_recipes_of_one_budget(cell: str) -> None:
    recipe, base = PHRASEBOOK.load(cell), PHRASEBOOK.load("gru")
    for side in ("encoder", "decoder"):
        ours, theirs = getattr(recipe.model, side), getattr(base.model, side)
        projection = theirs.hidden_size // 2 if cell == "lstm-projected" else None
        assert ours == theirs.model_copy(update={"cell": cell, "projection_size": projection})
    assert recipe.training == base.training
    assert (recipe.corpus, recipe.tokenizer, recipe.run) == (base.corpus, base.tokenizer, base.run)


def test_the_budget_is_in_the_recipe() -> None:
    recipe = PHRASEBOOK.load("gru")
    assert (recipe.training.max_updates, recipe.training.validation.every_updates, recipe.run.seed) == (300, 300, 7)
    assert recipe.training.schedule.warmup_updates == 75, "no more than a quarter of so short a training"
    longer = Budget("phrasebook", "Phrasebook", PHRASEBOOK.recipe, 4000, 7)
    assert longer.load("gru").training.schedule.warmup_updates == 200, "that of the recipe itself"


def test_a_training_is_known_by_everything_that_changes_it(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_bytes(PHRASEBOOK.recipe.read_bytes())
    keys = {
        Budget("phrasebook", "Phrasebook", recipe, updates, seed).key(cell)
        for updates in (300, 301)
        for seed in (1, 2)
        for cell in ("lstm", "gru")
    }
    assert len(keys) == 8
    assert Budget("other", "Other", recipe, 300, 1).key("gru") in keys
    recipe.write_bytes(PHRASEBOOK.recipe.read_bytes().replace(b"batch: 1024", b"batch: 512"))
    assert Budget("phrasebook", "Phrasebook", recipe, 300, 1).key("gru") not in keys


def test_all_cells_of_the_recipe_are_compared_in_its_order() -> None:
    assert get_args(CellName) == CELLS == tuple(chosen_cells(None))
    assert chosen_cells("gru, lstm") == ["lstm", "gru"]
    with pytest.raises(UsageError, match="no cell grub; choose from"):
        chosen_cells("lstm,grub")
    with pytest.raises(UsageError, match="choose from"):
        chosen_cells(",")


def test_multi30k_is_compared_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MULTI30K", raising=False)
    found = budgets(phrasebook=5, multi30k=6, seed=1, recipes=ROOT / "recipes")
    assert [(budget.name, budget.updates) for budget in found] == [("phrasebook", 5)]
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "train.en.gz").touch()
    monkeypatch.setenv("MULTI30K", str(tmp_path / "here"))
    found = budgets(phrasebook=0, multi30k=6, seed=1, recipes=ROOT / "recipes")
    assert [(budget.name, budget.updates) for budget in found] == [("multi30k", 6)]
    with pytest.raises(UsageError, match="nothing to compare"):
        budgets(phrasebook=0, multi30k=0, seed=1)


def test_rows_are_the_figures_of_the_results() -> None:
    lost = outcome("mut1", status="diverged", reason="lost", scores={}, validation_loss=None, parameters=None)
    rows = table([outcome("lstm"), lost, outcome("sru")], speeds(lstm=(5000.4, 1.0, 2.0), mut1=(1999.6, 1.0, 2.0)))
    assert rows[2:] == [
        "| lstm | 1,234,567 | 5,000 | 41.26 | 60.00 | 1.234 |",
        "| mut1 | 1,000 | 2,000 | diverged |  |  |",
        "| sru | 1,234,567 |  | 41.26 | 60.00 | 1.234 |",
    ]
    assert all(row.count("|") == rows[0].count("|") for row in rows)


def test_a_page_says_how_its_figures_came_about() -> None:
    lost = outcome("mut1", status="diverged", reason="the loss was lost", scores={}, validation_loss=None, seconds=30.0)
    text = section(PHRASEBOOK, [outcome("gru"), lost], speeds(gru=(100.0, 90.0, 104.0)), figures=True)
    sentences = " ".join(text.split())  # which are filled into lines
    assert "300 updates of at most 1,024 pieces, seed 7" in sentences
    assert "- BLEU: `nrefs:1|b`\n- chrF: `nrefs:1|c`\n" in text
    assert "training with 1 thread, bfloat16; median of 5 rounds" in sentences
    assert "-10% to +4% off" in sentences
    assert "30 to 90 s; 2.0 minutes in all" in text
    assert "- mut1 diverged: the loss was lost" in text
    begin, end = text.split("- Speed: ")[1].splitlines()[:2]
    assert len("- Speed: " + begin) <= 120
    assert end.startswith("  ")
    assert "figures/cells-phrasebook.svg" in text
    whole = page([text], Circumstances("python -m tools.compare_cells", "a machine", "a day"), gradients=False)
    assert "```\npython -m tools.compare_cells\n```" in whole
    assert text in whole
    assert "gradient-flow.svg" not in whole
    assert "gradient-flow.svg" in page([], Circumstances("", "", ""), gradients=True)


def test_results_are_kept_over_kills_and_failures_are_not(tmp_path: Path) -> None:
    path = tmp_path / "work" / "results.jsonl"
    results = Results(path)
    results.add(outcome("lstm"))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"kind": "outcome", "corpus": "phr')  # what a kill leaves
    again = Results(path)
    again.add(outcome("gru", status="failed", reason="no memory", scores={}))
    again.add(outcome("mut1", status="diverged", reason="lost", scores={}))
    measured = speeds(lstm=(3.0, 2.0, 4.0), gru=(5.0, 5.0, 5.0))
    again.add(measured)
    read = Results(path)
    assert read.outcome("key-lstm") == outcome("lstm")
    assert read.outcome("key-gru") is None, "what could not be tried is tried again"
    assert read.outcome("key-mut1") == outcome("mut1", status="diverged", reason="lost", scores={})
    keys = {"lstm": "key-lstm"}
    assert read.speeds("phrasebook", keys, threads=1) == measured
    assert read.speeds("phrasebook", keys, threads=2) is None
    assert read.speeds("multi30k", keys, threads=1) is None
    assert read.speeds("phrasebook", {"lstm": "another training"}, threads=1) is None


def test_only_what_is_missing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def answer(arguments: list[str], log: Path, **_: object) -> dict[str, Any]:
        asked.append(arguments)
        if "model.encoder.cell=sru" in arguments:
            return {"status": "failed", "reason": "no memory"}
        return {"status": "trained", "validation_loss": 2.0, "scores": {"bleu": [1.5, "sig"]}, "seconds": 3.0}

    monkeypatch.setattr(running, "_answer", answer)
    results = Results(tmp_path / "results.jsonl")
    results.add(outcome("lstm", key=PHRASEBOOK.key("lstm")))
    todo = [(PHRASEBOOK, cell) for cell in ("lstm", "gru", "sru")]
    said: list[str] = []
    failed = running.train_all(todo, results, work=tmp_path, jobs=1, say=said.append)
    assert [arguments[2] for arguments in asked] == ["model.encoder.cell=gru", "model.encoder.cell=sru"]
    assert [(each.cell, each.reason) for each in failed] == [("sru", "no memory")]
    found = Results(results.path).outcome(PHRASEBOOK.key("gru"))
    assert found is not None
    assert (found.bleu, found.scores["bleu"][1], found.validation_loss) == (1.5, "sig", 2.0)
    assert said == [
        "1 of 2: phrasebook, gru: BLEU 1.50, validation loss 2.000, 3 s",
        "2 of 2: phrasebook, sru: failed: no memory",
    ]


def test_a_worker_that_crashes_is_a_failure_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    found = running._answer(["train"], tmp_path / "logs" / "it.log", threads=1)
    assert found["status"] == "failed"
    assert "ended with status 1" in found["reason"]
    assert str(tmp_path / "logs" / "it.log") in found["reason"]


TOY = """
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: TEXT}]
  validation: [{prefix: TEXT}]
  test: [{name: toy, prefix: TEXT}]
  cache: CACHE
tokenizer: {vocabulary_size: 24, algorithm: bpe}
model:
  encoder: {hidden_size: 8, embedding_size: 8}
  decoder: {hidden_size: 8, embedding_size: 8}
training: {batch: 64, precision: fp32, optimizer: {learning_rate: RATE}}
run: {name: toy, directory: RUNS, tensorboard: false, threads: 1, device: cpu}
"""


def toy(folder: Path, *, rate: float = 0.01) -> Path:
    """A recipe that trains in a moment."""
    for language, words in (("en", "one two three"), ("fr", "un deux trois")):
        lines = [f"{left} {right}" for left in words.split() for right in words.split()]
        (folder / f"text.{language}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = TOY.replace("TEXT", str(folder / "text")).replace("CACHE", str(folder / "cache"))
    path = folder / "toy.yaml"
    path.write_text(text.replace("RUNS", str(folder / "runs")).replace("RATE", str(rate)), encoding="utf-8")
    return path


def test_a_worker_trains_and_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget("toy", "Toy", toy(tmp_path), 3, 1)
    assert worker.main(["train", str(budget.recipe), *budget.overrides("gru")]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["status"], figures["updates"]) == ("trained", 3)
    assert figures["scores"]["bleu"][1].startswith("nrefs:1")
    assert 0.0 < figures["validation_loss"] < 10.0
    journal = (tmp_path / "runs" / "toy" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert figures["parameters"] == json.loads(journal[0])["parameters"]
    assert figures["validation_loss"] == next(
        each["loss"] for each in map(json.loads, journal) if each["kind"] == "validation"
    )
    assert not (tmp_path / "runs" / "toy" / "training").exists()
    recipes = {cell: budget.load(cell) for cell in ("gru", "elman-relu")}
    timed = worker.time_cells(recipes, rounds=2, updates=1)
    assert list(timed["by_cell"]) == ["gru", "elman-relu"]
    assert all(0.0 < low <= median <= high for median, low, high in timed["by_cell"].values())
    assert timed["parameters"]["gru"] == figures["parameters"] > timed["parameters"]["elman-relu"]
    assert timed["precision"] == "float32"


@pytest.mark.parametrize("updates", [4, 60])
def test_a_training_that_loses_its_weights_has_diverged(tmp_path: Path, updates: int) -> None:
    budget = Budget("toy", "Toy", toy(tmp_path, rate=1e38), updates, 1)
    found = worker.train_cell(budget.load("elman-relu"))
    assert found["status"] == "diverged"
    assert found["reason"].startswith("update ")


def test_what_can_be_mended_is_a_failure(tmp_path: Path) -> None:
    budget = Budget("toy", "Toy", toy(tmp_path), 4, 1)
    recipe = budget.load("gru")
    (tmp_path / "text.en").unlink()
    found = worker.train_cell(recipe)
    assert found["status"] == "failed"
    assert "text" in found["reason"]


def test_the_whole_command_writes_the_page_and_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:

    def answer(arguments: list[str], log: Path, **_: object) -> dict[str, Any]:
        if arguments[0] == "time":
            by_cell = {cell: [100.0, 90.0, 110.0] for cell in ("lstm", "gru")}
            return {"by_cell": by_cell, "threads": 1, "precision": "bfloat16", "parameters": dict.fromkeys(by_cell, 5)}
        scores = {"bleu": [12.0, "sig"], "chrf": [30.0, "sig"]}
        return {"status": "trained", "validation_loss": 2.0, "scores": scores, "seconds": 3.0, "parameters": 5}

    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("MULTI30K", raising=False)
    monkeypatch.setattr(running, "_answer", answer)
    arguments = ["--cells", "lstm,gru", "--updates", "40", "--multi30k-updates", "0"]
    arguments += ["--work", str(tmp_path / "work"), "--output", str(tmp_path / "docs")]
    assert command.main(arguments) == 0
    text = (tmp_path / "docs" / "cells.md").read_text(encoding="utf-8")
    assert "| gru | 5 | 100 | 12.00 | 30.00 | 2.000 |" in text
    assert "python -m tools.compare_cells --cells lstm,gru" in text
    assert max(map(len, text.splitlines())) < 400
    assert len(list((tmp_path / "docs" / "figures").iterdir())) == 4
    assert command.main(["--jobs", "0"]) == 2
    assert command.main(["--cells", "none"]) == 2
    assert "there is no cell none" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert command.main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_labels_are_spread_without_crossing() -> None:
    assert spread_labels([1.0, 5.0, 3.0], gap=1.0) == [1.0, 5.0, 3.0]
    assert spread_labels([2.0, 2.0], gap=1.0) == [1.5, 2.5]
    assert spread_labels([0.0, 10.0, 0.4, 0.2], gap=1.0) == pytest.approx([-0.8, 10.0, 1.2, 0.2])
    assert spread_labels([0.0, 1.1, 1.1], gap=1.0) == pytest.approx([-0.2667, 0.7333, 1.7333], abs=1e-4)


def test_figures_name_every_cell_and_every_figure(tmp_path: Path) -> None:
    measured = [Measured(cell, 20.0 + rank, 1000.0 * (rank + 1), 10**6 + rank) for rank, cell in enumerate(CELLS)]
    with look():
        paths = [
            save(draw_bars(measured, title="Toy"), tmp_path / "bars")[1],
            save(draw_trade(measured, title="Toy"), tmp_path / "trade")[1],
        ]
    for path in paths:
        drawing = ElementTree.fromstring(path.read_bytes())
        texts = ["".join(each.itertext()).strip() for each in drawing.iter("{http://www.w3.org/2000/svg}text")]
        assert {"Toy", *CELLS} <= {*texts}
    assert "20.0" in paths[0].read_text(encoding="utf-8")
    assert {family(cell)[0] for cell in CELLS} == {"Elman", "LSTM", "GRU", "found by search", "linear in the state"}
