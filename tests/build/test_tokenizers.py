"""From recipe to tokenizers and text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seq2seq.build import build_tokenizers, parallel_text
from seq2seq.recipe import Recipe, TextSource
from seq2seq.text.tokenizer import Tokenizer

ENGLISH = ["The old cat sees the dog.", "A dog runs home.", "We see the old house.", "You buy bread and milk."] * 3
FRENCH = ["Le vieux chat voit le chien.", "Un chien court.", "Nous voyons la maison.", "Tu achètes du pain."] * 3


def recipe(folder: Path, **tokenizer: Any) -> Recipe:
    (folder / "train.en").write_text("\n".join(ENGLISH) + "\n", "utf-8")
    (folder / "train.fr").write_text("\n".join(FRENCH) + "\n", "utf-8")
    source = {"prefix": str(folder / "train")}
    return Recipe.model_validate(
        {
            "corpus": {"source_language": "en", "target_language": "fr", "train": [source], "validation": [source]},
            "tokenizer": tokenizer,
            "run": {"name": "test"},
        }
    )


def test_a_joint_tokenizer_is_trained_from_both_languages(tmp_path: Path) -> None:
    source, target = build_tokenizers(recipe(tmp_path, vocabulary_size=60, algorithm="bpe"))
    assert source is target
    assert source.vocabulary_size == 60
    both = [line for pair in zip(ENGLISH, FRENCH, strict=True) for line in pair]
    assert source.unk_id not in [number for ids in source.encode(both) for number in ids]


def test_separate_tokenizers_see_their_own_language(tmp_path: Path) -> None:
    source, target = build_tokenizers(recipe(tmp_path, vocabulary_size=45, algorithm="bpe", joint=False))
    assert source.fingerprint != target.fingerprint
    assert target.unk_id not in target.encode_one(FRENCH[3])
    assert source.unk_id in source.encode_one("è")  # there is none in the English text
    assert source.unk_id not in source.encode_one(ENGLISH[0])


def test_given_tokenizers_are_loaded(tmp_path: Path) -> None:
    for name, text in (("en", ENGLISH), ("fr", FRENCH)):
        Tokenizer.train(text, algorithm="char", vocabulary_size=60).save(tmp_path / f"{name}.model")
    given = {"source_model": str(tmp_path / "en.model")}
    source, target = build_tokenizers(recipe(tmp_path, **given))
    assert source is target
    assert source.to_bytes() == (tmp_path / "en.model").read_bytes()
    both = build_tokenizers(recipe(tmp_path, joint=False, target_model=str(tmp_path / "fr.model"), **given))
    assert [one.to_bytes() for one in both] == [(tmp_path / f"{name}.model").read_bytes() for name in ("en", "fr")]


def test_the_text_of_a_recipe_keeps_every_key(tmp_path: Path) -> None:
    corpus = recipe(tmp_path).corpus
    text = parallel_text(corpus.train[0], corpus)
    assert (text.source_language, text.target_language) == ("en", "fr")
    for key in TextSource.model_fields:
        assert getattr(text, key) == getattr(corpus.train[0], key)
