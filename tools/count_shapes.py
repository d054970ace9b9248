"""How many shapes the batches of a recipe have, and how much of them is padding, for CUDA graphs and without.

    python -m tools.count_shapes recipes/benchmark-small.yaml training.batch=2048

Every shape of batch is recorded once, so graphs want few; `training.cuda_graphs: auto` buys that with padding.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

import torch

from seq2seq.cli import failure
from seq2seq.data.batch import Batch
from seq2seq.recipe import load_recipe
from seq2seq.training.graphs import Shape, padded_shape
from tools.benchmark_training.material import real_material


def describe(batches: Iterable[Batch], *, batch_tokens: int, graphs: bool) -> str:
    """Batches, shapes and padding of an epoch, as they are trained on with CUDA graphs or without."""
    shapes: Counter[Shape] = Counter()
    cells = real = 0
    for batch in batches:
        shape = Shape(batch.size, batch.source.shape[1], batch.target_out.shape[1])
        if graphs:
            shape = padded_shape(batch, batch_tokens=batch_tokens)
        shapes[shape] += 1
        cells += shape.rows * (shape.source_length + shape.target_length)
        real += batch.source_tokens + batch.target_tokens
    once = sum(number == 1 for number in shapes.values())
    return (
        f"{sum(shapes.values())} batches of {len(shapes)} shapes, {once} of them seen once; {1 - real / cells:.1%} of "
        "their places are padding"
    )


def _count(arguments: argparse.Namespace) -> int:
    for name in ("never", "auto"):
        recipe = load_recipe(arguments.recipe, [*arguments.overrides, f"training.cuda_graphs={name}"])
        loader = real_material(recipe, torch.device("cpu"), lambda message: None).loader
        found = describe(loader.epoch(0), batch_tokens=loader.batch_tokens, graphs=name == "auto")
        print(f"training.cuda_graphs {name}: {found}", flush=True)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.count_shapes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*", metavar="key.path=value")
    arguments = parser.parse_args(argv)
    return failure.run("count_shapes", lambda: _count(arguments))


if __name__ == "__main__":
    sys.exit(main())
