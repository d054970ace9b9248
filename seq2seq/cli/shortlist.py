"""seq2seq-shortlist: learn from a corpus which target pieces a source sentence may need."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.cli.arguments import ArgumentParser, count
from seq2seq.cli.failure import run, say

if TYPE_CHECKING:
    from seq2seq.data.flat import FlatSentences
    from seq2seq.recipe import Recipe
    from seq2seq.text.tokenizer import Tokenizer

PROGRAM = "seq2seq-shortlist"

#: Lines that are encoded together.
_CHUNK = 4096

_DESCRIPTION = """\
Learn a lexical shortlist for a model: which target pieces go with which source piece, by IBM's Model 1 over the text
that it was trained with. seq2seq-translate --shortlist then scores only the pieces that a sentence may need, which is
faster. It is written into the model directory, as shortlist.safetensors."""

_EXAMPLES = """\
examples:
  seq2seq-shortlist runs/en-fr
  seq2seq-shortlist runs/en-fr --most 100 --common 2000
  seq2seq-translate --shortlist --precision int8 --stopping heuristic -m runs/en-fr < input.txt"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return run(PROGRAM, lambda: _shortlist(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=PROGRAM, usage=f"{PROGRAM} DIR [options]", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument("model", metavar="DIR", type=Path, help="the model directory; its recipe says which text")
    group = parser.add_argument_group("shortlist")
    group.add_argument(
        "--most", metavar="N", type=count, default=50, help="likely translations of every source piece (default: 50)"
    )
    group.add_argument(
        "--common",
        metavar="N",
        type=count,
        default=1000,
        help="most frequent target pieces, which every sentence may use (default: 1000)",
    )
    group.add_argument(
        "--pairs", metavar="N", type=count, default=1_000_000, help="read at most the first N pairs (default: 1000000)"
    )
    group.add_argument("--iterations", metavar="N", type=count, default=5, help="of Model 1 (default: 5)")
    parser.add_general_options(quiet="say nothing on stderr but warnings and errors")
    return parser


def _shortlist(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_args(arguments)

    from seq2seq.errors import ModelError
    from seq2seq.model_directory import load_description, save_shortlist
    from seq2seq.shortlist import SHORTLIST, learn_shortlist

    recipe, source, target = load_description(chosen.model)
    if not chosen.model.is_dir():
        raise ModelError(
            f"{chosen.model}: a bundle cannot be added to; make the shortlist in the model directory and export that"
        )
    pieces = {piece: place for place, piece in enumerate(target.pieces(range(target.vocabulary_size)))}
    special = {target.pad_id, target.unk_id, target.bos_id, target.eos_id}
    sources, targets = _encoded(recipe, source, target, most=chosen.pairs)
    shortlist = learn_shortlist(
        lambda: zip(sources.rows(), targets.rows(), strict=True),
        source_vocabulary=source.vocabulary_size,
        target_vocabulary=target.vocabulary_size,
        always=[target.eos_id],
        same={
            place: pieces[piece]
            for place, piece in enumerate(source.pieces(range(source.vocabulary_size)))
            if piece in pieces and pieces[piece] not in special
        },
        most=chosen.most,
        common=chosen.common,
        iterations=chosen.iterations,
    )
    save_shortlist(chosen.model, shortlist, source=source, target=target)
    if not chosen.quiet:
        say(
            f"{PROGRAM}: {chosen.model / SHORTLIST}: at most {chosen.most} translations of {source.vocabulary_size:,} "
            f"source pieces, and {len(shortlist.common)} target pieces for all"
        )


def _encoded(recipe: Recipe, source: Tokenizer, target: Tokenizer, *, most: int) -> tuple[FlatSentences, FlatSentences]:
    """Pieces of both sides of the first `most` pairs of the recipe's training text."""
    import numpy

    from seq2seq.build import parallel_text
    from seq2seq.data.flat import FlatSentences
    from seq2seq.text.corpus import read_pairs

    everything = (pair for entry in recipe.corpus.train for pair in read_pairs(parallel_text(entry, recipe.corpus)))
    pairs = islice(everything, most)
    flat = partial(FlatSentences.of_rows, dtype=numpy.dtype(numpy.int32))
    sources, targets = [flat([])], [flat([])]
    while chunk := list(islice(pairs, _CHUNK)):
        sources.append(flat(source.encode([pair.source for pair in chunk])))
        targets.append(flat(target.encode([pair.target for pair in chunk])))
    return FlatSentences.joined(sources), FlatSentences.joined(targets)


if __name__ == "__main__":
    sys.exit(main())
