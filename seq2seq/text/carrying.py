"""What is carried over from a line into its translation as it is: addresses, numbers, and words that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Literal

from seq2seq.text.alignment import Alignment

#: Kinds of word that can be carried over. Tags are a matter of :mod:`~seq2seq.text.markup`.
Kind = Literal["urls", "numbers", "unknown"]

#: Addresses of the web and of mail; what is written behind one is not part of it.
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)[^\s<>\"'“”«»]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_BEHIND = ".,;:!?)]}…"
_NUMBER = re.compile(r"[+\-−]?\d(?:[\d.,:/\u00a0\u202f]*\d)?%?")
_PUNCTUATION = re.compile(r"^([(\[{¿¡«“\"']*)(.*?)([)\]}.,;:!?…»”\"']*)$", re.DOTALL)


def carry_over(
    source: str,
    translation: str,
    alignment: Alignment,
    *,
    kinds: Collection[Kind],
    is_unknown: Callable[[str], bool] = lambda word: False,
) -> tuple[str, Alignment]:
    """Put words of the source into the translation, in the place of the words that are aligned with them.

    - `urls`: addresses of the web and of mail, wherever the translation does not have them.
    - `numbers`: numbers in digits, where the translation has other digits in their place; the same digits written in
      another way (`3.5` and `3,5`), and a number in words, are left alone.
    - `unknown`: words with characters that the model does not know, by `is_unknown`, where the translation does not
      have them.

    Neighbouring words that are aligned with the same word are replaced together, and keep the punctuation around them;
    of several such groups of a word the longest is. A word that no word is aligned with is not carried over.

    Args:
        source: the line.
        translation: its translation.
        alignment: pairs (source word, target word), words as `str.split` finds them.
        kinds: what is carried over.
        is_unknown: whether a word of the source has a character that the model does not know.

    Returns:
        The translation, and the alignment in its words.
    """
    words, targets = source.split(), translation.split()
    aligned = {target: word for word, target in alignment}
    replacements = {}
    for place, word in enumerate(words):
        carried = _carried(word, kinds, is_unknown)
        if carried is not None and not _has(translation, *carried):
            replacements[place] = carried
    if not replacements:
        return translation, alignment
    runs = [(place, list(run)) for place, run in groupby(range(len(targets)), key=lambda target: aligned.get(target))]
    longest: dict[int | None, list[int]] = {}
    for place, run in runs:
        if place in replacements and _may_replace(targets, run, replacements[place][0]):
            longest[place] = max(longest.get(place, []), run, key=len)
    written: list[str] = []
    moved: dict[int, int] = {}
    for place, run in runs:
        if longest.get(place) is not run:
            for target in run:
                moved[target] = len(written)
                written.append(targets[target])
            continue
        assert place is not None
        moved |= dict.fromkeys(run, len(written))
        written.append(_in_place_of([targets[target] for target in run], replacements[place][1]))
    pairs = ((word, moved[target]) for word, target in alignment)
    return " ".join(written), tuple(dict.fromkeys(pairs))


def _carried(word: str, kinds: Collection[Kind], is_unknown: Callable[[str], bool]) -> tuple[Kind, str] | None:
    """What of a word is to be carried over, and why."""
    if "urls" in kinds and (match := _URL.search(word)):
        return "urls", match[0].rstrip(_BEHIND)
    if "numbers" in kinds and (match := _NUMBER.fullmatch(_core(word))):
        return "numbers", match[0]
    if "unknown" in kinds and is_unknown(word):
        return "unknown", _core(word) or word
    return None


def _has(translation: str, kind: Kind, text: str) -> bool:
    if kind == "numbers":
        return _digits(text) in {_digits(match[0]) for match in _NUMBER.finditer(translation)}
    return text in translation


def _may_replace(targets: Sequence[str], run: Sequence[int], kind: Kind) -> bool:
    """Whether the words are such that something of this kind can stand for them: for a number, other digits."""
    return kind != "numbers" or any(_digits(targets[target]) for target in run)


def _in_place_of(words: Sequence[str], text: str) -> str:
    """`text` with the punctuation that stands before the first and behind the last of the words."""
    first, last = _PUNCTUATION.match(words[0]), _PUNCTUATION.match(words[-1])
    return (first[1] if first else "") + text + (last[3] if last else "")


def _core(word: str) -> str:
    match = _PUNCTUATION.match(word)
    return match[2] if match else word


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
