"""Reading the file: its scalars, its variables, and files that are no recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seq2seq.errors import RecipeError
from seq2seq.recipe import load_recipe, recipe_from_text
from seq2seq.recipe.document import parse_document, scalar_of

Problems = Callable[..., list[str]]


def test_a_smallest_recipe_has_the_defaults_of_the_schema(tmp_path: Path, minimal: str) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(minimal, "utf-8")
    recipe = load_recipe(path)
    assert recipe.corpus.train[0].prefix == "data/train"
    assert recipe.model.encoder.cell == "lstm"
    assert recipe.training.optimizer.betas == (0.9, 0.999)
    assert load_recipe(str(path)) == recipe


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # The examples of the core schema in the specification of YAML 1.2.2, section 10.3.2, ...
        ("null", None), ("~", None), ("", None), ("true", True), ("True", True), ("false", False), ("FALSE", False),
        ("0", 0), ("0o7", 7), ("0x3A", 58), ("-19", -19), ("0.", 0.0), ("-0.0", -0.0), (".5", 0.5), ("+12e03", 12000.0),
        ("-2E+05", -200000.0), (".inf", float("inf")), ("-.Inf", float("-inf")),
        # ... numbers as the field writes them, and what PyYAML alone takes for something else.
        ("1e-3", 0.001), ("1e5", 100000.0), ("2_000_000", 2000000), ("1_000.5", 1000.5), ("012", 12),
        ("no", "no"), ("on", "on"), ("Off", "Off"), ("yes", "yes"), ("y", "y"), ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"), ("tRUE", "tRUE"),
        ("1__0", "1__0"), ("_1", "_1"), ("1_", "1_"), ("e5", "e5"), (".", "."),
        ("0b11", "0b11"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    tree, _ = parse_document(f"key: {text}")
    assert isinstance(tree.content, dict)
    for read in (tree.content["key"].content, scalar_of(text)):
        assert read == value
        assert type(read) is type(value)


def test_not_a_number_is_read_and_refused(problems: Problems) -> None:
    found = problems("search: {length_penalty: .nan}\n")
    assert found == ["line 10, search.length_penalty: needs a number of 0 or more, but is nan"]


@pytest.mark.parametrize("code", ["no", "on", "off", "yes", "y", "n"])
def test_language_codes_need_no_quotes(minimal: str, code: str) -> None:
    assert recipe_from_text(minimal.replace("fr", code), "r.yaml").corpus.target_language == code


def test_anchors_aliases_and_merges(minimal: str) -> None:
    text = minimal + (
        "model:\n"
        "  encoder: &stack {cell: gru, layers: 2, hidden_size: 64}\n"
        "  decoder:\n"
        "    <<: *stack\n"
        "    hidden_size: 32\n"
    )
    decoder = recipe_from_text(text, "r.yaml").model.decoder
    assert (decoder.cell, decoder.layers, decoder.hidden_size) == ("gru", 2, 32)


def test_an_earlier_merge_wins_and_a_key_of_its_own_wins_over_both(minimal: str) -> None:
    text = minimal + (
        "model:\n"
        "  encoder: &one {cell: gru, layers: 2}\n"
        "  decoder: {<<: [*one, {layers: 5, hidden_size: 7}], cell: lstm}\n"
    )
    decoder = recipe_from_text(text, "r.yaml").model.decoder
    assert (decoder.cell, decoder.layers, decoder.hidden_size) == ("lstm", 2, 7)


def test_a_section_without_content_has_its_defaults(minimal: str) -> None:
    assert recipe_from_text(minimal + "model:\n  encoder:\n", "r.yaml") == recipe_from_text(minimal, "r.yaml")


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path, minimal: str) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + minimal.replace("\n", "\r\n").encode())
    assert load_recipe(path) == recipe_from_text(minimal, "r.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": is empty; a recipe has the sections corpus, tokenizer, model, training, search, evaluation, run"),
        (
            b"# nothing\n",
            ": is empty; a recipe has the sections corpus, tokenizer, model, training, search, evaluation, run",
        ),
        (b"- a\n", ": is a list, but a recipe is a mapping with the sections corpus,"),
        (b"hello\n", ": is a single value, but a recipe is a mapping with the sections corpus,"),
        (b"run:\n  name: caf\xe9\n", ", line 2: is not UTF-8 (byte 0xe9, the 17th of the file); save it as UTF-8"),
        (b"run: {name: a\nmodel: {}\n", ", line 2, column 6: is not valid YAML: "),
        (b"run:\n\tname: a\n", ", line 2, column 1: is not valid YAML: "),
        (b"run: {name: ${A}}\n", ", line 1, column 14: is not valid YAML: "),
        (b"a: \x07\n", ", line 1, column 4: character U+0007 is not allowed"),
        (b'a: "\\0"\n', ", line 1: character U+0000 is not allowed"),
        (b'a: "\\ud800"\n', ", line 1: character U+D800 is not allowed"),
        (b"a: 1\n---\nb: 2\n", ", line 2, column 1: is not valid YAML: "),
        (b"a: *b\n", ", line 1, column 4: is not valid YAML: found undefined alias 'b'"),
        (b"\na: &a [*a]\n", ", line 2: a value contains itself through an alias"),
        (b"a: &a {<<: *a}\n", ", line 1: a value contains itself through an alias"),
        (b"<<: 3\n", ", line 1: << merges mappings, such as <<: *name; this is none"),
        (b"? [a]\n: b\n", ", line 1: a key must be a word, not a list or a mapping"),
        (b"a: !!python/name:os.system x\n", ", line 1: the tag !!python/name:os.system has no meaning in a recipe"),
        (b"a: !!int x\n", ", line 1: `x` is not what its tag !!int says"),
        (b"a: !!map x\n", ", line 1: "),
        (b"a: " + b"9" * 5000, ", line 1: the number is too long"),
        (b"a: 0x" + b"f" * 5000, ", line 1: the number is too long"),
        (b"[" * 2000, ": it is nested too deeply"),
    ],
)
def test_a_file_that_is_no_recipe_is_one_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert str(caught.value).startswith(f"{path}{message}")
    assert "\n" not in str(caught.value)


def test_aliases_cannot_unfold_without_end(tmp_path: Path) -> None:
    path = tmp_path / "laughs.yaml"
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    path.write_text("\n".join(levels), "utf-8")
    with pytest.raises(RecipeError, match="aliases make it too large"):
        load_recipe(path)


def test_a_missing_recipe_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "en-fr.yaml").touch()
    with pytest.raises(RecipeError, match=r"en-ft\.yaml: there is no such recipe; did you mean .*en-fr\.yaml\?$"):
        load_recipe(tmp_path / "en-ft.yaml")
    with pytest.raises(RecipeError, match=r"en-fr: there is no such recipe; did you mean .*en-fr\.yaml\?$"):
        load_recipe(tmp_path / "en-fr")
    with pytest.raises(RecipeError, match=r"nowhere/x\.yaml: there is no such recipe$"):
        load_recipe(tmp_path / "nowhere" / "x.yaml")
    with pytest.raises(RecipeError, match=r"is a folder; name the recipe in it$"):
        load_recipe(tmp_path)
    with pytest.raises(RecipeError, match="cannot be read: "):
        load_recipe(tmp_path / "en-fr.yaml" / "below-a-file.yaml")
    with pytest.raises(RecipeError, match="cannot be read: "):
        load_recipe(f"{tmp_path}/a\0b")


def test_environment_variables(minimal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "/corpora")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("UNSET", raising=False)

    def prefix(written: str) -> str | None:
        return recipe_from_text(minimal.replace("data/train", written), "r.yaml").corpus.train[0].prefix

    assert prefix("${HERE}/train") == "/corpora/train"
    assert prefix("'${HERE}/${HERE}'") == "/corpora//corpora"
    assert prefix("${UNSET:-data}/train") == "data/train"
    assert prefix("${UNSET:-}/train") == "/train"
    assert prefix("${EMPTY:-data}/train") == "data/train"
    assert prefix("${EMPTY}/train") == "/train"
    assert prefix("$${HERE}/$HERE") == "${HERE}/$HERE"


def test_a_variable_is_a_number_only_where_no_text_is_wanted(minimal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBER", "7")
    text = minimal.replace("small", "${NUMBER}") + "training: {epochs: 3}\nsearch:\n  beam: ${NUMBER}\n"
    recipe = recipe_from_text(text, "r.yaml")
    assert (recipe.run.name, recipe.search.beam) == ("7", 7)
    with pytest.raises(RecipeError, match=r"search\.beam: needs an integer of 1 or more, but is the text '7'"):
        recipe_from_text(text.replace("beam: ${NUMBER}", "beam: '${NUMBER}'"), "r.yaml")


def test_variables_that_cannot_be_put_in(problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSET", raising=False)
    found = problems(
        "evaluation:\n  metrics: [bleu]\ntokenizer:\n  source_model: ${UNSET}/a\nsearch:\n  long_input: ${1X}\n",
        "corpus.cache=${UNSET}",
        "run.directory=${UNSET",
    )
    unset = "the environment variable UNSET is not set; set it, or write ${UNSET:-default}"
    advice = "write ${NAME} or ${NAME:-default}, or $${ for the characters ${"
    assert found == [
        f"line 13, tokenizer.source_model: {unset}",
        f"line 15, search.long_input: `${{1X}}` is no variable; {advice}",
        f"override, corpus.cache: {unset}",
        f"override, run.directory: `${{UNSET` is no variable; {advice}",
    ]
