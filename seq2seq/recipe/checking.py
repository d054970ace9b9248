"""From a tree of values to a recipe, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from seq2seq.recipe.description import expectation, fragment_of, section_of
from seq2seq.recipe.document import Origin, Problem, Scalar, Value, scalar_of, shortened
from seq2seq.recipe.schema import Recipe
from seq2seq.recipe.section import Contradiction, Partial, Section, contradictions, fields_of, idle_keys
from seq2seq.recipe.suggestions import advice

Location = tuple[str | int, ...]


def check(tree: Value, spoiled: Iterable[str] = ()) -> tuple[Recipe | None, list[Problem]]:
    """The recipe of a tree whose content is a mapping; None where there are problems, of which all are found.

    Nothing is said about the values at the dotted paths `spoiled`, which have been reported already.
    """
    return _Check(spoiled).run(tree)


class _Check:
    """One pass over a tree: its keys, then their values, then what they say together."""

    def __init__(self, spoiled: Iterable[str]) -> None:
        self.problems: list[Problem] = []
        #: Where every key that is written and known stands.
        self.origins: dict[Location, Origin] = {}
        #: The values that were written, for messages.
        self.written: dict[Location, Value] = {}
        #: Keys whose value cannot be used, and has been reported.
        self.bad: set[Location] = {tuple(_parts(path)) for path in spoiled}
        #: The usable items of every list of sections, and their places.
        self.items: dict[Location, list[tuple[int, Partial]]] = {}

    def run(self, tree: Value) -> tuple[Recipe | None, list[Problem]]:
        raw = self._section(Recipe, tree, ())
        recipe: Recipe | None = None
        try:
            recipe = Recipe.model_validate(raw)
        except ValidationError as error:
            for each in error.errors(include_url=False, include_context=False):
                if each["type"] != "contradiction":
                    self._bad_value(tuple(each["loc"]), each["type"])
        self._agreement(Recipe, self._partial(Recipe, raw, ()), ())
        assert recipe is not None or self.problems or self.bad
        return (None if self.problems else recipe), self.problems

    # Keys

    def _section(self, section: type[Section], value: Value, location: Location) -> dict[str, Any]:
        """The known keys of a section as plain values; a section without content has its defaults."""
        content = value.content
        if content is None:
            return {}
        if not isinstance(content, Mapping):
            self._report(location, f"needs a mapping of keys ({_some(fields_of(section))}), but is {_found(value)}")
            self.bad.add(location)
            return {}
        raw: dict[str, Any] = {}
        for name, item in content.items():
            here = (*location, name)
            if name not in fields_of(section):
                prefix = "".join(f"{part}." for part in location)
                self.problems.append(
                    Problem(item.origin, _dotted(here), f"unknown key; {advice(section, prefix, name)}")
                )
                continue
            if item.content is None and item.origin == "override":
                continue  # taken away on the command line, so that the default holds
            self.origins[here], self.written[here] = item.origin, item
            raw[name] = self._value(section, name, item, here)
        return raw

    def _value(self, owner: type[Section], name: str, value: Value, location: Location) -> Any:
        section, is_list = section_of(owner, name)
        if section is None:
            return _plain(value, text=_takes_text(fields_of(owner)[name].annotation))
        if not is_list:
            optional = fields_of(owner)[name].default is None
            return None if optional and value.content is None else self._section(section, value, location)
        if not isinstance(value.content, tuple):
            self._report(location, f"needs a list of mappings, each beginning with a dash, but is {_found(value)}")
            self.bad.add(location)
            return ()
        items = []
        for index, item in enumerate(value.content):
            here = (*location, index)
            self.origins[here], self.written[here] = item.origin, item
            items.append(self._section(section, item, here))
        return tuple(items)

    # Values

    def _bad_value(self, location: Location, kind: str) -> None:
        owner, name, depth = _owner_of(location)
        location = location[:depth]
        if kind == "too_short" and section_of(owner, name)[1] and self.written[location].content:
            return  # pydantic counts the good items only, and has reported the others
        if any(location[:end] in self.bad for end in range(depth + 1)):
            return
        self.bad.add(location)
        fragment = fragment_of(owner, name)
        if kind == "missing" and location not in self.written:
            self._report(location, f"is missing; {_what_to_add(owner, name)}")
            return
        value = self.written[location]
        self._report(location, f"needs {expectation(fragment)}, but is {_found(value)}{_hint(fragment, value)}")

    # Agreement

    def _partial(self, section: type[Section], raw: dict[str, Any], location: Location) -> Partial:
        """What can be used of a section: written keys with good values, and the defaults of the others."""
        values: dict[str, Any] = {}
        for name, field in fields_of(section).items():
            here = (*location, name)
            if here in self.bad:
                continue
            kind, is_list = section_of(section, name)
            if name not in raw:
                if not field.is_required():
                    values[name] = field.default
            elif kind is None or raw[name] is None:
                values[name] = raw[name]
            elif is_list:
                good = [(index, item) for index, item in enumerate(raw[name]) if (*here, index) not in self.bad]
                self.items[here] = [(index, self._partial(kind, item, (*here, index))) for index, item in good]
                if len(good) == len(raw[name]):
                    values[name] = [item for _, item in self.items[here]]
            else:
                values[name] = self._partial(kind, raw[name], here)
        return Partial(values, [name for name in raw if (*location, name) not in self.bad])

    def _agreement(self, section: type[Section], value: Partial, location: Location) -> None:
        for found in idle_keys(section, value, sorted(value.model_fields_set)):
            self._contradiction(self._with_override(found, location), location)
        for found in contradictions(section, value):
            self._contradiction(found, location)
        for name in fields_of(section):
            kind, is_list = section_of(section, name)
            here = (*location, name)
            if kind is None or name not in value.model_fields_set:
                continue
            if is_list:
                for index, item in self.items[here]:
                    self._agreement(kind, item, (*here, index))
            elif isinstance(below := getattr(value, name), Partial):
                self._agreement(kind, below, here)

    def _with_override(self, found: Contradiction, location: Location) -> Contradiction:
        """For a key that an override has put out of effect, the override that takes it away too."""
        place = (*location, found.keys[0])
        if self.origins[place] == "override" or "override" not in self.origins.values():
            return found
        return Contradiction(found.keys, f"{found.message}, or add the override {_dotted(place)}=null")

    def _contradiction(self, found: Contradiction, location: Location) -> None:
        places = [(*location, *_parts(key)) for key in found.keys]
        place = next((each for each in places if each in self.origins), None)
        if place is None:
            # None of the keys is written: a section that lacks all of them.
            place = location
        self._report(place, found.message)

    def _report(self, location: Location, message: str) -> None:
        origin: Origin = None
        for end in range(len(location), 0, -1):
            if location[:end] in self.origins:
                origin = self.origins[location[:end]]
                break
        self.problems.append(Problem(origin, _dotted(location), message))


def _what_to_add(owner: type[Section], name: str) -> str:
    section, is_list = section_of(owner, name)
    if section is None or is_list:
        return f"it has no default: {fields_of(owner)[name].description}"
    required = [key for key, field in fields_of(section).items() if field.is_required()]
    return f"add this section, with at least {', '.join(required)}"


def _dotted(location: Location) -> str:
    return ".".join(map(str, location))


def _parts(key: str) -> Iterator[str | int]:
    return (int(part) if part.isdecimal() else part for part in key.split("."))


def _owner_of(location: Location) -> tuple[type[Section], str, int]:
    """The section and the name of the key at a location, and how many parts of the location lead to it."""
    section: type[Section] = Recipe
    for depth, part in enumerate(location, start=1):
        if isinstance(part, int):
            continue
        below, _ = section_of(section, part)
        rest = [each for each in location[depth:] if isinstance(each, str)]
        if below is None or not rest:
            return section, part, depth
        section = below
    raise AssertionError(location)


def _takes_text(annotation: Any) -> bool:
    if annotation is str:
        return True
    if get_origin(annotation) is Literal:
        return any(isinstance(each, str) for each in get_args(annotation))
    return any(_takes_text(each) for each in get_args(annotation))


def _plain(value: Value, *, text: bool) -> Any:
    """The value as Python's own; an unquoted scalar with a variable in it is read again where no text is wanted."""
    content = value.content
    if isinstance(content, tuple):
        return tuple(_plain(item, text=text) for item in content)
    if isinstance(content, Mapping):
        return {key: _plain(item, text=text) for key, item in content.items()}
    return scalar_of(content) if value.expanded and not text and isinstance(content, str) else content


# Words


def _found(value: Value) -> str:
    content = value.content
    if isinstance(content, tuple):
        scalars = [each.content for each in content if not isinstance(each.content, (tuple, Mapping))]
        return _short(scalars) if len(scalars) == len(content) else f"a list of {len(content)}"
    if isinstance(content, Mapping):
        return f"a mapping of {_some(content)}" if content else "an empty mapping"
    return _scalar(content)


def _short(items: list[Scalar]) -> str:
    if not items:
        return "an empty list"
    shown = ", ".join(_scalar(each, bare=True) for each in items[:5])
    return f"the list [{shown}{', ...' if len(items) > 5 else ''}]"


def _scalar(content: Scalar, *, bare: bool = False) -> str:
    if content is None:
        return "null" if bare else "empty"
    if isinstance(content, bool):
        return "true" if content else "false"
    if content == "" and not bare:
        return "empty text"
    if isinstance(content, str):
        shown = shortened(content)
        return repr(shown) if bare else f"the text {shown!r}"
    return shortened(str(content), 30)


def _some(names: Mapping[str, Any]) -> str:
    shown = list(names)[:4]
    return ", ".join(map(shortened, shown)) + (", ..." if len(names) > len(shown) else "")


def _hint(fragment: dict[str, Any], value: Value) -> str:
    """What to write instead, where that can be guessed."""
    content = value.content
    kinds = {each.get("type") for each in fragment.get("anyOf", [fragment])}
    if isinstance(content, str):
        if "boolean" in kinds and content.lower() in ("yes", "no", "on", "off", "y", "n"):
            return f"; write {'true' if content.lower() in ('yes', 'on', 'y') else 'false'}"
        if kinds & {"integer", "number", "boolean"} and not isinstance(scalar_of(content), (str, type(None))):
            return "; take the quotes away"
        if "enum" in fragment:
            near = get_close_matches(content.lower(), fragment["enum"], n=1)
            return f"; did you mean {near[0]}?" if near else ""
        if "array" in kinds:
            return f"; write [{content}]"
    elif isinstance(content, float) and "integer" in kinds and content.is_integer() and abs(content) < 1e15:
        return f"; write {int(content)}"
    elif isinstance(content, (int, float)) and "string" in kinds and "enum" not in fragment:
        return "; put it in quotes"
    return ""
