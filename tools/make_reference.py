"""Writes recipes/REFERENCE.md and recipes/recipe.schema.json from the schema of a recipe.

python tools/make_reference.py            write both
python tools/make_reference.py --check    write nothing, and leave with 1 if one of them is not up to date
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from seq2seq.recipe.description import Key, expectation, fragment_of, json_schema, keys_of, needs_of
from seq2seq.recipe.section import fields_of

FOLDER = Path(__file__).resolve().parent.parent / "recipes"

INTRODUCTION = """\
# Reference of recipes

Every key that a recipe can have. This page and [recipe.schema.json](recipe.schema.json) are written by
`python tools/make_reference.py` from the schema in `seq2seq/recipe/`; change them there.

- A recipe is YAML 1.2: `1e-3` is a number, `no` is text (so Norwegian needs no quotes), and only `true` and `false` are
  booleans. `&name`, `*name` and `<<` work.
- Only `corpus` and `run.name` are required; a key or a whole section that is left out has the defaults given here.
- Unknown keys, values of the wrong kind, keys that contradict each other and keys that have no effect are errors, all
  reported at once, before any data is read.
- `${NAME}` in a value is an environment variable, `${NAME:-default}` one that may be unset or empty, and `$${` the
  characters `${`. Within `{...}` or `[...]` put quotes around it.
- `seq2seq-train recipes/en-fr.yaml training.epochs=3 corpus.train.0.prefix=data/other` overrides single keys. The value
  is YAML, so `evaluation.metrics=[bleu]` is a list; `null` takes a key away, so that its default holds again.
- Keys marked ✎ may change when a run is continued.
- For help while you type, begin a recipe with `# yaml-language-server: $schema=recipe.schema.json`.
"""


def reference() -> str:
    """The page, as Markdown."""
    keys = list(keys_of())
    parts = [INTRODUCTION]
    for number, key in enumerate(keys):
        if key.section is not None:
            path = key.path + ".<n>" * key.is_list
            below = [each for each in keys if each.section is None and each.path.rpartition(".")[0] == path]
            like = next((each for each in keys[:number] if each.section is key.section), None)
            parts.append(_section(path, key, below, like))
    return "\n".join(parts)


def _section(path: str, key: Key, keys: list[Key], like: Key | None) -> str:
    assert key.section is not None
    depth = path.replace(".<n>", "").count(".")
    lines = [f"{'#' * (depth + 2)} `{path}`{_mark(key)}", "", _about(key), ""]
    if like is not None:
        lines += [f"The keys are those of `{like.path}.<n>`.", ""]
    elif keys:
        lines += ["| Key | Value | Default | Meaning |", "| --- | --- | --- | --- |", *map(_row, keys), ""]
    return "\n".join(lines)


def _about(key: Key) -> str:
    field = fields_of(key.owner)[key.name]
    purpose = ((key.section.__doc__ if key.section else None) or "").strip()
    if key.is_list:
        kind = "A list of one or more, required" if field.is_required() else "A list, empty by default"
        return f"{field.description} {kind}. Each: {purpose[0].lower()}{purpose[1:]}"
    return purpose if field.is_required() or field.default is not None else f"{purpose} Left out by default."


def _row(key: Key) -> str:
    fragment = fragment_of(key.owner, key.name)
    needs = needs_of(fragment)
    meaning = fragment["description"] + (f" Only {needs}." if needs else "")
    cells = [f"`{key.path}`{_mark(key)}", _value(fragment), _default(key), meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value(fragment: dict[str, Any]) -> str:
    if "anyOf" in fragment:
        return ", or ".join(map(_value, fragment["anyOf"]))
    if "enum" in fragment:
        return ", ".join(f"`{each}`" for each in fragment["enum"])
    words = expectation(fragment)
    known = {"null": "`null`", "true or false": "`true`, `false`"}
    return known.get(words, words.removeprefix("a ").removeprefix("an "))


def _default(key: Key) -> str:
    field = fields_of(key.owner)[key.name]
    return "**required**" if field.is_required() else f"`{json.dumps(field.default).replace(chr(34), '')}`"


def _mark(key: Key) -> str:
    return " ✎" if key.changeable else ""


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(description="Write recipes/REFERENCE.md and recipes/recipe.schema.json.")
    parser.add_argument("--check", action="store_true", help="write nothing; leave with 1 if they are not up to date")
    check = parser.parse_args().check
    contents = {
        FOLDER / "REFERENCE.md": reference(),
        FOLDER / "recipe.schema.json": json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n",
    }
    stale = [path for path, text in contents.items() if not path.exists() or path.read_text("utf-8") != text]
    if check:
        for path in stale:
            print(f"{path.name} is not up to date; run python tools/make_reference.py", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(contents[path], "utf-8", newline="\n")
        print(f"wrote {path.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
