"""The pieces of a tokenizer as sampling needs them: their ids and scores, and how an unknown character is spelled."""

from __future__ import annotations

from typing import final

import numpy
from numpy.typing import NDArray

from seq2seq.text.model_file import BYTE, NORMAL, UNKNOWN, USER_DEFINED, ModelFile

#: How much worse than the worst piece an unknown character is, in SentencePiece and hence here.
_UNKNOWN_PENALTY = 10.0


@final
class Vocabulary:
    """What text is segmented into.

    ids: id of every piece by its text. scores: float64 [vocab], as segmentation counts them. user_defined: pieces that
    are found before all others. Characters without a piece get numbers beyond the vocabulary, which :meth:`spelled`
    replaces.
    """

    def __init__(self, model: ModelFile) -> None:
        self.ids = {
            piece.text: number for number, piece in enumerate(model.pieces) if piece.kind in (NORMAL, USER_DEFINED)
        }
        self.user_defined = {
            piece.text: number for number, piece in enumerate(model.pieces) if piece.kind == USER_DEFINED
        }
        self.longest = max(map(len, self.ids), default=1)
        normal = [piece.score for piece in model.pieces if piece.kind == NORMAL] or [0.0]
        self.scores = numpy.array([piece.score for piece in model.pieces])
        for text, number in self.user_defined.items():
            self.scores[number] = len(text) * max(normal) - 0.1
        self.unknown_score = min(normal) - _UNKNOWN_PENALTY
        #: Whether no piece goes on after a space, so that every word is segmented by itself.
        self.words_are_apart = not any("▁" in text[1:] for text in self.ids)
        self._unknown_id = next(number for number, piece in enumerate(model.pieces) if piece.kind == UNKNOWN)
        self._byte_ids = [number for number, piece in enumerate(model.pieces) if piece.kind == BYTE]
        self._unknown: dict[str, int] = {}
        self._spellings: list[list[int]] = []

    def unknown(self, character: str) -> int:
        """The number, beyond the vocabulary, of a character that has no piece."""
        number = self._unknown.get(character)
        if number is None:
            number = self._unknown[character] = len(self.scores) + len(self._spellings)
            self._spellings.append(
                [self._byte_ids[byte] for byte in character.encode("utf-8")] if self._byte_ids else [self._unknown_id]
            )
        return number

    def spelled(
        self, ids: NDArray[numpy.int64], texts: NDArray[numpy.int64]
    ) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        """Replace numbers beyond the vocabulary by bytes, or by the unknown piece, once for all in a row.

        ids: [total]; texts: [total], which text each belongs to. Gives both anew.
        """
        beyond = ids >= len(self.scores)
        if not beyond.any():
            return ids, texts
        spellings = [self._spellings[number] for number in (ids[beyond] - len(self.scores)).tolist()]
        times = numpy.ones(len(ids), dtype=numpy.int64)
        times[beyond] = [len(spelling) for spelling in spellings]
        ids, texts, beyond = numpy.repeat(ids, times), numpy.repeat(texts, times), numpy.repeat(beyond, times)
        ids[beyond] = [number for spelling in spellings for number in spelling]
        if not self._byte_ids:
            unknown = ids == self._unknown_id
            again = numpy.zeros(len(ids), dtype=numpy.bool_)
            again[1:] = unknown[1:] & unknown[:-1] & (texts[1:] == texts[:-1])
            ids, texts = ids[~again], texts[~again]
        return ids, texts
