"""The functions of torch that arrange numbers in ONNX: beside :mod:`~seq2seq.export.operators`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seq2seq.export.recording import Recording, operator

#: Beyond the end of every axis.
_END = 2**31 - 1


def _add(recording: Recording, result: Tensor, kind: str, inputs: Sequence[str], **attributes: Any) -> None:
    recording.bind(result, recording.graph.add(kind, inputs, **attributes)[0])


def _flat(sizes: Sequence[Any]) -> Sequence[int]:
    """Sizes that a function takes one by one or as a list."""
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes


# Views.


@operator("view", "reshape")
def _view(recording: Recording, result: Tensor, inputs: Tensor, *sizes: Any) -> None:
    _add(recording, result, "Reshape", [recording.value(inputs), recording.list_of(_flat(sizes))])


@operator("view_as")
def _view_as(recording: Recording, result: Tensor, inputs: Tensor, other: Tensor) -> None:
    _view(recording, result, inputs, recording.shape(other))


@operator("flatten")
def _flatten(recording: Recording, result: Tensor, inputs: Tensor, start: int = 0, end: int = -1) -> None:
    shape = recording.shape(inputs)
    end %= inputs.dim()
    _view(recording, result, inputs, (*shape[:start], -1, *shape[end + 1 :]))


@operator("unsqueeze")
def _unsqueeze(recording: Recording, result: Tensor, inputs: Tensor, dim: int) -> None:
    _add(recording, result, "Unsqueeze", [recording.value(inputs), recording.graph.integers([dim])])


@operator("squeeze")
def _squeeze(recording: Recording, result: Tensor, inputs: Tensor, dim: int) -> None:
    _add(recording, result, "Squeeze", [recording.value(inputs), recording.graph.integers([dim])])


@operator("transpose")
def _transpose(recording: Recording, result: Tensor, inputs: Tensor, one: int, other: int) -> None:
    axes = list(range(inputs.dim()))
    axes[one], axes[other] = axes[other], axes[one]
    _add(recording, result, "Transpose", [recording.value(inputs)], perm=axes)


@operator("expand")
def _expand(recording: Recording, result: Tensor, inputs: Tensor, *sizes: Any) -> None:
    # An axis of -1 stays as it is, and so does one that is expanded to 1.
    shape = [1 if size == -1 else size for size in _flat(sizes)]
    _add(recording, result, "Expand", [recording.value(inputs), recording.list_of(shape)])


# Parts.


def _slice(recording: Recording, name: str, start: int, end: int, axis: int) -> str:
    integers = recording.graph.integers
    return recording.graph.add("Slice", [name, integers([start]), integers([end]), integers([axis])])[0]


@operator("split", "chunk", "split_with_sizes")
def _split(recording: Recording, result: Sequence[Tensor], inputs: Tensor, *_: Any, dim: int = 0) -> None:
    """Along an axis of fixed width, which the parts of the result say."""
    axis = dim % inputs.dim()
    start = 0
    for part in result:
        width = int(part.size(axis))
        recording.bind(part, _slice(recording, recording.value(inputs), start, start + width, axis))
        start += width


@operator("getitem")
def _getitem(recording: Recording, result: Tensor, inputs: Tensor, index: Any) -> None:
    """Slices and single places."""
    places = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in places:
        at = places.index(Ellipsis)
        places[at : at + 1] = [slice(None)] * (inputs.dim() - len(places) + 1)
    name, gone = recording.value(inputs), 0
    for axis, place in enumerate(places):
        if isinstance(place, slice) and place.step in (None, 1):
            if place != slice(None):
                end = _END if place.stop is None else place.stop
                name = _slice(recording, name, place.start or 0, end, axis - gone)
        elif type(place) is int:
            name = recording.graph.add("Gather", [name, recording.graph.number(place, torch.int64)], axis=axis - gone)[
                0
            ]
            gone += 1
        else:
            raise NotImplementedError(f"an index of {type(place).__name__}")
    recording.bind(result, name)


@operator("gather")
def _gather(recording: Recording, result: Tensor, inputs: Tensor, dim: int, index: Tensor) -> None:
    _add(recording, result, "GatherElements", [recording.value(inputs), recording.value(index)], axis=dim)


@operator("take_along_dim")
def _take_along_dim(recording: Recording, result: Tensor, inputs: Tensor, index: Tensor, dim: int) -> None:
    """The index has axes of 1 where it is to be as long as what is taken from."""
    shape = [1 if axis == dim % inputs.dim() else size for axis, size in enumerate(recording.shape(inputs))]
    (places,) = recording.graph.add("Expand", [recording.value(index), recording.list_of(shape)])
    _add(recording, result, "GatherElements", [recording.value(inputs), places], axis=dim)


@operator("scatter")
def _scatter(recording: Recording, result: Tensor, inputs: Tensor, dim: int, index: Tensor, value: float) -> None:
    number = recording.graph.number(value, inputs.dtype)
    (values,) = recording.graph.add("Expand", [number, recording.graph.once("Shape", [recording.value(index)])])
    names = [recording.value(inputs), recording.value(index), values]
    _add(recording, result, "ScatterElements", names, axis=dim)


@operator("scatter_add")
def _scatter_add(recording: Recording, result: Tensor, inputs: Tensor, dim: int, index: Tensor, source: Tensor) -> None:
    names = [recording.value(inputs), recording.value(index), recording.value(source)]
    _add(recording, result, "ScatterElements", names, axis=dim, reduction="add")


# Put together.


@operator("cat")
def _cat(recording: Recording, result: Tensor, tensors: Sequence[Tensor], dim: int = 0) -> None:
    _add(recording, result, "Concat", [recording.value(each, result.dtype) for each in tensors], axis=dim)


@operator("pad")
def _pad(recording: Recording, result: Tensor, inputs: Tensor, pad: Sequence[int], *_: Any, **__: Any) -> None:
    """With zeros; the widths are of the last axis."""
    before = [0] * (inputs.dim() - 1)
    widths = recording.graph.integers([*before, pad[0], *before, pad[1]])
    _add(recording, result, "Pad", [recording.value(inputs), widths])


# Made anew.


@operator("new_zeros", "zeros", "zeros_like")
def _zeros(recording: Recording, result: Tensor, *given: Any, **_: Any) -> None:
    """Of the sizes given, or like the tensor given alone."""
    sizes = [each for each in given if not isinstance(each, Tensor)]
    shape = recording.list_of(_flat(sizes) if sizes else recording.shape(given[0]))
    _add(recording, result, "Expand", [recording.graph.number(0, result.dtype), shape])


@operator("arange")
def _arange(recording: Recording, result: Tensor, *bounds: int, **_: Any) -> None:
    start, end = bounds if len(bounds) == 2 else (0, bounds[0])
    _add(recording, result, "Range", [recording.value(each, torch.int64) for each in (start, end, 1)])
