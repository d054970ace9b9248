"""Parallel corpora: pairs of sentences with the line they stand in, read lazily from any of the supported kinds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.errors import CorpusError
from seq2seq.text.lines import check_file, read_lines
from seq2seq.text.records import Fields, read_json_lines, read_tab_separated


class SentencePair(NamedTuple):
    """A sentence, its translation, the line (row) they stand in, counted from 1, and their label in the groups file."""

    source: str
    target: str
    line: int
    group: str | None = None


@dataclass(frozen=True, kw_only=True)
class ParallelText:
    """One parallel corpus, of exactly one of `prefix`, `source` with `target`, `file` and `hub`.

    prefix: path without language, `data/train` for `data/train.en` and `data/train.fr` or their `.gz`. source, target:
    two paths. file: `.tsv`, `.jsonl` or `.parquet`. hub: a data set for `datasets.load_dataset(hub, subset,
    split=split)`. source_field, target_field: names of fields, dots descending; by default the language code, then
    `translation.<language>`, and in TSV without header the columns 0 and 1. groups: path of one label per pair.
    """

    source_language: str
    target_language: str
    name: str | None = None
    prefix: str | None = None
    source: str | None = None
    target: str | None = None
    file: str | None = None
    hub: str | None = None
    subset: str | None = None
    split: str = "train"
    source_field: str | None = None
    target_field: str | None = None
    groups: str | None = None

    @property
    def title(self) -> str:
        """The name in reports: the one given, or one made from the path."""
        if self.name is not None:
            return self.name
        if self.hub is not None:
            return "/".join(part for part in (self.hub, self.subset, self.split) if part)
        return str(self.prefix or self.file or self.source)

    @property
    def languages(self) -> tuple[str, str]:
        """Source and target language."""
        return self.source_language, self.target_language

    @property
    def fields(self) -> tuple[str | None, str | None]:
        """Source and target field."""
        return self.source_field, self.target_field


Row = tuple[str, str, int]


def read_pairs(text: ParallelText) -> Iterator[SentencePair]:
    """Read the pairs lazily, in their order, through `datasets`.

    Sentences come as they stand, but for the line break. Local files are looked for at once; while reading, CorpusError
    is raised for what is not UTF-8, for sides or groups of unequal length (at the end, with both counts), for missing
    fields, for damaged files, and for a corpus without any pair.
    """
    if text.hub is None:
        _files(text)
    if text.groups is not None:
        check_file(text.groups, what="the groups file")
    return _labelled(_rows(text), text)


def text_fingerprint(text: ParallelText) -> str:
    """SHA-256, in hexadecimal digits, of what decides which pairs are read: the files' bytes, not their names."""
    how = (_kind(text), text.split, text.languages, text.fields)
    digest = hashlib.sha256(repr(how).encode())
    for path in _files(text):
        digest.update(_digest_of_file(path))
    return digest.hexdigest()


def _labelled(rows: Iterator[Row], text: ParallelText) -> Iterator[SentencePair]:
    count = 0
    if text.groups is None:
        for row in rows:
            count += 1
            yield SentencePair(*row)
    else:
        labels = read_lines(text.groups)
        for count, (pair, label) in enumerate(zip_longest(rows, labels), start=1):
            if pair is None or label is None:
                raise _unequal(
                    (text.title, "pairs", count - (pair is None) + sum(1 for _ in rows)),
                    (text.groups, "labels", count - (label is None) + sum(1 for _ in labels)),
                )
            source, target, line = pair
            yield SentencePair(source, target, line, label.strip())
    if count == 0:
        raise CorpusError(f"the corpus {text.title} is empty: {' and '.join(map(str, _files(text)))} without any pair")


def _rows(text: ParallelText) -> Iterator[Row]:
    # `datasets` takes a second to import: only when there is something to read.
    from seq2seq.text.streaming import stream_generated, stream_hub, stream_parquet

    kind = _kind(text)
    if kind == "hub":
        yield from _rows_of_records(stream_hub(str(text.hub), subset=text.subset, split=text.split), text)
    elif kind == "parquet":
        yield from _rows_of_records(stream_parquet(str(text.file)), text)
    else:
        for record in stream_generated(lambda: _records_of_rows(_local_rows(text, kind))):
            yield record["source"], record["target"], record["line"]


def _local_rows(text: ParallelText, kind: str) -> Iterator[Row]:
    if kind == "tsv":
        return read_tab_separated(str(text.file), languages=text.languages, fields=text.fields)
    if kind == "jsonl":
        return read_json_lines(str(text.file), fields=Fields(languages=text.languages, fields=text.fields))
    return _side_by_side(*_files(text))


def _records_of_rows(rows: Iterator[Row]) -> Iterator[dict[str, Any]]:
    for source, target, line in rows:
        yield {"source": source, "target": target, "line": line}


def _rows_of_records(records: Iterator[dict[str, Any]], text: ParallelText) -> Iterator[Row]:
    fields = Fields(languages=text.languages, fields=text.fields)
    for number, record in enumerate(records, start=1):
        yield *fields.sentences(record, where=f"{text.file or text.title}, row {number}"), number


def _side_by_side(source: Path, target: Path) -> Iterator[Row]:
    sources, targets = read_lines(source), read_lines(target)
    for number, (sentence, translation) in enumerate(zip_longest(sources, targets), start=1):
        if sentence is None or translation is None:
            raise _unequal(
                (source, "lines", number - (sentence is None) + sum(1 for _ in sources)),
                (target, "lines", number - (translation is None) + sum(1 for _ in targets)),
            )
        yield sentence, translation, number


def _unequal(first: tuple[object, str, int], second: tuple[object, str, int]) -> CorpusError:
    (one, ones, count), (other, others, other_count) = first, second
    return CorpusError(
        f"{one} has {count} {ones} but {other} has {other_count} {others}: they do not belong together, or a line "
        f"is missing in line {min(count, other_count) + 1} or before"
    )


def _kind(text: ParallelText) -> str:
    """How the corpus is stored: lines, tsv, jsonl, parquet or hub. Raises CorpusError for another kind of file."""
    if text.hub is not None:
        return "hub"
    if text.file is None:
        return "lines"
    suffixes = [suffix.lower() for suffix in Path(text.file).suffixes]
    kinds = {".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
    if suffixes[-1:] == [".gz"] and suffixes[-2:-1] != [".parquet"]:
        suffixes.pop()
    if not suffixes or suffixes[-1] not in kinds:
        raise CorpusError(
            f"the kind of {text.file} is not known by its name; that must end in .tsv or .jsonl, these also with .gz, "
            "or in .parquet"
        )
    return kinds[suffixes[-1]]


def _files(text: ParallelText) -> list[Path]:
    """The files that hold the pairs, source before target. Raises CorpusError when one is missing or a folder."""
    if text.hub is not None:
        from seq2seq.text.streaming import hub_files

        return hub_files(text.hub, subset=text.subset, split=text.split)
    if text.prefix is not None:
        return [_side_of_prefix(text.prefix, language) for language in text.languages]
    _kind(text)
    files = [Path(path) for path in (text.source, text.target, text.file) if path is not None]
    for path in files:
        check_file(path)
    return files


def _side_of_prefix(prefix: str, language: str) -> Path:
    candidates = (Path(f"{prefix}.{language}"), Path(f"{prefix}.{language}.gz"))
    for path in candidates:
        if path.is_file():
            check_file(path)
            return path
    raise CorpusError(f"the corpus {prefix} has no file {candidates[0]} and no {candidates[1]}")


def _digest_of_file(path: Path) -> bytes:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror}") from None
    return digest.digest()
