"""How much memory a training may still take: of a GPU, or of the processor within the limits set to this process."""

from __future__ import annotations

import os
from pathlib import Path

import torch

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")


def free_memory(device: torch.device) -> int:
    """Bytes that can be had on `device`: free ones, and on a GPU those that PyTorch holds but does not use."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return min(_of_the_machine(), _of_the_control_group(), _of_the_process())


def _of_the_machine() -> int:
    """What Linux says is available; elsewhere half of what there is."""
    for line in _lines(_PROC / "meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf.
        return 4 * 2**30


def _of_the_control_group() -> int:
    """What the control groups (version 2 or 1) of this process leave to it, as in a container; the least of them."""
    left = 2**62
    for line in _lines(_PROC / "self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            names, root = ("memory.max", "memory.current"), _CGROUP
        elif "memory" in controllers.split(","):
            names, root = ("memory.limit_in_bytes", "memory.usage_in_bytes"), _CGROUP / "memory"
        else:
            continue
        group = Path(path.lstrip("/"))
        # In a container the path is often one of the host, and the group's own files lie at the root.
        for folder in {root / group, *(root / parent for parent in group.parents), root}:
            limit, used = (_number(folder / name) for name in names)
            if limit is not None and used is not None:
                left = min(left, max(0, limit - used))
    return left


def _of_the_process() -> int:
    """What `ulimit -v` leaves."""
    try:
        import resource
    except ImportError:  # Windows has no resource module.
        return 2**62
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return 2**62
    used = next(iter(_lines(_PROC / "self/statm")), "0").split()[0]
    return max(0, limit - int(used) * resource.getpagesize())


def _number(path: Path) -> int | None:
    """The number in a file; None without the file, or where it says "max"."""
    text = next(iter(_lines(path)), "")
    return int(text) if text.isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
