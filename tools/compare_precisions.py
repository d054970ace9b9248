"""Whether a cell trains as well in bf16 as in fp32: the same small recipe, every cell, both precisions, several seeds.

    python tools/compare_precisions.py recipes/en-fr.yaml --updates 300 --seeds 3 --jobs 2 model.decoder.hidden_size=128

The last validation losses are compared. A cell passes where the mean in bf16 is above that in fp32 by no more than
twice the standard error over the seeds, or by less than 0.02 nats. `auto` precision takes fp32 for cells that fail
(`seq2seq/training/precision.py` names them). The table goes to stdout, finished runs to the work folder, so that an
interrupted comparison goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import torch

from seq2seq.errors import Seq2SeqError
from seq2seq.recipe import CellName, load_recipe
from seq2seq.training.run import train

PRECISIONS = ("fp32", "bf16")
#: Differences below this many nats are of no interest.
NEGLIGIBLE = 0.02


@dataclass(frozen=True)
class Case:
    """One training."""

    cell: str
    precision: str
    seed: int


class Silence:
    """No progress: many trainings run side by side."""

    def update(self, record: dict[str, Any], *, done: float, eta: float) -> None:
        """Nothing."""

    def message(self, text: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def cell_overrides(cell: str) -> list[str]:
    """What makes both sides of a recipe use `cell`."""
    overrides = [f"model.encoder.cell={cell}", f"model.decoder.cell={cell}"]
    if cell == "lstm-projected":
        overrides += ["model.encoder.projection_size=64", "model.decoder.projection_size=128"]
    return overrides


def final_loss(case: Case, recipe: str, overrides: Sequence[str], updates: int, work: Path) -> float:
    """Validation loss at the end of one training, in nats per piece; infinite where it diverged."""
    torch.set_num_threads(1)
    name = f"{case.cell}-{case.precision}-{case.seed}"
    loaded = load_recipe(
        recipe,
        [
            *cell_overrides(case.cell),
            *overrides,
            f"training.precision={case.precision}",
            f"training.max_updates={updates}",
            f"training.validation.every_updates={updates}",
            "training.validation.sentences=8",
            "evaluation.after_training=false",
            f"run.seed={case.seed}",
            f"run.name={name}",
            f"run.directory={work}",
            "run.threads=1",
            "run.tensorboard=false",
        ],
    )
    try:
        result = train(loaded, fresh=True, display=Silence())
    except Seq2SeqError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return math.inf
    lines = (result.directory / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [record["loss"] for record in map(json.loads, lines) if record.get("kind") == "validation"]
    return float(losses[-1])


def verdict(fp32: Sequence[float], bf16: Sequence[float]) -> tuple[float, float, bool]:
    """Difference of the means (bf16 - fp32), its standard error over the seeds, and whether it is within noise."""
    difference = statistics.fmean(bf16) - statistics.fmean(fp32)
    if not math.isfinite(difference):
        return difference, math.inf, False
    error = math.sqrt(sum(statistics.variance(losses) / len(losses) for losses in (fp32, bf16)))
    return difference, error, difference <= max(2.0 * error, NEGLIGIBLE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*", help="key.path=value, for every run")
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each cell in each precision, 2 or more")
    parser.add_argument("--cells", default=",".join(get_args(CellName)), help="comma-separated; all by default")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, of one thread each")
    parser.add_argument("--work", type=Path, default=Path("runs/compare-precisions"))
    chosen = parser.parse_intermixed_args(arguments)
    if chosen.seeds < 2:
        parser.error("a spread needs 2 seeds or more")
    cells = chosen.cells.split(",")
    unknown = sorted(set(cells) - set(get_args(CellName)))
    if unknown:
        parser.error(f"there is no cell {', '.join(unknown)}; choose from {', '.join(get_args(CellName))}")
    try:
        for cell in cells:
            load_recipe(chosen.recipe, [*cell_overrides(cell), *chosen.overrides])
    except Seq2SeqError as problem:
        parser.error(str(problem))
    chosen.work.mkdir(parents=True, exist_ok=True)
    done_file = chosen.work / "results.jsonl"
    settings = json.dumps([chosen.recipe, chosen.updates, sorted(chosen.overrides)])
    done: dict[Case, float] = {}
    if done_file.is_file():
        for record in map(json.loads, done_file.read_text(encoding="utf-8").splitlines()):
            if record.pop("settings") == settings:
                loss = record.pop("loss")
                done[Case(**record)] = loss
    cases = [Case(c, p, s) for c in cells for s in range(1, chosen.seeds + 1) for p in PRECISIONS]
    missing = [case for case in cases if case not in done]
    with ProcessPoolExecutor(max_workers=chosen.jobs) as pool, done_file.open("a", encoding="utf-8") as sink:
        futures = {
            case: pool.submit(final_loss, case, chosen.recipe, chosen.overrides, chosen.updates, chosen.work)
            for case in missing
        }
        for number, (case, future) in enumerate(futures.items(), start=1):
            done[case] = future.result()
            sink.write(json.dumps({**asdict(case), "loss": done[case], "settings": settings}) + "\n")
            sink.flush()
            print(
                f"{number}/{len(missing)} {case.cell} {case.precision} seed {case.seed}: {done[case]:.4f}",
                file=sys.stderr,
            )
    print("| cell | fp32 | bf16 | difference | standard error | within noise |")
    print("| --- | --- | --- | --- | --- | --- |")
    for cell in cells:
        losses = {p: [done[Case(cell, p, s)] for s in range(1, chosen.seeds + 1)] for p in PRECISIONS}
        difference, error, passed = verdict(losses["fp32"], losses["bf16"])
        means = " | ".join(f"{statistics.fmean(losses[p]):.4f}" for p in PRECISIONS)
        print(f"| {cell} | {means} | {difference:+.4f} | {error:.4f} | {'yes' if passed else 'no'} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
