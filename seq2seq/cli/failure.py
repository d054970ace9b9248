"""How a command ends: with an exit status, and with one sentence where the user can mend what is wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from seq2seq.errors import Seq2SeqError

#: What a shell reports of a process that SIGINT (2) or SIGPIPE (13) ended.
INTERRUPTED = 128 + 2
PIPE_CLOSED = 128 + 13


def run(program: str, command: Callable[[], int | None]) -> int:
    """Run a command and return its exit status; a defect of the toolkit keeps its traceback.

    Args:
        program: the command's name, which begins the message of an error.
        command: what is to be done; returns an exit status, None meaning 0.
    """
    try:
        status = command() or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except Seq2SeqError as error:
        say(f"{program}: error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say(f"{program}: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has had enough, as `head` does. Python would complain when it flushes at the end.
        _point_to_nothing()
        return PIPE_CLOSED


def say(message: str) -> None:
    """Write a line to stderr, whatever its encoding; nothing if there is no stderr, or nobody reads it."""
    if sys.stderr is None:
        return
    try:
        encoding = sys.stderr.encoding or "utf-8"
        print(message.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass


def _point_to_nothing() -> None:
    """Let stdout lead nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass
