"""Environment variables in the text of a recipe: `${NAME}` and `${NAME:-default}`; `$${` stands for `${` itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

from seq2seq.recipe.document import Problem, Value

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^{}]*))?\}|\$\{[^}]*\}?")


def expand(value: Value, environment: Mapping[str, str], path: str = "") -> tuple[Value, list[Problem]]:
    """The tree with the variables put in, and the problems of those that cannot be."""
    problems: list[Problem] = []
    return _expand(value, environment, path, problems), problems


def escape(text: str) -> str:
    """Text that :func:`expand` turns into `text`."""
    return text.replace("${", "$${")


def _expand(value: Value, environment: Mapping[str, str], path: str, problems: list[Problem]) -> Value:
    content = value.content
    if isinstance(content, tuple):
        items = (_expand(item, environment, f"{path}.{index}", problems) for index, item in enumerate(content))
        return Value(tuple(items), value.origin)
    if isinstance(content, Mapping):
        entries = {
            key: _expand(item, environment, f"{path}.{key}" if path else key, problems) for key, item in content.items()
        }
        return Value(entries, value.origin)
    if not isinstance(content, str) or "${" not in content:
        return value

    def replace(match: re.Match[str]) -> str:
        name, default = match[1], match[3]
        if match[0] == "$${":
            return "${"
        if name is None:
            message = (
                f"`{match[0]}` is no variable; write ${{NAME}} or ${{NAME:-default}}, or $${{ for the characters ${{"
            )
        elif name not in environment and match[2] is None:
            message = f"the environment variable {name} is not set; set it, or write ${{{name}:-default}}"
        elif match[2] is None:
            return environment[name]
        else:  # as in a shell, `:-` also replaces an empty value
            return environment.get(name) or default
        problems.append(Problem(value.origin, path, message))
        return ""

    before = len(problems)
    text = _VARIABLE.sub(replace, content)
    if len(problems) > before:
        return Value(content, value.origin)
    return Value(text, value.origin, plain=value.plain, expanded=value.plain)
