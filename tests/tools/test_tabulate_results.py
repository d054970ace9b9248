"""The table of results: means and spreads of the seeds alone, other evaluations beside them, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seq2seq.recipe import dump_recipe, recipe_from_text
from tools import tabulate_results

CASED = "nrefs:1|case:mixed|tok:13a"
LOWERED = "nrefs:1|case:lc|tok:13a"


def scored(cased: float, lowered: float) -> list[dict[str, object]]:
    scores = [("BLEU", cased, CASED), ("lowercased BLEU", lowered, LOWERED)]
    return [
        {"name": "flickr", "scores": [dict(zip(("name", "score", "signature"), each, strict=True)) for each in scores]}
    ]


def write_run(folder: Path, name: str, *, seed: int, lowered: float, batch: int = 64, seconds: float = 125.0) -> str:
    directory = folder / name
    directory.mkdir()
    recipe = recipe_from_text(
        "corpus: {source_language: de, target_language: en, train: [{prefix: x}], validation: [{prefix: y}]}\n"
        f"training: {{batch: {batch}, validation: {{metric: bleu}}}}\nrun: {{name: {name}, seed: {seed}}}",
        "recipe",
    )
    (directory / "recipe.yaml").write_text(dump_recipe(recipe), encoding="utf-8")
    (directory / "evaluation.json").write_text(json.dumps(scored(lowered - 1.0, lowered)), encoding="utf-8")
    (directory / "format.json").write_text('{"format_version": 3}', encoding="utf-8")
    records = [
        {"kind": "start", "update": 0, "time": 0.0, "seconds": 0.0, "machine": {"threads": 2}},
        {"kind": "validation", "update": 9, "time": 99.0, "epoch": 1, "bleu": lowered - 3.0, "best": True},
        {"kind": "end", "update": 9, "time": 130.0, "seconds": seconds},
    ]
    (directory / "journal.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return str(directory)


def rows_of(text: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {row[0]: row[1:] for row in rows}


def test_seeds_have_a_mean_and_a_spread(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [
        write_run(tmp_path, f"m{seed}", seed=seed, lowered=value) for seed, value in ((1, 60.0), (2, 62.0), (3, 64.0))
    ]
    other = write_run(tmp_path, "other", seed=4, lowered=90.0, batch=128)
    together = tmp_path / "together.json"
    together.write_text(json.dumps({"models": runs, "test_sets": scored(65.0, 66.5)}), encoding="utf-8")
    assert tabulate_results.main([*runs, other, "--evaluation", "ensemble", str(together)]) == 0
    text = capsys.readouterr().out
    rows = rows_of(text)
    assert rows["run"] == ["seed", "training", "validation BLEU", "flickr, BLEU", "flickr, lowercased BLEU"]
    assert rows["m2"] == ["2", "2:05, 2 threads", "59.00", "61.00", "62.00"]
    # The deviation of 60, 62 and 64 is 2 with n - 1, and 1.63 with n.
    assert rows["mean of 3 seeds"] == ["", "", "59.00 ± 2.00", "61.00 ± 2.00", "62.00 ± 2.00"]
    assert rows["other"][-1] == "90.00"
    assert rows["ensemble"] == ["", "", "-", "65.00", "66.50"]
    assert f"- BLEU: `{CASED}`" in text
    assert f"- lowercased BLEU: `{LOWERED}`" in text


def test_one_run_has_no_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tabulate_results.main([write_run(tmp_path, "m", seed=1, lowered=60.0)]) == 0
    assert "mean" not in capsys.readouterr().out


def test_a_run_that_was_not_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = Path(write_run(tmp_path, "m", seed=1, lowered=60.0))
    (directory / "evaluation.json").unlink()
    assert tabulate_results.main([str(directory)]) == 2
    assert f"seq2seq-evaluate --model {directory} writes it" in capsys.readouterr().err


def test_a_recipe_that_ignores_case_says_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = Path(write_run(tmp_path, "m", seed=1, lowered=60.0))
    tests = [{"name": "flickr", "scores": [{"name": "BLEU", "score": 60.0, "signature": LOWERED}]}]
    (directory / "evaluation.json").write_text(json.dumps(tests), encoding="utf-8")
    assert tabulate_results.main([str(directory)]) == 0
    assert rows_of(capsys.readouterr().out)["run"][-1] == "flickr, lowercased BLEU"
