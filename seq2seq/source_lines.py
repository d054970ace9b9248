"""Source lines on their way into a model: in parts that are short enough, in batches of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from seq2seq.demands import NO_DEMANDS, Demands, Source, encode_demands
from seq2seq.errors import UsageError
from seq2seq.text.markup import Markup, take_out
from seq2seq.text.sentences import Part, split_line, split_sentences
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation_options import TranslationOptions, kind_of


@dataclass(frozen=True)
class Sentence:
    """Text that is short enough to be translated at once, the ids of its pieces, and what its translation must be.

    `place` says which it is of the whole input: the number of the line and of the part of it.
    """

    text: str
    ids: list[int]
    place: tuple[int, int] = (1, 0)
    demands: Demands = NO_DEMANDS


@dataclass(frozen=True)
class SourceLine:
    """A line and the parts that it is translated in, most often one: itself; a sentence for each part.

    Where tags are carried over, `text` is the line without them and `markup` what they were.
    """

    text: str
    parts: list[Part]
    sentences: list[Sentence]
    markup: Markup | None = None


def prepare_lines(
    lines: Sequence[str | Source],
    *,
    tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    options: TranslationOptions,
    first: int,
) -> list[SourceLine]:
    """Encode lines, or their sentences one by one, and split or truncate what is too long.

    Args:
        lines: the lines.
        tokenizer: of the source language.
        target_tokenizer: of the target language, for what is asked of translations.
        options: `split_sentences`, `long_input`, `max_input_pieces` and `carry_over` count.
        first: number of the first line.

    Raises:
        UsageError: a line is no text, or is too long and `long_input` is error, or a phrase must be in its translation.
    """
    for number, line in enumerate(lines, start=first):
        if not isinstance(line, (str, Source)):
            raise UsageError(f"line {number} is {kind_of(line)}, but a line must be text")
    sources = [line if isinstance(line, Source) else Source(text=line) for line in lines]
    markups: list[Markup | None] = [None] * len(sources)
    if "tags" in options.carry_over:
        markups = [take_out(source.text) for source in sources]
        sources = [
            replace(source, text=markup.plain) for source, markup in zip(sources, markups, strict=True) if markup
        ]
    wholes = [split_sentences(each.text) if options.split_sentences else [Part(each.text, "")] for each in sources]
    encoded = iter(tokenizer.encode([part.text for parts in wholes for part in parts]))
    demands = encode_demands(sources, tokenizer=target_tokenizer, first=first)
    prepared = []
    for number, (source, whole, asked) in enumerate(zip(sources, wholes, demands, strict=True), start=first):
        where = f"line {number} has" if len(whole) == 1 else f"line {number} has a sentence of"
        short = [
            each
            for part in whole
            for each in _short_parts(part, next(encoded), tokenizer=tokenizer, options=options, where=where)
        ]
        _check_include(source, parts=len(short), number=number)
        prepared.append(SourceLine(source.text, [part for part, _ in short], _sentences(short, asked, number)))
    return [replace(line, markup=markup) for line, markup in zip(prepared, markups, strict=True)]


def _check_include(source: Source, *, parts: int, number: int) -> None:
    if source.include and parts > 1:
        raise UsageError(
            f"line {number} is translated in {parts} parts, and nobody knows in which of them the phrases belong that "
            "its translation must include; split the line, or raise max_input_pieces"
        )


def _sentences(parts: Sequence[tuple[Part, list[int]]], demands: Demands, number: int) -> list[Sentence]:
    """The parts of a line with their pieces as sentences; the first that has any begins the translation."""
    beginning = next((place for place, (_, ids) in enumerate(parts) if ids), 0)
    return [
        Sentence(part.text, ids, (number, place), demands if place == beginning else demands.of_later_part())
        for place, (part, ids) in enumerate(parts)
    ]


def _short_parts(
    part: Part, ids: list[int], *, tokenizer: Tokenizer, options: TranslationOptions, where: str
) -> list[tuple[Part, list[int]]]:
    """A part of a line as it is, or where it is too long its own parts, or the first of them; with their pieces."""
    limit = options.max_input_pieces
    if len(ids) <= limit:
        return [(part, ids)]
    if options.long_input == "error":
        raise UsageError(
            f"{where} {len(ids)} pieces, but the model reads at most {limit} at once; shorten it, raise "
            "max_input_pieces, or choose split or truncate for long input"
        )
    parts = split_line(part.text, count=lambda texts: [len(ids) for ids in tokenizer.encode(texts)], limit=limit)
    if options.long_input == "truncate":
        parts = parts[:1]
    parts[-1] = Part(parts[-1].text, part.separator)
    encoded = tokenizer.encode([each.text for each in parts])
    return list(zip(parts, encoded, strict=True))


def batches_by_length(lengths: Sequence[int], *, batch_size: int, max_tokens: int | None) -> Iterator[list[int]]:
    """Indices of sentences to be translated together, the longest first: it shows at once whether memory suffices.

    A batch has at most `batch_size` sentences and, padding and ends counted, at most `max_tokens` pieces unless it is a
    single sentence. Sentences of length 0 are left out.
    """
    batch: list[int] = []
    width = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if lengths[index] == 0:
            break
        too_many = max_tokens is not None and (len(batch) + 1) * width > max_tokens
        if batch and (too_many or len(batch) == batch_size):
            yield batch
            batch = []
        if not batch:
            width = lengths[index] + 1
        batch.append(index)
    if batch:
        yield batch
