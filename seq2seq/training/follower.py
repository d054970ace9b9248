"""What stands for the display and the journal in a process that only computes, while another shows and writes."""

from __future__ import annotations

from typing import Any, final


@final
class NoDisplay:
    """Shows nothing."""

    def update(self, record: dict[str, Any], *, done: float, eta: float) -> None:
        """Nothing."""

    def message(self, text: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


@final
class NoJournal:
    """Keeps nothing."""

    @property
    def size(self) -> int:
        """0 bytes."""
        return 0

    def write(self, kind: str, update: int, figures: dict[str, Any]) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
