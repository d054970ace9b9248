"""Recipes of older model directories, brought to the keys of today."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from pathlib import Path

from seq2seq.recipe.document import Value
from seq2seq.recipe.loading import decoded, read_text, recipe_from_text
from seq2seq.recipe.schema import Recipe

#: Keys of encoder and decoder in format 1: what each is called today, and what its false and true are.
_FORMAT_1 = {
    "bidirectional": ("directions", "forward", "bidirectional"),
    "residual": ("connection", "plain", "residual"),
}
#: Keys of the training section up to format 2, and what each is called today.
_FORMAT_2 = {"batch_tokens": "batch"}
#: Keys that are gone, by section: how a model was trained, which nothing but a training asks for.
_GONE = {"corpus": {"both_directions"}, "training": {"minimum_risk"}}


def load_stored_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The resolved recipe that a model directory holds, whatever format it is of.

    Format 1 had `bidirectional` in the encoder (now `directions`) and `residual` in encoder and decoder (now
    `connection`). Up to format 2 `training.batch` was `training.batch_tokens`. Early ones of format 3 may have
    `corpus.both_directions` and `training.minimum_risk`, which are left out.

    Raises:
        RecipeError: the file cannot be read, or is damaged; lines are those of the file.
    """
    return recipe_from_text(read_text(Path(path)), os.fspath(path), upgrade=_upgraded)


def stored_recipe_from_bytes(data: bytes, name: str) -> Recipe:
    """As :func:`load_stored_recipe`, of a file's bytes, which messages call `name`."""
    return recipe_from_text(decoded(data, name), name, upgrade=_upgraded)


def _upgraded(tree: Value) -> Value:
    """The recipe with the old keys of its encoder, its decoder and its training renamed, each where it was."""
    tree = _within(tree, "model", lambda model: _within(_within(model, "encoder", _renamed), "decoder", _renamed))
    for section, keys in _GONE.items():
        tree = _within(tree, section, lambda content, keys=keys: _without(content, keys))  # type: ignore[misc]
    return _within(tree, "training", _renamed_training)


def _without(section: Value, keys: Set[str]) -> Value:
    content = section.content
    if not isinstance(content, Mapping):
        return section
    return replace(section, content={key: value for key, value in content.items() if key not in keys})


def _within(tree: Value, key: str, change: Callable[[Value], Value]) -> Value:
    """The mapping with what `key` holds changed; anything else as it is."""
    content = tree.content
    if not isinstance(content, Mapping) or key not in content:
        return tree
    return replace(tree, content={**content, key: change(content[key])})


def _renamed_training(section: Value) -> Value:
    content = section.content
    if not isinstance(content, Mapping):
        return section
    # A key that is there under both names is left to be complained of.
    names = {old: today for old, today in _FORMAT_2.items() if today not in content}
    return replace(section, content={names.get(key, key): value for key, value in content.items()})


def _renamed(section: Value) -> Value:
    content = section.content
    if not isinstance(content, Mapping):
        return section
    keys: dict[str, Value] = {}
    for key, value in content.items():
        today, *meanings = _FORMAT_1.get(key, (key,))
        # What is not true or false is left to be complained of.
        if meanings and isinstance(value.content, bool) and today not in content:
            keys[today] = replace(value, content=meanings[value.content])
        else:
            keys[key] = value
    return replace(section, content=keys)
