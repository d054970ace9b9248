"""A dumped recipe is complete, in order, and loads back as the same recipe."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from seq2seq.errors import RecipeError
from seq2seq.recipe import Recipe, dump_recipe, recipe_from_text
from seq2seq.recipe.description import fragment_of, keys_of
from seq2seq.recipe.document import parse_document
from seq2seq.recipe.section import Section

DUMPED_HEAD = """\
corpus:
  source_language: en
  target_language: 'no'
  train:
  - prefix: data/train
  validation:
  - hub: wmt
    split: valid
  test: []
  max_pieces: 200
"""


def test_a_dump_in_the_order_of_the_schema(minimal: str) -> None:
    text = minimal.replace("fr", "no").replace("prefix: data/valid", "{hub: wmt, split: valid}")
    recipe = recipe_from_text(text + "training: {optimizer: {betas: [0.5, 0.9]}}\n", "r.yaml")
    dumped = dump_recipe(recipe)
    assert dumped.startswith(DUMPED_HEAD)
    assert "    betas: [0.5, 0.9]\n" in dumped
    assert "  metrics: [bleu, chrf]\n" in dumped
    assert [line.rstrip(":") for line in dumped.splitlines() if line[:1].isalpha()] == list(Recipe.model_fields)


def test_a_dump_leaves_out_only_what_has_no_effect(minimal: str) -> None:
    recipe = recipe_from_text(minimal, "r.yaml")
    tree = yaml.safe_load(dump_recipe(recipe))

    def missing(section: Section, dumped: dict[str, Any], path: str) -> list[str]:
        absent: list[str] = []
        for name, value in section:
            if name not in dumped:
                absent.append(path + name)
            elif isinstance(value, Section):
                absent += missing(value, dumped[name], f"{path}{name}.")
        return absent

    assert missing(recipe, tree, "") == [
        "model.encoder.projection_size",
        "model.encoder.transitions",
        "model.encoder.layer_norm",
        "model.encoder.connection_from",
        "model.attention.size",
        "model.attention.heads",
        "model.attention.score",
        "model.attention.window",
        "model.attention.location_filters",
        "model.attention.location_width",
        "model.attention.fertility",
        "model.attention.reward_weight",
        "model.attention.entropy_weight",
        "model.decoder.projection_size",
        "model.decoder.transitions",
        "model.decoder.layer_norm",
        "model.decoder.connection_from",
        "model.initialization.scale",
        "training.optimizer.momentum",
        "training.optimizer.rho",
        "training.schedule.factor",
        "training.schedule.patience",
        "training.schedule.minimum_learning_rate",
        "training.schedule.step_after",
        "training.schedule.step_every",
    ]


def test_other_yaml_readers_read_the_same_texts(minimal: str) -> None:
    words = [
        "no",
        "1e-3",
        "1_0",
        "0x1F",
        "1:30",
        "null",
        "~",
        "true",
        "2024-01-01",
        "012",
        "<<",
        "=",
        "- a",
        "a: b",
        " a",
    ]
    recipe = recipe_from_text(minimal, "r.yaml", [f"corpus.train={[{'prefix': word} for word in words]}"])
    dumped = dump_recipe(recipe)
    assert [text["prefix"] for text in yaml.safe_load(dumped)["corpus"]["train"]] == words
    assert recipe_from_text(dumped, "r.yaml") == recipe


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12) | (
    st.sampled_from(
        ["${HOME}", "$${HOME}", "$$${", "${", "}", "$", "\n", " x ", "\t", "\x85", "\u2028", "\ufeff", "\x07"]
    )
)


@given(st.lists(texts, min_size=1, max_size=3))
@settings(max_examples=20, deadline=None, derandomize=True, database=None)
def test_any_text_survives(prefixes: list[str]) -> None:
    base = {"source_language": "en", "target_language": "fr", "validation": [{"prefix": "v"}]}
    corpus = {**base, "train": [{"prefix": prefix, "name": prefix} for prefix in prefixes]}
    recipe = Recipe.model_validate({"corpus": corpus, "run": {"name": "r"}})
    dumped = dump_recipe(recipe)
    assert recipe_from_text(dumped, "r.yaml") == recipe
    assert dump_recipe(recipe_from_text(dumped, "r.yaml")) == dumped


def values(fragment: dict[str, Any]) -> list[Any]:
    """Some good values of a key."""
    if "anyOf" in fragment:
        return [value for each in fragment["anyOf"] for value in values(each)]
    if "enum" in fragment:
        return list(fragment["enum"])
    if "pattern" in fragment:
        return ["cpu"]
    some: dict[str, list[Any]] = {
        "null": [None],
        "boolean": [True, False],
        "string": ["a b", "no", "1e3"],
        "integer": [2, 64, 512],
        "number": [0.95, 1e-7, 0.5],
        "array": [(0.5, 0.25)] if "prefixItems" in fragment else [("ter",), ("bleu", "ter")],
    }
    return some[fragment["type"]]


KEYS = [key for key in keys_of() if key.section is None and "<n>" not in key.path]


@given(st.lists(st.sampled_from(KEYS).flatmap(lambda key: st.tuples(
    st.just(key.path), st.sampled_from(values(fragment_of(key.owner, key.name))))), max_size=8))  # fmt: skip
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
def test_any_recipe_survives(chosen: list[tuple[str, Any]]) -> None:
    corpus = "corpus: {source_language: en, target_language: fr, train: [{prefix: t}], validation: [{prefix: v}]}"
    overrides = [f"{path}={json.dumps(value)}" for path, value in chosen]
    try:
        recipe = recipe_from_text(corpus, "r.yaml", ["run.name=r", *overrides])
    except RecipeError:
        assume(False)
    dumped = dump_recipe(recipe)
    assert recipe_from_text(dumped, "r.yaml") == recipe
    assert dump_recipe(recipe_from_text(dumped, "r.yaml")) == dumped
    assert parse_document(dumped)[1] == []
