"""Turning SIGINT and SIGTERM into an end between two updates, when the state is whole and can be saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """Raised by :meth:`Interrupt.check` after a signal; `exit_code` is the shell's for that signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number
        self.exit_code = 128 + number


class Interrupt:
    """While entered, SIGINT and SIGTERM only take a note; a second one of them acts as if this were not here."""

    def __init__(self, *, patient: bool = False) -> None:
        """`patient`: a second signal too only takes a note, as is right where a launcher passes them on."""
        #: The signal that has come; 0 while none has.
        self.number = 0
        self._patient = patient
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        if not self._patient:
            self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def check(self, number: int | None = None) -> None:
        """Raise Interrupted if a signal has come: `number`, if it is given, which is 0 for none."""
        if number is None:
            number = self.number
        if number:
            raise Interrupted(number)
