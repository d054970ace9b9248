"""What a line's translation must and must not be: how it begins, which phrases it has and which it has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seq2seq.errors import UsageError
from seq2seq.translation_options import kind_of

if TYPE_CHECKING:
    from seq2seq.text.tokenizer import Tokenizer

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
        if problem := problem_with(source):
            raise UsageError(f"line {number}: {problem}")
        found.append(
            Demands(
                prefix=tokenizer.encode_one(source.prefix) if source.prefix else (),
                include=tokenizer.encode(list(source.include)),
                avoid=[ids for phrase in source.avoid for ids in ways(phrase)],
            )
        )
    return found


def problem_with(source: Source) -> str | None:
    """What makes no sense in what a source asks for, as a clause that follows the line's number; None if all does."""
    if not isinstance(source.prefix, str):
        return f"the prefix is {kind_of(source.prefix)}, but it must be text"
    for name in ("include", "avoid"):
        phrases = getattr(source, name)
        if isinstance(phrases, str) or not isinstance(phrases, Sequence):
            return f"{name} is {kind_of(phrases)}, but it must be a list of phrases"
        for phrase in phrases:
            if not isinstance(phrase, str):
                return f"a phrase to {name} is {kind_of(phrase)}, but it must be text"
            if not phrase.strip():
                return f"a phrase to {name} is empty; leave it out"
    for phrase in source.include:
        if phrase in source.avoid:
            return f"{phrase!r} is to be included and avoided at once; choose one"
    return None
