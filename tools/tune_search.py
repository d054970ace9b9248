"""Beam and length penalty of a trained model, tried out on its recipe's validation corpus; never on a test set.

    python -m tools.tune_search --model runs/en-fr [--beams 1 5 8 12] [--length-penalties 0.6 0.8 1.0 1.2]

Prints BLEU, chrF and the ratio of lengths of every setting, the best last. What is best by less than a few tenths of a
point is best by chance.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from seq2seq.build import parallel_text
from seq2seq.cli.failure import run
from seq2seq.evaluation import score
from seq2seq.model_directory import load_description
from seq2seq.recipe import Recipe
from seq2seq.text.corpus import read_pairs
from seq2seq.translator import Translator


def validation_text(recipe: Recipe) -> tuple[list[str], list[str]]:
    """Sources and references of the recipe's validation corpus."""
    entries = (parallel_text(entry, recipe.corpus) for entry in recipe.corpus.validation)
    pairs = [pair for entry in entries for pair in read_pairs(entry)]
    return [pair.source for pair in pairs], [pair.target for pair in pairs]


def tune(arguments: argparse.Namespace) -> int:
    """Try every pair of beam and length penalty."""
    recipe, _, _ = load_description(arguments.model)
    translator = Translator.load(arguments.model, device=arguments.device, precision=arguments.precision)
    sources, references = validation_text(recipe)
    rows = []
    for beam, length_penalty in itertools.product(arguments.beams, arguments.length_penalties):
        translations = translator.translate(sources, beam=beam, length_penalty=length_penalty, alignment=False)
        texts = [translation.text for translation in translations]
        bleu, chrf = score(texts, references, metrics=("bleu", "chrf"), lowercase=arguments.lowercase)
        rows.append((bleu.value, chrf.value, beam, length_penalty, float(bleu.details["length_ratio"])))  # type: ignore[arg-type]
        print(f"beam {beam}, length penalty {length_penalty:g}: BLEU {bleu.value:.2f}", file=sys.stderr, flush=True)
    print(f"{len(sources):,} sentences; {bleu.signature}")
    print("| beam | length penalty | BLEU | chrF2 | length ratio |", "| ---: | ---: | ---: | ---: | ---: |", sep="\n")
    for value, other, beam, length_penalty, ratio in sorted(rows):
        print(f"| {beam} | {length_penalty:g} | {value:.2f} | {other:.2f} | {ratio:.3f} |")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 5, 8, 12])
    parser.add_argument("--length-penalties", type=float, nargs="+", default=[0.6, 0.8, 1.0, 1.2])
    parser.add_argument("--lowercase", action="store_true", help="score without case")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="auto")
    return run("tune_search", lambda: tune(parser.parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
