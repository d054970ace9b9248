"""Text, TSV or JSON lines: the options that say what the input is, and the layout that they lead to."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

from seq2seq.cli.arguments import ArgumentParser
from seq2seq.cli.formats import Details, Format, json_format, n_best_format, plain_format
from seq2seq.cli.json_lines import DemandFields, JsonLines
from seq2seq.cli.layout import Layout, TextLayout
from seq2seq.cli.tab_separated import Column, TabSeparated
from seq2seq.errors import UsageError

InputFormat = Literal["text", "tsv", "jsonl"]

_BY_NAME: dict[str, InputFormat] = {".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
#: The formats of the options that are for one only.
_FOR = {
    "source_column": "tsv",
    "target_column": "tsv",
    "source_field": "jsonl",
    "target_field": "jsonl",
    "prefix_field": "jsonl",
    "include_field": "jsonl",
    "avoid_field": "jsonl",
}


def add_input_format_options(parser: ArgumentParser) -> None:
    """Add the group that says where in a line the text is, and where its translation goes."""
    group = parser.add_argument_group(
        "TSV and JSON lines",
        "One column or field is translated, the others pass through; the output has the input's format. A line that\n"
        "cannot be used ends the command with its number, once all before it is written.",
    )
    group.add_argument(
        "--input-format",
        choices=("text", "tsv", "jsonl"),
        help="what the input is (default: by the end of its name, .tsv or .jsonl, also with .gz; else text)",
    )
    group.add_argument(
        "--source-column",
        metavar="N|NAME",
        type=_column,
        help="TSV column to translate, a number from 1 or a name; with a name the first line is a header (default: 1)",
    )
    group.add_argument(
        "--target-column",
        metavar="N|NAME",
        type=_column,
        help="TSV column of the translations; what is there is overwritten (default: a new last one, translation in "
        "the header); --scores and --alignment add columns after it",
    )
    group.add_argument("--source-field", metavar="NAME", help="JSON field to translate (default: text)")
    group.add_argument(
        "--target-field",
        metavar="NAME",
        help="JSON field of the translations; what is there is overwritten (default: a new one, translation); "
        "--scores, --alignment, --n-best and --json add fields after it",
    )
    for name, what in (
        ("prefix", "the text that the translation begins with"),
        ("include", "a list of phrases that the translation has"),
        ("avoid", "a list of phrases that it has not"),
    ):
        group.add_argument(
            f"--{name}-field",
            metavar="NAME",
            nargs="?",
            const=name,
            help=f"JSON field with {what}; without NAME the field {name} (default: no field is read so)",
        )


def choose_layout(chosen: argparse.Namespace, *, source: Path | None) -> Layout:
    """The layout that the options of :func:`add_input_format_options` and the input's name lead to.

    Raises:
        UsageError: options do not fit together.
    """
    kind = chosen.input_format or _by_name(source)
    for option, meant in _FOR.items():
        if getattr(chosen, option) is not None and kind != meant:
            raise UsageError(
                f"--{option.replace('_', '-')} is for {meant}, but the input is {kind}; leave it out, or add "
                f"--input-format {meant}"
            )
    name = "standard input" if source is None else str(source)
    if kind == "tsv":
        return _tab_separated(chosen, name)
    if kind == "jsonl":
        return _json_lines(chosen, name)
    return TextLayout(_text_format(chosen))


def _by_name(source: Path | None) -> InputFormat:
    suffixes = [] if source is None else [suffix.lower() for suffix in source.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return _BY_NAME.get(suffixes[-1], "text") if suffixes else "text"


def _text_format(chosen: argparse.Namespace) -> Format:
    if chosen.json:
        return json_format(n_best=chosen.n_best is not None, soft_alignment=chosen.soft_alignment)
    if chosen.n_best is not None:
        return n_best_format(alignment=chosen.alignment)
    return plain_format(scores=chosen.scores, alignment=chosen.alignment)


def _tab_separated(chosen: argparse.Namespace, name: str) -> TabSeparated:
    for option, given in (("--n-best", chosen.n_best is not None), ("--json", chosen.json)):
        if given:
            raise UsageError(f"{option} makes no columns; leave it out, or give the input as text or JSON lines")
    return TabSeparated(
        name=name,
        source=1 if chosen.source_column is None else chosen.source_column,
        target=chosen.target_column,
        scores=chosen.scores,
        alignment=chosen.alignment,
    )


def _json_lines(chosen: argparse.Namespace, name: str) -> JsonLines:
    details = Details.of(
        scores=chosen.scores,
        alignment=chosen.alignment,
        everything=chosen.json,
        n_best=chosen.n_best is not None,
        soft_alignment=chosen.soft_alignment,
    )
    if chosen.target_field in details.names:
        raise UsageError(
            f"--target-field {chosen.target_field} is also the name of a field that another option adds; name another"
        )
    return JsonLines(
        name=name,
        source="text" if chosen.source_field is None else chosen.source_field,
        target=chosen.target_field,
        details=details,
        demands=DemandFields(prefix=chosen.prefix_field, include=chosen.include_field, avoid=chosen.avoid_field),
    )


def _column(text: str) -> Column:
    """A number from 1, or a name."""
    if not text.isdecimal():
        if not text.strip():
            raise argparse.ArgumentTypeError("must be a number from 1 or a name, not nothing")
        return text.strip()
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"columns are counted from 1, so there is no {text}")
    return int(text)
