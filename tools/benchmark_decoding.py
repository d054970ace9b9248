"""Translation speed of a trained model in the settings of docs/lab-notes.md; `seq2seq-benchmark` has any others.

    python tools/benchmark_decoding.py --model runs/en-fr --input test.en [--rounds 3]

The settings take turns within every round; medians and ranges over the rounds are printed. Loading is timed apart.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from seq2seq.benchmark.material import text_of_file
from seq2seq.benchmark.measuring import Setting, measure
from seq2seq.errors import Seq2SeqError
from seq2seq.translator import Translator


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--input", type=Path, required=True, help="source text, one sentence per line")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=1000, help="use the first N lines that are not blank")
    parser.add_argument("--single", type=int, default=100, help="lines for batches of one sentence")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args(argv)
    began = time.perf_counter()
    try:
        translator = Translator.load(arguments.model, device=arguments.device, precision=arguments.precision)
        loaded = time.perf_counter() - began
        text = text_of_file(arguments.input, sentences=arguments.sentences, tokenizer=translator.source_tokenizer)
        settings = [Setting(1, 64), Setting(5, 64), Setting(5, 16), Setting(5, 1, sentences=arguments.single)]
        throughputs, _ = measure(translator, text, settings=settings, rounds=arguments.rounds, say=lambda line: None)
    except Seq2SeqError as error:
        print(f"benchmark_decoding: error: {error}", file=sys.stderr)
        return error.exit_code
    print(
        f"torch {torch.__version__}, {translator.device}, {torch.get_num_threads()} threads; loaded in {loaded:.2f} s"
    )
    for each in throughputs:
        sentences = each.per_second(lambda turn: turn.sentences)
        tokens = each.per_second(lambda turn: turn.target_tokens)
        print(
            f"beam {each.setting.beam}, batch {each.setting.batch_size}: {sentences.median:,.1f} sentences/s "
            f"({sentences.lowest:,.1f} to {sentences.highest:,.1f}), {tokens.median:,.0f} target tokens/s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
