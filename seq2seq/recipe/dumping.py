"""Writing a recipe as YAML, every key resolved."""

from __future__ import annotations

from typing import Any

import yaml

from seq2seq.recipe.document import teach_scalars
from seq2seq.recipe.environment import escape
from seq2seq.recipe.schema import Recipe
from seq2seq.recipe.section import Section, fields_of, idle_keys


class _Dumper(yaml.SafeDumper):
    """PyYAML's dumper, which also quotes the text that YAML 1.2 would read as something else."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Say that equal values are written out, never as aliases."""
        return True


class _Row(list[Any]):
    """A list that is written in one line."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # In other styles PyYAML folds the line breaks of Unicode, such as U+0085.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


teach_scalars(_Dumper)
_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(
    _Row, lambda dumper, row: dumper.represent_sequence("tag:yaml.org,2002:seq", row, flow_style=True)
)


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as YAML in the order of the schema, defaults included; it loads back as an equal recipe.

    Left out are keys that have no effect beside the others, and of a corpus those that are not given.
    """
    sections = _section(recipe)
    parts = [_yaml({name: section}) for name, section in sections.items()]
    return "\n".join(parts)


def _yaml(value: dict[str, Any]) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6, default_flow_style=False
    )
    return text


def _section(section: Section) -> dict[str, Any]:
    fields = fields_of(type(section))
    same = [name for name, field in fields.items() if getattr(section, name) == field.default]
    left_out = {found.keys[0] for found in idle_keys(type(section), section, same)}
    values = {name: getattr(section, name) for name in fields if name not in left_out}
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Section):
        return _section(value)
    if isinstance(value, tuple):
        if value and isinstance(value[0], Section):
            return [{key: each for key, each in _section(item).items() if each is not None} for item in value]
        return _Row(_value(item) for item in value)
    return escape(value) if isinstance(value, str) else value
