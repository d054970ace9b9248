"""Everything wrong with a recipe, at once: where it is, what it is, what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seq2seq.errors import RecipeError
from seq2seq.recipe import recipe_from_text

Problems = Callable[..., list[str]]


def test_one_problem_is_one_sentence(minimal: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipe_from_text(minimal + "model:\n  encoder:\n    cel: gru\n", "recipes/x.yaml")
    assert str(caught.value) == (
        "recipes/x.yaml, line 12, model.encoder.cel: unknown key; did you mean model.encoder.cell?"
    )


def test_all_problems_at_once_in_the_order_of_the_file(minimal: str) -> None:
    text = (
        "corpus:\n"
        "  source_language: en\n"
        "  train:\n"
        "    - prefix: a\n"
        "      file: b\n"
        "    - data/x\n"
        "model:\n"
        "  encoder: {cel: gru}\n"
        "  attention: {type: none}\n"
        "  tying: all\n"
        "training:\n"
        "  epochs: 3.0\n"
        "  epochs: 4\n"
        "tokenizer: {joint: false}\n"
    )
    with pytest.raises(RecipeError) as caught:
        recipe_from_text(text, "recipes/x.yaml", ["serch.beam=3"])
    assert str(caught.value) == (
        "recipes/x.yaml: 11 problems\n"
        "  line 1, corpus.target_language: is missing; it has no default: "
        "Code of the target language, such as `fr`; also a file name's ending.\n"
        "  line 1, corpus.validation: is missing; it has no default: Corpora to validate on during training.\n"
        "  line 5, corpus.train.0.file: a corpus needs exactly one of prefix, source with target, file, hub, "
        "but has prefix and file\n"
        "  line 6, corpus.train.1: needs a mapping of keys (name, prefix, source, target, ...), but is "
        "the text 'data/x'\n"
        "  line 8, model.encoder.cel: unknown key; did you mean model.encoder.cell?\n"
        "  line 9, model.attention.type: none contradicts attention.context output; set attention.context: none\n"
        "  line 10, model.tying: all needs one vocabulary for both languages, but tokenizer.joint is false; "
        "set it true, or use decoder\n"
        "  line 12, training.epochs: needs an integer of 1 or more, but is 3.0; write 3\n"
        "  line 13, training.epochs: given twice, first in line 12; remove one\n"
        "  override, serch: unknown key; did you mean search?\n"
        "  run: is missing; add this section, with at least name"
    )


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("serch: {}", "did you mean search?"),
        ("model: {encoder: {cel: gru}}", "did you mean model.encoder.cell?"),
        ("model: {encoder: {hidden-size: 3}}", "did you mean model.encoder.hidden_size?"),
        ("model: {encoder: {Layers: 3}}", "did you mean model.encoder.layers?"),
        # Right name, wrong section: the nearest places that have it.
        ("model: {heads: 3}", "did you mean model.attention.heads?"),
        ("training: {learning_rate: 1}", "did you mean training.optimizer.learning_rate?"),
        ("beam: 3", "did you mean training.validation.beam or search.beam?"),
        ("encoder: {}", "did you mean model.encoder?"),
        ("model: {layers: 3}", "did you mean model.encoder.layers or model.decoder.layers?"),
        ("training: {batch_size: 3}", "did you mean training.batch or search.batch_size?"),
        ("training: {batch_tokens: 512}", "did you mean training.batch?"),
        ("training: {max_tokens: 512}", "did you mean training.batch?"),
        # What other toolkits call it.
        ("training: {optimizer: {lr: 1}}", "did you mean training.optimizer.learning_rate?"),
        ("model: {encoder: {rnn_size: 1}}", "did you mean model.encoder.hidden_size?"),
        ("search: {beam_size: 1}", "did you mean search.beam?"),
        ("tokenizer: {vocab_size: 1}", "did you mean tokenizer.vocabulary_size?"),
        # Misspelt, and in the wrong section.
        ("model: {learning_rat: 1}", "did you mean training.optimizer.learning_rate?"),
        ("tokenizer: {sampling: {zzz: 1}}", "here can be alpha, nbest_size or sides"),
        ("1: 2", "here can be corpus, tokenizer, model, training, search, evaluation or run"),
        ("true: 2", None),
        ("no: 2", None),
    ],
)
def test_an_unknown_key_gets_the_nearest_valid_one(problems: Problems, text: str, suggestion: str | None) -> None:
    (found,) = problems(text)
    assert "unknown key; " in found
    assert suggestion is None or found.endswith(f": unknown key; {suggestion}")


def test_an_unknown_key_in_a_list_item(problems: Problems, minimal: str) -> None:
    found = problems(minimal.replace("prefix: data/valid", "prefix: b\n      hubb: c"), whole=True)
    assert found == ["line 8, corpus.validation.0.hubb: unknown key; did you mean corpus.validation.0.hub?"]


INTEGER = "an integer of 1 or more"
SHARE = "a number from 0 to below 1"
BETAS = f"a list of 2, each {SHARE}"
METRICS = "a list of one or more, each bleu, chrf or ter"
PRECISION = "auto, fp32, bf16 or fp16"
MODEL = "a mapping of keys (encoder, attention, decoder, bridge, ...)"
ENCODER = "a mapping of keys (cell, layers, hidden_size, embedding_size, ...)"
SAMPLING = "a mapping of keys (alpha, nbest_size, sides)"
FILE_NAME = "a file name: a letter or digit, then letters, digits or . _ -"
CODE = "a language code: a letter, then letters, digits or @ . _ -"


@pytest.mark.parametrize(
    ("path", "written", "needs", "found"),
    [
        ("training.epochs", "'3'", INTEGER, "the text '3'; take the quotes away"),
        ("training.epochs", "true", INTEGER, "true"),
        ("training.epochs", "0", INTEGER, "0"),
        ("training.epochs", "1e1", INTEGER, "10.0; write 10"),
        ("training.epochs", "1.5", INTEGER, "1.5"),
        ("training.epochs", "", INTEGER, "empty"),
        ("training.epochs", "[3]", INTEGER, "the list [3]"),
        ("training.epochs", "{a: 3}", INTEGER, "a mapping of a"),
        ("training.max_updates", "x", f"{INTEGER} or null", "the text 'x'"),
        ("training.label_smoothing", "1", SHARE, "1"),
        ("training.label_smoothing", "true", SHARE, "true"),
        ("training.optimizer.learning_rate", ".inf", "a number above 0", "inf"),
        ("training.optimizer.betas", "[0.9]", BETAS, "the list [0.9]"),
        ("training.optimizer.betas", "[0.9, 1]", BETAS, "the list [0.9, 1]"),
        ("training.optimizer.betas", "0.9", BETAS, "0.9"),
        ("training.precision", "FP16", PRECISION, "the text 'FP16'; did you mean fp16?"),
        ("training.precision", "16", PRECISION, "16"),
        ("model.encoder.reverse_source", "'true'", "true or false", "the text 'true'; take the quotes away"),
        ("model.encoder.reverse_source", "yes", "true or false", "the text 'yes'; write true"),
        ("model.encoder.reverse_source", "Off", "true or false", "the text 'Off'; write false"),
        ("model.encoder.reverse_source", "1", "true or false", "1"),
        ("model.encoder", "lstm", ENCODER, "the text 'lstm'"),
        ("model", "[encoder]", MODEL, "the list ['encoder']"),
        ("tokenizer.sampling", "true", SAMPLING, "true"),
        ("tokenizer.source_model", "3", "text or null", "3; put it in quotes"),
        ("tokenizer.source_model", "''", "text or null", "empty text"),
        ("evaluation.metrics", "bleu", METRICS, "the text 'bleu'; write [bleu]"),
        ("evaluation.metrics", "[]", METRICS, "an empty list"),
        ("evaluation.metrics", "[bleu, meteor]", METRICS, "the list ['bleu', 'meteor']"),
        ("evaluation.metrics", "[[bleu], {}]", METRICS, "a list of 2"),
        ("run.seed", "-1", "an integer from 0 to 4294967295", "-1"),
    ],
)
def test_values_are_strict(problems: Problems, path: str, written: str, needs: str, found: str) -> None:
    assert problems("", f"{path}={written or '!!null'}") == (
        [] if not written else [f"override, {path}: needs {needs}, but is {found}"]
    )
    if path.startswith("run"):
        return
    *sections, key = path.split(".")
    text = f"{key}: {written}"
    for section in reversed(sections):
        text = f"{section}: {{{text}}}"
    assert problems(text) == [f"line 10, {path}: needs {needs}, but is {found}"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("small", "../up", f"line 9, run.name: needs {FILE_NAME}, but is the text '../up'"),
        ("small", '"small\\n"', f"line 9, run.name: needs {FILE_NAME}, but is the text 'small\\n'"),
        ("small", "2024", f"line 9, run.name: needs {FILE_NAME}, but is 2024; put it in quotes"),
        (
            "name: small",
            "device: cpu",
            "line 8, run.name: is missing; it has no default: Name of the run, and of its folder.",
        ),
        ("fr", "true", f"line 3, corpus.target_language: needs {CODE}, but is true; put it in quotes"),
        ("fr", "a/b", f"line 3, corpus.target_language: needs {CODE}, but is the text 'a/b'"),
        (
            "\n    - prefix: data/train",
            " data/train",
            "line 4, corpus.train: needs a list of mappings, each beginning with a dash, but is the text 'data/train'",
        ),
        (
            "\n    - prefix: data/train",
            " []",
            "line 4, corpus.train: needs a list of one or more mappings, but is an empty list",
        ),
        (
            "- prefix: data/train",
            "prefix: data/train",
            "line 4, corpus.train: needs a list of mappings, each beginning with a dash, but is a mapping of prefix",
        ),
    ],
)
def test_required_keys(problems: Problems, minimal: str, old: str, new: str, message: str) -> None:
    assert problems(minimal.replace(old, new), whole=True) == [message]


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:12"])
def test_devices(problems: Problems, device: str) -> None:
    assert problems("", f"run.device={device}") == []
    (found,) = problems("", f"run.device={device}:x")
    assert found == f"override, run.device: needs auto, cpu, cuda or cuda:N, but is the text '{device}:x'"


def test_an_integer_is_a_number(minimal: str) -> None:
    recipe = recipe_from_text(minimal + "training: {optimizer: {learning_rate: 1, betas: [0, 0.5]}}", "r.yaml")
    assert recipe.training.optimizer.learning_rate == 1.0
    assert recipe.training.optimizer.betas == (0.0, 0.5)


def test_messages_stay_short_and_in_one_line(problems: Problems) -> None:
    long = "x" * 5000
    for text in (f"{long}: 1", f"search: {{beam: {long}}}", f'"a\\n\\e[31m{long}": 1', f"search: {{{long}: 1}}"):
        (found,) = problems(text)
        assert len(found) < 400
        assert found.isprintable()
