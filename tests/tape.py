"""A recorder for the CPU that is as strict as a CUDA graph: it replays operators on the memory they were recorded with.

What Python decided, and every number that came from Python, is fixed at the recording; only what lies in the tensors
that were there before changes from replay to replay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Result = TypeVar("Result")

#: Operators that read a number of the device, or make tensors whose size depends on one.
READING = {
    "aten::_local_scalar_dense",
    "aten::equal",
    "aten::is_nonzero",
    "aten::item",
    "aten::masked_select",
    "aten::multinomial",
    "aten::nonzero",
    "aten::nonzero_numpy",
    "aten::unique_consecutive",
    "aten::_unique2",
}


class NoReading(TorchDispatchMode):
    """Fails where a GPU would have to be waited for."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        check(func, args)
        return func(*args, **(kwargs or {}))


def check(func: Any, args: Any) -> None:
    """Raise RuntimeError for an operator for whose result a program would wait."""
    name = func.name().partition(".")[0]
    if name in READING:
        raise RuntimeError(f"{name} waits for the device")
    if name in ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"):
        indices = [index for index in args[1] if index is not None]
        if any(index.dtype in (torch.bool, torch.uint8) for index in indices):
            raise RuntimeError(f"{name} with a mask waits for the device")


class Tape(TorchDispatchMode):
    """Records the operators that are called in it, and replays them."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[tuple[Any, Any, dict[str, Any], Any]] = []
        self._before: dict[int, tuple[Tensor, Tensor]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        check(func, args)
        kwargs = kwargs or {}
        for tensor in _written(func, args, kwargs):
            memory = tensor.untyped_storage().data_ptr()
            if memory not in self._before:
                whole = torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())  # type: ignore[call-overload]
                self._before[memory] = (whole, whole.clone())
        result = func(*args, **kwargs)
        self._calls.append((func, args, kwargs, result))
        return result

    def take_back(self) -> None:
        """Undo what was written into memory while recording."""
        for memory, before in self._before.values():
            memory.copy_(before)

    def replay(self) -> None:
        """Call every operator again, and put what it gives where it was put at the recording."""
        for func, args, kwargs, result in self._calls:
            again = func(*args, **kwargs)
            outputs = zip(tree_leaves(result), tree_leaves(again), strict=True)
            if any(returned.alias_info is not None for returned in func._schema.returns):
                continue  # a view, or one of the arguments
            for old, new in outputs:
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def _written(func: Any, args: Any, kwargs: dict[str, Any]) -> Iterator[Tensor]:
    """The tensors that an operator writes into."""
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[place] if place < len(args) else kwargs.get(argument.name)
            yield from (leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor))


class TapeRecorder:
    """A recorder by tape, which counts what is asked of it."""

    def __init__(self) -> None:
        self.warmed = self.recorded = self.replayed = 0

    def warm_up(self, work: Callable[[], Result]) -> Result:
        self.warmed += 1
        return work()

    def record(self, work: Callable[[], Result]) -> Callable[[], Result]:
        self.recorded += 1
        tape = Tape()
        try:
            with torch.random.fork_rng(devices=[]), tape:  # no numbers are drawn by recording that they are
                result = work()
        finally:
            tape.take_back()

        def replay() -> Result:
            self.replayed += 1
            with torch._C._AutoDispatchBelowAutograd():  # where the mode has seen the operators
                tape.replay()
            return result

        return replay
