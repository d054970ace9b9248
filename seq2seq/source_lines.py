"""Source lines on their way into a model: in parts that are short enough, in batches of like length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seq2seq.errors import UsageError
from seq2seq.text.sentences import Part, split_line, split_sentences
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation import TranslationOptions, kind_of


@dataclass(frozen=True)
class Sentence:
    """Text that is short enough to be translated at once, and the ids of its pieces."""

    text: str
    ids: list[int]


@dataclass(frozen=True)
class SourceLine:
    """A line and the parts that it is translated in, most often one: itself; a sentence for each part."""

    text: str
    parts: list[Part]
    sentences: list[Sentence]


def prepare_lines(
    texts: Sequence[str], *, tokenizer: Tokenizer, options: TranslationOptions, first: int
) -> list[SourceLine]:
    """Encode lines, or their sentences one by one, and split or truncate what is too long.

    Args:
        texts: the lines.
        tokenizer: of the source language.
        options: `split_sentences`, `long_input` and `max_input_pieces` count.
        first: number of the first line, for errors.

    Raises:
        UsageError: a line is no text, or is too long and `long_input` is error.
    """
    for number, text in enumerate(texts, start=first):
        if not isinstance(text, str):
            raise UsageError(f"line {number} is {kind_of(text)}, but a line must be text")
    wholes = [split_sentences(text) if options.split_sentences else [Part(text, "")] for text in texts]
    encoded = iter(tokenizer.encode([part.text for parts in wholes for part in parts]))
    lines = []
    for number, (text, whole) in enumerate(zip(texts, wholes, strict=True), start=first):
        where = f"line {number} has" if len(whole) == 1 else f"line {number} has a sentence of"
        short = [
            each
            for part in whole
            for each in _short_parts(part, next(encoded), tokenizer=tokenizer, options=options, where=where)
        ]
        lines.append(SourceLine(text, [part for part, _ in short], [sentence for _, sentence in short]))
    return lines


def _short_parts(
    part: Part, ids: list[int], *, tokenizer: Tokenizer, options: TranslationOptions, where: str
) -> list[tuple[Part, Sentence]]:
    """A part of a line as it is, or where it is too long its own parts, or the first of them."""
    limit = options.max_input_pieces
    if len(ids) <= limit:
        return [(part, Sentence(part.text, ids))]
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
    return [(each, Sentence(each.text, ids)) for each, ids in zip(parts, encoded, strict=True)]


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
