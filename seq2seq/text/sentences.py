"""Splitting of a line that is too long to be translated at once, at the best places there are, with nothing lost."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

#: Gives the number of pieces of every text.
Count = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True)
class Part:
    """A part of a line, and what stood between it and the next part: white space, or nothing within a word."""

    text: str
    separator: str


# How good a place is to split at; of those that come in time, the last of the best is taken.
_LETTER, _MARK, _WORD, _CLAUSE, _SENTENCE = range(5)
_BEST_FIRST = (_SENTENCE, _CLAUSE, _WORD, _MARK, _LETTER)

_CLOSING = "\"'”’»›)\\]}」』】〉》）］"
_ONLY_CLOSING = re.compile(rf"[{_CLOSING}]+")
_SENTENCE_END = re.compile(rf"[.!?…‽。！？｡؟۔।॥][{_CLOSING}]*$")
_CLAUSE_END = re.compile(rf"[,;:–—、，；：､،؛][{_CLOSING}]*$")
#: Places after a mark inside a word: in scripts without spaces, addresses, lists.
_MARKS_INSIDE = re.compile(rf"[-_.,;:!?/…–—。！？｡؟۔।॥、，；：､،؛]+[{_CLOSING}]*")
#: Words whose full stop does not end a sentence.
_ABBREVIATION = re.compile(
    r"(?:^|\W)(?:[^\W\d_]|mr|mrs|ms|dr|prof|st|mme|mlle|no|nr|vs|cf|fig|vol|pp)\.$", re.IGNORECASE
)
#: From here on, scripts have full-width marks of their own, without spaces after them.
_FULL_WIDTH = "\u2e80"
_JOINER = "\u200d"
#: Characters that are kept together, at most: there is text of nothing but combining marks.
_LONGEST_CLUSTER = 32


class _Atom(NamedTuple):
    """What is not split any more: a word, or a piece of a word that is too long."""

    text: str
    separator: str
    rank: int
    pieces: int


def split_line(line: str, *, count: Count, limit: int) -> list[Part]:
    """Split a line into parts of at most `limit` pieces: at ends of sentences, else of clauses, else of words.

    A word that is itself too long is divided. Parts are as long as the best kind of place allows; their texts and
    separators one after the other are the line. `count` is asked a few times about many texts at once, and the time
    grows with the line, not with its square. A single character of more than `limit` pieces, one that is spelled in
    bytes, stays whole.
    """
    if limit < 1:
        raise ValueError(f"limit must be 1 or more, not {limit}")
    if count([line])[0] <= limit:
        return [Part(line, "")]
    groups = _pack(_atoms(line, count=count, limit=limit), limit=limit)
    budget = limit
    while True:
        parts = [_joined(group) for group in groups]
        too_long = [
            pieces > limit and len(group) > 1
            for pieces, group in zip(count([part.text for part in parts]), groups, strict=True)
        ]
        if not any(too_long):
            return parts
        # The pieces of words need not add up to those of their part; where they fall short, less is put together.
        budget = budget * 3 // 4
        packed = (_pack(group, limit=budget) if long else [group] for group, long in zip(groups, too_long, strict=True))
        groups = [group for split in packed for group in split]


def join_parts(texts: Sequence[str], parts: Sequence[Part]) -> str:
    """Join texts that stand for the parts, such as their translations, by the separators of the parts.

    Where a part ends with a full-width mark and nothing follows it, its script has no space there; a text in a script
    that has one gets it.
    """
    joined: list[str] = []
    for text, part in zip(texts, parts, strict=True):
        joined += (text, part.separator)
        if not part.separator and part is not parts[-1] and _has_full_width_end(part.text) and not _is_full_width(text):
            joined.append(" ")
    return "".join(joined)


def _has_full_width_end(text: str) -> bool:
    return _is_full_width(text) and (_SENTENCE_END.search(text) or _CLAUSE_END.search(text)) is not None


def _is_full_width(text: str) -> bool:
    return text[-1:] >= _FULL_WIDTH


def _atoms(line: str, *, count: Count, limit: int) -> list[_Atom]:
    """Words, with white space around the line as part of the first and the last; words that are too long in pieces."""
    found = list(re.finditer(r"\S+", line))
    starts = [0, *(match.start() for match in found[1:])]
    ends = [*(match.end() for match in found[:-1]), len(line)]
    words = [line[start:end] for start, end in zip(starts, ends, strict=True)] if found else [line]
    gaps = [line[end:start] for end, start in zip(ends, starts[1:], strict=False)] + [""]
    atoms: list[_Atom] = []
    for number, (word, gap, pieces) in enumerate(zip(words, gaps, count(words), strict=True)):
        # French sets spaces inside its quotation marks: what ends before a lone closing mark ends after it.
        ended = words[number - 1] + word if number and _ONLY_CLOSING.fullmatch(word) else word
        rank = _rank(ended, words[number + 1] if number + 1 < len(words) else "")
        if pieces <= limit:
            atoms.append(_Atom(word, gap, rank, pieces))
        else:
            inner = _inner_atoms(word, count=count, limit=limit)
            atoms += [*inner[:-1], inner[-1]._replace(separator=gap, rank=rank)]
    return atoms


def _rank(word: str, following: str) -> int:
    """How good the place between two words is."""
    if _ONLY_CLOSING.fullmatch(following):
        return _LETTER
    if _SENTENCE_END.search(word) and not _ABBREVIATION.search(word) and not following[:1].islower():
        return _SENTENCE
    return _CLAUSE if _CLAUSE_END.search(word) else _WORD


def _inner_atoms(word: str, *, count: Count, limit: int) -> list[_Atom]:
    """Pieces of a word at the marks in it, and where these are still too long, of about equal numbers of letters."""
    borders = [match.end() for match in _MARKS_INSIDE.finditer(word) if match.end() < len(word)]
    texts = [word[start:end] for start, end in pairwise([0, *borders, len(word)])]
    atoms = [_Atom(text, "", _inner_rank(text), 0) for text in texts]
    settled = False
    while not settled:
        settled = True
        divided: list[_Atom] = []
        for atom, pieces in zip(atoms, count([atom.text for atom in atoms]), strict=True):
            halves = list(_divided(atom.text, -(-pieces // limit))) if pieces > limit else [atom.text]
            settled = settled and len(halves) == 1
            divided += [_Atom(half, "", _LETTER, pieces) for half in halves[:-1]]
            divided.append(_Atom(halves[-1], "", atom.rank, pieces))
        atoms = divided
    return atoms


def _inner_rank(text: str) -> int:
    """How good the place after a mark in a word is: only full-width marks end something, others spell addresses."""
    if not _is_full_width(text):
        return _MARK
    return _SENTENCE if _SENTENCE_END.search(text) else _CLAUSE


def _divided(text: str, number: int) -> Iterator[str]:
    """At least `number` stretches of about equal length; what is joined to a letter mostly stays with it."""
    size = -(-len(text) // number)
    start = 0
    while start < len(text):
        end = furthest = min(start + size, len(text))
        nearest = max(start, end - _LONGEST_CLUSTER)
        while nearest < end < len(text) and _belongs_together(text[end - 1], text[end]):
            end -= 1
        end = furthest if end == nearest else end
        yield text[start:end]
        start = end


def _belongs_together(left: str, right: str) -> bool:
    """Whether two characters are seen as one: combining marks, joined emoji and their skin tones."""
    return (
        unicodedata.category(right).startswith("M") or _JOINER in (left, right) or "\U0001f3fb" <= right <= "\U0001f3ff"
    )


def _pack(atoms: Sequence[_Atom], *, limit: int) -> list[Sequence[_Atom]]:
    """Put neighbours together, up to `limit` pieces by their sum; end each group at the best kind of place in it."""
    sums = list(accumulate((atom.pieces for atom in atoms), initial=0))
    # For every rank and number of atoms, the last place of that rank up to there; 0 if there is none.
    last = [
        list(accumulate((n * (atom.rank == rank) for n, atom in enumerate(atoms, 1)), max, initial=0))
        for rank in _BEST_FIRST
    ]
    groups: list[Sequence[_Atom]] = []
    start = 0
    while start < len(atoms):
        end = max(start + 1, bisect_right(sums, sums[start] + limit) - 1)
        if end < len(atoms):
            end = next((place for places in last if (place := places[end]) > start), end)
        groups.append(atoms[start:end])
        start = end
    return groups


def _joined(group: Sequence[_Atom]) -> Part:
    text = "".join(atom.text + atom.separator for atom in group[:-1]) + group[-1].text
    return Part(text, group[-1].separator)
