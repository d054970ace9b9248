from __future__ import annotations

import random

import pytest

from seq2seq.errors import UsageError
from seq2seq.source_lines import batches_by_length, prepare_lines
from seq2seq.translation_options import TranslationOptions
from seq2seq.translator import Translator


def test_batches_are_the_longest_first_and_leave_out_what_is_empty() -> None:
    assert list(batches_by_length([3, 0, 9, 3, 5], batch_size=2, max_tokens=None)) == [[2, 4], [0, 3]]
    assert list(batches_by_length([0, 0], batch_size=2, max_tokens=None)) == []


def test_batches_keep_to_the_budget_with_padding_and_ends() -> None:
    # With its end the longest has 10 places, so two fit into 20 and 25; one of 30 is a batch of its own.
    assert list(batches_by_length([9, 1, 1], batch_size=9, max_tokens=25)) == [[0, 1], [2]]
    assert list(batches_by_length([9, 1, 1], batch_size=9, max_tokens=30)) == [[0, 1, 2]]
    assert list(batches_by_length([30, 1], batch_size=9, max_tokens=10)) == [[0], [1]]


@pytest.mark.parametrize("seed", range(5))
def test_every_sentence_is_in_one_batch_within_the_limits(seed: int) -> None:
    draw = random.Random(seed)
    lengths = [draw.randint(0, 30) for _ in range(200)]
    batches = list(batches_by_length(lengths, batch_size=7, max_tokens=90))
    assert sorted(index for batch in batches for index in batch) == [i for i, length in enumerate(lengths) if length]
    for batch in batches:
        assert len(batch) <= 7
        assert len(batch) * (max(lengths[index] for index in batch) + 1) <= 90


def test_the_parts_of_a_line_are_short_enough_and_make_the_line(translator: Translator) -> None:
    tokenizer = translator.source_tokenizer
    line = " I would like two tickets, please.  Where is it? " + "é" * 90
    short, long = prepare_lines(
        ["cat", line],
        tokenizer=tokenizer,
        target_tokenizer=tokenizer,
        options=TranslationOptions(max_input_pieces=20),
        first=1,
    )
    assert [part.text for part in short.parts] == ["cat"]
    assert "".join(part.text + part.separator for part in long.parts) == line
    assert len(long.parts) > 3
    for sentence, part in zip(long.sentences, long.parts, strict=True):
        assert sentence.text == part.text
        assert sentence.ids == tokenizer.encode_one(part.text)
        assert len(sentence.ids) <= 20


def test_errors_count_from_the_first_line(translator: Translator) -> None:
    options = TranslationOptions(max_input_pieces=5, long_input="error")
    with pytest.raises(UsageError, match=r"^line 12 has \d+ pieces, but the model reads at most 5 at once"):
        prepare_lines(
            ["a", "two tickets, please"],
            tokenizer=translator.source_tokenizer,
            target_tokenizer=translator.target_tokenizer,
            options=options,
            first=11,
        )


def test_sentences_are_encoded_one_by_one_and_split_further_where_too_long(translator: Translator) -> None:
    tokenizer = translator.source_tokenizer
    text = "Where is it?  I see Mr. Cat. " + "The " + "dog, the " * 20 + "milk.\tYes"
    options = TranslationOptions(split_sentences=True, max_input_pieces=40)
    [line, blank] = prepare_lines(
        [text, " "], tokenizer=tokenizer, target_tokenizer=tokenizer, options=options, first=1
    )
    found = [part.text for part in line.parts]
    assert found[:2] == ["Where is it?", "I see Mr. Cat."]
    assert (found[-1], line.parts[-2].separator) == ("Yes", "\t")
    assert len(found) > 4
    assert "".join(part.text + part.separator for part in line.parts) == text
    assert [sentence.text for sentence in line.sentences] == found
    assert [sentence.ids for sentence in line.sentences] == [tokenizer.encode_one(part) for part in found]
    assert max(len(sentence.ids) for sentence in line.sentences) <= 40
    assert [sentence.ids for sentence in blank.sentences] == [[]]


def test_a_sentence_that_is_too_long_is_truncated_by_itself_or_refused(translator: Translator) -> None:
    tokenizer = translator.source_tokenizer
    text = "Where is it? " + "The " + "dog, the " * 20 + "milk. Yes"
    options = TranslationOptions(split_sentences=True, max_input_pieces=30, long_input="truncate")
    [line] = prepare_lines([text], tokenizer=tokenizer, target_tokenizer=tokenizer, options=options, first=1)
    first, second, third = line.parts
    assert (first.text, third.text, second.separator) == ("Where is it?", "Yes", " ")
    assert second.text.startswith("The dog, the dog")
    assert len(line.sentences[1].ids) <= 30
    options = TranslationOptions(split_sentences=True, max_input_pieces=30, long_input="error")
    message = r"^line 5 has a sentence of \d+ pieces, but the model reads at most 30 at once; shorten it"
    with pytest.raises(UsageError, match=message):
        prepare_lines([text], tokenizer=tokenizer, target_tokenizer=tokenizer, options=options, first=5)
