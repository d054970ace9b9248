"""What every section of a recipe is made of: strict typing, rules between keys, and keys that need another key.

A *rule* is a function that takes a section and yields each :class:`Contradiction` in it. The same rules run in two
places: when a section is made in Python, and when a recipe is read, there over whatever of the section is usable
(:class:`Partial`), so that one bad key does not hide the contradictions between the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from typing_extensions import Self

Probability = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
NotNegative = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]

#: Marks a key that may differ when a run is continued.
CHANGEABLE: dict[str, Any] = {"changeable": True}


def only_with(key: str, *values: str) -> dict[str, Any]:
    """Marks a key that has an effect only while its neighbour `key` has one of `values`."""
    return {"only_with": {key: list(values)}}


def only_if_given(*keys: str) -> dict[str, Any]:
    """Marks a key that has an effect only while one of its neighbours `keys` is given."""
    return {"only_with": dict.fromkeys(keys, "given")}


def only_without(key: str) -> dict[str, Any]:
    """Marks a key that has an effect only while its neighbour `key` is not given."""
    return {"only_with": {key: "absent"}}


@dataclass(frozen=True)
class Contradiction:
    """Keys that cannot be together as they are.

    Attributes:
        keys: dotted, relative to the section; the report names the first of them that the recipe writes down.
        message: what is wrong and what to do.
    """

    keys: tuple[str, ...]
    message: str


Rule = Callable[[Any], Iterable[Contradiction]]


class UnusableError(Exception):
    """A rule asked for a key that is missing or has a wrong value, which is reported elsewhere."""


class Section(BaseModel):
    """Base of all sections: immutable, strictly typed, closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    #: The rules between the keys of this section and of those below it.
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _agreeing(self) -> Self:
        changed = [name for name, field in fields_of(type(self)).items() if getattr(self, name) != field.default]
        found = [*idle_keys(type(self), self, changed), *contradictions(type(self), self)]
        if found:
            text = "; ".join(f"{each.keys[0]}: {each.message}" for each in found)
            raise PydanticCustomError("contradiction", "{text}", {"text": text})
        return self


class Partial:
    """The usable keys of a section, read like the section itself; any other key raises :class:`UnusableError`."""

    def __init__(self, values: dict[str, Any], written: Iterable[str]) -> None:
        self._values = values
        self.model_fields_set = set(written)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise UnusableError(name) from None


def fields_of(section: type[Section]) -> dict[str, FieldInfo]:
    """The keys of a section, in the order of the schema."""
    return section.model_fields


def extra_of(field: FieldInfo) -> dict[str, Any]:
    """The marks of a key."""
    extra = field.json_schema_extra
    return extra if isinstance(extra, dict) else {}


def contradictions(section: type[Section], value: Section | Partial) -> Iterator[Contradiction]:
    """What the rules of `section` find in `value`; rules that need an unusable key are passed over."""
    for rule in section.rules:
        try:
            yield from rule(value)
        except UnusableError:
            continue


def idle_keys(section: type[Section], value: Section | Partial, names: Iterable[str]) -> Iterator[Contradiction]:
    """Those of the keys `names` that have no effect beside the values of their neighbours."""
    fields = fields_of(section)
    for name in names:
        needs: dict[str, Any] = extra_of(fields[name]).get("only_with", {})
        try:
            idle = bool(needs) and not any(_holds(getattr(value, key), need) for key, need in needs.items())
            reason = _reason(value, needs) if idle else ""
        except UnusableError:
            continue
        if idle:
            yield Contradiction((name,), f"has no effect {reason}; remove it")


def _holds(actual: object, need: str | list[str]) -> bool:
    if need == "given":
        return actual is not None
    if need == "absent":
        return actual is None
    return actual in need


def _reason(value: Section | Partial, needs: dict[str, Any]) -> str:
    key, need = next(iter(needs.items()))
    if need == "given":
        return f"without {alternatives(needs)}"
    if need == "absent":
        return f"beside {key}"
    return f"with {key} {getattr(value, key)}, only with {alternatives(need)}"


def in_words(form: str) -> dict[str, Any]:
    """Says in words what the pattern of a key asks for."""
    return {"in_words": form}


def alternatives(words: Iterable[str]) -> str:
    """`a, b or c`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
