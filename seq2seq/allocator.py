"""Memory on the CPU: keep freed blocks in the process, and bound oneDNN's cache of compiled kernels."""

from __future__ import annotations

import ctypes
import os

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


def keep_freed_memory() -> bool:
    """Ask glibc's malloc to serve and keep large blocks itself; returns whether that was possible.

    Otherwise large tensors are mapped anew, and zeroed by the system, at every step.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # Another C library, or Windows.
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, 1 << 30)) and bool(mallopt(_M_TRIM_THRESHOLD, 1 << 30))


def return_freed_memory() -> bool:
    """Undo :func:`keep_freed_memory` and give back what has been freed; returns whether that was possible.

    For when memory has run out: what is kept for tensors is then missing elsewhere, as for oneDNN's kernels.
    """
    try:
        library = ctypes.CDLL(None)
        mallopt, malloc_trim = library.mallopt, library.malloc_trim
    except (AttributeError, OSError, TypeError):  # Another C library, or Windows.
        return False
    allowed = mallopt(_M_MMAP_THRESHOLD, 1 << 20) and mallopt(_M_TRIM_THRESHOLD, 1 << 20)
    malloc_trim(0)
    return bool(allowed)


def bound_kernel_cache() -> None:
    """Let oneDNN keep the kernels of 256 shapes, not of 1024, and PyTorch 64 per thread, for it has such a cache too.

    Every length and batch size is a shape with kernels of its own: with the defaults the process grows by gigabytes
    (docs/lab-notes.md). It must be said before the first of them is compiled. A user's own setting is left alone.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
    os.environ.setdefault("LRU_CACHE_CAPACITY", "64")
