"""Splitting of a line: into its sentences, or, where it is too long to be translated at once, at the best places."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from seq2seq.text.sentence_ends import CLOSING, EAST_ASIAN, SURE_MARKS, has_line_break, sentence_ends

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

_NOT_SPACE = re.compile(r"\S")
_CLOSING = re.escape(CLOSING)
_ONLY_CLOSING = re.compile(rf"[{_CLOSING}]+")
_SURE_END = re.compile(rf"(?:[．{SURE_MARKS}]|(?!\s)[{EAST_ASIAN}-\U0010ffff][!?]+)[{_CLOSING}]*$")
_CLAUSE_END = re.compile(rf"[,;:–—、，；：､،؛][{_CLOSING}]*$")
#: Places after a mark inside a word: in scripts without spaces, addresses, lists.
_MARKS_INSIDE = re.compile(rf"[-_.,;:!?/…–—．{SURE_MARKS}、，；：､،؛]+[{_CLOSING}]*")
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


def split_sentences(line: str) -> list[Part]:
    """Split a line into its sentences; texts and separators of the parts one after the other are the line.

    White space around the line is part of the first and the last sentence, but where a line break is in it, it is a
    separator: the first part is empty then, or the last one has a separator.
    """
    starts, ends = [0], []
    opening = len(line) - len(line.lstrip())
    closing = max(opening, len(line.rstrip()))
    if has_line_break(line[:opening]):
        starts, ends = [0, opening], [0]
    for end in sentence_ends(line):
        ends.append(end)
        starts.append(_NOT_SPACE.search(line, end).start())  # type: ignore[union-attr]  # a sentence follows
    ends.append(closing if has_line_break(line[closing:]) else len(line))
    return [
        Part(line[start:end], line[end:following])
        for start, end, following in zip(starts, ends, [*starts[1:], len(line)], strict=True)
    ]


def join_parts(texts: Sequence[str], parts: Sequence[Part]) -> str:
    """Join texts that stand for the parts, such as their translations, by the separators of the parts.

    Where a part ends with a mark that needs no white space, and has none, its script has no space there; a text in a
    script that has one gets it.
    """
    joined: list[str] = []
    for text, part in zip(texts, parts, strict=True):
        joined += (text, part.separator)
        if not part.separator and part is not parts[-1] and _ends_without_space(part.text) and not _is_unspaced(text):
            joined.append(" ")
    return "".join(joined)


def _ends_without_space(text: str) -> bool:
    """Whether a part ends with a mark after which its script has no space, or need not have one."""
    return _SURE_END.search(text) is not None or (_is_full_width(text) and _CLAUSE_END.search(text) is not None)


def _is_unspaced(text: str) -> bool:
    """Whether a translation ends like that itself."""
    return _is_full_width(text) or _SURE_END.search(text) is not None


def _is_full_width(text: str) -> bool:
    return text[-1:] >= EAST_ASIAN


def _atoms(line: str, *, count: Count, limit: int) -> list[_Atom]:
    """Words, with white space around the line as part of the first and the last; words that are too long in pieces."""
    found = list(re.finditer(r"\S+", line))
    starts = [0, *(match.start() for match in found[1:])]
    ends = [*(match.end() for match in found[:-1]), len(line)]
    words = [line[start:end] for start, end in zip(starts, ends, strict=True)] if found else [line]
    gaps = [line[end:start] for end, start in zip(ends, starts[1:], strict=False)] + [""]
    sentences = frozenset(sentence_ends(line))
    atoms: list[_Atom] = []
    for number, (word, gap, pieces) in enumerate(zip(words, gaps, count(words), strict=True)):
        # French sets spaces inside its quotation marks: what ends before a lone closing mark ends after it.
        ended = words[number - 1] + word if number and _ONLY_CLOSING.fullmatch(word) else word
        rank = _rank(ended, words[number + 1] if number + 1 < len(words) else "", is_end=ends[number] in sentences)
        if pieces <= limit:
            atoms.append(_Atom(word, gap, rank, pieces))
        else:
            inner = _inner_atoms(word, starts[number], sentences, count=count, limit=limit)
            atoms += [*inner[:-1], inner[-1]._replace(separator=gap, rank=rank)]
    return atoms


def _rank(word: str, following: str, *, is_end: bool) -> int:
    """How good the place between two words is; `is_end`: a sentence ends there."""
    if is_end:
        return _SENTENCE
    if _ONLY_CLOSING.fullmatch(following):
        return _LETTER
    return _CLAUSE if _CLAUSE_END.search(word) else _WORD


def _inner_atoms(word: str, start: int, sentences: Set[int], *, count: Count, limit: int) -> list[_Atom]:
    """Pieces of a word at the marks in it, and where these are still too long, of about equal numbers of letters.

    `start` is the word's place in its line, and `sentences` the places at which sentences end there.
    """
    borders = [match.end() for match in _MARKS_INSIDE.finditer(word) if match.end() < len(word)]
    borders = sorted({*borders, *(end for end in range(1, len(word)) if start + end in sentences)})
    places = [0, *borders, len(word)]
    atoms = [
        _Atom(word[begin:end], "", _inner_rank(word[begin:end], is_end=start + end in sentences), 0)
        for begin, end in pairwise(places)
    ]
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


def _inner_rank(text: str, *, is_end: bool) -> int:
    """How good the place after a mark in a word is; only full-width marks end clauses, others spell addresses."""
    if is_end:
        return _SENTENCE
    return _CLAUSE if _is_full_width(text) else _MARK


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
