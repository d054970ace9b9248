"""What torch computes, written down as a graph of ONNX while it is computed.

The network's own code runs on a small example, and every call of torch that depends on the example's inputs is also
written as nodes; all others, of weights alone, become constants. So there is one set of equations, and whatever the
network is assembled from can be written down, as long as :mod:`~seq2seq.export.operators` knows the functions it calls.

Sizes that differ from call to call, such as the number of sentences, are told apart from widths by recording twice,
with examples of different sizes: what is then the same is a width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from seq2seq.errors import ModelError
from seq2seq.export.graph import ELEMENT_TYPES, Graph

#: The sizes that were asked for, one after the other.
Sizes: TypeAlias = "list[tuple[int, ...]]"
Number: TypeAlias = "int | float | bool"

#: Adds the nodes of one function of torch, and says which value its result is: of the recording, what torch's function
#: returned, and its own arguments.
Operator: TypeAlias = Callable[..., None]
#: By what torch's functions are called; the modules that define them fill it.
OPERATORS: dict[str, Operator] = {}


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Say what the functions of torch of these names are in ONNX."""

    def register(function: Operator) -> Operator:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


#: What tells about a tensor and computes nothing.
_ABOUT = frozenset(
    {
        "dim",
        "numel",
        "is_floating_point",
        "dtype",
        "device",
        "layout",
        "requires_grad",
        "is_cuda",
        "ndim",
        "is_contiguous",
    }
)


class Size(int):
    """A size of a recorded tensor: as an integer that of the example.

    Where it differs from call to call, `value` is the value without axes that computes it; else None.
    """

    recording: Recording
    value: str | None

    @classmethod
    def of(cls, number: int, value: str | None, recording: Recording) -> Size:
        """The size that is `number` in the example."""
        size = cls(number)
        size.recording, size.value = recording, value
        return size

    def _with(self, operator: str, number: int, left: int, right: int) -> Size:
        if all(each.value is None for each in (left, right) if isinstance(each, Size)):
            return Size.of(number, None, self.recording)
        names = [self.recording.value(each, torch.int64) for each in (left, right)]
        return Size.of(number, self.recording.graph.once(operator, names), self.recording)

    def __add__(self, other: int) -> Size:
        return self._with("Add", int(self) + int(other), self, other)

    def __radd__(self, other: int) -> Size:
        return self._with("Add", int(other) + int(self), other, self)

    def __sub__(self, other: int) -> Size:
        return self._with("Sub", int(self) - int(other), self, other)

    def __rsub__(self, other: int) -> Size:
        return self._with("Sub", int(other) - int(self), other, self)

    def __mul__(self, other: int) -> Size:
        return self._with("Mul", int(self) * int(other), self, other)

    def __rmul__(self, other: int) -> Size:
        return self._with("Mul", int(other) * int(self), other, self)


class Recording(TorchFunctionMode):
    """A context in which what is computed from :meth:`input` is written into :attr:`graph`.

    `parameters` are the names that constants are to have. `other_sizes` are the :attr:`sizes` of a recording of the
    same computation with an example of other sizes; without them all sizes count as fixed.
    """

    def __init__(self, *, parameters: Iterable[tuple[str, Tensor]], other_sizes: Sizes | None = None) -> None:
        super().__init__()
        self.graph = Graph()
        self.sizes: Sizes = []
        self._other_sizes = other_sizes
        self._parameters = {id(tensor): name for name, tensor in parameters}
        self._values: dict[int, tuple[Tensor, str]] = {}
        self._paused = False

    def input(self, name: str, tensor: Tensor) -> Tensor:
        """A tensor that is given from outside, under this name."""
        self._values[id(tensor)] = (tensor, name)
        return tensor

    def bind(self, tensor: Tensor, name: str) -> None:
        """Say that `tensor`, which was computed, is the value `name`."""
        self._values[id(tensor)] = (tensor, name)

    def is_recorded(self, tensor: Tensor) -> bool:
        """Whether a tensor depends on an input."""
        return id(tensor) in self._values

    def value(self, item: Tensor | Number | Size, dtype: torch.dtype | None = None) -> str:
        """The name of what a tensor or a number is in the graph, as `dtype` if one is given."""
        if isinstance(item, Size) and item.value is not None:
            return item.value if dtype in (None, torch.int64) else self.cast(item.value, dtype)
        if isinstance(item, Size):
            item = int(item)
        if not isinstance(item, Tensor):
            return self.graph.number(item, dtype or torch.int64)
        if not self.is_recorded(item):
            item = item if dtype is None else item.to(dtype)
            return self.graph.constant(item, name=self._parameters.get(id(item)))
        name = self._values[id(item)][1]
        return name if dtype in (None, item.dtype) else self.cast(name, dtype)

    def cast(self, name: str, dtype: torch.dtype | None) -> str:
        """The value `name` as `dtype`."""
        assert dtype is not None
        return self.graph.once("Cast", [name], to=ELEMENT_TYPES[dtype])

    def shape(self, tensor: Tensor) -> tuple[int, ...]:
        """The shape of a tensor, each a :class:`Size` if it was recorded."""
        with self.paused():
            numbers = tuple(tensor.size())
        if not self.is_recorded(tensor):
            return numbers
        others = numbers if self._other_sizes is None else self._other_sizes[len(self.sizes)]
        self.sizes.append(numbers)
        return tuple(
            Size.of(number, None if number == other else self._axis(tensor, axis), self)
            for axis, (number, other) in enumerate(zip(numbers, others, strict=True))
        )

    def _axis(self, tensor: Tensor, axis: int) -> str:
        shape = self.graph.once("Shape", [self.value(tensor)])
        return self.graph.once("Gather", [shape, self.graph.number(axis, torch.int64)])

    def list_of(self, sizes: Sequence[int]) -> str:
        """The value that lists these sizes."""
        values = [size.value if isinstance(size, Size) else None for size in sizes]
        if not any(values):
            return self.graph.integers([int(size) for size in sizes])
        front = self.graph.integers([0])
        parts = [
            self.graph.integers([int(size)]) if value is None else self.graph.once("Unsqueeze", [value, front])
            for size, value in zip(sizes, values, strict=True)
        ]
        return self.graph.once("Concat", parts, axis=0)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Until its end nothing is written down."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._paused or not self._depends((*args, *kwargs.values())):
            return func(*args, **kwargs)
        name = _name_of(func)
        if name in ("shape", "size"):
            shape = self.shape(args[0])
            return shape if len(args) == 1 else shape[args[1]]
        result = func(*args, **kwargs)
        if name in _ABOUT:
            return result
        if name not in OPERATORS:
            raise ModelError(
                f"the network calls {name} of torch, for which ONNX has no operator here; it cannot be exported"
            )
        OPERATORS[name](self, result, *args, **kwargs)
        return result

    def _depends(self, arguments: Iterable[Any]) -> bool:
        for argument in arguments:
            if isinstance(argument, Tensor) and self.is_recorded(argument):
                return True
            if isinstance(argument, Size):
                return True
            if isinstance(argument, (tuple, list)) and self._depends(argument):
                return True
        return False


def _name_of(func: Callable[..., Any]) -> str:
    """What a function of torch is called: `add` for torch.add, Tensor.add, Tensor.add_, + and +=."""
    name = func.__name__
    if name == "__get__":  # a property
        return str(func.__self__.__name__)  # type: ignore[attr-defined]
    return name.strip("_")
