"""Where sentences end within a line, in any language that marks it: rules and short lists, nothing learned.

In doubt there is no end: see :mod:`seq2seq.text.abbreviations`. Thai and Lao, which have no mark, are not split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from seq2seq.text.abbreviations import AFTER_ORDINALS, BEFORE_NUMBERS, INSIDE, OFTEN_INSIDE, STARTERS, TITLES

#: Marks that are used for nothing else, so that they end a sentence whatever follows, white space or not: East Asian,
#: Arabic, Urdu, Devanagari and its kin, Armenian, Ethiopic, Burmese, Khmer.
SURE_MARKS = "。！？｡؟۔।॥։።፧፨။។៕"
#: What closes after a mark, be it a word of its own.
CLOSING = "\"'”’»›)]}」』】〉》）］"
#: From here on, scripts are written without spaces and have marks of their own.
EAST_ASIAN = "\u2e80"

_FULL_WIDTH_STOP = "．"
_MARKS = ".!?…‽\u037e" + _FULL_WIDTH_STOP + SURE_MARKS
#: With those that close in some languages and open in others, and with footnote numbers.
_CLOSING_A_WORD = CLOSING + "“‘«‹¹²³⁰⁴⁵⁶⁷⁸⁹"
_OPENING = "\"'“‘«‹„‚([{（［【「『《〈¿¡*_—–-"
_CLOSING_BRACKETS = frozenset(")]}）］】")
_CLAUSE_MARKS = frozenset(",;:、，；：،؛…—")

_WORD = re.compile(r"\S+")
_INSIDE_WORD = re.compile(rf"[!?{_FULL_WIDTH_STOP}{SURE_MARKS}]+[{re.escape(CLOSING)}]*")
_ONLY_CLOSING = re.compile(rf"[{re.escape(CLOSING)}]+")
_LINE_BREAK = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_NEXT_WORD = re.compile(r"[\W_]{0,40}([^\W_]{1,40})")
_OPENING_BRACKET = re.compile(rf"\s*[{re.escape(_OPENING)}]{{0,3}}[(\[{{（［【]")
#: References as encyclopedias have them: `He left.[12] Then`.
_REFERENCES = re.compile(rf"(?<=[{re.escape(_MARKS + CLOSING)}])(?:\[\w{{1,3}}\]){{1,9}}$")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_ROMAN = re.compile(r"[IVXLC]+")
#: Without the last full stop: `J`, `U.S`, `z.B`, `Ph.D`, `J.-P`, `т.д`.
_INITIALS = re.compile(r"[^\W\d_]|(?:[^\W\d_]{1,2}\.-?)+[^\W\d_]{1,3}")
#: Spanish plurals: `EE. UU.`, `CC. OO.`.
_DOUBLED = re.compile(r"([^\W\d_])\1")
_TAIL = re.compile(r"[^'’-]*$")
_GREEK_QUESTION = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff];")
#: From here on, a letter is a syllable or a word.
_SYLLABLES = "\u1100"
#: Japanese particles with which the sentence around a quotation goes on.
_AFTER_QUOTATION = frozenset("とっをがのに")


def sentence_ends(line: str) -> list[int]:
    """Places in a line at which a sentence ends and another one begins, ascending.

    A place stands behind the marks and what closes after them, before white space if there is any. On both sides of it
    there are letters or digits, except where white space with a line break ends a sentence in any case. The time grows
    with the line, not with its square.
    """
    return list(_Reader(line).ends())


def has_line_break(text: str) -> bool:
    """Whether a break of lines, paragraphs or pages is in a text."""
    return _LINE_BREAK.search(text) is not None


class _Reader:
    """Reads a line once, from left to right, and knows where its present sentence began."""

    def __init__(self, line: str) -> None:
        self._line = line
        #: Where nothing has a capital letter, a small one is no sign that the sentence goes on.
        self._cased = any(character.isupper() for character in line)
        self._last = next((place for place in range(len(line) - 1, -1, -1) if line[place].isalnum()), -1)
        self._begin(0)

    def _begin(self, place: int) -> int:
        """Begin a sentence; `_first` is its first letter or digit."""
        self._start = place
        found = _LETTER_OR_DIGIT.search(self._line, place)
        self._first = len(self._line) if found is None else found.start()
        return place

    def ends(self) -> Iterator[int]:
        words = [match.span() for match in _WORD.finditer(self._line)]
        core = closing = before = ""
        for (start, end), (next_start, next_end) in zip(words, [*words[1:], (-1, -1)], strict=False):
            for place in self._ends_inside(start, end):
                if self._first < place <= self._last:
                    yield self._begin(place)
            if next_end < 0:
                return
            text, closed = _without_closing(self._line[max(start, self._start) : end])
            if text:
                before, core, closing = core, text, closed
            else:  # French sets a space before its closing quotation mark
                closing += closed
            closes = _ONLY_CLOSING.fullmatch(self._line, next_start, next_end) is not None
            possible = self._first < end <= self._last and not closes
            ended = possible and self._is_end(core, closing, end, before=before, alone=start <= self._first)
            if ended or has_line_break(self._line[end:next_start]):
                yield self._begin(end)

    def _ends_inside(self, start: int, end: int) -> Iterator[int]:
        """Ends within a word, where no white space follows."""
        line = self._line
        for match in _INSIDE_WORD.finditer(line, start, end):
            place = match.end()
            if place == end:
                return
            marks = match[0].rstrip(CLOSING)
            closing = match[0][len(marks) :]
            before, after = line[max(start, match.start() - 1)], line[place]
            sure = any(mark in SURE_MARKS for mark in marks) or (before >= EAST_ASIAN and after >= EAST_ASIAN)
            decimal = before.isdigit() and marks == _FULL_WIDTH_STOP
            verse = after.isdigit() and marks[-1] == "॥"
            quoted = closing != "" and after in _AFTER_QUOTATION
            inside = decimal or verse or quoted or after in _CLAUSE_MARKS
            if sure and not inside and not self._is_parenthesis(closing):
                yield place

    def _is_end(self, core: str, closing: str, end: int, *, before: str, alone: bool) -> bool:
        """Whether a sentence ends with the word `core` and what closes after it; `alone`: it is the first word."""
        stem = core.rstrip(_MARKS)
        marks = core[len(stem) :]
        if not marks and _GREEK_QUESTION.fullmatch(core[-2:]):
            marks = "?"
        if not marks or self._is_parenthesis(closing):
            return False
        if any(mark in SURE_MARKS or mark == _FULL_WIDTH_STOP for mark in marks):
            return True
        found = _NEXT_WORD.match(self._line, end)
        following = "" if found is None else found[1]
        goes_on = following[:1].islower() and (self._cased or closing != "")
        if marks != "." and not any(mark in "!?‽\u037e" for mark in marks):  # an ellipsis
            return following[:1].isalpha() and not following[:1].islower()
        return not goes_on and (marks != "." or not self._belongs_to(stem, following, before=before, alone=alone))

    def _is_parenthesis(self, closing: str) -> bool:
        """Whether what closes is a bracket inside the sentence: one that did not open at its start."""
        if not any(mark in _CLOSING_BRACKETS for mark in closing):
            return False
        return _OPENING_BRACKET.match(self._line, self._start) is None

    def _belongs_to(self, stem: str, following: str, *, before: str, alone: bool) -> bool:
        """Whether a full stop belongs to the word before it: an abbreviation, an initial, an ordinal."""
        word = stem.lstrip(_OPENING)
        if alone and (_NUMBER.fullmatch(word) or _ROMAN.fullmatch(word)):  # of a list: `1. Introduction`
            return True
        if _NUMBER.fullmatch(word):
            return following in AFTER_ORDINALS
        tail = _TAIL.search(word)[0]  # type: ignore[index]
        name = tail.casefold()
        if not INSIDE.isdisjoint((word.casefold(), name, (before + word).casefold())):  # the last for `z. B.`
            return True
        if name in TITLES and (tail[:1].isupper() or not self._cased):
            return True
        numbered = following[:1].isdigit() or (following != "I" and _ROMAN.fullmatch(following) is not None)
        if numbered and (name in BEFORE_NUMBERS or name.endswith("str")):  # `Hauptstr. 5`
            return True
        return self._is_often_inside(word, name, before) and following not in STARTERS

    def _is_often_inside(self, word: str, name: str, before: str) -> bool:
        if name in OFTEN_INSIDE or (_DOUBLED.fullmatch(word) and word.isupper()):
            return True
        if _INITIALS.fullmatch(word):
            return word < _SYLLABLES
        # The second half of one: `p. ex.`, `p. ej.`, `u. dgl.`
        return (
            len(word) <= 3 and word.islower() and before.endswith(".") and _INITIALS.fullmatch(before[:-1]) is not None
        )


def _without_closing(word: str) -> tuple[str, str]:
    """A word without what closes after it, and that."""
    if word.endswith("]"):
        word = _REFERENCES.sub("", word)
    core = word.rstrip(_CLOSING_A_WORD)
    return core, word[len(core) :]
