"""The results of trainings as a Markdown table: every run, and mean and spread of those that differ in seed alone.

    python -m tools.tabulate_results runs/multi30k-en-fr-1 runs/multi30k-en-fr-2 runs/multi30k-en-fr-3
    python -m tools.tabulate_results runs/a runs/b --evaluation "ensemble of both" ensemble.json

Runs have been evaluated: `evaluation.json` in their folders holds the scores. An --evaluation is what
`seq2seq-evaluate --json` printed, such as of an ensemble. The spread is the standard deviation of a sample (n - 1).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seq2seq.cli.failure import run
from seq2seq.errors import ModelError
from seq2seq.model_files import RECIPE
from seq2seq.recipe import Recipe, load_stored_recipe
from seq2seq.training.history import History, JournalReader
from seq2seq.training.journal import JOURNAL, duration
from seq2seq.training.report import EVALUATION

#: A test set and a signature, which a score is of.
Column = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One line of the table: what it is, how long it took, and its scores by test set and signature."""

    name: str
    seed: str
    training: str
    validation: str
    scores: dict[Column, float]
    signatures: dict[str, str]


def _scores(tests: Iterable[dict[str, Any]]) -> tuple[dict[Column, float], dict[str, str]]:
    found = [(test["name"], score) for test in tests for score in test["scores"]]
    return (
        {(test, score["signature"]): float(score["score"]) for test, score in found},
        {score["signature"]: score["name"] for _, score in found},
    )


def _read_json(path: Path, made_by: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); {made_by} writes it") from error


def row_of(directory: Path) -> tuple[Row, Recipe]:
    """The row of one run, and its recipe. Raises ModelError where it has not been trained and evaluated."""
    tests = _read_json(directory / EVALUATION, f"seq2seq-evaluate --model {directory}")
    try:
        recipe = load_stored_recipe(directory / RECIPE)
        history = JournalReader(directory / JOURNAL).read()
    except (OSError, ValueError) as error:
        raise ModelError(f"{directory}: its training cannot be read ({error})") from error
    scores, signatures = _scores(tests)
    row = Row(
        recipe.run.name, str(recipe.run.seed), _training(history), _validation(recipe, history), scores, signatures
    )
    return row, recipe


def _training(history: History) -> str:
    seconds = sum(seconds for _, seconds in history.spans())
    threads = history.sittings[-1][0].get("machine", {}).get("threads") if history.sittings else None
    return duration(seconds) + (f", {threads} thread{'s' * (threads != 1)}" if threads else "")


def _validation(recipe: Recipe, history: History) -> str:
    best = history.best(recipe.training.validation.metric)
    return f"{best['bleu']:.2f}" if best else "-"


def _same_but_for_the_seed(recipe: Recipe) -> str:
    """What runs that are averaged have in common."""
    return repr((recipe.corpus, recipe.tokenizer, recipe.model, recipe.training, recipe.search, recipe.evaluation))


def table(rows: Sequence[tuple[Row, str]]) -> str:
    """The table, the mean of every group of two or more runs below it, and the signatures.

    Args:
        rows: with the group that each belongs to; "" for none.
    """
    columns = list(dict.fromkeys(column for row, _ in rows for column in row.scores))
    names = {signature: name for row, _ in rows for signature, name in row.signatures.items()}
    labels = {signature: _label(signature, name) for signature, name in names.items()}
    heads = ["run", "seed", "training", "validation BLEU", *(f"{test}, {labels[kind]}" for test, kind in columns)]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for row, _ in rows:
        figures = [f"{row.scores[column]:.2f}" if column in row.scores else "-" for column in columns]
        lines.append("| " + " | ".join([row.name, row.seed, row.training, row.validation, *figures]) + " |")
    for group in dict.fromkeys(group for _, group in rows if group):
        members = [row for row, other in rows if other == group]
        if len(members) > 1:
            figures = [_spread([row.scores[column] for row in members if column in row.scores]) for column in columns]
            title = f"mean of {len(members)} seeds"
            validation = _spread([float(row.validation) for row in members if row.validation != "-"])
            lines.append("| " + " | ".join([title, "", "", validation, *figures]) + " |")
    lines += ["", *(f"- {labels[signature]}: `{signature}`" for signature in names)]
    return "\n".join(lines)


def _label(signature: str, name: str) -> str:
    # Where a recipe asks for both cases, the name says so already.
    return f"lowercased {name}" if "case:lc" in signature and not name.startswith("lowercased") else name


def _spread(figures: Sequence[float]) -> str:
    if len(figures) < 2:
        return f"{figures[0]:.2f}" if figures else "-"
    return f"{statistics.mean(figures):.2f} ± {statistics.stdev(figures):.2f}"


def tabulate(arguments: argparse.Namespace) -> int:
    """Print the table of the runs and evaluations that were named."""
    rows: list[tuple[Row, str]] = []
    for directory in arguments.runs:
        row, recipe = row_of(directory)
        rows.append((row, _same_but_for_the_seed(recipe)))
    for title, path in arguments.evaluation:
        report = _read_json(Path(path), "seq2seq-evaluate --json")
        rows.append((Row(title, "", "", "-", *_scores(report["test_sets"])), ""))
    print(table(rows))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folder of an evaluated run")
    parser.add_argument(
        "--evaluation",
        nargs=2,
        action="append",
        default=[],
        metavar=("TITLE", "FILE"),
        help="another row: what seq2seq-evaluate --json printed",
    )
    return run("tabulate_results", lambda: tabulate(parser.parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
