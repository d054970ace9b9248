"""Recurrent layers over whole sequences in ONNX: its own operators for PyTorch's layers, a loop for all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from seq2seq.export.graph import body_of, undeclared
from seq2seq.export.recording import Recording
from seq2seq.nn.cells import CellState
from seq2seq.nn.recurrent import EncoderLayer, EncoderStack, FusedLayer, LayerNoise, RecurrentLayer

#: ONNX's operator, and where among the toolkit's gates its own lie: for an LSTM i, o, f, g among i, f, g, o, for a GRU
#: z, r, n among r, z, n.
_OPERATORS = {"lstm": "LSTM", "gru": "GRU", "elman-tanh": "RNN", "elman-relu": "RNN"}
_GATES = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "elman-tanh": (0,), "elman-relu": (0,)}


class RecordedLayer(nn.Module):
    """A layer of an encoder that, when it reads a sequence, writes down what it does; a RecurrentLayer for that."""

    def __init__(self, layer: RecurrentLayer, recording: Recording) -> None:
        super().__init__()
        self.layer = layer
        self.recording = recording

    def forward(
        self,
        inputs: Tensor,
        state: CellState | None = None,
        *,
        mask: Tensor,
        final_cell: bool = True,
        noise: LayerNoise | None = None,
    ) -> tuple[Tensor, CellState]:
        """Read `inputs` [batch, len, input] under `mask` from a state of zeros, as the layer itself does."""
        with self.recording.paused():
            outputs, last = self.layer(inputs, mask=mask, final_cell=final_cell)
            # One that could be a view of the other would have its name.
            last = CellState(*(tensor.clone() for tensor in last.tensors()))
        if isinstance(self.layer, FusedLayer):
            self._fused(self.layer, inputs, mask, outputs, last)
        else:
            self._loop(inputs, mask, outputs, last)
        return outputs, last

    def _fused(self, layer: FusedLayer, inputs: Tensor, mask: Tensor, outputs: Tensor, last: CellState) -> None:
        """One operator over all steps, which knows of lengths."""
        recording, graph = self.recording, self.recording.graph
        axis = graph.integers([1])
        lengths = graph.once("ReduceSum", [recording.value(mask, torch.int32), axis], keepdims=0)
        with recording.paused():
            w_ih, w_hh, b_ih, b_hh = (
                torch.cat([weight.chunk(len(_GATES[layer.kind]))[gate] for gate in _GATES[layer.kind]])
                for weight in (layer.w_ih, layer.w_hh, layer.b_ih, layer.b_hh)
            )
            weights = [w_ih.unsqueeze(0), w_hh.unsqueeze(0), torch.cat((b_ih, b_hh)).unsqueeze(0)]
        attributes: dict[str, object] = {"hidden_size": layer.hidden_size}
        if layer.kind == "gru":
            attributes["linear_before_reset"] = 1
        if layer.kind == "elman-relu":
            attributes["activations"] = ["Relu"]
        names = [*graph.add("Transpose", [recording.value(inputs)], perm=[1, 0, 2])]
        names += [*(graph.constant(weight) for weight in weights), lengths]
        steps, *ends = graph.add(_OPERATORS[layer.kind], names, outputs=3 if layer.kind == "lstm" else 2, **attributes)
        # [len, directions, batch, hidden] and [directions, batch, hidden], of one direction
        recording.bind(outputs, *graph.add("Transpose", graph.add("Squeeze", [steps, axis]), perm=[1, 0, 2]))
        first = graph.integers([0])
        for tensor, end in zip(last.tensors(), ends, strict=False):
            recording.bind(tensor, *graph.add("Squeeze", [end, first]))

    def _loop(self, inputs: Tensor, mask: Tensor, outputs: Tensor, last: CellState) -> None:
        """A loop over the steps, whose state stays what it is where a sequence has ended."""
        recording, graph = self.recording, self.recording.graph
        rows = recording.shape(inputs)[0]
        with recording.paused():
            before = self.layer.initial_state(int(rows))
            before = CellState(*(tensor.clone() for tensor in before.tensors()))
            position, is_real = inputs[:, 0].clone(), mask[:, 0].clone()
        zero = graph.number(0.0, torch.float32)
        starts = [
            graph.add("Expand", [zero, recording.list_of((rows, tensor.size(1)))])[0] for tensor in before.tensors()
        ]
        given = [*before.tensors(), position, is_real]
        names = [graph.name("step") for _ in given]
        with graph.body() as nodes:
            for tensor, name in zip(given, names, strict=True):
                recording.input(name, tensor)
            output, after = self.layer.step(position, before)
            (real,) = graph.add("Unsqueeze", [names[-1], graph.integers([1])])
            results = [
                graph.add("Where", [real, recording.value(new), recording.value(old)])[0]
                for new, old in zip(after.tensors(), before.tensors(), strict=True)
            ]
            # A result that the body does not compute itself, such as the state as the output, needs a node.
            results += graph.add("Identity", [recording.value(output)])
        dtypes = [tensor.dtype for tensor in given]
        body = body_of(
            nodes,
            name=graph.name("steps"),
            inputs=[undeclared(name, dtype) for name, dtype in zip(names, dtypes, strict=True)],
            outputs=[undeclared(name, torch.float32) for name in results],
        )
        *ends, steps = graph.add(
            "Scan",
            [*starts, recording.value(inputs), recording.value(mask)],
            outputs=len(results),
            body=body,
            num_scan_inputs=2,
            scan_input_axes=[1, 1],
            scan_output_axes=[1],
        )
        recording.bind(outputs, steps)
        for tensor, end in zip(last.tensors(), ends, strict=False):
            recording.bind(tensor, end)


@contextmanager
def recorded_layers(stack: EncoderStack, recording: Recording) -> Iterator[None]:
    """Until its end, the layers of the stack are recorded ones."""
    layers = [cast(EncoderLayer, layer) for layer in stack.layers]
    own = [(layer.ahead, layer.back) for layer in layers]
    try:
        for layer in layers:
            for direction in ("ahead", "back"):
                if getattr(layer, direction) is not None:
                    setattr(layer, direction, RecordedLayer(getattr(layer, direction), recording))
        yield
    finally:
        for layer, (ahead, back) in zip(layers, own, strict=True):
            layer.ahead, layer.back = ahead, back
