"""Whether a cell trains as well in bf16 as in fp32: the same small recipe, every cell, both precisions, several seeds.

    python tools/compare_precisions.py recipes/en-fr.yaml --updates 300 --seeds 3 --jobs 2 model.decoder.hidden_size=128

Validation losses are compared: the last ones and, with --validations, those on the way too. A cell passes where the
mean in bf16 is above that in fp32 by no more than twice the standard error over the seeds, or by less than 0.02 nats.
`auto` precision takes fp32 for cells that fail (`seq2seq/training/precision.py` names them). The table goes to stdout,
finished runs to the work folder, so that an interrupted comparison goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
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


def validation_losses(
    case: Case, recipe: str, overrides: Sequence[str], updates: int, validations: int, work: Path
) -> list[float]:
    """The losses of one training's `validations`, in nats per piece; infinite from where it diverged."""
    torch.set_num_threads(1)
    name = f"{case.cell}-{case.precision}-{case.seed}"
    loaded = load_recipe(
        recipe,
        [
            *cell_overrides(case.cell),
            *overrides,
            f"training.precision={case.precision}",
            f"training.max_updates={updates}",
            f"training.validation.every_updates={updates // validations}",
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
        return [math.inf] * validations
    lines = (result.directory / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [record["loss"] for record in map(json.loads, lines) if record.get("kind") == "validation"]
    return losses[:validations]


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
    parser.add_argument("--validations", type=int, default=1, help="losses to compare on the way; divides --updates")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each cell in each precision, 2 or more")
    parser.add_argument("--cells", default=",".join(get_args(CellName)), help="comma-separated; all by default")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, of one thread each")
    parser.add_argument("--work", type=Path, default=Path("runs/compare-precisions"))
    chosen = parser.parse_intermixed_args(arguments)
    if chosen.seeds < 2:
        parser.error("a spread needs 2 seeds or more")
    if chosen.validations < 1 or chosen.updates % chosen.validations:
        parser.error(f"{chosen.validations} validations cannot be spread evenly over {chosen.updates} updates")
    cells = chosen.cells.split(",")
    unknown = sorted(set(cells) - set(get_args(CellName)))
    if unknown:
        parser.error(f"there is no cell {', '.join(unknown)}; choose from {', '.join(get_args(CellName))}")
    try:
        for cell in cells:
            overrides = [*cell_overrides(cell), *chosen.overrides, f"training.max_updates={chosen.updates}"]
            load_recipe(chosen.recipe, overrides)
    except Seq2SeqError as problem:
        parser.error(str(problem))
    chosen.work.mkdir(parents=True, exist_ok=True)
    done_file = chosen.work / "results.jsonl"
    settings = json.dumps([chosen.recipe, chosen.updates, chosen.validations, sorted(chosen.overrides)])
    done: dict[Case, list[float]] = {}
    if done_file.is_file():
        for record in map(json.loads, done_file.read_text(encoding="utf-8").splitlines()):
            if record.pop("settings") == settings:
                losses = record.pop("losses")
                done[Case(**record)] = losses
    cases = [Case(c, p, s) for c in cells for s in range(1, chosen.seeds + 1) for p in PRECISIONS]
    done = {case: losses for case, losses in done.items() if case in cases}
    missing = [case for case in cases if case not in done]
    with ProcessPoolExecutor(max_workers=chosen.jobs) as pool, done_file.open("a", encoding="utf-8") as sink:
        futures = {
            case: pool.submit(
                validation_losses,
                case,
                chosen.recipe,
                chosen.overrides,
                chosen.updates,
                chosen.validations,
                chosen.work,
            )
            for case in missing
        }
        for number, (case, future) in enumerate(futures.items(), start=1):
            done[case] = future.result()
            sink.write(json.dumps({**asdict(case), "losses": done[case], "settings": settings}) + "\n")
            sink.flush()
            print(
                f"{number}/{len(missing)} {case.cell} {case.precision} seed {case.seed}: {done[case][-1]:.4f}",
                file=sys.stderr,
            )
    print("\n".join(table({case: done[case] for case in cases}, updates=chosen.updates)))
    return 0


def table(done: Mapping[Case, Sequence[float]], *, updates: int) -> list[str]:
    """Lines of Markdown: of every cell and every validation, evenly spread over the `updates`, the comparison."""
    lines = [
        "| cell | updates | fp32 | bf16 | difference | standard error | within noise |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    validations = len(next(iter(done.values())))
    for cell in dict.fromkeys(case.cell for case in done):
        for index in range(validations):
            losses = {
                precision: [
                    values[index] for case, values in done.items() if (case.cell, case.precision) == (cell, precision)
                ]
                for precision in PRECISIONS
            }
            difference, error, passed = verdict(losses["fp32"], losses["bf16"])
            means = " | ".join(f"{statistics.fmean(losses[precision]):.4f}" for precision in PRECISIONS)
            at = updates * (index + 1) // validations
            lines.append(f"| {cell} | {at} | {means} | {difference:+.4f} | {error:.4f} | {'yes' if passed else 'no'} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
