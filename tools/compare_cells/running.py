"""Running the jobs: several trainings beside each other, then the timing alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tools.compare_cells.budget import Budget
from tools.compare_cells.results import Outcome, Results, Speeds

Say = Callable[[str], None]


def train_all(
    todo: Iterable[tuple[Budget, str]], results: Results, *, work: Path, jobs: int, say: Say
) -> list[Outcome]:
    """Train what is still to be trained, `jobs` at a time; returns what failed, which is not kept.

    An interrupt stops the jobs, which save their state; the same call goes on from there.
    """
    waiting = [(budget, cell) for budget, cell in todo if results.outcome(budget.key(cell)) is None]
    failed: list[Outcome] = []
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(_train, budget, cell, work) for budget, cell in waiting]
        try:
            for count, future in enumerate(as_completed(futures), 1):
                outcome = future.result()
                if outcome.status == "failed":
                    failed.append(outcome)
                results.add(outcome)
                say(f"{count} of {len(futures)}: {outcome.corpus}, {outcome.cell}: {_in_words(outcome)}")
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return failed


def time_all(
    budget: Budget, cells: Sequence[str], results: Results, *, work: Path, rounds: int, updates: int, threads: int
) -> Speeds | str:
    """Time the cells in turn, in one process that has the machine to itself; what went wrong, in words, if it did."""
    keys = {cell: budget.key(cell) for cell in cells}
    known = results.speeds(budget.name, keys, threads=threads)
    if known is not None:
        return known
    described = {cell: [str(budget.recipe), *budget.overrides(cell)] for cell in cells}
    arguments = ["time", str(rounds), str(updates)]
    log = work / f"{budget.name}-speed.log"
    figures = _answer(arguments, log, threads=threads, text=json.dumps(described))
    if "by_cell" not in figures:
        return str(figures["reason"])
    speeds = Speeds(corpus=budget.name, keys=keys, rounds=rounds, updates=updates, **figures)
    results.add(speeds)
    return speeds


def _train(budget: Budget, cell: str, work: Path) -> Outcome:
    key = budget.key(cell)
    name = f"{budget.name}-{cell}"
    own = [
        f"run.directory={work}",
        f"run.name={name}-{key}",
        "run.threads=1",
        "run.tensorboard=false",
        "evaluation.after_training=true",
    ]
    arguments = ["train", str(budget.recipe), *budget.overrides(cell), *own]
    figures = _answer(arguments, work / f"{name}.log", threads=1)
    figures["scores"] = {metric: (value, text) for metric, (value, text) in figures.get("scores", {}).items()}
    return Outcome(corpus=budget.name, cell=cell, key=key, **figures)


def _answer(arguments: Sequence[str], log: Path, *, threads: int, text: str = "") -> dict[str, Any]:
    """What a worker answers; a crash is an answer too. Its messages go to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tools.compare_cells.worker", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as messages:
        done = subprocess.run(
            command, input=text, stdout=subprocess.PIPE, stderr=messages, env=environment, text=True, check=False
        )
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        spent = time.monotonic() - began
        reason = f"the process ended with status {done.returncode} after {spent:.0f} s; see {log}"
        return {"status": "failed", "reason": reason}
    figures: dict[str, Any] = json.loads(lines[-1])
    return figures


def _in_words(outcome: Outcome) -> str:
    if outcome.status != "trained":
        return f"{outcome.status}: {outcome.reason}"
    return f"BLEU {outcome.bleu:.2f}, validation loss {outcome.validation_loss:.3f}, {outcome.seconds:.0f} s"
