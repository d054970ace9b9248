"""The reference and the JSON Schema are those of the code, and every recipe of the repository is a recipe."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from seq2seq.recipe import dump_recipe, load_recipe, recipe_from_text
from seq2seq.recipe.description import expectation, json_schema, keys_of
from seq2seq.recipe.document import Value, parse_document

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "recipes").rglob("*.yaml"))
Problems = Callable[..., list[str]]


def plain(value: Value) -> Any:
    content = value.content
    if isinstance(content, tuple):
        return [plain(item) for item in content]
    return {key: plain(item) for key, item in content.items()} if isinstance(content, Mapping) else content


def run_tool(tool: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tool), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT, check=False)


def test_the_committed_reference_is_current() -> None:
    done = run_tool(ROOT / "tools" / "make_reference.py", "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_reference_is_found_and_mended(tmp_path: Path) -> None:
    tool = tmp_path / "tools" / "make_reference.py"
    tool.parent.mkdir()
    shutil.copy(ROOT / "tools" / "make_reference.py", tool)
    assert run_tool(tool).returncode == 0
    page = tmp_path / "recipes" / "REFERENCE.md"
    assert page.read_bytes() == (ROOT / "recipes" / "REFERENCE.md").read_bytes()
    page.write_text(page.read_text("utf-8") + "x", "utf-8")
    done = run_tool(tool, "--check")
    assert (done.returncode, done.stderr) == (1, "REFERENCE.md is not up to date; run python tools/make_reference.py\n")


def test_the_reference_has_every_key_and_its_marks() -> None:
    lines = (ROOT / "recipes" / "REFERENCE.md").read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    repeated = ("corpus.validation.<n>.", "corpus.test.<n>.")
    keys = [key for key in keys_of() if key.section is None and not key.path.startswith(repeated)]
    marks = {row.split("`")[1]: " ✎ |" in row for row in rows}
    assert marks == {key.path: key.changeable for key in keys}
    assert len(rows) == len(keys)
    assert (
        "| `training.optimizer.betas` | list of 2, each a number from 0 to below 1 | `[0.9, 0.999]` | "
        "Decay of the two moments. Only with `name` adam or adamw. |"
    ) in rows
    assert all(row.count(" | ") == 3 for row in rows)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_every_recipe_loads_and_fits_the_json_schema(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTI30K", "/corpora/multi30k")
    recipe = load_recipe(path)
    tree, _ = parse_document(path.read_text("utf-8"))
    Draft202012Validator(json_schema()).validate(plain(tree))
    assert recipe_from_text(dump_recipe(recipe), path.name) == recipe


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ({"type": "array", "items": {"type": "boolean"}}, "a list, each true or false"),
        ({"type": "array", "items": {"$ref": "#"}}, "a list of mappings"),
        ({"type": "array", "items": {"$ref": "#"}, "minItems": 1}, "a list of one or more mappings"),
        ({"type": "integer"}, "an integer"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 2.5}, "a number from above 0 to 2.5"),
        ({"const": "only", "type": "string"}, "only"),
    ],
)
def test_what_a_key_takes_in_words(fragment: dict[str, Any], words: str) -> None:
    assert expectation(fragment) == words


def test_what_is_below_a_changeable_key_may_change_too() -> None:
    below = {key.changeable for key in keys_of() if key.path.startswith("corpus.test.<n>.")}
    assert below == {True}


def test_the_json_schema_is_a_schema_that_describes_every_key() -> None:
    schema = json.loads((ROOT / "recipes" / "recipe.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for section in (schema, *schema["$defs"].values()):
        assert section["additionalProperties"] is False
        assert all(key["description"] for key in section["properties"].values())
        assert not any(
            {"title", "changeable", "only_with", "in_words"} & set(key) for key in section["properties"].values()
        )


@pytest.mark.parametrize(
    "text",
    [
        "model: {}",
        "model: {encoder: {layers: 2}}",
        "model: {encoder: {layers: 0}}",
        "model: {encoder: {layers: true}}",
        "model: {encoder: {layers: '2'}}",
        "model: {encoder: {cell: lstn}}",
        "model: {encoder: {cel: lstm}}",
        "model: []",
        "training: {label_smoothing: 1}",
        "training: {label_smoothing: 0}",
        "training: {max_updates: null}",
        "training: {epochs: [1]}",
        "training: {optimizer: {betas: [0.5]}}",
        "training: {optimizer: {betas: [0.5, 0.6]}}",
        "training: {optimizer: {betas: [0.5, 0.6, 0.7]}}",
        "tokenizer: {sampling: null}",
        "tokenizer: {sampling: {alpha: 0}}",
        "evaluation: {metrics: []}",
        "evaluation: {metrics: [ter]}",
        "evaluation: {metrics: [bleu, 3]}",
        "extra: 1",
    ],
)
def test_the_json_schema_and_the_loader_agree(problems: Problems, minimal: str, text: str) -> None:
    tree, _ = parse_document(minimal + text)
    assert Draft202012Validator(json_schema()).is_valid(plain(tree)) is (problems(text) == [])
