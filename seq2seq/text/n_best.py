"""N-best lists as Moses writes them: `id ||| text ||| name= value value name= value ||| score`, ids from 0."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from seq2seq.errors import CorpusError, UsageError

#: The name under which :func:`weighted_sum` knows the score of an entry, its fourth field.
SCORE = "score"

_SEPARATOR = " ||| "
#: Spaces beside a separator mean nothing, so that an empty field may be written with one or two.
_SEPARATION = re.compile(r" *\|\|\| *")


@dataclass(frozen=True)
class Entry:
    """A line of an n-best list.

    Attributes:
        number: of the source line, from 0.
        fields: as they stand: id, text, features, score, and what else there is, such as an alignment.
        values: those of every feature.
        score: the fourth field.
        where: file and line, for errors.
    """

    number: int
    fields: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]
    score: float
    where: str

    @property
    def text(self) -> str:
        """The hypothesis."""
        return self.fields[1]

    def line(self) -> str:
        """The line."""
        return _SEPARATOR.join(self.fields)

    def with_feature(self, name: str, value: float) -> Entry:
        """The entry with one feature more, behind the others. Raises CorpusError if it has one of that name."""
        if name in self.values:
            raise CorpusError(f"{self.where}: there is a feature {name} already; choose another name")
        features = f"{self.fields[2]} {name}= {value:.4f}".lstrip()
        fields = (*self.fields[:2], features, *self.fields[3:])
        return replace(self, fields=fields, values={**self.values, name: (value,)})

    def with_score(self, score: float) -> Entry:
        """The entry with another score."""
        return replace(self, fields=(*self.fields[:3], f"{score:.4f}", *self.fields[4:]), score=score)


def parse_entry(line: str, *, where: str) -> Entry:
    """Read a line. Raises CorpusError, beginning with `where`, when it is none of an n-best list."""
    fields = tuple(_SEPARATION.split(line.strip(" ")))
    if len(fields) < 4:
        raise CorpusError(
            f"{where}: {len(fields)} field{'s' * (len(fields) != 1)} where `id ||| text ||| features ||| score` was "
            "expected"
        )
    if not (fields[0].isascii() and fields[0].isdigit()):
        raise CorpusError(f"{where}: the id must be a whole number of 0 or more, not {fields[0]!r}")
    score = _value(fields[3])
    if score is None:
        raise CorpusError(f"{where}: the score must be a number, not {fields[3]!r}")
    return Entry(int(fields[0]), fields, _features(fields[2], where=where), score, where)


def grouped(lines: Iterable[str], *, name: str) -> Iterator[list[Entry]]:
    """The entries of every source line, one list after the other; `name` is the file's, for errors.

    Raises:
        CorpusError: a line is malformed, or ids do not count up from 0 by 1.
    """
    group: list[Entry] = []
    expected = 0
    for place, line in enumerate(lines, start=1):
        entry = parse_entry(line, where=f"{name}, line {place}")
        if group and entry.number == group[0].number:
            group.append(entry)
            continue
        if entry.number != expected:
            after = f"ids must go on with {expected} after {expected - 1}" if expected else "ids must begin with 0"
            raise CorpusError(f"{entry.where}: {after}, not with {entry.number}")
        if group:
            yield group
        group = [entry]
        expected += 1
    if group:
        yield group


def weighted_sum(entry: Entry, weights: Mapping[str, tuple[float, ...]]) -> float:
    """Sum of the features of an entry times `weights`, those of every feature; the name `score` is the entry's score.

    A value of -inf, an impossibility, makes the sum -inf whatever its weight, unless that is 0.

    Raises:
        CorpusError: the entry lacks one of the features, or it has another number of values than of weights.
    """
    total = 0.0
    for name, of_values in weights.items():
        values = (entry.score,) if name == SCORE else entry.values.get(name)
        if values is None:
            known = ", ".join([*entry.values, SCORE])
            raise CorpusError(f"{entry.where}: there is no feature {name}, only {known}")
        if len(values) != len(of_values):
            raise CorpusError(
                f"{entry.where}: the number of values of the feature {name} is {len(values)}, but that of its weights "
                f"{len(of_values)}"
            )
        for value, weight in zip(values, of_values, strict=True):
            if weight != 0.0:
                total += -math.inf if value == -math.inf else weight * value
    return total


def check_feature_name(name: str) -> None:
    """Raise UsageError unless `name` can be that of a feature."""
    if not name or name == SCORE or any(character.isspace() or character in "=|" for character in name):
        raise UsageError(
            f"a feature cannot be called {name!r}; take a name without white space, = and |, other than {SCORE}"
        )


def _features(text: str, *, where: str) -> dict[str, tuple[float, ...]]:
    """Values by name, of `name= value value` and of `name=value`."""
    found: dict[str, tuple[float, ...]] = {}
    name = None
    for word in text.split():
        before, equals, after = word.rpartition("=")
        if equals and (not before or before in found):
            what = "a feature has no name" if not before else f"there are two features {before}"
            raise CorpusError(f"{where}: {what}")
        if equals:
            name, word = before, after
            found[name] = ()
            if not word:
                continue
        value = _value(word)
        if value is None or name is None:
            raise CorpusError(
                f"{where}: features must be `name= value`, with numbers for values, but there is {word!r}"
            )
        found[name] += (value,)
    return found


def _value(text: str) -> float | None:
    """The number, which may be -inf; None if it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value < math.inf else None  # not a number is not below it either
