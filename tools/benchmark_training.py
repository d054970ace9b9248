"""Training speed of a recipe, bf16 against fp32 in turn, beside the machine's matrix-product peak of the same minute.

    python tools/benchmark_training.py recipes/en-fr.yaml [key.path=value ...] [--rounds 5] [--updates 10]

Prints target tokens per second without padding, median and range over the rounds, the ratio round by round, the padding
share and the mean batch shape. The absolute figures drift with the machine; the ratio is what holds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import islice

import torch

from seq2seq.build import build_model, build_tokenizers
from seq2seq.data.batch import Batch
from seq2seq.device import resolve_device
from seq2seq.errors import Seq2SeqError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import Recipe, load_recipe
from seq2seq.training.allocator import bound_kernel_cache, keep_freed_memory
from seq2seq.training.corpora import prepare_corpora
from seq2seq.training.objective import Objective
from seq2seq.training.optimizer import make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.step import train_step


def matrix_peak(device: torch.device, dtype: torch.dtype) -> float:
    """GFLOP/s of a 2048-cubed matrix product, the best of five."""
    left, right = (torch.randn(2048, 2048, device=device).to(dtype) for _ in range(2))
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        product = left @ right.T
        float(product[0, 0])  # A GPU answers only when it is done.
        best = max(best, 2 * 2048**3 / (time.perf_counter() - began) / 1e9)
    return best


class Contender:
    """A model in one precision that trains on the same batches as the others."""

    def __init__(self, recipe: Recipe, dtype: torch.dtype, device: torch.device, vocabularies: tuple[int, int]) -> None:
        torch.manual_seed(recipe.run.seed)
        self.model: EncoderDecoder = build_model(
            recipe.model, source_vocabulary=vocabularies[0], target_vocabulary=vocabularies[1]
        ).to(device)
        self.model.train()
        self.precision = Precision(dtype=dtype, device=device)
        self.optimizer = make_optimizer(self.model.parameters(), **recipe.training.optimizer.model_dump())
        self.recipe = recipe
        self.speeds: list[float] = []

    def run(self, batches: Sequence[Batch]) -> float:
        """Train on `batches`; target tokens per second."""
        training = self.recipe.training
        began = time.perf_counter()
        loss = torch.zeros(())
        for batch in batches:
            report = train_step(
                self.model,
                [batch],
                optimizer=self.optimizer,
                precision=self.precision,
                learning_rate=training.optimizer.learning_rate,
                objective=Objective(label_smoothing=training.label_smoothing, consistency=training.consistency),
                clip_by=training.clipping.by,
                clip_threshold=training.clipping.threshold,
            )
            loss = report.loss
        float(loss)
        return sum(batch.target_tokens for batch in batches) / (time.perf_counter() - began)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--updates", type=int, default=10, help="updates of each precision in a round")
    arguments = parser.parse_intermixed_args(argv)
    try:
        recipe = load_recipe(arguments.recipe, arguments.overrides)
        device = resolve_device(recipe.run.device)
        source, target = build_tokenizers(recipe)
        corpora = prepare_corpora(
            recipe,
            source_tokenizer=source,
            target_tokenizer=target,
            batch_multiple=8,
            pin_memory=device.type == "cuda",
            say=print,
        )
    except Seq2SeqError as error:
        print(f"benchmark_training: error: {error}", file=sys.stderr)
        return error.exit_code
    if device.type == "cpu":
        keep_freed_memory()
        bound_kernel_cache()
    batches = list(islice(corpora.loader.epoch(0), (arguments.rounds + 1) * arguments.updates))
    vocabularies = source.vocabulary_size, target.vocabulary_size
    contenders = {
        name: Contender(recipe, dtype, device, vocabularies)
        for name, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32))
    }
    for number in range(arguments.rounds + 1):
        part = batches[number * arguments.updates : (number + 1) * arguments.updates]
        for contender in contenders.values():
            speed = contender.run(part)
            if number:  # The first round warms up.
                contender.speeds.append(speed)
    print(f"torch {torch.__version__}, {device}, {torch.get_num_threads()} threads, {arguments.rounds} rounds")
    rows = statistics.mean(batch.source.shape[0] for batch in batches)
    widths = [statistics.mean(side(batch) for batch in batches) for side in (_source_width, _target_width)]
    print(
        f"batches: {rows:.0f} sentences of {widths[0]:.0f} and {widths[1]:.0f} pieces on average, "
        f"{corpora.loader.padding.share:.1%} padding"
    )
    for name, contender in contenders.items():
        speeds, peak = contender.speeds, matrix_peak(device, contender.precision.dtype)
        print(
            f"{name}: {statistics.median(speeds):,.0f} target tokens/s ({min(speeds):,.0f} to {max(speeds):,.0f}); "
            f"matrix product {peak:,.0f} GFLOP/s"
        )
    pairs = zip(contenders["bf16"].speeds, contenders["fp32"].speeds, strict=True)
    ratios = [fast / slow for fast, slow in pairs]
    print(f"bf16 / fp32: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return 0


def _source_width(batch: Batch) -> int:
    return batch.source.shape[1]


def _target_width(batch: Batch) -> int:
    return batch.target_out.shape[1]


if __name__ == "__main__":
    sys.exit(main())
