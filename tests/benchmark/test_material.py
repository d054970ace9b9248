from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest

from seq2seq.benchmark.material import Material, SyntheticIds, text_of_file, text_of_recipe
from seq2seq.errors import CorpusError
from seq2seq.recipe import Recipe, recipe_from_text
from seq2seq.translation_options import TranslationOptions
from seq2seq.translator import Translator
from tests.conftest import RECIPE

OPTIONS = TranslationOptions()


def texts(material: Material) -> list[str]:
    return [line.text for line in material.prepare(range(len(material)), options=OPTIONS)]


def test_the_first_lines_that_are_not_blank(translator: Translator, tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(b"cat\n\n \ndog\nbread\nmilk\n"))
    text = text_of_file(path, sentences=3, tokenizer=translator.source_tokenizer)
    assert (text.name, len(text)) == (str(path), 3)
    assert texts(text) == ["cat", "dog", "bread"]
    [line] = text.prepare(range(1, 2), options=OPTIONS)
    assert line.sentences[0].ids == translator.source_tokenizer.encode_one("dog")
    path.write_text("\n \n")
    with pytest.raises(CorpusError, match=r"text\.gz has nothing to translate$"):
        text_of_file(path, sentences=3, tokenizer=translator.source_tokenizer)


def recipe_of(folder: Path, *overrides: str) -> Recipe:
    for name, text in (("train", "train"), ("valid", "valid\nvalid 2"), ("one", "one\none 2"), ("two", "two\ntwo 2")):
        for language in ("en", "fr"):
            (folder / f"{name}.{language}").write_text(text + "\n")
    paths = [f"corpus.train=[{{prefix: {folder}/train}}]", f"corpus.validation=[{{prefix: {folder}/valid}}]"]
    return recipe_from_text(RECIPE, "recipe", [*paths, *overrides])


def test_the_text_of_a_recipe_is_its_tests_or_else_its_validation(translator: Translator, tmp_path: Path) -> None:
    tokenizer = translator.source_tokenizer
    found = text_of_recipe(recipe_of(tmp_path), sentences=9, tokenizer=tokenizer)
    assert texts(found) == ["valid", "valid 2"]
    tests = f"corpus.test=[{{name: first, prefix: {tmp_path}/one}}, {{prefix: {tmp_path}/two}}]"
    found = text_of_recipe(recipe_of(tmp_path, tests), sentences=3, tokenizer=tokenizer)
    assert (found.name, texts(found)) == (f"first, {tmp_path}/two", ["one", "one 2", "two"])
    (tmp_path / "one.fr").unlink()
    recipe = recipe_from_text(RECIPE, "recipe", [tests])
    with pytest.raises(CorpusError) as caught:
        text_of_recipe(recipe, sentences=9, tokenizer=tokenizer)
    assert str(caught.value) == (
        f"the text of the recipe cannot be used: the corpus {tmp_path}/one has no file {tmp_path}/one.fr and no "
        f"{tmp_path}/one.fr.gz; name another text with --input, or measure without one with --synthetic"
    )


def test_synthetic_sentences_have_the_lengths_that_are_asked_for(translator: Translator) -> None:
    tokenizer = translator.source_tokenizer
    material = SyntheticIds([3, 20], sentences=2001, tokenizer=tokenizer)
    lines = material.prepare(range(2001), options=OPTIONS)
    assert [len(line.sentences[0].ids) for line in lines] == [3, 20] * 1000 + [3]
    counts = Counter(number for line in lines for number in line.sentences[0].ids)
    assert set(counts) == set(range(4, 340))  # all but padding, unknown, beginning and end
    assert max(counts.values()) < 2 * 23_003 / 336
    again = SyntheticIds([3, 20], sentences=2001, tokenizer=tokenizer).prepare(range(5, 7), options=OPTIONS)
    assert again == lines[5:7]
    assert lines[1].text == tokenizer.decode([lines[1].sentences[0].ids])[0] != ""
