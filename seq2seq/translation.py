"""What translation gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seq2seq.text.alignment import Alignment, first_words, join_alignments
from seq2seq.text.sentence_ends import has_line_break
from seq2seq.text.sentences import Part, join_parts


@dataclass(frozen=True)
class Translation:
    """One translation of one input line.

    Attributes:
        text: the translation, one line; with `split_sentences` it keeps line breaks of the source.
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
        word_log_probs: log-probability of every word of `text`, given those before it; the end is none. Empty where
            words were not asked for, and where something was carried over from the source.
        soft_alignment: where it was asked for, for every word of `text` its attention to each word of the line; what a
            row leaves of 1 went to the end of sentence. Empty as `word_log_probs` is.
    """

    text: str
    score: float
    log_prob: float
    pieces: tuple[str, ...]
    piece_log_probs: tuple[float, ...]
    alignment: Alignment
    finished: bool
    source_pieces: int = 0
    word_log_probs: tuple[float, ...] = ()
    soft_alignment: tuple[tuple[float, ...], ...] = ()

    @property
    def word_confidences(self) -> tuple[float, ...]:
        """The probability of every word of `text`, given those before it: the product of its pieces'."""
        return tuple(math.exp(log_prob) for log_prob in self.word_log_probs)


#: The translation of a line without pieces: nothing, with certainty.
EMPTY_TRANSLATION = Translation("", 0.0, 0.0, (), (), (), True)


def join_translations(
    line: str,
    parts: Sequence[Part],
    translations: Sequence[Translation],
    *,
    score: Callable[[Sequence[Translation]], float],
    keep_breaks: bool = False,
) -> Translation:
    """One translation of a line from those of its parts; words are counted through the whole line.

    `score` gives the score of the whole from those of the parts; with `keep_breaks` line breaks between parts stay.
    """
    texts = [translation.text for translation in translations]
    text = joined_text(texts, parts, keep_breaks=keep_breaks)
    sources, targets = first_words(line, [part.text for part in parts]), first_words(text, texts)
    return Translation(
        text=text,
        score=score(translations),
        log_prob=math.fsum(translation.log_prob for translation in translations),
        pieces=tuple(piece for translation in translations for piece in translation.pieces),
        piece_log_probs=tuple(value for translation in translations for value in translation.piece_log_probs),
        alignment=join_alignments(
            [translation.alignment for translation in translations],
            sources=sources,
            targets=targets,
        ),
        finished=all(translation.finished for translation in translations),
        source_pieces=sum(translation.source_pieces for translation in translations),
        word_log_probs=_joined_log_probs(translations, targets, words=len(text.split())),
        soft_alignment=_joined_rows(translations, sources, targets, shape=(len(text.split()), len(line.split()))),
    )


def joined_text(texts: Sequence[str], parts: Sequence[Part], *, keep_breaks: bool) -> str:
    """Texts and separators of a line's parts; a part without translation leaves no gap, only a line break if kept."""
    kept = [
        (text, part)
        for text, part in zip(texts, parts, strict=True)
        if text or (keep_breaks and has_line_break(part.separator))
    ]
    joined = join_parts([text for text, _ in kept], [part for _, part in kept])
    if not keep_breaks:
        return joined.replace("\n", " ").strip()
    opening, closing = len(joined) - len(joined.lstrip()), len(joined.rstrip())
    before, after = joined[:opening], joined[max(opening, closing) :]
    return (
        (before if has_line_break(before) else "") + joined[opening:closing] + (after if has_line_break(after) else "")
    )


def _joined_log_probs(translations: Sequence[Translation], targets: Sequence[int], *, words: int) -> tuple[float, ...]:
    """Log-probabilities of the words of a line; a word in two parts has the sum of both."""
    if not any(translation.word_log_probs for translation in translations):
        return ()
    joined = [0.0] * words
    for translation, first in zip(translations, targets, strict=True):
        for place, log_prob in enumerate(translation.word_log_probs, start=first):
            joined[place] += log_prob
    return tuple(joined)


def _joined_rows(
    translations: Sequence[Translation], sources: Sequence[int], targets: Sequence[int], *, shape: tuple[int, int]
) -> tuple[tuple[float, ...], ...]:
    """The soft alignment of a line: words of a part attend to that part alone. A word in two parts has that of one."""
    if not any(translation.soft_alignment for translation in translations):
        return ()
    joined = [[0.0] * shape[1] for _ in range(shape[0])]
    for translation, first_source, first_target in zip(translations, sources, targets, strict=True):
        for place, row in enumerate(translation.soft_alignment, start=first_target):
            joined[place] = [0.0] * shape[1]
            joined[place][first_source : first_source + len(row)] = row
    return tuple(tuple(row) for row in joined)
