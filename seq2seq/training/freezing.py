"""Parameters that are not trained, found by patterns of their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase

from torch import nn

from seq2seq.errors import RecipeError


def freeze(model: nn.Module, patterns: tuple[str, ...], *, say: Callable[[str], None]) -> None:
    """Take the gradient from the parameters whose names match a pattern.

    A parameter that several parts share has several names, each of which may match. Tells `say` what is frozen.

    Raises:
        RecipeError: a pattern matches nothing, or nothing is left to train.
    """
    names = names_of_parameters(model)
    frozen: set[str] = set()
    for pattern in patterns:
        matching = {name for name, aliases in names.items() if any(_matches(alias, pattern) for alias in aliases)}
        if not matching:
            raise RecipeError(
                f"training.fine_tuning.freeze: the pattern {pattern!r} matches no parameter; the nearest names are "
                f"{', '.join(_nearest(pattern, names))}"
            )
        frozen |= matching
    if len(frozen) == len(names):
        raise RecipeError(
            "training.fine_tuning.freeze: every parameter is frozen; leave one out, or there is no training"
        )
    parameters = dict(model.named_parameters())
    for name in frozen:
        parameters[name].requires_grad_(False)
    if frozen:
        numbers = sum(parameters[name].numel() for name in frozen)
        say(
            f"frozen: {len(frozen)} of {len(names)} parameters, {numbers:,} of "
            f"{sum(parameter.numel() for parameter in parameters.values()):,} numbers"
        )
    for name in sorted(frozen):
        if len(names[name]) > 1:
            say(f"note: {' and '.join(names[name])} are one tied parameter, which is frozen")


def names_of_parameters(model: nn.Module) -> dict[str, list[str]]:
    """All names of every parameter, by the first of them."""
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return {aliases[0]: aliases for aliases in names.values()}


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def _nearest(pattern: str, names: Mapping[str, list[str]]) -> list[str]:
    """Names, of parameters or of parts, that a pattern may have meant."""
    every = [alias for aliases in names.values() for alias in aliases]
    parts = dict.fromkeys(part for name in every for part in _prefixes(name))
    return get_close_matches(pattern.rstrip(".*"), list(parts), n=3, cutoff=0.0)


def _prefixes(name: str) -> list[str]:
    """`a.b.c`: `a`, `a.b` and `a.b.c`."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
