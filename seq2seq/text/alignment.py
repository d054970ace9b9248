"""Word alignment: from attention between pieces to pairs of words, as Pharaoh files hold them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

#: Pairs (source word, target word), zero-based, words as `str.split` finds them.
Alignment = tuple[tuple[int, int], ...]


def align_words(
    attention: NDArray[numpy.float32], *, source_words: Sequence[int], target_words: Sequence[int]
) -> Alignment:
    """For every target word the source word that its pieces attend to most, summed over the pieces of both.

    A target word whose pieces attend to no word at all, as a hard attention may to the end of sentence, has none.

    Args:
        attention: weights [target pieces, source pieces]; rows and columns beyond the two lists, those of the end of
            sentence and of padding, are not looked at.
        source_words: for every source piece the index of its word.
        target_words: for every target piece the index of its word.
    """
    if not source_words or not target_words:
        return ()
    by_word = _summed(attention, source_words=source_words, target_words=target_words)
    best = by_word.argmax(axis=1)
    return tuple((int(word), target) for target, word in enumerate(best) if by_word[target, word] > 0.0)


def attention_of_words(
    attention: NDArray[numpy.float32], *, source_words: Sequence[int], target_words: Sequence[int]
) -> NDArray[numpy.float32]:
    """Weights between words, [target words, source words]; the arguments are those of :func:`align_words`.

    A row is the mean over a target word's pieces of what they give to each source word. What it leaves of 1 went to the
    end of sentence.
    """
    if not source_words or not target_words:
        return numpy.zeros((0, 0), dtype=numpy.float32)
    by_word = _summed(attention, source_words=source_words, target_words=target_words)
    pieces = numpy.bincount(numpy.asarray(target_words), minlength=by_word.shape[0])
    return (by_word / numpy.maximum(pieces, 1)[:, None]).astype(numpy.float32)


def _summed(
    attention: NDArray[numpy.float32], *, source_words: Sequence[int], target_words: Sequence[int]
) -> NDArray[numpy.float32]:
    """Weights [target words, source words], summed over the pieces of both."""
    by_word = numpy.zeros((max(target_words) + 1, max(source_words) + 1), dtype=numpy.float32)
    places = numpy.ix_(numpy.asarray(target_words), numpy.asarray(source_words))
    numpy.add.at(by_word, places, attention[: len(target_words), : len(source_words)])
    return by_word


def words_of_prefixes(prefixes: Sequence[str], pieces: Sequence[str], *, words: int) -> list[int]:
    """For every piece the index of the word it belongs to, among the `words` of the whole text.

    Args:
        prefixes: the text of the first piece, of the first two, and so on: what a piece looks like in the text (an
            unknown one, a byte of a letter) is known to the decoder alone.
        pieces: the pieces; one of nothing but `▁`, a space, belongs to the word after it.
        words: number of words of the whole text.
    """
    indices = [min(max(len(prefix.split()), 1), words) - 1 for prefix in prefixes]
    for place in range(len(indices) - 2, -1, -1):
        if pieces[place].strip("▁") == "":
            indices[place] = indices[place + 1]
    return indices


def join_alignments(alignments: Sequence[Alignment], *, sources: Sequence[int], targets: Sequence[int]) -> Alignment:
    """The alignment of a line from those of its parts, whose first words have the indices `sources` and `targets`."""
    joined = (
        (source + first_source, target + first_target)
        for alignment, first_source, first_target in zip(alignments, sources, targets, strict=True)
        for source, target in alignment
    )
    # Where a word was split between two parts, both may align it to the same word.
    return tuple(dict.fromkeys(joined))


def first_words(whole: str, parts: Sequence[str]) -> list[int]:
    """For every part the index in `whole.split()` of its first word.

    The parts stand in `whole` one after the other with nothing but white space, or nothing at all, between them; a part
    that begins inside a word begins with that word.
    """
    indices = []
    end = words = 0
    for part in parts:
        text = part.strip()
        if text:
            start = whole.index(text, end)
            inside = start > 0 and not whole[start - 1].isspace()
            indices.append(words - inside)
            words = indices[-1] + len(text.split())
            end = start + len(text)
        else:
            indices.append(words)
    return indices
