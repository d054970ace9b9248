"""Overrides of single keys on the command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seq2seq.recipe import recipe_from_text

Problems = Callable[..., list[str]]


def test_overrides_are_yaml_and_replace_what_was_there(minimal: str) -> None:
    text = minimal + "tokenizer: {sampling: {alpha: 0.3}}\nsearch: {beam: 2, batch_size: 3}\n"
    recipe = recipe_from_text(
        text,
        "r.yaml",
        [
            "training.optimizer.learning_rate=1e-4",
            "corpus.target_language=no",
            "corpus.train.0.prefix=C:\\data=x",
            "corpus.train.1={source: a, target: b}",
            "corpus.test.0.prefix=t",
            "evaluation.metrics=[ter, bleu]",
            "evaluation.metrics.1=chrf",
            "tokenizer.sampling=null",
            "search={beam: 9}",
            "training.epochs=1",
            " training.epochs =2",
        ],
    )
    assert recipe.training.optimizer.learning_rate == 0.0001
    assert recipe.corpus.target_language == "no"
    assert recipe.corpus.train[0].prefix == "C:\\data=x"
    assert (recipe.corpus.train[1].source, recipe.corpus.train[1].target) == ("a", "b")
    assert recipe.corpus.test[0].prefix == "t"
    assert recipe.evaluation.metrics == ("ter", "chrf")
    assert recipe.tokenizer.sampling is None
    assert (recipe.search.beam, recipe.search.batch_size) == (9, 64)
    assert recipe.training.epochs == 2


def test_null_gives_a_key_back_to_its_default(minimal: str) -> None:
    text = minimal + "model: {encoder: {layers: 3, cell: gru}, bridge: mean-pooled}\n"
    recipe = recipe_from_text(text, "r.yaml", ["model.encoder.layers=null", "model.bridge=", "training.max_updates=~"])
    assert (recipe.model.encoder.layers, recipe.model.encoder.cell, recipe.model.bridge) == (1, "gru", "learned")
    assert recipe_from_text(text, "r.yaml", ["model=null"]) == recipe_from_text(minimal, "r.yaml")


def test_an_override_changes_one_use_of_an_alias_only(minimal: str) -> None:
    text = minimal + "model: {encoder: &same {layers: 2, hidden_size: 8}, decoder: *same}\n"
    recipe = recipe_from_text(text, "r.yaml", ["model.decoder.layers=3"])
    assert (recipe.model.encoder.layers, recipe.model.decoder.layers) == (2, 3)


def test_a_variable_that_is_overridden_need_not_be_set(
    problems: Problems, minimal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNSET", raising=False)
    text = minimal.replace("data/train", "${UNSET}/train")
    assert len(problems(text, whole=True)) == 1
    assert problems(text, "corpus.train.0.prefix=here/train", whole=True) == []


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs", "training.epochs: an override looks like training.epochs=3"),
        ("", ": an override looks like training.epochs=3"),
        ("=3", "=3: an override looks like training.epochs=3"),
        ("training..epochs=3", "training..epochs=3: an override looks like training.epochs=3"),
        ("model.encoder.cel=gru", "model.encoder.cel: unknown key; did you mean model.encoder.cell?"),
        ("model.encoder.cel=null", "model.encoder.cel: unknown key; did you mean model.encoder.cell?"),
        ("epochs=3", "epochs: unknown key; did you mean training.epochs?"),
        ("corpus.train.0.prefx=a", "corpus.train.0.prefx: unknown key; did you mean corpus.train.0.prefix?"),
        ("corpus.train.2.prefix=a", "corpus.train.2.prefix: there is no item 2: the list has 1, counted from 0; "
         "1 adds one"),
        ("corpus.train.prefix=a", "corpus.train.prefix: `prefix` is no item of a list of 1; count its items from 0, "
         "as in corpus.train.0.prefix"),
        ("run.name.first=a", "run.name.first: `first` is below a single value, which has no keys"),
        ("training.epochs.first=a", "training.epochs: needs an integer of 1 or more, but is a mapping of first"),
        ("training.epochs.0=a", "training.epochs: needs an integer of 1 or more, but is the list ['a']"),
        ("training.epochs=three", "training.epochs: needs an integer of 1 or more, but is the text 'three'"),
        ("run.name=@a", "run.name: `@a` is not valid YAML: while scanning for the next token, found character '@' that "
         "cannot start any token; quote it, as in run.name='\"...\"'"),
        ("training={epochs: 1, epochs: 2}", "training.epochs: given twice; remove one"),
        ("run=null", "run: is missing; add this section, with at least name"),
        ("run.name=null", "run.name: is missing; it has no default: Name of the run, and of its folder."),
    ],
)  # fmt: skip
def test_overrides_that_cannot_be(problems: Problems, override: str, message: str) -> None:
    (found,) = problems("", override)
    assert found.removeprefix("override, ") == message or found == f"line 8, {message}"


def test_an_override_does_not_hide_a_section_that_is_wrong_in_the_file(problems: Problems) -> None:
    found = problems("model: lstm\n", "model.encoder.layers=2")
    assert found == [
        "line 10, model: needs a mapping of keys (encoder, attention, decoder, bridge, ...), but is the text 'lstm'",
        "override, model.encoder.layers: `encoder` is below a single value, which has no keys",
    ]
