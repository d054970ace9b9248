"""One job of the comparison in a process of its own: train a cell, or time all of them. Answers with a line of JSON.

python -m tools.compare_cells.worker train RECIPE.yaml key.path=value ...
python -m tools.compare_cells.worker time ROUNDS UPDATES   (a JSON object of recipes and overrides on standard input)
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import sys
from collections.abc import Sequence
from itertools import chain, count, islice
from typing import Any

import torch

from seq2seq.allocator import bound_kernel_cache, keep_freed_memory
from seq2seq.build import build_tokenizers
from seq2seq.data.batch import Batch
from seq2seq.device import resolve_device, resolve_precision
from seq2seq.errors import DivergenceError, Seq2SeqError
from seq2seq.recipe import Recipe, load_recipe
from seq2seq.training.corpora import prepare_corpora
from seq2seq.training.run import train
from tools.benchmark_training.contender import Contender


def train_cell(recipe: Recipe) -> dict[str, Any]:
    """Train and test; the figures of an Outcome. A training that lost its weights is an outcome like others."""
    try:
        result = train(recipe)
    except Seq2SeqError as error:
        # Everything but that can be mended.
        return {"status": "diverged" if isinstance(error, DivergenceError) else "failed", "reason": str(error)}
    with (result.directory / "journal.jsonl").open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    for record in records:
        if record["kind"] == "rollback":  # From there on it had another learning rate than the others.
            return {"status": "diverged", "reason": f"update {record['update']}: {record['why']}"}
    parameters = next(record["parameters"] for record in records if "parameters" in record)
    figures = {
        "parameters": parameters,
        "updates": result.updates,
        "seconds": round(result.seconds, 1),
    }
    shutil.rmtree(result.directory / "training", ignore_errors=True)  # Nobody resumes it, and it is most of the space.
    if not math.isfinite(result.best):
        return {"status": "diverged", "reason": "the validation loss is not a number", **figures}
    scores = {score.metric: (score.value, score.signature) for test in result.tests[:1] for score in test.scores}
    return {"status": "trained", "validation_loss": result.best, "scores": scores, **figures}


def time_cells(recipes: dict[str, Recipe], *, rounds: int, updates: int) -> dict[str, Any]:
    """Let the cells take turns on the same batches; the figures of Speeds.

    The first round warms up and is not counted. Before every turn the weights are what the last turn left: the time of
    an update does not depend on them.
    """
    first = next(iter(recipes.values()))
    device = resolve_device(first.run.device)
    dtype = resolve_precision(first.training.precision, device)
    if device.type == "cpu":
        keep_freed_memory()
        bound_kernel_cache()
    source, target = build_tokenizers(first)
    corpora = prepare_corpora(
        first,
        source_tokenizer=source,
        target_tokenizer=target,
        batch_multiple=8,
        pin_memory=device.type == "cuda",
        say=lambda text: print(text, file=sys.stderr),
    )
    endless = chain.from_iterable(corpora.loader.epoch(epoch) for epoch in count())
    batches = list(islice(endless, (rounds + 1) * updates))
    vocabularies = source.vocabulary_size, target.vocabulary_size
    contenders = {cell: Contender(recipe, dtype, device, vocabularies) for cell, recipe in recipes.items()}
    parameters = {
        cell: sum(parameter.numel() for parameter in contender.model.parameters())
        for cell, contender in contenders.items()
    }
    by_cell: dict[str, list[float]] = {cell: [] for cell in recipes}
    for number in range(rounds + 1):
        part: Sequence[Batch] = batches[number * updates : (number + 1) * updates]
        for cell, contender in contenders.items():
            speed = contender.run(part)
            if number:
                by_cell[cell].append(speed)
    return {
        "by_cell": {cell: (statistics.median(each), min(each), max(each)) for cell, each in by_cell.items()},
        "threads": torch.get_num_threads(),
        "precision": str(dtype).removeprefix("torch."),
        "parameters": parameters,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; its figures are the last line of standard output."""
    job, *arguments = sys.argv[1:] if argv is None else argv
    try:
        if job == "train":
            figures = train_cell(load_recipe(arguments[0], arguments[1:]))
        else:
            described: dict[str, list[str]] = json.load(sys.stdin)
            recipes = {cell: load_recipe(path, overrides) for cell, (path, *overrides) in described.items()}
            figures = time_cells(recipes, rounds=int(arguments[0]), updates=int(arguments[1]))
    except Seq2SeqError as error:
        figures = {"status": "failed", "reason": str(error)}
    print(json.dumps(figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
