"""Reading a recipe: the file, the overrides, the environment, and every problem at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from seq2seq.errors import RecipeError
from seq2seq.recipe.checking import check
from seq2seq.recipe.document import (
    Problem,
    UnreadableError,
    Value,
    as_recipe_error,
    parse_document,
    printable,
    shortened,
)
from seq2seq.recipe.environment import expand
from seq2seq.recipe.overrides import apply_override
from seq2seq.recipe.schema import Recipe
from seq2seq.recipe.section import fields_of


def load_recipe(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in a YAML file, with overrides such as `training.epochs=3` put in.

    Raises:
        RecipeError: the file cannot be read, or what it says cannot be used; the message names every problem.
    """
    return recipe_from_text(read_text(Path(path)), os.fspath(path), overrides)


def recipe_from_text(
    text: str, name: str, overrides: Sequence[str] = (), *, upgrade: Callable[[Value], Value] | None = None
) -> Recipe:
    """The recipe in YAML text, which messages call `name`; `upgrade` first brings older keys to those of today.

    Raises:
        RecipeError: as :func:`load_recipe`.
    """
    try:
        tree, problems = parse_document(text)
    except UnreadableError as error:
        raise as_recipe_error(name, error) from None
    _expect_sections(tree, name)
    if upgrade is not None:
        tree = upgrade(tree)
    for override in overrides:
        tree, found = apply_override(tree, override)
        problems += found
    tree, found = expand(tree, os.environ)
    problems += found
    recipe, found = check(tree, [each.path for each in found])
    problems += found
    if recipe is None or problems:
        raise RecipeError(_message(name, problems))
    return recipe


def read_text(path: Path) -> str:
    """The text of a recipe's file; raises RecipeError when it cannot be read."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise RecipeError(f"{path}: there is no such recipe{_alike(path)}") from None
    except IsADirectoryError:
        raise RecipeError(f"{path}: is a folder; name the recipe in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RecipeError(f"{path}: the recipe cannot be read: {reason}") from None
    return decoded(data, str(path))


def decoded(data: bytes, name: str) -> str:
    """The text of a recipe's bytes, which messages call `name`; raises RecipeError where they are not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong = f"byte {data[error.start]:#04x}, the {error.start + 1}th of the file"
        raise RecipeError(f"{name}, line {line}: is not UTF-8 ({wrong}); save it as UTF-8") from None


def _alike(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix in (".yaml", ".yml")]
    except OSError:
        return ""
    near = get_close_matches(path.name, names, n=1) or get_close_matches(f"{path.name}.yaml", names, n=1)
    return f"; did you mean {path.with_name(near[0])}?" if near else ""


def _expect_sections(tree: Value, name: str) -> None:
    if isinstance(tree.content, Mapping):
        return
    sections = ", ".join(fields_of(Recipe))
    if tree.content is None:
        raise RecipeError(f"{name}: is empty; a recipe has the sections {sections}")
    kind = "a list" if isinstance(tree.content, tuple) else "a single value"
    raise RecipeError(f"{name}: is {kind}, but a recipe is a mapping with the sections {sections}")


def _message(name: str, problems: Iterable[Problem]) -> str:
    """One sentence for one problem, a line for each of several, in the order of the file."""
    unique = dict.fromkeys(problems)
    ordered = sorted(unique, key=lambda each: each.origin if isinstance(each.origin, int) else 10**9)
    lines = [printable(f"{_place(each)}: {shortened(each.message, 600)}") for each in ordered]
    if len(lines) == 1:
        return f"{name}, {lines[0]}"
    return "\n".join([f"{name}: {len(lines)} problems", *(f"  {line}" for line in lines)])


def _place(problem: Problem) -> str:
    path = shortened(problem.path, 120)
    if isinstance(problem.origin, int):
        return f"line {problem.origin}, {path}"
    return f"override, {path}" if problem.origin else path
