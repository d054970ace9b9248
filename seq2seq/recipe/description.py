"""The schema described: as JSON Schema for editors, and in words for messages and the reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from seq2seq.recipe.schema import Recipe
from seq2seq.recipe.section import Section, alternatives, extra_of, fields_of


@dataclass(frozen=True)
class Key:
    """One key of the schema.

    Attributes:
        path: dotted; an item of a list is written `<n>`.
        name: the last part of the path.
        owner: the section that the key belongs to.
        section: the section that the key holds, one or a list of them; None for a single value.
        is_list: the key holds a list of sections.
        changeable: the key, or one above it, may change when a run is continued.
    """

    path: str
    name: str
    owner: type[Section]
    section: type[Section] | None
    is_list: bool
    changeable: bool


@cache
def section_of(owner: type[Section], name: str) -> tuple[type[Section] | None, bool]:
    """The section that a key holds, None if a single value; and whether it holds a list of them."""
    annotation = fields_of(owner)[name].annotation
    is_list = get_origin(annotation) is tuple
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate, is_list
    return None, False


def keys_of(owner: type[Section] = Recipe, prefix: str = "", *, changeable: bool = False) -> Iterator[Key]:
    """Every key below a section, each section before its keys, in the order of the schema."""
    for name, field in fields_of(owner).items():
        section, is_list = section_of(owner, name)
        may_change = changeable or bool(extra_of(field).get("changeable"))
        key = Key(prefix + name, name, owner, section, is_list, may_change)
        yield key
        if section is not None:
            below = f"{key.path}.<n>." if is_list else f"{key.path}."
            yield from keys_of(section, below, changeable=may_change)


@cache
def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a recipe, for editors."""
    schema = _raw_schema()
    sections = {name: _tidy(section) for name, section in schema["$defs"].items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_tidy(schema), "$defs": sections}


@cache
def _raw_schema() -> dict[str, Any]:
    schema: dict[str, Any] = Recipe.model_json_schema()
    for section in (schema, *schema["$defs"].values()):
        for name, fragment in section["properties"].items():
            if "allOf" in fragment:  # how releases of pydantic before 2.9 describe a section
                section["properties"][name] = {**fragment.pop("allOf")[0], **fragment}
    return schema


_MARKS = ("changeable", "only_with", "in_words")


def _tidy(section: dict[str, Any]) -> dict[str, Any]:
    """Without titles, our own marks, and the defaults of whole sections, which their keys repeat."""
    section = {key: value for key, value in section.items() if key != "title"}
    properties: dict[str, Any] = {}
    for name, old in section.get("properties", {}).items():
        fragment = {key: value for key, value in old.items() if key not in ("title", *_MARKS)}
        if needs := needs_of(old):
            fragment["description"] += f" Only {needs}."
        if "$ref" in fragment:
            fragment.pop("default", None)
        properties[name] = fragment
    return {**section, "properties": properties} if properties else section


def fragment_of(owner: type[Section], name: str) -> dict[str, Any]:
    """The JSON Schema of one key, with our own marks."""
    schema = _raw_schema()
    section = schema if owner is Recipe else schema["$defs"][owner.__name__]
    fragment: dict[str, Any] = section["properties"][name]
    return fragment


def expectation(fragment: dict[str, Any]) -> str:
    """What a key takes, in words: `an integer of 1 or more`, `one of lstm or gru`."""
    if "anyOf" in fragment:
        return alternatives(expectation(each) for each in fragment["anyOf"])
    if "$ref" in fragment:
        return "a mapping"
    if "enum" in fragment:
        return alternatives(fragment["enum"])
    if "const" in fragment:
        return str(fragment["const"])
    match fragment["type"]:
        case "null":
            return "null"
        case "boolean":
            return "true or false"
        case "string":
            return str(fragment.get("in_words", "text"))
        case "integer":
            return f"an integer{_bounds(fragment)}"
        case "number":
            return f"a number{_bounds(fragment)}"
        case _:
            return _list(fragment)


def _list(fragment: dict[str, Any]) -> str:
    count = " of one or more" if fragment.get("minItems") else ""
    if "prefixItems" in fragment:
        items = fragment["prefixItems"]
        return f"a list of {len(items)}, each {expectation(items[0])}"
    if "$ref" in fragment["items"]:
        return f"a list{count or ' of'} mappings"
    return f"a list{count}, each {expectation(fragment['items'])}"


def _bounds(fragment: dict[str, Any]) -> str:
    low, above = fragment.get("minimum"), fragment.get("exclusiveMinimum")
    high, below = fragment.get("maximum"), fragment.get("exclusiveMaximum")
    lower = f"{low:g}" if low is not None else f"above {above:g}" if above is not None else ""
    upper = (
        f"{high}"
        if isinstance(high, int)
        else f"{high:g}"
        if high is not None
        else f"below {below:g}"
        if below is not None
        else ""
    )
    if lower and upper:
        return f" from {lower} to {upper}"
    if low is not None:
        return f" of {lower} or more"
    return f" {lower or upper}".rstrip()


def needs_of(fragment: dict[str, Any]) -> str:
    """When a key has an effect, as Markdown: "with `type` dot or general"; nothing where it always has."""
    needs: dict[str, Any] = fragment.get("only_with", {})
    if not needs:
        return ""
    key, need = next(iter(needs.items()))
    if need == "given":
        return f"with {alternatives(f'`{each}`' for each in needs)}"
    if need == "absent":
        return f"without `{key}`"
    return f"with `{key}` {alternatives(need)}"
