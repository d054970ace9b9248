"""What seq2seq-evaluate reads: sources, references, labels, and the translations of systems with their names."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.cli.progress import warn
from seq2seq.cli.reading import open_reader
from seq2seq.errors import CorpusError, UsageError

if TYPE_CHECKING:
    from seq2seq.held_out import HeldOutText

STDIN = Path("-")


@dataclass(frozen=True)
class NamedFile:
    """Translations of a system: where they are, and what it is called, if that was said."""

    path: Path
    name: str | None = None

    def __str__(self) -> str:
        return title(self.path)


def named_file(text: str) -> NamedFile:
    """`NAME=FILE`, or `FILE`, in whose path there may be an = too."""
    name, mark, path = text.partition("=")
    if not mark or not name or not path or "/" in name or Path(text).exists():
        return NamedFile(Path(text))
    return NamedFile(Path(path), name)


def given_text(chosen: argparse.Namespace, *, program: str) -> HeldOutText:
    """The test set that --ref and --input or --hypotheses name; without --input it has no sources."""
    from seq2seq.held_out import HeldOutText

    sources = None if chosen.input is None else read(chosen.input, program=program)
    references = [read(path, program=program) for path in chosen.ref]
    groups = None if chosen.groups is None else [label.strip() for label in read(chosen.groups, program=program)]
    first = (chosen.ref[0], len(references[0])) if sources is None else (chosen.input, len(sources))
    for path, lines in [*zip(chosen.ref, references, strict=True), (chosen.groups, groups)]:
        if lines is not None:
            _check_count(path, len(lines), *first)
    if chosen.hypotheses:
        alone = len(chosen.hypotheses) + len(chosen.compare) == 1
        name = chosen.hypotheses[0].path if alone else chosen.ref[0]
    else:
        name = chosen.input
    return HeldOutText(title(name), sources or (), references, groups)


def given_systems(chosen: argparse.Namespace, *, reference: Sequence[str], program: str) -> dict[str, list[str]]:
    """The translations that --hypotheses and --compare name, by the name of their system."""
    files: list[NamedFile] = [*chosen.hypotheses, *chosen.compare]
    seen: set[Path] = set()
    for each in files:
        path = each.path.resolve()
        if path in seen:
            raise UsageError(f"{each} would be compared with itself; name the translations of another system")
        seen.add(path)
    systems: dict[str, list[str]] = {}
    for name, each in zip(_names(files), files, strict=True):
        if name in systems:
            raise UsageError(f"two systems are called {name}; tell them apart with NAME=FILE")
        systems[name] = read(each.path, program=program)
        _check_count(each.path, len(systems[name]), chosen.ref[0], len(reference))
    return systems


def read(path: Path, *, program: str) -> list[str]:
    """The lines of a file, or of stdin, where bytes that are not UTF-8 are replaced, with a warning."""
    from seq2seq.text.lines import read_lines

    if path != STDIN:
        return list(read_lines(path))
    with open_reader(None) as reader:
        lines = [line for chunk in reader.chunks(repeat(1024), patient=False) for line in chunk]
    warn(program, reader.invalid.message())
    return lines


def title(path: Path) -> str:
    """The file in reports."""
    return "standard input" if path == STDIN else str(path)


def _names(files: Sequence[NamedFile]) -> list[str]:
    """The names given, and for the other files as much of the end of their path as tells them apart."""
    unnamed = [each.path for each in files if each.name is None and each.path != STDIN]
    deepest = max((len(path.parts) for path in unnamed), default=1)
    for kept in range(1, deepest + 1):
        tails = ["/".join(path.parts[-kept:]) for path in unnamed]
        if len(set(tails)) == len(tails):
            break
    return [each.name or (title(STDIN) if each.path == STDIN else "/".join(each.path.parts[-kept:])) for each in files]


def _check_count(path: Path, found: int, first: Path, expected: int) -> None:
    if found != expected:
        raise CorpusError(
            f"{title(path)} has {found} lines but {title(first)} has {expected}: they do not belong together"
        )
