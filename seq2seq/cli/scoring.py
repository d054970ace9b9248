"""Scoring chunk by chunk: pairs into a translator, lines about them out, and how far it is on stderr."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from seq2seq.cli.failure import say
from seq2seq.cli.pairs import Pair
from seq2seq.cli.progress import Bar, Clock, ScoringProgress, is_watched, warn
from seq2seq.cli.reading import chunk_sizes
from seq2seq.cli.search_options import scoring_keywords
from seq2seq.cli.writing import Output

if TYPE_CHECKING:
    from seq2seq.scored import Scored, TextScore
    from seq2seq.translator import Translator

Chunk = TypeVar("Chunk")


class ScoreWriter:
    """Scores what it is given, and writes what is to be said of it."""

    def __init__(
        self,
        translator: Translator,
        chosen: argparse.Namespace,
        *,
        program: str,
        output: Path | None,
        total: int | None,
    ) -> None:
        """`chosen` are the arguments of the command; `total` the number of pairs, None where it is not known."""
        self._translator = translator
        self._keywords = scoring_keywords(chosen)
        self._batch_size = chosen.batch_size or max(translator.options.batch_size, (chosen.max_tokens or 0) // 16)
        self._quiet = chosen.quiet
        self._program = program
        self._output = output
        self._total = total
        self._progress = ScoringProgress(longest=translator.options.max_input_pieces)

    def sizes(self) -> Iterator[int]:
        """How many pairs to score together, first, next and so on."""
        return chunk_sizes(self._batch_size)

    def write(
        self,
        chunks: Iterator[Chunk],
        *,
        pairs: Callable[[Chunk], Sequence[Pair]],
        lines: Callable[[Chunk, Sequence[Scored]], Iterable[str]],
        last: Callable[[TextScore], Iterable[str]] = lambda text: (),
    ) -> TextScore:
        """Score the `pairs` of every chunk and write the `lines` about them, and those about the `last` sums."""
        clock, progress = Clock(chunks), self._progress
        watched = not self._quiet and is_watched(output_is_file=self._output is not None)
        output = Output(self._output)
        try:
            with output, Bar("scoring", total=self._total) if watched else nullcontext() as bar:
                for chunk in clock:
                    scored = next(self._translator.score_chunks([pairs(chunk)], **self._keywords))
                    output.write(lines(chunk, scored))
                    progress.add(scored, seconds=clock.seconds())
                    if bar is not None:
                        bar.show(progress.text.pairs, progress.figures())
                output.write(last(progress.text))
        except BaseException:
            warn(self._program, output.kept())
            raise
        if not self._quiet:
            say(f"{self._program}: {progress.summary()}")
        warn(self._program, progress.warning())
        return progress.text
