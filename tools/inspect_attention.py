"""Draw where a model looks: the soft alignment between a sentence and its translation, as PNG and SVG.

    python -m tools.inspect_attention --model runs/en-fr "Where is the station?"
    python -m tools.inspect_attention --model runs/en-fr --target "Où est la gare ?" "Where is the station?"
    head -3 test.en | python -m tools.inspect_attention --model runs/en-fr --output figures/test

Translates by the model's own search, or reads the translation given as --target, and writes OUTPUT.png and OUTPUT.svg;
for several sentences, one a line on standard input, OUTPUT-1, OUTPUT-2 and so on. Every row is the distribution from
which one target piece was predicted. With --words, weights of a source word's pieces are added up, and rows are means
over a target word's pieces.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from seq2seq.cli import failure
from seq2seq.cli.finding import find_model
from seq2seq.errors import UsageError
from seq2seq.plots.alignment import draw_alignment
from seq2seq.plots.figure import look, require_matplotlib, save
from seq2seq.soft_alignment import align
from seq2seq.translator import Translator


def _sentences(arguments: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Every sentence with the prefix of its files."""
    prefix: Path = arguments.output
    if arguments.sentence is not None:
        yield arguments.sentence, prefix
        return
    lines = [line for line in sys.stdin.buffer.read().decode("utf-8", "replace").split("\n") if line.strip()]
    if not lines:
        raise UsageError("give a sentence, or several on standard input, one a line")
    if arguments.target is not None and len(lines) > 1:
        raise UsageError(f"--target belongs to one sentence, but standard input has {len(lines)}")
    for number, line in enumerate(lines, 1):
        yield line, prefix if len(lines) == 1 else prefix.with_name(f"{prefix.name}-{number}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.inspect_attention",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sentence", nargs="?", help="by default, lines from standard input")
    parser.add_argument("--model", type=Path, help="as for seq2seq-translate")
    parser.add_argument("--target", help="read this translation instead of making one")
    parser.add_argument("--output", type=Path, default=Path("attention"), metavar="PREFIX")
    parser.add_argument("--words", action="store_true", help="words instead of pieces")
    parser.add_argument("--beam", type=int)
    parser.add_argument("--title", action="store_true", help="write sentence and translation above the picture")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args(argv)

    def command() -> None:
        require_matplotlib()  # before a model is loaded
        directory, _ = find_model(arguments.model)
        translator = Translator.load(directory, device=arguments.device)
        for sentence, prefix in _sentences(arguments):
            alignment = align(translator, sentence, target=arguments.target, beam=arguments.beam, words=arguments.words)
            with look():
                png, svg = save(draw_alignment(alignment), prefix)
            print(f"{png}, {svg.name}: {sentence.strip()} → {' '.join(alignment.target)}", flush=True)

    return failure.run("inspect_attention", command)


if __name__ == "__main__":
    sys.exit(main())
