"""What differs between two recipes, and whether a run may be continued nevertheless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

from seq2seq.recipe.schema import Recipe
from seq2seq.recipe.section import Section, extra_of, fields_of


@dataclass(frozen=True)
class Difference:
    """One key with two values.

    Attributes:
        path: dotted path of the key.
        old, new: the values; whole sections or lists of them where one recipe has more of them than the other.
        changeable: a run may be continued with the new value.
    """

    path: str
    old: object
    new: object
    changeable: bool

    def __str__(self) -> str:
        return f"{self.path}: {_shown(self.old)} -> {_shown(self.new)}"


def differences(old: Recipe, new: Recipe) -> list[Difference]:
    """The keys in which two recipes differ, in the order of the schema."""
    return list(_differences(old, new, "", changeable=False))


def _differences(old: Section, new: Section, prefix: str, *, changeable: bool) -> Iterator[Difference]:
    for name, field in fields_of(type(old)).items():
        path = prefix + name
        may_change = changeable or bool(extra_of(field).get("changeable"))
        yield from _compare(getattr(old, name), getattr(new, name), path, changeable=may_change)


def _compare(old: object, new: object, path: str, *, changeable: bool) -> Iterator[Difference]:
    if old == new:
        return
    if isinstance(old, Section) and isinstance(new, Section):
        yield from _differences(old, new, f"{path}.", changeable=changeable)
    elif _are_sections(old) and _are_sections(new) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _compare(one, other, f"{path}.{index}", changeable=changeable)
    else:
        yield Difference(path, old, new, changeable)


def _are_sections(value: object) -> TypeGuard[tuple[Section, ...]]:
    return isinstance(value, tuple) and all(isinstance(each, Section) for each in value)


def _shown(value: object) -> str:
    if isinstance(value, Section):
        return "{" + ", ".join(f"{name}: {_shown(each)}" for name, each in value if each is not None) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
