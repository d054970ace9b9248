"""What is translated: lines of text, or ids that mean nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Protocol, final

from seq2seq.build import parallel_text
from seq2seq.errors import CorpusError
from seq2seq.recipe import Recipe
from seq2seq.source_lines import Sentence, SourceLine, prepare_lines
from seq2seq.text.corpus import read_pairs
from seq2seq.text.lines import check_file, read_lines
from seq2seq.text.sentences import Part
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation_options import TranslationOptions


class Material(Protocol):
    """Lines, and how they become ids."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    def __len__(self) -> int:
        """Number of lines."""
        ...

    def prepare(self, places: range, *, options: TranslationOptions) -> list[SourceLine]:
        """The lines at `places`, encoded."""
        ...


@final
class Text:
    """Lines of text, which are tokenized whenever they are asked for."""

    def __init__(self, name: str, lines: Sequence[str], *, tokenizer: Tokenizer) -> None:
        self.name = name
        self._lines = lines
        self._tokenizer = tokenizer

    def __len__(self) -> int:
        return len(self._lines)

    def prepare(self, places: range, *, options: TranslationOptions) -> list[SourceLine]:
        """The lines at `places`, tokenized."""
        lines = [self._lines[place] for place in places]
        return prepare_lines(
            lines,
            tokenizer=self._tokenizer,
            target_tokenizer=self._tokenizer,  # for what lines ask of translations: these ask nothing
            options=options,
            first=places.start + 1,
        )


@final
class SyntheticIds:
    """Sentences of given numbers of pieces, drawn from the vocabulary: a speed without a corpus.

    Every piece but the special ones is as likely as any other, and the draw is always the same. A member of an ensemble
    that reads other pieces reads those of the text that these spell.
    """

    def __init__(self, lengths: Sequence[int], *, sentences: int, tokenizer: Tokenizer) -> None:
        """`sentences` sentences; their lengths are `lengths`, over and over."""
        self.name = f"synthetic sentences of {', '.join(map(str, lengths))} pieces"
        special = {tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.unk_id}
        ordinary = [number for number in range(tokenizer.vocabulary_size) if number not in special]
        draw = random.Random(1)
        drawn = [draw.choices(ordinary, k=lengths[number % len(lengths)]) for number in range(sentences)]
        self._lines = [
            SourceLine(text, [Part(text, "")], [Sentence(text, ids)])
            for text, ids in zip(tokenizer.decode(drawn), drawn, strict=True)
        ]

    def __len__(self) -> int:
        return len(self._lines)

    def prepare(self, places: range, *, options: TranslationOptions) -> list[SourceLine]:
        """The sentences at `places`, as they were drawn."""
        return [self._lines[place] for place in places]


def text_of_file(path: Path, *, sentences: int, tokenizer: Tokenizer) -> Text:
    """The first lines of a file that are not blank. Raises CorpusError without any, or if it cannot be read."""
    check_file(path, what="the input file")
    return _text(str(path), read_lines(path), sentences=sentences, tokenizer=tokenizer)


def text_of_recipe(recipe: Recipe, *, sentences: int, tokenizer: Tokenizer) -> Text:
    """The first sentences of a recipe's test sets, or of its validation text where it has no test set.

    Raises:
        CorpusError: the text cannot be read, or has no sentence.
    """
    texts = [parallel_text(entry, recipe.corpus) for entry in recipe.corpus.test or recipe.corpus.validation]
    lines = chain.from_iterable((pair.source for pair in read_pairs(text)) for text in texts)
    name = ", ".join(text.title for text in texts)
    try:
        return _text(name, lines, sentences=sentences, tokenizer=tokenizer)
    except CorpusError as error:
        advice = "name another text with --input, or measure without one with --synthetic"
        raise CorpusError(f"the text of the recipe cannot be used: {error}; {advice}") from None


def _text(name: str, lines: Iterator[str], *, sentences: int, tokenizer: Tokenizer) -> Text:
    found = list(islice((line for line in lines if tokenizer.encode_one(line)), sentences))
    if not found:
        raise CorpusError(f"{name} has nothing to translate")
    return Text(name, found, tokenizer=tokenizer)
