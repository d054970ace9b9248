"""Recipes stored by earlier releases: what their keys mean today, and that damage is reported as it always was."""

from __future__ import annotations

from pathlib import Path

import pytest

from seq2seq.errors import RecipeError
from seq2seq.recipe import Recipe, dump_recipe, load_recipe, load_stored_recipe, recipe_from_text

GOLDEN = Path(__file__).parents[1] / "golden" / "version-1" / "recipe.yaml"


def stored(path: Path, text: str) -> Recipe:
    path.write_text(text, "utf-8")
    return load_stored_recipe(path)


def failure(path: Path, text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        stored(path, text)
    return str(caught.value).replace(str(path), "STORED")


def test_the_recipe_of_the_golden_model() -> None:
    recipe = load_stored_recipe(GOLDEN)
    assert (recipe.model.encoder.directions, recipe.model.encoder.connection) == ("bidirectional", "plain")
    assert (recipe.model.decoder.connection, recipe.model.decoder.readout) == ("plain", "tanh")
    assert (recipe.model.encoder.hidden_size, recipe.model.decoder.output_dropout) == (24, 0.1)
    with pytest.raises(RecipeError, match=r"model\.encoder\.bidirectional: unknown key; did you mean model\.encoder"):
        load_recipe(GOLDEN)


@pytest.mark.parametrize(("bidirectional", "directions"), [("true", "bidirectional"), ("false", "forward")])
@pytest.mark.parametrize(("residual", "connection"), [("true", "residual"), ("false", "plain")])
def test_old_keys_and_new_make_the_same_recipe(
    bidirectional: str, directions: str, residual: str, connection: str, minimal: str, tmp_path: Path
) -> None:
    old = f"encoder: {{layers: 2, bidirectional: {bidirectional}, residual: {residual}}}"
    new = f"encoder: {{layers: 2, directions: {directions}, connection: {connection}}}"
    old += f", decoder: {{layers: 3, residual: {residual}}}"
    new += f", decoder: {{layers: 3, connection: {connection}}}"
    upgraded = stored(tmp_path / "recipe.yaml", f"{minimal}model: {{{old}}}\n")
    assert upgraded == recipe_from_text(f"{minimal}model: {{{new}}}\n", "r.yaml")
    assert upgraded.model.encoder.connection_from == 2  # as "from the second layer on" of format 1
    # Written again, it is a recipe of today.
    assert load_recipe(rewritten(tmp_path, upgraded)) == upgraded


@pytest.mark.parametrize("size", ["512", "1e3", "auto"])
def test_the_size_of_a_batch_under_its_old_name(size: str, minimal: str, tmp_path: Path) -> None:
    old = f"training: {{epochs: 3, batch_tokens: {size}, accumulation: 2}}\n"
    if size == "1e3":
        found = failure(tmp_path / "recipe.yaml", minimal + old)
        assert found.startswith("STORED, line 10, training.batch: needs an integer of 1 or more or auto, but is ")
        return
    upgraded = stored(tmp_path / "recipe.yaml", minimal + old)
    assert upgraded == recipe_from_text(minimal + old.replace("batch_tokens", "batch"), "r.yaml")
    assert upgraded.training.batch == (512 if size == "512" else "auto")
    with pytest.raises(
        RecipeError, match=r"line 10, training\.batch_tokens: unknown key; did you mean training\.batch\?"
    ):
        load_recipe(tmp_path / "recipe.yaml")


def test_a_batch_under_both_names(minimal: str, tmp_path: Path) -> None:
    found = failure(tmp_path / "recipe.yaml", f"{minimal}training: {{batch_tokens: 3, batch: 4}}\n")
    assert found == "STORED, line 10, training.batch_tokens: unknown key; did you mean training.batch?"


def rewritten(folder: Path, recipe: Recipe) -> Path:
    (folder / "again.yaml").write_text(dump_recipe(recipe), "utf-8")
    return folder / "again.yaml"


@pytest.mark.parametrize(
    "model",
    [
        "",
        "model: null\n",
        "model: {encoder: {layers: 2, connection: residual, directions: alternating}}\n",
        "model: {decoder: {cell: gru-deep-transition, transitions: 3}}\n",
    ],
)
def test_recipes_of_today_are_left_alone(model: str, minimal: str, tmp_path: Path) -> None:
    # Words that other readers of YAML take for a boolean, a time and a number.
    text = minimal.replace("fr", "no").replace("data/valid", "1:30").replace("small", "1e5_").replace("train\n", "on\n")
    recipe = stored(tmp_path / "recipe.yaml", text + model)
    assert recipe == recipe_from_text(text + model, "r.yaml")
    assert recipe.corpus.target_language == "no"


def test_texts_survive_beside_old_keys(minimal: str, tmp_path: Path) -> None:
    text = minimal.replace("fr", "no").replace("data/valid", "1:30").replace("small", "'012'")
    recipe = stored(tmp_path / "recipe.yaml", text + "model: {encoder: {bidirectional: false}}\n")
    assert (recipe.corpus.target_language, recipe.corpus.validation[0].prefix, recipe.run.name) == ("no", "1:30", "012")
    assert recipe.model.encoder.directions == "forward"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            "model: {encoder: {bidirectional: true, layers: 0}}\n",
            "STORED, line 10, model.encoder.layers: needs an integer of 1 or more, but is 0",
        ),
        (
            "model:\n\n  encoder:\n    bidirectional: true\n\n    layerz: 2\n",
            "STORED, line 15, model.encoder.layerz: unknown key; did you mean model.encoder.layers?",
        ),
        (
            "model: {encoder: {bidirectional: true, bidirectional: false}}\n",
            "STORED, line 10, model.encoder.bidirectional: given twice, first in line 10; remove one",
        ),
        (
            "model: {decoder: {residual: true}}\n",
            "STORED, line 10, model.decoder.connection: residual has no effect on one layer; use 2 layers or more, or "
            "plain",
        ),
        (
            "model: {decoder: {residual: 3}}\n",
            "STORED, line 10, model.decoder.residual: unknown key; did you mean model.decoder.connection?",
        ),
        (
            "model: {encoder: {bidirectional: true, directions: forward}}\n",
            "STORED, line 10, model.encoder.bidirectional: unknown key; did you mean model.encoder.directions?",
        ),
    ],
)
def test_damage_is_reported_at_its_line(damage: str, message: str, minimal: str, tmp_path: Path) -> None:
    assert failure(tmp_path / "recipe.yaml", minimal + damage) == message


@pytest.mark.parametrize("text", ["", "[1]", "3", "model: {encoder: [", "model: 3", "model: {encoder: 3}", "\0"])
def test_other_damage_is_reported_as_of_any_recipe(text: str, tmp_path: Path) -> None:
    found = failure(tmp_path / "recipe.yaml", text)
    with pytest.raises(RecipeError) as caught:
        recipe_from_text(text, "STORED")
    assert found == str(caught.value)


def test_a_missing_and_a_broken_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="there is no such recipe"):
        load_stored_recipe(tmp_path / "recipe.yaml")
    (tmp_path / "recipe.yaml").write_bytes(b"a: \xff")
    with pytest.raises(RecipeError, match="line 1: is not UTF-8"):
        load_stored_recipe(tmp_path / "recipe.yaml")
