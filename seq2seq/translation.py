"""What translation gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seq2seq.text.alignment import Alignment, first_words, join_alignments
from seq2seq.text.sentences import Part, join_parts


@dataclass(frozen=True)
class Translation:
    """One translation of one input line.

    Attributes:
        text: the translation, one line.
        score: what translations of a line are compared by. The log-probability divided by the number of target pieces,
            their end counted, to the power of the length penalty, with the other penalties asked for; by minimum Bayes
            risk the expected quality, from 0 to 100. 0 for an empty line.
        log_prob: natural logarithm of the translation's probability.
        pieces: the target pieces.
        piece_log_probs: log-probability of each piece, and of the end where the model set it.
        alignment: pairs (source word, target word), zero-based, words as `str.split` finds them in the raw line and in
            `text`: for every target word the source word with most attention. Empty without attention.
        finished: False when the translation was cut off at the maximum length.
        source_pieces: number of pieces that the line has.
    """

    text: str
    score: float
    log_prob: float
    pieces: tuple[str, ...]
    piece_log_probs: tuple[float, ...]
    alignment: Alignment
    finished: bool
    source_pieces: int = 0


#: The translation of a line without pieces: nothing, with certainty.
EMPTY_TRANSLATION = Translation("", 0.0, 0.0, (), (), (), True)


def join_translations(
    line: str,
    parts: Sequence[Part],
    translations: Sequence[Translation],
    *,
    score: Callable[[Sequence[Translation]], float],
) -> Translation:
    """One translation of a line from those of its parts; words are counted through the whole line.

    `score` gives the score of the whole from those of the parts.
    """
    texts = [translation.text for translation in translations]
    # A part without translation leaves no gap; white space of the line may be a line break, a translation's never is.
    spoken = [(text, part) for text, part in zip(texts, parts, strict=True) if text]
    text = join_parts([text for text, _ in spoken], [part for _, part in spoken]).replace("\n", " ").strip()
    return Translation(
        text=text,
        score=score(translations),
        log_prob=math.fsum(translation.log_prob for translation in translations),
        pieces=tuple(piece for translation in translations for piece in translation.pieces),
        piece_log_probs=tuple(value for translation in translations for value in translation.piece_log_probs),
        alignment=join_alignments(
            [translation.alignment for translation in translations],
            sources=first_words(line, [part.text for part in parts]),
            targets=first_words(text, texts),
        ),
        finished=all(translation.finished for translation in translations),
        source_pieces=sum(translation.source_pieces for translation in translations),
    )
