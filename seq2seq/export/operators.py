"""What the functions of torch that networks call are in ONNX.

A function here takes the recording, what torch's function returned, and that function's own arguments; it adds nodes,
and says which value the result is. Results are of the dtype of torch's, whatever the rules of ONNX.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from seq2seq.export.recording import OPERATORS, Number, Operator, Recording, operator


def _add(recording: Recording, result: Tensor, kind: str, inputs: Sequence[str], **attributes: Any) -> None:
    """Let the result be the output of a node."""
    recording.bind(result, recording.graph.add(kind, inputs, **attributes)[0])


# Element by element.


def _unary(torch_name: str, kind: str) -> None:
    def unary(recording: Recording, result: Tensor, inputs: Tensor) -> None:
        _add(recording, result, kind, [recording.value(inputs)])

    OPERATORS[torch_name] = unary


for torch_name, kind in (
    ("tanh", "Tanh"), ("sigmoid", "Sigmoid"), ("relu", "Relu"), ("exp", "Exp"), ("log", "Log"), ("abs", "Abs"),
    ("neg", "Neg"), ("bitwise_not", "Not"), ("invert", "Not"),
):  # fmt: skip
    _unary(torch_name, kind)


def _binary(torch_name: str, kind: str, *, reversed_: bool = False) -> None:
    def binary(recording: Recording, result: Tensor, left: Tensor | Number, right: Tensor | Number) -> None:
        if reversed_:
            left, right = right, left
        # Comparisons are of what their arguments promote to, the others of the result.
        dtype = torch.result_type(left, right) if result.dtype is torch.bool else result.dtype
        _add(recording, result, kind, [recording.value(left, dtype), recording.value(right, dtype)])

    OPERATORS[torch_name] = binary


for torch_name, kind in (
    ("add", "Add"), ("radd", "Add"), ("iadd", "Add"), ("sub", "Sub"), ("mul", "Mul"), ("rmul", "Mul"), ("imul", "Mul"),
    ("div", "Div"), ("truediv", "Div"), ("pow", "Pow"), ("lt", "Less"), ("le", "LessOrEqual"), ("gt", "Greater"),
    ("ge", "GreaterOrEqual"), ("eq", "Equal"), ("and", "And"), ("minimum", "Min"), ("maximum", "Max"),
):  # fmt: skip
    _binary(torch_name, kind)
_binary("rsub", "Sub", reversed_=True)
_binary("rtruediv", "Div", reversed_=True)


@operator("masked_fill")
def _masked_fill(recording: Recording, result: Tensor, inputs: Tensor, mask: Tensor, value: float) -> None:
    names = [recording.value(mask), recording.value(value, inputs.dtype), recording.value(inputs)]
    _add(recording, result, "Where", names)


@operator("where")
def _where(recording: Recording, result: Tensor, condition: Tensor, yes: Tensor | Number, no: Tensor | Number) -> None:
    dtype = result.dtype
    names = [recording.value(condition), recording.value(yes, dtype), recording.value(no, dtype)]
    _add(recording, result, "Where", names)


@operator("clamp_min")
def _clamp_min(recording: Recording, result: Tensor, inputs: Tensor, least: float) -> None:
    _add(recording, result, "Max", [recording.value(inputs), recording.value(least, inputs.dtype)])


@operator("lerp")
def _lerp(recording: Recording, result: Tensor, start: Tensor, end: Tensor, weight: float) -> None:
    graph = recording.graph
    (difference,) = graph.add("Sub", [recording.value(end), recording.value(start)])
    (part,) = graph.add("Mul", [difference, recording.value(weight, result.dtype)])
    _add(recording, result, "Add", [recording.value(start), part])


@operator("addcmul")
def _addcmul(recording: Recording, result: Tensor, inputs: Tensor, one: Tensor, other: Tensor) -> None:
    (product,) = recording.graph.add("Mul", [recording.value(one), recording.value(other)])
    _add(recording, result, "Add", [recording.value(inputs), product])


@operator("logsigmoid", "log_sigmoid")
def _logsigmoid(recording: Recording, result: Tensor, inputs: Tensor) -> None:
    """The logarithm of sigmoid(x) is -log(1 + exp(-x))."""
    graph = recording.graph
    (softplus,) = graph.add("Softplus", graph.add("Neg", [recording.value(inputs)]))
    _add(recording, result, "Neg", [softplus])


@operator("to", "float", "long")
def _to(recording: Recording, result: Tensor, inputs: Tensor, *_: Any, **__: Any) -> None:
    recording.bind(result, recording.value(inputs, result.dtype))


@operator("contiguous", "detach", "clone")
def _same(recording: Recording, result: Tensor, inputs: Tensor) -> None:
    recording.bind(result, recording.value(inputs))


# Over an axis.


@operator("softmax")
def _softmax(recording: Recording, result: Tensor, inputs: Tensor, dim: int, *_: Any, **__: Any) -> None:
    _add(recording, result, "Softmax", [recording.value(inputs)], axis=dim)


@operator("log_softmax")
def _log_softmax(recording: Recording, result: Tensor, inputs: Tensor, dim: int, *_: Any, **__: Any) -> None:
    _add(recording, result, "LogSoftmax", [recording.value(inputs)], axis=dim)


@operator("sum")
def _sum(recording: Recording, result: Tensor, inputs: Tensor, dim: int, keepdim: bool = False) -> None:
    names = [recording.value(inputs, result.dtype), recording.graph.integers([dim])]
    _add(recording, result, "ReduceSum", names, keepdims=int(keepdim))


@operator("mean")
def _mean(recording: Recording, result: Tensor, inputs: Tensor, dim: int, keepdim: bool = False) -> None:
    _add(recording, result, "ReduceMean", [recording.value(inputs)], axes=[dim], keepdims=int(keepdim))


@operator("amax")
def _amax(recording: Recording, result: Tensor, inputs: Tensor, dim: int, keepdim: bool = False) -> None:
    _add(recording, result, "ReduceMax", [recording.value(inputs)], axes=[dim], keepdims=int(keepdim))


@operator("argmax")
def _argmax(recording: Recording, result: Tensor, inputs: Tensor, dim: int, keepdim: bool = False) -> None:
    _add(recording, result, "ArgMax", [recording.value(inputs)], axis=dim, keepdims=int(keepdim))


@operator("layer_norm")
def _layer_norm(
    recording: Recording, result: Tensor, inputs: Tensor, shape: Sequence[int], weight: Tensor | None = None,
    bias: Tensor | None = None, eps: float = 1e-5, *_: Any,
) -> None:  # fmt: skip
    names = [recording.value(inputs), recording.value(torch.ones(list(shape)) if weight is None else weight)]
    names += [] if bias is None else [recording.value(bias)]
    _add(recording, result, "LayerNormalization", names, axis=-len(shape), epsilon=eps)


# Products.


@operator("matmul")
def _matmul(recording: Recording, result: Tensor, left: Tensor, right: Tensor) -> None:
    _add(recording, result, "MatMul", [recording.value(left), recording.value(right)])


@operator("rmatmul")
def _rmatmul(recording: Recording, result: Tensor, right: Tensor, left: Tensor) -> None:
    _matmul(recording, result, left, right)


@operator("linear")
def _linear(recording: Recording, result: Tensor, inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> None:
    recording.bind(result, linear(recording, inputs, weight, bias))


def linear(recording: Recording, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> str:
    """Of `inputs` [..., input] the value x W^T + b."""
    graph = recording.graph
    with recording.paused():
        flat = inputs.dim() == 2
        turned = weight if flat else weight.t().contiguous()
    if flat:
        names = [recording.value(inputs), recording.value(turned), *([] if bias is None else [recording.value(bias)])]
        return graph.add("Gemm", names, transB=1)[0]
    (product,) = graph.add("MatMul", [recording.value(inputs), recording.value(turned)])
    return product if bias is None else graph.add("Add", [product, recording.value(bias)])[0]


@operator("embedding")
def _embedding(recording: Recording, result: Tensor, *arguments: Tensor | Number | None, **_: Any) -> None:
    """torch.embedding has the weight first, torch.nn.functional.embedding the ids."""
    weight, ids = arguments[:2]
    assert isinstance(weight, Tensor)
    assert isinstance(ids, Tensor)
    if not weight.is_floating_point():
        weight, ids = ids, weight
    _add(recording, result, "Gather", [recording.value(weight), recording.value(ids)], axis=0)


@operator("conv1d")
def _conv1d(recording: Recording, result: Tensor, inputs: Tensor, weight: Tensor, *_: Any, **__: Any) -> None:
    """Without bias, padding, stride or dilation."""
    _add(recording, result, "Conv", [recording.value(inputs), recording.value(weight)])


# Steps of PyTorch's fused cells.


@operator("lstm_cell")
def _lstm_cell(
    recording: Recording, result: tuple[Tensor, Tensor], inputs: Tensor, state: Sequence[Tensor], w_ih: Tensor,
    w_hh: Tensor, b_ih: Tensor, b_hh: Tensor,
) -> None:  # fmt: skip
    graph = recording.graph
    h, c = state
    sums = graph.add("Add", [linear(recording, inputs, w_ih, b_ih), linear(recording, h, w_hh, b_hh)])
    i, f, g, o = graph.add("Split", [*sums, graph.integers([h.size(1)] * 4)], outputs=4, axis=1)
    (kept,) = graph.add("Mul", [*graph.add("Sigmoid", [f]), recording.value(c)])
    (new,) = graph.add("Mul", [*graph.add("Sigmoid", [i]), *graph.add("Tanh", [g])])
    _add(recording, result[1], "Add", [kept, new])
    names = [*graph.add("Sigmoid", [o]), *graph.add("Tanh", [recording.value(result[1])])]
    _add(recording, result[0], "Mul", names)


@operator("gru_cell")
def _gru_cell(
    recording: Recording, result: Tensor, inputs: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor,
    b_hh: Tensor,
) -> None:  # fmt: skip
    graph = recording.graph
    width = graph.integers([h.size(1)] * 3)
    r_x, z_x, n_x = graph.add("Split", [linear(recording, inputs, w_ih, b_ih), width], outputs=3, axis=1)
    r_h, z_h, n_h = graph.add("Split", [linear(recording, h, w_hh, b_hh), width], outputs=3, axis=1)
    (r,) = graph.add("Sigmoid", graph.add("Add", [r_x, r_h]))
    (z,) = graph.add("Sigmoid", graph.add("Add", [z_x, z_h]))
    (n,) = graph.add("Tanh", graph.add("Add", [n_x, *graph.add("Mul", [r, n_h])]))
    # (1 - z) n + z h = n + z (h - n)
    (change,) = graph.add("Mul", [z, *graph.add("Sub", [recording.value(h), n])])
    _add(recording, result, "Add", [n, change])


def _elman_cell(kind: str) -> Operator:
    def elman_cell(
        recording: Recording, result: Tensor, inputs: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor,
        b_hh: Tensor,
    ) -> None:  # fmt: skip
        sums = [linear(recording, inputs, w_ih, b_ih), linear(recording, h, w_hh, b_hh)]
        _add(recording, result, kind, recording.graph.add("Add", sums))

    return elman_cell


OPERATORS["rnn_tanh_cell"] = _elman_cell("Tanh")
OPERATORS["rnn_relu_cell"] = _elman_cell("Relu")
