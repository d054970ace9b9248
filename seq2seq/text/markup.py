"""Tags in a line, such as `<b>` and `<br/>`: taken out before translation, and put back where the words went."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from seq2seq.text.alignment import Alignment

#: A tag as in XML and HTML, or a comment.
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z_][\w:.-]*(?:\s+[^<>]*?)?\s*/?>", re.DOTALL)
_NAME = re.compile(r"</?([\w:.-]+)")
#: Tags of HTML that have no end.
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
#: Tags of HTML that part words; others may stand inside of one.
_PARTING = {"br", "hr", "p", "div", "li", "ul", "ol", "td", "th", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6"}
#: A word's punctuation in front, what is left, and the punctuation behind.
_WORD = re.compile(r"([(\[{¿¡«“\"'‘]*)(.*?)([)\]}.,;:!?…»”\"'’]*)", re.DOTALL)


@dataclass(frozen=True)
class Tag:
    """A tag and its place.

    Attributes:
        text: as it stands in the line.
        before: number of words of the plain line that come before it.
        space_before, space_after: whether white space, or the line's edge, stands on that side of it.
        inside: whether no punctuation stands between it and its word: neither shall any in the translation.
        partner: place in the list of tags of the one that it closes or is closed by; None where there is none.
        closes: whether it is the second of a pair.
    """

    text: str
    before: int
    space_before: bool
    space_after: bool
    inside: bool = False
    partner: int | None = None
    closes: bool = False


@dataclass(frozen=True)
class Markup:
    """A line without its tags, the tags, and for every word of `plain` the number of the word of the line it is in."""

    plain: str
    tags: tuple[Tag, ...]
    words: tuple[int, ...]


def take_out(line: str) -> Markup:
    """Part a line into its text and its tags; see :func:`put_back`."""
    found = list(_TAG.finditer(line))
    if not found:
        return Markup(line, (), tuple(range(len(line.split()))))
    plain = ""
    origins: list[int] = []  # where in the line every character of `plain` was
    offsets = []  # where in `plain` every tag is
    end = 0
    for match in found:
        plain += line[end : match.start()]
        origins += range(end, match.start())
        offsets.append(len(plain))
        if _name(match[0]) in _PARTING:
            plain += " "
            origins.append(match.start())
        end = match.end()
    plain += line[end:]
    origins += range(end, len(line))
    spans = [match.span() for match in re.finditer(r"\S+", plain)]
    tags = [_placed(match, line, plain, spans, offset) for match, offset in zip(found, offsets, strict=True)]
    numbers = _numbers(line)
    return Markup(plain, _paired(tags), tuple(numbers[origins[start]] for start, _ in spans))


def put_back(markup: Markup, translation: str, alignment: Alignment) -> tuple[str, Alignment]:
    """The translation of `markup.plain` with the tags in it, and its alignment in words of both whole lines.

    A pair of tags goes around the words that its words are aligned with, a tag alone goes before the word that the next
    word is aligned with; where no word is, to the end. Pairs that enclose each other go on doing so. A tag in the
    middle of a word goes to its edge; spaces beside a tag are as they were.

    Args:
        markup: from :func:`take_out`.
        translation: one line.
        alignment: pairs (word of the plain source, word of the translation).
    """
    if not markup.tags:
        return translation, alignment
    words = [_parts_of(word) for word in translation.split()]
    places = _places(markup, alignment, len(words))
    line, starts = "", []
    for place in range(len(words) + 1):
        here = [markup.tags[index] for index in _order(markup.tags, places, place)]
        if place > 0:
            behind = words[place - 1][2]
            early = [tag for tag in here if tag.inside and tag.closes] if behind else []
            line += "".join(tag.text for tag in early) + behind
            here = [tag for tag in here if tag not in early]
        if place == len(words):
            line += _joined(here, after_word=place > 0, before_word=False)
            break
        front, core, _ = words[place]
        late = [tag for tag in here if tag.inside and not tag.closes] if front else []
        line += _joined([tag for tag in here if tag not in late], after_word=place > 0, before_word=True)
        starts.append(len(line))
        line += front + "".join(tag.text for tag in late) + core
    numbers = _numbers(line)
    moved = ((markup.words[source], numbers[starts[target]]) for source, target in alignment)
    return line, tuple(dict.fromkeys(moved))


def _joined(tags: Sequence[Tag], *, after_word: bool, before_word: bool) -> str:
    """The tags between two words, or a word and an edge of the line, with the spaces that belong there.

    Spaces are where the line had them. Two words have one between them in any case, behind what is closed and before
    what is opened, unless a tag stands between them that had none on either side and has no partner, as in `a<br>b`.
    """
    count = len(tags)
    spaced = [
        (before.space_after if before else after_word) and (after.space_before if after else before_word)
        for before, after in zip([None, *tags], [*tags, None], strict=True)
    ]
    if after_word and before_word and not any(spaced) and (count == 0 or any(tag.partner is not None for tag in tags)):
        spaced[sum(1 for tag in tags if tag.closes)] = True
    return "".join(" " * spaced[index] + tag.text for index, tag in enumerate(tags)) + " " * spaced[count]


def _placed(match: re.Match[str], line: str, plain: str, spans: Sequence[tuple[int, int]], offset: int) -> Tag:
    """The tag of a match, which stands at `offset` of the plain line, whose words have these spans."""
    before, after = line[: match.start()], line[match.end() :]
    tag = Tag(
        match[0],
        sum(end <= offset for _, end in spans),
        not before or before[-1].isspace(),
        not after or after[0].isspace(),
    )
    closes = tag.text.startswith("</")
    word = next(((start, end) for start, end in spans if start < offset < end), None)
    if word is None:
        beside = next(((start, end) for start, end in spans if offset == (end if closes else start)), None)
        # At a word without punctuation there: if its translation has some, the tag stays within.
        return tag if beside is None else replace(tag, inside=not _parts_of(plain[slice(*beside)])[2 if closes else 0])
    front, core, _ = _parts_of(plain[word[0] : word[1]])
    at_front = offset <= word[0] + len(front)
    at_end = offset >= word[0] + len(front) + len(core)
    later = at_end or (closes and not at_front)
    return replace(tag, before=tag.before + later, inside=at_front or at_end)


def _parts_of(word: str) -> tuple[str, str, str]:
    """The punctuation in front of a word, the word, and that behind it; a word of punctuation is a word."""
    match = _WORD.fullmatch(word)
    assert match is not None
    return (match[1], match[2], match[3]) if match[2] else ("", word, "")


def _numbers(line: str) -> list[int]:
    """For every position of a line the number of the word that it is in, or of the last one before it."""
    numbers = []
    word, inside = -1, False
    for character in line:
        word += not character.isspace() and not inside
        inside = not character.isspace()
        numbers.append(max(word, 0))
    return numbers


def _name(tag: str) -> str:
    match = _NAME.match(tag)
    return match[1].lower() if match else ""


def _paired(tags: Sequence[Tag]) -> tuple[Tag, ...]:
    """The tags with their partners; one that is opened and never closed, or the other way round, has none."""
    partners: dict[int, int] = {}
    opened: list[int] = []
    for index, tag in enumerate(tags):
        name = _name(tag.text)
        if not name or tag.text.endswith("/>") or name in _VOID:
            continue
        if not tag.text.startswith("</"):
            opened.append(index)
            continue
        found = next((place for place in reversed(range(len(opened))) if _name(tags[opened[place]].text) == name), None)
        if found is not None:
            partners[index], partners[opened[found]] = opened[found], index
            del opened[found:]
    return tuple(
        replace(tag, partner=partners.get(index), closes=partners.get(index, index) < index)
        for index, tag in enumerate(tags)
    )


def _places(markup: Markup, alignment: Alignment, words: int) -> list[int]:
    """For every tag how many words of the translation come before it."""
    targets: dict[int, list[int]] = {}
    for source, target in alignment:
        targets.setdefault(source, []).append(target)

    def next_place(word: int) -> int:
        return next((min(targets[each]) for each in range(word, len(markup.words)) if each in targets), words)

    places = []
    for index, tag in enumerate(markup.tags):
        if tag.partner is None:
            places.append(next_place(tag.before))
            continue
        first, end = (tag.partner, index) if tag.closes else (index, tag.partner)
        inside = [
            target
            for word in range(markup.tags[first].before, markup.tags[end].before)
            for target in targets.get(word, ())
        ]
        if inside:
            places.append(max(inside) + 1 if tag.closes else min(inside))
        else:
            places.append(next_place(markup.tags[first].before))
    return places


def _order(tags: Sequence[Tag], places: Sequence[int], place: int) -> Iterator[int]:
    """The tags at a place: those that close what was opened before it, then the others, each in their order."""
    here = [index for index, each in enumerate(places) if each == place]
    closing = [
        index
        for index in here
        if tags[index].closes and (partner := tags[index].partner) is not None and places[partner] < place
    ]
    yield from closing
    yield from (index for index in here if index not in closing)
