"""Translation speed of a trained model: sentences and pieces per second for several beams and batch sizes.

    python tools/benchmark_decoding.py --model runs/en-fr --input test.en [--rounds 3]

The settings take turns within every round; medians and ranges over the rounds are printed. Loading is timed apart.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from seq2seq.errors import Seq2SeqError
from seq2seq.translator import Translator

#: (beam, batch size)
SETTINGS = ((1, 64), (5, 64), (5, 16), (5, 1))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--input", type=Path, required=True, help="source text, one sentence per line")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=1000, help="use the first N lines")
    parser.add_argument("--single", type=int, default=100, help="lines for batches of one sentence")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args(argv)
    began = time.perf_counter()
    try:
        translator = Translator.load(arguments.model, device=arguments.device, precision=arguments.precision)
    except Seq2SeqError as error:
        print(f"benchmark_decoding: error: {error}", file=sys.stderr)
        return error.exit_code
    loaded = time.perf_counter() - began
    lines = arguments.input.read_text(encoding="utf-8").split("\n")[: arguments.sentences]
    lines = [line for line in lines if line.strip()]
    speeds: dict[tuple[int, int], list[tuple[float, float]]] = {setting: [] for setting in SETTINGS}
    for _ in range(arguments.rounds):
        for beam, batch_size in SETTINGS:
            part = lines[: arguments.single] if batch_size == 1 else lines
            began = time.perf_counter()
            results = translator.translate(part, beam=beam, batch_size=batch_size, alignment=False)
            seconds = time.perf_counter() - began
            pieces = sum(len(result.pieces) for result in results)
            speeds[beam, batch_size].append((len(part) / seconds, pieces / seconds))
    print(
        f"torch {torch.__version__}, {translator.device}, {torch.get_num_threads()} threads; loaded in {loaded:.2f} s"
    )
    for (beam, batch_size), figures in speeds.items():
        by_sentence, by_piece = [figure[0] for figure in figures], [figure[1] for figure in figures]
        print(
            f"beam {beam}, batch {batch_size}: {statistics.median(by_sentence):,.1f} sentences/s "
            f"({min(by_sentence):,.1f} to {max(by_sentence):,.1f}), {statistics.median(by_piece):,.0f} pieces/s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
