"""Overrides of a recipe on the command line: `training.epochs=3`, `corpus.train.0.prefix=data/other`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from seq2seq.recipe.document import Problem, UnreadableError, Value, parse_document, shortened


def apply_override(tree: Value, text: str) -> tuple[Value, list[Problem]]:
    """The tree with `key.path=value` put in.

    The value is read as YAML and replaces what was there; `null` takes the key away, so that its default holds again.
    Digits in a path count the items of a list from 0; the number after the last one adds an item.
    """
    path, equals, written = text.partition("=")
    path = path.strip()
    keys = path.split(".")
    if not equals or not all(keys):
        return tree, [Problem("override", text, "an override looks like training.epochs=3")]
    try:
        value, problems = parse_document(written)
    except UnreadableError as error:
        message = str(error).split(": ", 1)[-1]
        return tree, [Problem("override", path, f"`{shortened(written)}` {message}; quote it, as in {path}='\"...\"'")]
    if problems:
        twice = [f"{path}.{each.path}" for each in problems]
        return tree, [Problem("override", each, "given twice; remove one") for each in twice]
    try:
        return _put(tree, keys, _from_command_line(value)), []
    except LookupError as error:
        return tree, [Problem("override", path, str(error))]


def _from_command_line(value: Value) -> Value:
    content = value.content
    if isinstance(content, tuple):
        content = tuple(map(_from_command_line, content))
    elif isinstance(content, Mapping):
        content = {key: _from_command_line(item) for key, item in content.items()}
    return replace(value, content=content, origin="override")


def _put(tree: Value, keys: list[str], value: Value) -> Value:
    if not keys:
        return value
    key, content = keys[0], tree.content
    if key.isdecimal() and (content is None or isinstance(content, tuple)):
        items = content or ()
        index = int(key)
        if index > len(items):
            raise LookupError(
                f"there is no item {index}: the list has {len(items)}, counted from 0; {len(items)} adds one"
            )
        old = items[index] if index < len(items) else Value(None, "override")
        return replace(tree, content=(*items[:index], _put(old, keys[1:], value), *items[index + 1 :]))
    if isinstance(content, tuple):
        raise LookupError(
            f"`{key}` is no item of a list of {len(content)}; count its items from 0, as in corpus.train.0.prefix"
        )
    if content is not None and not isinstance(content, Mapping):
        raise LookupError(f"`{key}` is below a single value, which has no keys")
    content = content or {}
    return replace(tree, content={**content, key: _put(content.get(key, Value(None, "override")), keys[1:], value)})
