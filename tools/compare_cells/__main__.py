"""Train every recurrent cell under one budget and write docs/cells.md with its figures.

    python -m tools.compare_cells
    python -m tools.compare_cells --cells lstm,gru --phrasebook-updates 200 --multi30k-updates 0 --output /tmp/docs

On the phrasebook, and on Multi30k where $MULTI30K or data/multi30k has it; --multi30k-updates 0 leaves a corpus out.
Trainings run --jobs at a time, one thread each; speed is measured apart, all cells in turn in one process. Results are
kept under --work, so that the same command goes on after an interrupt, and a change of budget trains anew.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from seq2seq.cli import failure
from seq2seq.errors import UsageError
from seq2seq.plots.figure import require_matplotlib
from seq2seq.storage import write_atomically
from tools.compare_cells import report
from tools.compare_cells.budget import CELLS, Budget, budgets, chosen_cells
from tools.compare_cells.results import Outcome, Results, Speeds
from tools.compare_cells.running import time_all, train_all


def machine() -> str:
    """The processor and the versions, as far as they can be found out."""
    model = platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    import torch

    return f"{os.cpu_count()} cores of {model}; Python {platform.python_version()}, PyTorch {torch.__version__}"


def _compare(arguments: argparse.Namespace, command: str) -> int:
    if not arguments.no_figures:
        require_matplotlib()  # before an hour of training
    cells = chosen_cells(arguments.cells)
    counts = [arguments.phrasebook_updates, arguments.multi30k_updates]
    if arguments.updates is not None:
        counts = [arguments.updates if count else 0 for count in counts]
    if min(arguments.jobs, arguments.rounds, arguments.speed_threads) < 1 or min(counts) < 0:
        raise UsageError("--jobs, --rounds and --speed-threads are 1 or more, numbers of updates 0 or more")
    corpora = budgets(phrasebook=counts[0], multi30k=counts[1], seed=arguments.seed)
    work: Path = arguments.work
    results = Results(work / "results.jsonl")
    todo = [(budget, cell) for budget in corpora for cell in cells]
    for budget, cell in todo:
        budget.load(cell)  # A cell that the recipe refuses is known before the first is trained.
    failed = train_all(todo, results, work=work, jobs=arguments.jobs, say=failure.say)
    sections = []
    for budget in corpora:
        found = [results.outcome(budget.key(cell)) for cell in cells]
        outcomes = [outcome for outcome in found if outcome is not None]
        outcomes += [outcome for outcome in failed if outcome.corpus == budget.name]
        speeds: Speeds | None = None
        if outcomes:
            answer = time_all(
                budget,
                cells,
                results,
                work=work,
                rounds=arguments.rounds,
                updates=arguments.speed_updates,
                threads=arguments.speed_threads,
            )
            if isinstance(answer, str):
                failure.say(f"compare_cells: the speed on {budget.name} was not measured: {answer}")
            else:
                speeds = answer
        outcomes.sort(key=lambda outcome: CELLS.index(outcome.cell))
        if not arguments.no_figures:
            _draw(budget, outcomes, speeds, arguments.output / "figures")
        sections.append(report.section(budget, outcomes, speeds, figures=not arguments.no_figures))
    gradients = (arguments.output / "figures" / "gradient-flow.svg").is_file()
    day = datetime.date.today().isoformat()
    text = report.page(sections, report.Circumstances(command, machine(), day), gradients=gradients)
    path = arguments.output / "cells.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
    print(path)
    return 1 if failed else 0


def _draw(budget: Budget, outcomes: Sequence[Outcome], speeds: Speeds | None, folder: Path) -> None:
    from seq2seq.plots.figure import look, save
    from tools.plots.cells import Measured, draw_bars, draw_trade

    measured = [
        Measured(outcome.cell, outcome.bleu, speeds.by_cell[outcome.cell][0], speeds.parameters[outcome.cell])
        for outcome in outcomes
        if speeds is not None and outcome.bleu is not None
    ]
    if not measured:
        return
    with look():
        save(draw_bars(measured, title=budget.title), folder / f"cells-{budget.name}")
        save(draw_trade(measured, title=budget.title), folder / f"cells-{budget.name}-trade")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.compare_cells", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", metavar="A,B", help=f"by default all: {', '.join(CELLS)}")
    parser.add_argument("--phrasebook-updates", type=int, default=1000, metavar="N")
    parser.add_argument("--multi30k-updates", type=int, default=1200, metavar="N")
    parser.add_argument(
        "--updates", type=int, metavar="N", help="the same number for every corpus that is not left out"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time")
    parser.add_argument("--rounds", type=int, default=5, help="of the measurement of speed")
    parser.add_argument("--speed-updates", type=int, default=2, help="updates of a cell in a round")
    parser.add_argument("--speed-threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("runs/compare-cells"), help="folder of runs and results")
    parser.add_argument("--output", type=Path, default=Path("docs"))
    parser.add_argument("--no-figures", action="store_true", help="needs no matplotlib")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    variables = "MULTI30K=... " if os.environ.get("MULTI30K") and arguments.multi30k_updates else ""
    command = f"{variables}python -m tools.compare_cells {shlex.join(given)}".strip()
    return failure.run("compare_cells", lambda: _compare(arguments, command))


if __name__ == "__main__":
    sys.exit(main())
