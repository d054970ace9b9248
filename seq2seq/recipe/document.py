"""YAML text as a tree that knows its lines.

Scalars follow YAML 1.2 (its core schema) and not PyYAML's 1.1: `1e-3` is a number, only `true` and `false` are
booleans, and `no`, `on`, `1:30` and `2024-01-01` are text. Digits may be grouped by underscores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from seq2seq.errors import RecipeError

#: Where a value comes from: a line of the file, counted from 1; or the command line; or nowhere in particular.
Origin: TypeAlias = int | Literal["override"] | None
Scalar: TypeAlias = str | int | float | bool | None

_TAG = "tag:yaml.org,2002:"
_FORMS = {
    "null": (re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    "bool": (re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    "int": (re.compile(r"^[-+]?(?:[0-9]+(?:_[0-9]+)*|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")),
    "float": (
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        list("-+.0123456789"),
    ),
    "merge": (re.compile(r"^<<$"), ["<"]),
}

#: More values than any recipe has; aliases of aliases could otherwise unfold without end.
_LARGEST = 100_000

#: More characters than any number needs; Python refuses to print some that are longer.
_LONGEST_NUMBER = 100


@dataclass(frozen=True)
class Value:
    """A scalar, a list or a mapping of a recipe, and where it comes from.

    Attributes:
        content: the scalar, the items, or the keys in their order.
        origin: for the value of a key, where the key is.
        expanded: the scalar was written without quotes and has had environment variables put in.
        plain: the scalar was written without quotes.
    """

    content: Scalar | tuple[Value, ...] | Mapping[str, Value]
    origin: Origin = None
    plain: bool = False
    expanded: bool = False


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a recipe: where, at which dotted path, and what to do about it."""

    origin: Origin
    path: str
    message: str


class UnreadableError(Exception):
    """The text is no YAML, or not the YAML of a recipe; the message begins with the place where there is one."""


class _Loader(yaml.SafeLoader):
    """PyYAML's loader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own interface)


def teach_scalars(interface: type[yaml.resolver.BaseResolver]) -> None:
    """Makes one of PyYAML's loaders or dumpers know the scalars of YAML 1.2."""
    for kind, (form, first) in _FORMS.items():
        interface.add_implicit_resolver(_TAG + kind, form, first)


teach_scalars(_Loader)


def scalar_of(text: str) -> Scalar:
    """What `text` means when it is written without quotes; a number that is too long stays text."""
    for kind in ("null", "bool", "int", "float"):
        if _FORMS[kind][0].match(text):
            try:
                return _convert(kind, text)
            except ValueError:
                return text
    return text


def _convert(kind: str, text: str) -> Scalar:
    if kind == "str":
        return text
    forms = {"null", "bool", "int", "float"} & ({"int", "float"} if kind == "float" else {kind})
    if not any(_FORMS[form][0].match(text) for form in forms):
        raise ValueError(f"`{shortened(text)}` is not what its tag !!{kind} says")
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("the number is too long")
    if kind == "int":
        base = {"0o": 8, "0x": 16}.get(text.lstrip("+-")[:2], 10)
        return int(text, base)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def parse_document(text: str) -> tuple[Value, list[Problem]]:
    """The tree of YAML text, and the keys that are given twice.

    Raises:
        UnreadableError: the text is no YAML, or has something that no recipe needs.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise UnreadableError(
            f"line {line}, column {column}: character U+{ord(text[error.position]):04X} is not allowed"
        ) from None
    except yaml.MarkedYAMLError as error:
        raise UnreadableError(_syntax_message(error, text)) from None
    except RecursionError:
        raise UnreadableError("it is nested too deeply") from None
    if node is None:
        return Value(None), []
    builder = _Builder()
    value = builder.build(node, "", _line(node))
    return value, builder.problems


def _syntax_message(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    what = shortened(", ".join(filter(None, (error.context, error.problem))), 200)
    if mark is None:
        return f"is not valid YAML: {what}"
    lines = text.splitlines()
    written = lines[mark.line] if mark.line < len(lines) else ""
    advice = ""
    if "\t" in written:
        advice = "; indent with blanks, not tabs"
    elif "${" in written:
        advice = "; put quotes around a value with ${...}"
    return f"line {mark.line + 1}, column {mark.column + 1}: is not valid YAML: {what}{advice}"


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


class _Builder:
    """Turns PyYAML's nodes into values, aliases and merges resolved."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._open: set[int] = set()
        self._count = 0

    def build(self, node: Node, path: str, origin: int) -> Value:
        """The value of a node, whose key stands at `origin`."""
        if isinstance(node, ScalarNode):
            value = Value(self._scalar(node), origin, plain=node.style is None)
        elif isinstance(node, SequenceNode):
            self._expect_tag(node, "seq")
            with self._inside(node):
                items = [self.build(item, f"{path}.{index}", _line(item)) for index, item in enumerate(node.value)]
            value = Value(tuple(items), origin)
        else:
            assert isinstance(node, MappingNode)
            self._expect_tag(node, "map")
            with self._inside(node):
                value = Value(self._mapping(node, path), origin)
        return value

    @contextmanager
    def _inside(self, node: Node) -> Iterator[None]:
        """Guards against values that contain themselves, or each other again and again, through aliases."""
        self._count += 1 + len(node.value)
        if id(node) in self._open:
            raise UnreadableError(f"line {_line(node)}: a value contains itself through an alias")
        if self._count > _LARGEST:
            raise UnreadableError(f"line {_line(node)}: aliases make it too large")
        self._open.add(id(node))
        yield
        self._open.remove(id(node))

    def _scalar(self, node: ScalarNode) -> Scalar:
        for character in node.value:
            if character == "\0" or "\ud800" <= character <= "\udfff":
                raise UnreadableError(f"line {_line(node)}: character U+{ord(character):04X} is not allowed")
        try:
            return _convert(self._kind(node), node.value)
        except ValueError as error:
            raise UnreadableError(f"line {_line(node)}: {error}") from None

    def _kind(self, node: Node) -> str:
        tag = str(node.tag)
        kind = tag.removeprefix(_TAG)
        if kind == "merge":
            return "str"
        if kind not in ("str", "null", "bool", "int", "float", "seq", "map"):
            written = shortened(tag.replace(_TAG, "!!"))
            raise UnreadableError(f"line {_line(node)}: the tag {written} has no meaning in a recipe; remove it")
        return kind

    def _expect_tag(self, node: Node, kind: str) -> None:
        if self._kind(node) != kind:
            raise UnreadableError(f"line {_line(node)}: the tag {node.tag.replace(_TAG, '!!')} does not fit; remove it")

    def _mapping(self, node: MappingNode, path: str) -> dict[str, Value]:
        entries: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key, item in node.value:
            line = _line(key)
            if not isinstance(key, ScalarNode):
                raise UnreadableError(f"line {line}: a key must be a word, not a list or a mapping")
            here = f"{path}.{key.value}" if path else key.value
            if key.tag == _TAG + "merge":
                for name, value in self._merged(item, path).items():
                    merged.setdefault(name, value)
            elif key.value in entries:
                first = entries[key.value].origin
                self.problems.append(Problem(line, here, f"given twice, first in line {first}; remove one"))
            else:
                entries[key.value] = self.build(item, here, line)
        return {**{name: value for name, value in merged.items() if name not in entries}, **entries}

    def _merged(self, node: Node, path: str) -> dict[str, Value]:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        merged: dict[str, Value] = {}
        for source in sources:
            if not isinstance(source, MappingNode):
                raise UnreadableError(f"line {_line(node)}: << merges mappings, such as <<: *name; this is none")
            known = len(self.problems)
            with self._inside(source):
                for name, value in self._mapping(source, path).items():
                    merged.setdefault(name, value)
            del self.problems[known:]  # they are reported where the mapping itself stands
        return merged


def shortened(text: str, limit: int = 60) -> str:
    """Text of at most `limit` characters, for messages."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def printable(line: str) -> str:
    """A line without line breaks and other characters that would disturb a terminal."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)


def as_recipe_error(name: str, problem: UnreadableError) -> RecipeError:
    """The sentence for a document that cannot be read at all."""
    text = printable(str(problem))
    return RecipeError(f"{name}, {text}" if text.startswith("line ") else f"{name}: {text}")
