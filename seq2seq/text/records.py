"""Records with both sides of a pair: TSV, JSON lines, and the fields of any mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, final

from seq2seq.errors import CorpusError
from seq2seq.text.lines import read_lines


@final
class Fields:
    """Finds the two sentences of a record, by names that were asked for or by the languages."""

    def __init__(self, *, languages: tuple[str, str], fields: tuple[str | None, str | None]) -> None:
        """`fields` are dotted names, or None for the language code and then `translation.<language>`."""
        self._candidates = tuple(
            (field,) if field is not None else (language, f"translation.{language}")
            for language, field in zip(languages, fields, strict=True)
        )
        self._chosen: tuple[str, str] | None = None

    def sentences(self, record: Mapping[str, Any], *, where: str) -> tuple[str, str]:
        """Source and target; a null is an empty sentence. The first record decides which names serve for all.

        Raises CorpusError naming the fields found when one is missing, and for a value that is not text.
        """
        if self._chosen is None:
            source, target = (self._choose(record, names, where=where) for names in self._candidates)
            self._chosen = (source, target)
        return self._text(record, self._chosen[0], where=where), self._text(record, self._chosen[1], where=where)

    @staticmethod
    def _choose(record: Mapping[str, Any], names: tuple[str, ...], *, where: str) -> str:
        for name in names:
            if _descend(record, name) is not _MISSING:
                return name
        wanted = " or ".join(names)
        raise CorpusError(
            f"{where}: there is no field {wanted}, only {_listed(record)}; set source_field and target_field"
        )

    @staticmethod
    def _text(record: Mapping[str, Any], name: str, *, where: str) -> str:
        value = _descend(record, name)
        if value is None:
            return ""
        if value is _MISSING:
            raise CorpusError(f"{where}: there is no field {name}, only {_listed(record)}")
        if not isinstance(value, str):
            raise CorpusError(f"{where}: field {name} holds {type(value).__name__}, not text")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise CorpusError(f"{where}: field {name} holds half of a surrogate pair, which is no character")
        return value


def read_json_lines(path: str, *, fields: Fields) -> Iterator[tuple[str, str, int]]:
    """Source, target and line of every object; blank lines are no records. Raises CorpusError with file and line."""
    for number, line in enumerate(read_lines(path), start=1):
        if not line or line.isspace():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{where}: not JSON: {error}") from None
        if not isinstance(record, dict):
            raise CorpusError(f"{where}: a JSON object was expected, not {type(record).__name__}")
        yield *fields.sentences(record, where=where), number


def read_tab_separated(
    path: str, *, languages: tuple[str, str], fields: tuple[str | None, str | None]
) -> Iterator[tuple[str, str, int]]:
    """Source, target and line of every row; a tab separates, and quotes mean nothing. Blank lines are no rows.

    The first line is a header when a field is asked for by name, or when it has the two language codes where the
    sentences are looked for. Raises CorpusError with file and line for a missing column.
    """
    columns: tuple[int, int] | None = None
    for number, line in enumerate(read_lines(path), start=1):
        if not line or line.isspace():
            continue
        cells = line.split("\t")
        if columns is None:
            columns, is_header = _columns(cells, languages=languages, fields=fields, path=path)
            if is_header:
                continue
        if max(columns) >= len(cells):
            raise CorpusError(
                f"{path}, line {number}: {len(cells)} column{'s' * (len(cells) != 1)} where column {max(columns)}, "
                "counted from 0, was expected"
            )
        yield cells[columns[0]], cells[columns[1]], number


def _columns(
    cells: list[str], *, languages: tuple[str, str], fields: tuple[str | None, str | None], path: str
) -> tuple[tuple[int, int], bool]:
    """Columns of source and target, and whether the line is a header."""
    names = [cell.strip() for cell in cells]
    if all(field is None for field in fields) and not set(languages) <= set(names):
        return (0, 1), False
    found: list[int] = []
    for field, language in zip(fields, languages, strict=True):
        wanted = language if field is None else field
        if wanted in names:
            found.append(names.index(wanted))
        elif wanted.isdecimal():
            found.append(int(wanted))
        else:
            raise CorpusError(f"{path}: there is no column {wanted}, only {', '.join(names) or 'empty ones'}")
    by_name = any(field is not None and not field.isdecimal() for field in fields)
    headed = max(found) < len(names) and tuple(names[column] for column in found) == languages
    return (found[0], found[1]), by_name or headed


_MISSING: Any = object()


def _descend(record: Mapping[str, Any], name: str) -> Any:
    """The value at a name, which may itself contain dots, or at a dotted path; _MISSING without one."""
    if name in record:
        return record[name]
    head, dot, rest = name.partition(".")
    while dot:
        inner = record.get(head)
        if isinstance(inner, Mapping):
            found = _descend(inner, rest)
            if found is not _MISSING:
                return found
        further, dot, rest = rest.partition(".")
        head = f"{head}.{further}"
    return _MISSING


def _listed(record: Mapping[str, Any]) -> str:
    """The fields of a record and of the mappings in it, for a message."""
    names: list[str] = []
    for key, value in record.items():
        names += [f"{key}.{inner}" for inner in value] if isinstance(value, Mapping) and value else [str(key)]
    return ", ".join(names[:20]) if names else "an empty record"
