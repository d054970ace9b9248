"""What a line's translation must and must not be: how it begins, which phrases it has and which it has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seq2seq.errors import UsageError
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation_options import kind_of

#: A phrase to be avoided can be written with other pieces than the tokenizer's choice; so many ways are closed.
_SEGMENTATIONS = 16


@dataclass(frozen=True, kw_only=True)
class Source:
    """A line to be translated, and what its translation must and must not be.

    Attributes:
        text: the line.
        prefix: what the translation begins with.
        include: phrases that it contains.
        avoid: phrases that it does not contain.

    Phrases are words of the target language between spaces, cased as they are to appear. They are found in a
    translation by their pieces: `cat` is in `cats` where that is the same piece and one more.
    """

    text: str
    prefix: str = ""
    include: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True)
class Demands:
    """What a :class:`Source` asks for, in the target's pieces; `avoid` has all ways to write a phrase."""

    prefix: Sequence[int] = ()
    include: Sequence[Sequence[int]] = ()
    avoid: Sequence[Sequence[int]] = ()

    def of_later_part(self) -> Demands:
        """What holds for the parts of a long line that do not begin it."""
        return replace(self, prefix=(), include=())


#: Nothing is asked for.
NO_DEMANDS = Demands()


def encode_demands(sources: Sequence[Source], *, tokenizer: Tokenizer, first: int) -> list[Demands]:
    """The demands of every source, in pieces of the target's `tokenizer`.

    Args:
        sources: the lines.
        tokenizer: of the target language.
        first: number of the first line, for errors.

    Raises:
        UsageError: a phrase is no text, is empty, or is to be included and avoided at once.
    """
    cache: dict[str, list[list[int]]] = {}

    def ways(phrase: str) -> list[list[int]]:
        if phrase not in cache:
            cache[phrase] = tokenizer.segmentations(phrase, _SEGMENTATIONS)
        return cache[phrase]

    found = []
    for number, source in enumerate(sources, start=first):
        if not (source.prefix or source.include or source.avoid):
            found.append(NO_DEMANDS)
            continue
        _check_phrases(source, number)
        found.append(
            Demands(
                prefix=tokenizer.encode_one(source.prefix) if source.prefix else (),
                include=tokenizer.encode(list(source.include)),
                avoid=[ids for phrase in source.avoid for ids in ways(phrase)],
            )
        )
    return found


def _check_phrases(source: Source, number: int) -> None:
    if not isinstance(source.prefix, str):
        raise UsageError(f"line {number}: the prefix is {kind_of(source.prefix)}, but it must be text")
    for name in ("include", "avoid"):
        phrases = getattr(source, name)
        if isinstance(phrases, str) or not isinstance(phrases, Sequence):
            raise UsageError(f"line {number}: {name} is {kind_of(phrases)}, but it must be a list of phrases")
        for phrase in phrases:
            if not isinstance(phrase, str):
                raise UsageError(f"line {number}: a phrase to {name} is {kind_of(phrase)}, but it must be text")
            if not phrase.strip():
                raise UsageError(f"line {number}: a phrase to {name} is empty; leave it out")
    for phrase in source.include:
        if phrase in source.avoid:
            raise UsageError(f"line {number}: {phrase!r} is to be included and avoided at once; choose one")
