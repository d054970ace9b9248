"""Writing files so that nothing is lost: a temporary sibling, fsync, rename."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from seq2seq.errors import Seq2SeqError


def write_atomically(path: Path, content: bytes | Callable[[Path], None]) -> None:
    """Write `path` wholly or not at all; what was there before survives every failure.

    Args:
        path: file to write; its folder exists.
        content: the bytes, or a function that writes the file whose path it is given.

    Raises:
        Seq2SeqError: the disk is full or the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if callable(content):
            # Some writers make files that their owner alone may read; the user's umask decides here.
            temporary.touch()
            mode = temporary.stat().st_mode
            content(temporary)
            temporary.chmod(mode)
        else:
            temporary.write_bytes(content)
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except Exception as error:
        # safetensors wraps the operating system's error in its own; whatever it was, the old file is untouched.
        if isinstance(error, OSError) or type(error).__module__.startswith("safetensors"):
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise Seq2SeqError(f"{path}: cannot be saved ({reason}); what was saved before is untouched") from error
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Force a file's or folder's content to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
