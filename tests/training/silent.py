"""The display of the trainings in tests."""

from __future__ import annotations

from typing import Any


class Silent:
    """A display that shows nothing and keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        """Keep a line."""
        self.said.append(text)

    def update(self, figures: dict[str, Any], *, done: float, eta: float) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
