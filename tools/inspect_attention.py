"""Draw where a model looks: the soft alignment between a sentence and its translation, as PNG and SVG.

    python -m tools.inspect_attention --model runs/en-fr "Where is the station?"
    python -m tools.inspect_attention --model runs/en-fr --target "Où est la gare ?" "Where is the station?"
    head -3 test.en | python -m tools.inspect_attention --model runs/en-fr --output figures/test

Translates by the model's own search, or reads the translation given as --target, and writes OUTPUT.png and OUTPUT.svg;
for several sentences, one a line on standard input, OUTPUT-1, OUTPUT-2 and so on. Every row is the distribution from
which one target piece was predicted. With --words, weights of a source word's pieces are added up, and rows are means
over a target word's pieces. Needs matplotlib: pip install 'seq2seq-toolkit[plots]'.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy
import torch
from numpy.typing import NDArray

from seq2seq.cli import failure
from seq2seq.cli.finding import find_model
from seq2seq.data.batch import make_source
from seq2seq.errors import ModelError, UsageError
from seq2seq.text.alignment import words_of_prefixes
from seq2seq.translator import Translator
from tools.plots.alignment import END, SoftAlignment, by_words, draw_alignment, written_pieces
from tools.plots.figure import look, require_matplotlib, save

#: Pieces of a side beyond which nobody could read the picture.
LONGEST = 200


@torch.no_grad()
def attention_weights(translator: Translator, source: Sequence[int], target: Sequence[int]) -> NDArray[numpy.float64]:
    """Weights of every target position, teacher-forced: [target pieces and the end, source pieces and the end].

    The steps are those of a search, so that every kind of attention, with or without a memory of its own, gives what it
    would give while translating.

    Raises:
        ModelError: the model weighs no source positions.
    """
    model, tokenizer = translator.model, translator.source_tokenizer
    ids, lengths = make_source([source], eos_id=tokenizer.eos_id, pad_id=tokenizer.pad_id)
    state = model.start(ids.to(translator.device), lengths.to(translator.device))
    rows = []
    for token in (translator.target_tokenizer.bos_id, *target):
        _, state, weights = model.step(torch.tensor([token], device=translator.device), state)
        if weights is None:
            raise ModelError("the model has no attention that weighs source positions, so there is nothing to draw")
        rows.append(weights[0])
    return torch.stack(rows).double().cpu().numpy()


def align(
    translator: Translator, sentence: str, *, target: str | None = None, beam: int | None = None, words: bool = False
) -> SoftAlignment:
    """The soft alignment of a sentence and its translation, or the given `target`; between pieces or `words`.

    Raises:
        UsageError: there is nothing to align, or more than a picture holds.
        ModelError: the model weighs no source positions.
    """
    source_ids, source_pieces, source_words = translator.source_tokenizer.words_of_pieces(sentence)
    _check_length("the sentence", len(source_ids))
    finished = True
    if target is None:
        if not translator.has_attention:
            raise ModelError("the model has no attention, so there is nothing to draw")
        translation = translator.translate(sentence, beam=beam, long_input="error", alignment=False)
        known = {piece: index for index, piece in enumerate(_vocabulary(translator))}
        target_ids = [known[piece] for piece in translation.pieces]
        finished = translation.finished
    else:
        target_ids = translator.target_tokenizer.encode_one(target)
    _check_length("the target" if target is not None else "the translation", len(target_ids))
    weights = attention_weights(translator, source_ids, target_ids)
    tokenizer = translator.target_tokenizer
    pieces = tokenizer.pieces(target_ids)
    prefixes = tokenizer.decode([target_ids[:end] for end in range(1, len(target_ids) + 1)])
    text = prefixes[-1]
    target_words = words_of_prefixes(prefixes, pieces, words=max(1, len(text.split())))
    ends = [END] if finished else []  # A translation that was cut off never predicted its end.
    alignment = SoftAlignment(
        source=(*written_pieces(source_pieces), END),
        target=(*written_pieces(pieces), *ends),
        weights=weights[: len(pieces) + len(ends)],
        source_words=(*source_words, max(source_words) + 1),
        target_words=(*target_words, *(max(target_words) + 1 for _ in ends)),
    )
    if words:
        return by_words(alignment, [*(sentence.split() or [sentence]), END], [*(text.split() or [text]), *ends])
    return alignment


def _check_length(what: str, pieces: int) -> None:
    if pieces == 0:
        raise UsageError(f"{what} is empty, so there is nothing to align")
    if pieces > LONGEST:
        raise UsageError(f"{what} has {pieces} pieces, more than the {LONGEST} that a picture holds; shorten it")


def _vocabulary(translator: Translator) -> list[str]:
    tokenizer = translator.target_tokenizer
    return tokenizer.pieces(range(tokenizer.vocabulary_size))


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
