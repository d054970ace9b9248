"""A graph of ONNX while it is being written: its nodes, its constants, and the bodies of its loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

#: Operators are those of this version, which every onnxruntime from 1.12 on knows, and models are of the format that
#: came with it.
OPSET = 17
IR_VERSION = 8

ELEMENT_TYPES = {
    torch.float32: TensorProto.FLOAT,
    torch.int64: TensorProto.INT64,
    torch.int32: TensorProto.INT32,
    torch.bool: TensorProto.BOOL,
}


@dataclass
class _Scope:
    """The main graph, or the body of a loop: what is in scope there alone."""

    nodes: list[Any] = field(default_factory=list)
    #: Results of nodes that need not be computed twice, by what they are.
    known: dict[object, str] = field(default_factory=dict)


class Graph:
    """Nodes in the order of computation; every value has a name of its own."""

    def __init__(self) -> None:
        self._scopes = [_Scope()]
        self._constants: dict[str, Any] = {}
        self._by_tensor: dict[int, tuple[Tensor, str]] = {}
        self._count = 0

    def name(self, kind: str) -> str:
        """A name that no other value has."""
        self._count += 1
        return f"{kind.lower()}_{self._count}"

    def add(self, operator: str, inputs: Sequence[str], *, outputs: int = 1, **attributes: Any) -> list[str]:
        """Add a node, and return the names of its outputs; an input that is left out is ""."""
        names = [self.name(operator) for _ in range(outputs)]
        self._scopes[-1].nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names

    def once(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """The output of a node that is there already, with the same inputs, or else is added."""
        key = (operator, tuple(inputs), tuple(sorted(attributes.items())))
        for scope in self._scopes:
            if key in scope.known:
                return scope.known[key]
        (name,) = self.add(operator, inputs, **attributes)
        self._scopes[-1].known[key] = name
        return name

    def constant(self, tensor: Tensor, *, name: str | None = None) -> str:
        """A constant: of one tensor always the same, called `name` if there is to be one."""
        if id(tensor) not in self._by_tensor:
            name = self.name("constant") if name is None else name
            self._by_tensor[id(tensor)] = (tensor, name)
            self._constants[name] = numpy_helper.from_array(tensor.detach().contiguous().numpy(), name)
        return self._by_tensor[id(tensor)][1]

    def number(self, value: float | bool, dtype: torch.dtype) -> str:
        """A constant without axes."""
        return self._small(torch.tensor(value, dtype=dtype))

    def integers(self, values: Sequence[int]) -> str:
        """A constant list of integers."""
        return self._small(torch.tensor(list(values), dtype=torch.int64))

    def _small(self, tensor: Tensor) -> str:
        key = f"{tensor.tolist()} {tensor.dtype}"
        known = self._scopes[0].known
        if key not in known:
            known[key] = self.constant(tensor)
        return known[key]

    @contextmanager
    def body(self) -> Iterator[list[Any]]:
        """Until its end, nodes are added to the body of a loop: the list that this gives."""
        self._scopes.append(_Scope())
        try:
            yield self._scopes[-1].nodes
        finally:
            self._scopes.pop()

    def model(self, *, name: str, inputs: Mapping[str, Any], outputs: Sequence[tuple[str, Any]]) -> Any:
        """The whole as an onnx.ModelProto with these inputs and outputs, each as :func:`declared` gives it.

        What no output needs is left out, inputs too. `outputs` are values and how they are declared, by other names.
        """
        nodes = list(self._scopes[0].nodes)
        for value, declaration in outputs:
            nodes.append(helper.make_node("Identity", [value], [declaration.name]))
        needed = {declaration.name for _, declaration in outputs}
        kept = []
        for node in reversed(nodes):
            if needed & set(node.output):
                kept.append(node)
                needed |= _read_by(node)
        graph = helper.make_graph(
            kept[::-1],
            name,
            [declaration for each, declaration in inputs.items() if each in needed],
            [declaration for _, declaration in outputs],
            initializer=[constant for each, constant in self._constants.items() if each in needed],
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="seq2seq"
        )


def declared(name: str, dtype: torch.dtype, axes: Sequence[str | int]) -> Any:
    """An input or output: its axes are sizes, or names of sizes that may differ from call to call."""
    return helper.make_tensor_value_info(name, ELEMENT_TYPES[dtype], list(axes))


def undeclared(name: str, dtype: torch.dtype) -> Any:
    """An input or output of a loop's body, which says nothing of its axes."""
    return helper.make_tensor_value_info(name, ELEMENT_TYPES[dtype], None)


def body_of(nodes: Sequence[Any], *, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """The body of a loop; it sees the values of the graph around it."""
    return helper.make_graph(list(nodes), name, list(inputs), list(outputs))


def serialized(model: Any) -> bytes:
    """The bytes of a checked model, the same for the same model."""
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _read_by(node: Any) -> set[str]:
    """Names of the values that a node reads, those that the body of a loop reads included."""
    read = set(node.input)
    for attribute in node.attribute:
        if attribute.HasField("g"):
            for inner in attribute.g.node:
                read |= _read_by(inner)
            read |= {output.name for output in attribute.g.output}
    return read
