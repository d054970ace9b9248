"""What differs between two recipes, and whether a run may be continued with it."""

from __future__ import annotations

import pytest

from seq2seq.recipe import Difference, Sampling, differences, recipe_from_text


def compare(minimal: str, *overrides: str) -> list[Difference]:
    return differences(recipe_from_text(minimal, "old"), recipe_from_text(minimal, "new", overrides))


def test_equal_recipes_do_not_differ(minimal: str) -> None:
    assert compare(minimal) == []
    assert compare(minimal, "training.epochs=20") == []


def test_differences_leaf_by_leaf_in_the_order_of_the_schema(minimal: str) -> None:
    found = compare(
        minimal,
        "run.seed=2",
        "search.beam=2",
        "training.epochs=3",
        "training.optimizer.learning_rate=0.5",
        "model.encoder.layers=2",
        "corpus.train.0.prefix=x",
        "evaluation.metrics=[bleu]",
    )
    assert found == [
        Difference("corpus.train.0.prefix", "data/train", "x", False),
        Difference("model.encoder.layers", 1, 2, False),
        Difference("training.epochs", 20, 3, True),
        Difference("training.optimizer.learning_rate", 0.001, 0.5, False),
        Difference("search.beam", 5, 2, True),
        Difference("evaluation.metrics", ("bleu", "chrf"), ("bleu",), True),
        Difference("run.seed", 1, 2, False),
    ]
    assert str(found[-2]) == "evaluation.metrics: [bleu, chrf] -> [bleu]"


def test_sections_that_only_one_recipe_has(minimal: str) -> None:
    (found,) = compare(minimal, "tokenizer.sampling.alpha=0.5")
    assert found == Difference("tokenizer.sampling", None, Sampling(alpha=0.5), False)
    assert str(found) == "tokenizer.sampling: null -> {alpha: 0.5, nbest_size: -1, sides: both}"
    (found,) = compare(minimal, "corpus.train.1.prefix=x")
    assert (found.path, found.changeable) == ("corpus.train", False)
    assert str(found) == (
        "corpus.train: [{prefix: data/train, split: train}] -> "
        "[{prefix: data/train, split: train}, {prefix: x, split: train}]"
    )


def test_everything_below_a_changeable_list_may_change(minimal: str) -> None:
    text = minimal + "  threads: 2\n"
    (found,) = differences(
        recipe_from_text(text, "old", ["corpus.test.0.prefix=a"]),
        recipe_from_text(text, "new", ["corpus.test.0.prefix=b"]),
    )
    assert found == Difference("corpus.test.0.prefix", "a", "b", True)


@pytest.mark.parametrize(
    ("override", "changeable"),
    [
        ("training.epochs=3", True),
        ("training.max_updates=3", True),
        ("training.validation.patience=3", True),
        ("training.checkpoint_minutes=3", True),
        ("corpus.cache=x", True),
        ("run.device=cpu", True),
        ("run.threads=1", True),
        ("search.long_input=error", True),
        ("evaluation.lowercase=true", True),
        ("evaluation.lowercase=both", True),
        ("training.validation.samples=0", True),
        ("training.validation.metric=loss", False),
        ("training.validation.every_updates=3", False),
        ("training.batch=3", False),
        ("training.precision=fp32", False),
        ("tokenizer.vocabulary_size=300", False),
        ("run.name=other", False),
    ],
)
def test_which_keys_may_change(minimal: str, override: str, changeable: bool) -> None:
    (found,) = compare(minimal, override)
    assert found.changeable is changeable
    assert found.path == override.partition("=")[0]
