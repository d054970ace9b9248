"""A toolkit that is given pieces: SentencePiece goes before and after it, timed apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

import sentencepiece

from tools.benchmark_decoding.workers.protocol import Translated

#: Pieces of sentences to pieces of their translations, by a beam in batches of so many sentences.
Search = Callable[[list[list[str]], int, int], list[list[str]]]


class PieceToolkit:
    """A :class:`~tools.benchmark_decoding.workers.protocol.Toolkit` around a search over pieces."""

    def __init__(
        self,
        *,
        tokenizer: str,
        search: Search,
        versions: dict[str, str],
        detail: str,
        prepare: Callable[[int, int], None] | None = None,
    ) -> None:
        """`tokenizer` is the path of the SentencePiece model; `detail` says how the toolkit is used.

        `prepare` is what a beam and a batch size need before the time is taken.
        """
        self.versions = versions
        self.detail = detail
        self._search = search
        self._prepare = prepare
        self._processor = sentencepiece.SentencePieceProcessor(model_file=tokenizer)

    def translate(self, lines: Sequence[str], *, beam: int, batch_size: int) -> Translated:
        """Translate lines."""
        if self._prepare is not None:
            self._prepare(beam, batch_size)
        began = perf_counter()
        # By way of the ids: a character that the vocabulary does not have is then the unknown piece.
        pieces = [self._processor.IdToPiece(self._processor.Encode(line)) for line in lines]
        encoded = perf_counter()
        found = self._search(pieces, beam, batch_size)
        searched = perf_counter()
        text = [self._processor.DecodePieces(each) for each in found]
        decoded = perf_counter()
        return Translated(
            text=text,
            tokens=sum(len(each) + 1 for each in found),
            seconds=searched - encoded,
            text_seconds=(encoded - began) + (decoded - searched),
        )
