"""The `corpus` section: which parallel text is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from seq2seq.recipe.section import CHANGEABLE, Contradiction, Positive, Rule, Section, Text, in_words, only_if_given

#: A language code, which is also the ending of a file name.
Language = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9@._-]*$",
        json_schema_extra=in_words("a language code: a letter, then letters, digits or @ . _ -"),
    ),
]


def _one_kind(text: TextSource) -> Iterator[Contradiction]:
    kinds = {"prefix": text.prefix, "source and target": text.source or text.target, "file": text.file, "hub": text.hub}
    given = [kind for kind, value in kinds.items() if value is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield Contradiction(
            ("hub", "file", "source", "target", "prefix"),
            f"a corpus needs exactly one of prefix, source with target, file, hub, but has {found}",
        )


def _both_sides(text: TextSource) -> Iterator[Contradiction]:
    if text.prefix is not None or text.file is not None or text.hub is not None:
        return
    if (text.source is None) != (text.target is None):
        missing = "source" if text.source is None else "target"
        yield Contradiction(("source", "target"), f"source and target go together; add {missing}")
    elif text.source is not None and text.source == text.target:
        yield Contradiction(("target",), f"both sides would be the same file {text.source}; name two files")


def _two_fields(text: TextSource) -> Iterator[Contradiction]:
    if text.source_field is not None and text.source_field == text.target_field:
        yield Contradiction(
            ("target_field",), f"both sides would be the same field {text.source_field}; name two fields"
        )


class TextSource(Section):
    """One parallel corpus: exactly one of `prefix`, `source` with `target`, `file` or `hub`."""

    rules: ClassVar[tuple[Rule, ...]] = (_one_kind, _both_sides, _two_fields)

    name: Text | None = Field(default=None, description="Name in reports; by default made from the path.")
    prefix: Text | None = Field(
        default=None,
        description="Path without language: `data/train` means `data/train.en` and `data/train.fr`, or `.gz` of them.",
    )
    source: Text | None = Field(
        default=None, description="Path of the source side, one sentence per line, plain or gz."
    )
    target: Text | None = Field(
        default=None, description="Path of the target side, one sentence per line, plain or gz."
    )
    file: Text | None = Field(
        default=None,
        description="Path of a file with both sides: `.tsv`, `.jsonl` (JSON lines) or `.parquet`, the first two also "
        "gz.",
    )
    hub: Text | None = Field(
        default=None, description="Name of a dataset on the hub, or a folder that `datasets` can load."
    )
    subset: Text | None = Field(
        default=None, description="Configuration of the hub dataset.", json_schema_extra=only_if_given("hub")
    )
    split: Text = Field(
        default="train",
        description="Split of the hub dataset; to be written for validation and test.",
        json_schema_extra=only_if_given("hub"),
    )
    source_field: Text | None = Field(
        default=None,
        description="Field or column of the source sentence; dots descend (`translation.en`). Default: the "
        "language code, then `translation.<language>`; in TSV without a header the first column, counted from 0.",
        json_schema_extra=only_if_given("file", "hub"),
    )
    target_field: Text | None = Field(
        default=None,
        description="Field or column of the target sentence, as `source_field`.",
        json_schema_extra=only_if_given("file", "hub"),
    )
    groups: Text | None = Field(
        default=None,
        description="Path of a file with one label per sentence; evaluation then also reports every label apart. "
        "Only in `corpus.test`.",
    )


def _two_languages(corpus: Corpus) -> Iterator[Contradiction]:
    """One language on both sides is fine (old to new spelling, say) where the two sides can be told apart."""
    if corpus.source_language != corpus.target_language:
        return
    for part in ("train", "validation", "test"):
        for index, text in enumerate(getattr(corpus, part)):
            told_apart = text.source is not None or (text.source_field is not None and text.target_field is not None)
            if not told_apart and not (text.file or "").removesuffix(".gz").endswith(".tsv"):
                how = "source and target" if text.prefix is not None else "source_field and target_field"
                yield Contradiction(
                    (f"{part}.{index}", "target_language"),
                    f"source_language and target_language are both {corpus.source_language}, so both sides would be "
                    f"the same text; give {how}, or correct a language",
                )


def _groups_are_of_tests(corpus: Corpus) -> Iterator[Contradiction]:
    for part in ("train", "validation"):
        for index, text in enumerate(getattr(corpus, part)):
            if text.groups is not None:
                yield Contradiction(
                    (f"{part}.{index}.groups",), f"has no effect in corpus.{part}, only in corpus.test; remove it"
                )


def _held_out_split(corpus: Corpus) -> Iterator[Contradiction]:
    for part in ("validation", "test"):
        for index, text in enumerate(getattr(corpus, part)):
            if text.hub is not None and "split" not in text.model_fields_set:
                yield Contradiction(
                    (f"{part}.{index}.hub",),
                    f"give split too, such as split: {part}, since the default, train, is the text to train on",
                )


def _test_names_differ(corpus: Corpus) -> Iterator[Contradiction]:
    names: set[str] = set()
    for index, text in enumerate(corpus.test):
        if text.name is not None and text.name in names:
            yield Contradiction(
                (f"test.{index}.name",), f"another test corpus is named {text.name} too; name them apart"
            )
        names.add(text.name or "")


class Corpus(Section):
    """The parallel text: what to train, validate and test on, and which pairs are left out."""

    rules: ClassVar[tuple[Rule, ...]] = (_two_languages, _groups_are_of_tests, _held_out_split, _test_names_differ)

    source_language: Language = Field(
        description="Code of the source language, such as `en`; also a file name's ending."
    )
    target_language: Language = Field(
        description="Code of the target language, such as `fr`; also a file name's ending."
    )
    train: tuple[TextSource, ...] = Field(
        min_length=1, strict=False, description="Corpora to train on, concatenated in this order."
    )
    validation: tuple[TextSource, ...] = Field(
        min_length=1, strict=False, description="Corpora to validate on during training."
    )
    test: tuple[TextSource, ...] = Field(
        default=(),
        strict=False,
        description="Corpora to evaluate on after training, each reported apart.",
        json_schema_extra=CHANGEABLE,
    )
    max_pieces: Positive = Field(
        default=200, description="Pairs with a side of more pieces are left out of training, and counted."
    )
    max_length_ratio: float = Field(
        default=9.0,
        ge=1.0,
        description="Pairs whose longer side has more than this many times the pieces of the other are left out, and "
        "counted.",
    )
    cache: Text = Field(
        default="data/cache",
        description="Folder for encoded corpora, keyed by content and tokenizer; may be deleted.",
        json_schema_extra=CHANGEABLE,
    )
