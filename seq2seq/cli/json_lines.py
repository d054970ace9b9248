"""JSON lines in and out: one field of every object is translated, and all others stay to the letter."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

from seq2seq.cli.formats import Details
from seq2seq.cli.layout import Entry, passed_through
from seq2seq.errors import CorpusError

if TYPE_CHECKING:
    from seq2seq.demands import Source
    from seq2seq.translation import Translation

#: The field of the translations where none is asked for.
FIELD = "translation"


@final
@dataclass(frozen=True)
class DemandFields:
    """Names of the fields that say what a translation must be, as :class:`seq2seq.demands.Source` does.

    None is a field that is not read. An object need not have those that are; null stands for nothing too.
    """

    prefix: str | None = None
    include: str | None = None
    avoid: str | None = None

    def source(self, text: str, values: Mapping[str, Any], where: str) -> Source | None:
        """`text` with what the fields ask of its translation; None where that is nothing.

        Raises:
            CorpusError: a field holds something else, or what makes no sense.
        """
        prefix = self._prefix(values, where)
        include, avoid = (_phrases(name, values, where) for name in (self.include, self.avoid))
        if not (prefix or include or avoid):
            return None
        from seq2seq.demands import Source, problem_with

        source = Source(text=text, prefix=prefix, include=include, avoid=avoid)
        if problem := problem_with(source):
            raise CorpusError(f"{where}: {problem}")
        return source

    def _prefix(self, values: Mapping[str, Any], where: str) -> str:
        value = None if self.prefix is None else values.get(self.prefix)
        if value is not None and not isinstance(value, str):
            raise CorpusError(f"{where}: field {self.prefix} holds {_kind(value)}, not text")
        return value or ""


def _phrases(name: str | None, values: Mapping[str, Any], where: str) -> tuple[str, ...]:
    value = None if name is None else values.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise CorpusError(f"{where}: field {name} holds {_kind(value)}, not a list of phrases")
    for each in value:
        if not isinstance(each, str):
            raise CorpusError(f"{where}: field {name} holds a list with {_kind(each)} in it, not of phrases alone")
    return tuple(value)


@final
class JsonLines:
    """The layout of a file with a JSON object on every line: which field is translated, and where the translation goes.

    What is not written anew is copied, so that numbers, escapes and the order of the fields stay as they are. A blank
    line stays blank.
    """

    copies = True

    def __init__(
        self, *, name: str, source: str, target: str | None, details: Details, demands: DemandFields | None = None
    ) -> None:
        """Choose fields.

        Args:
            name: of the file, for errors.
            source: the field to translate.
            target: the field of the translations, overwritten if it is there; None makes a new one, `translation`.
            details: what else becomes a field; none of these may be there already.
            demands: the fields that say what a translation must be; None reads none.
        """
        self._name = name
        self._source, self._target = source, target
        self._details = details
        self._demands = demands or DemandFields()

    def entry(self, line: str, number: int) -> Entry:
        """The entry of a line. Raises CorpusError for one that is no object, lacks a field or has one too many."""
        if not line.strip():
            return passed_through(line)
        where = f"{self._name}, line {number}"
        members = _members(line, where)
        fields = {member.name: member for member in members}
        text = self._text(fields, where)
        self._check_new(fields, where)
        source = self._demands.source(text, {member.name: member.value for member in members}, where)
        target = self._target or FIELD
        end = members[-1].end

        def lines(number: int, translations: Sequence[Translation]) -> list[str]:
            new = self._details.fields(translations)
            before = line[:end]
            if target in fields:
                member = fields[target]
                before = line[: member.start] + _dump(translations[0].text) + line[member.end : end]
            else:
                new = {target: translations[0].text, **new}
            return [before + "".join(f", {_dump(name)}: {_dump(value)}" for name, value in new.items()) + line[end:]]

        return Entry(text, lines, source)

    def _text(self, fields: dict[str, _Member], where: str) -> str:
        if self._source not in fields:
            names = ", ".join(list(fields)[:20]) or "an empty object"
            raise CorpusError(f"{where}: there is no field {self._source}, only {names}; see --source-field")
        value = fields[self._source].value
        if not isinstance(value, str):
            raise CorpusError(f"{where}: field {self._source} holds {_kind(value)}, not text")
        return value

    def _check_new(self, fields: dict[str, _Member], where: str) -> None:
        if self._target is None and FIELD in fields:
            raise CorpusError(
                f"{where}: there is a field {FIELD} already; overwrite it with --target-field {FIELD}, or name another"
            )
        for name in self._details.names:
            if name in fields:
                raise CorpusError(
                    f"{where}: there is a field {name} already; rename it, or leave out the option that adds another"
                )


class _Member(NamedTuple):
    """A field: its name, its value, and where the value stands in the line."""

    name: str
    value: Any
    start: int
    end: int


class _Number:
    """A number as it is written; nobody asks for its value."""

    def __init__(self, text: str) -> None:
        self.text = text


_DECODER = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number)
_SPACE = re.compile(r"[ \t\r\n]*")


def _members(line: str, where: str) -> list[_Member]:
    """The fields of the object on a line, in their order. Raises CorpusError when there is none."""
    start = _skip(line, 0)
    try:
        value, end = _DECODER.raw_decode(line, start)
    except json.JSONDecodeError as error:
        raise CorpusError(f"{where}: not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise CorpusError(f"{where}: not JSON that can be read: nested too deeply") from None
    if _skip(line, end) < len(line):
        raise CorpusError(f"{where}: not JSON: something stands after its end, at character {_skip(line, end) + 1}")
    if not isinstance(value, dict):
        raise CorpusError(f"{where}: a JSON object was expected, not {_kind(value)}")
    members = []
    place = _skip(line, start + 1)
    while line[place] != "}":  # it is JSON, so that every mark is where it belongs
        name, place = _DECODER.raw_decode(line, place)
        begin = _skip(line, _skip(line, place) + len(":"))
        content, end = _DECODER.raw_decode(line, begin)
        members.append(_Member(name, content, begin, end))
        place = _skip(line, end)
        place = _skip(line, place + 1) if line[place] == "," else place
    return members


def _skip(line: str, place: int) -> int:
    """The first place that is no white space."""
    found = _SPACE.match(line, place)
    assert found is not None
    return found.end()


def _kind(value: Any) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return "text"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _:
            return "a number"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
