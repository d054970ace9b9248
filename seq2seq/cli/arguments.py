"""Arguments: a parser whose errors are one sentence, and the types of options."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

import seq2seq
from seq2seq.errors import UsageError


class ArgumentParser(argparse.ArgumentParser):
    """An argparse parser that knows `--version`, shows texts as they are laid out, and raises UsageError."""

    def __init__(self, *, prog: str, description: str, epilog: str, **options: Any) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            # `--be` must not become ambiguous, or another option, in a later release.
            allow_abbrev=False,
            add_help=False,
            **options,
        )

    def add_general_options(self, *, quiet: str | None = None) -> None:
        """Add the group that every command ends with; `quiet` is the help of that option, if there is to be one."""
        group = self.add_argument_group("general")
        if quiet is not None:
            group.add_argument("-q", "--quiet", action="store_true", help=quiet)
        group.add_argument("-h", "--help", action="help", help="show this help and leave")
        group.add_argument(
            "--version", action="version", version=f"%(prog)s {seq2seq.__version__}", help="show the version and leave"
        )

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, but for an unknown option the error names the nearest known one."""
        return self._without_unknown(*self.parse_known_args(args, namespace))

    def parse_intermixed_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, with the same errors as :meth:`parse_args`."""
        return self._without_unknown(*self.parse_known_intermixed_args(args, namespace))

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message}{' See' if message.endswith('?') else '; see'} {self.prog} --help")

    def _without_unknown(self, found: argparse.Namespace, unknown: Sequence[str]) -> argparse.Namespace:
        if unknown:
            self.error(self._advice(unknown[0]))
        return found

    def _advice(self, unknown: str) -> str:
        name = unknown.partition("=")[0]
        near = get_close_matches(name, list(self._option_string_actions), n=1) if name.startswith("--") else []
        if near:
            return f"there is no option {name}; did you mean {near[0]}?"
        if name.startswith("-"):
            return f"there is no option {name}"
        return f"{unknown!r} is one argument too many"


def add_numbers(
    group: argparse._ArgumentGroup, *options: tuple[str, Callable[[str], int] | Callable[[str], float], str]
) -> None:
    """Add options of one number each: a name, one of the types below, and the help, where N or X stands for it."""
    for name, kind, help_text in options:
        metavar = "N" if kind in (count, whole) else "X"
        group.add_argument(f"--{name}", metavar=metavar, type=kind, help=help_text)


def count(text: str) -> int:
    """A whole number of 1 or more."""
    return _whole(text, least=1)


def whole(text: str) -> int:
    """A whole number of 0 or more."""
    return _whole(text, least=0)


def not_negative(text: str) -> float:
    """A number of 0 or more."""
    value = _number(text)
    if not 0.0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of 0 or more, not {text!r}")
    return value


def positive(text: str) -> float:
    """A number above 0."""
    value = _number(text)
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return value


def number(text: str) -> float:
    """A number."""
    value = _number(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a number, not {text!r}")
    return value


def share(text: str) -> float:
    """A number above 0 and not above 1."""
    value = _number(text)
    if not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and not above 1, not {text!r}")
    return value


def below_one(text: str) -> float:
    """A number of 0 or more, below 1."""
    value = _number(text)
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"must be a number of 0 or more, below 1, not {text!r}")
    return value


def phrase(text: str) -> str:
    """Text that is not blank."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must be text, not nothing")
    return text


def _whole(text: str, *, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of {least} or more, not {text!r}")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
