"""One recurrent layer, forward and backward: the ways to read padded sentences in both directions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq.nn.recurrent import EncoderLayer, FusedLayer, reversal
from tools.benchmark_gpu.timing import Case, Work

#: Calls of a layer that are timed together.
_CALLS = 5
_NAMES = {torch.float16: "fp16", torch.bfloat16: "bf16", torch.float32: "fp32"}


@dataclass(frozen=True)
class LayerSize:
    """Widths of input and hidden state, and the lengths of the sentences, shortest and longest, as in one batch."""

    input_size: int = 1024
    hidden_size: int = 1024
    shortest: int = 25
    longest: int = 32


def layer_cases(device: torch.device, size: LayerSize, *, batch: int, dtypes: tuple[torch.dtype, ...]) -> list[Case]:
    """Every way in every type, for a batch of `batch` sentences."""
    ways: dict[str, tuple[int, Callable[[], Callable[[Tensor, Tensor], Tensor]]]] = {
        "one direction": (1, lambda: _ours(device, size, back=False)),
        "both, one stream": (2, lambda: _ours(device, size)),
        "both, two streams": (2, lambda: _ours(device, size, two_streams=True)),
        "nn.LSTM, padded": (2, lambda: _torch(device, size, packed=False)),
        "nn.LSTM, packed": (2, lambda: _torch(device, size, packed=True)),
    }
    return [
        Case(
            table="layer",
            labels={"way": name, "precision": _NAMES[dtype], "sentences": str(batch)},
            dtype=dtype,
            prepare=lambda make=make, directions=directions, dtype=dtype: _work(  # type: ignore[misc]
                make(), device, size, batch=batch, directions=directions, dtype=dtype
            ),
        )
        for dtype in dtypes
        for name, (directions, make) in ways.items()
    ]


def _work(
    read: Callable[[Tensor, Tensor], Tensor],
    device: torch.device,
    size: LayerSize,
    *,
    batch: int,
    directions: int,
    dtype: torch.dtype,
) -> Work:
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(size.shortest, size.longest + 1, (batch,), generator=generator)
    lengths[0] = size.longest
    tokens = int(lengths.sum())
    inputs = torch.randn(batch, size.longest, size.input_size, generator=generator).to(device)
    inputs.requires_grad_()
    on_device = lengths.to(device)
    short = dtype is not torch.float32

    def step() -> None:
        with torch.autocast(device.type, dtype=dtype) if short else nullcontext():
            outputs = read(inputs, lengths if device.type == "cpu" else on_device)
            # A gradient of ones for every output, without a pass over them in fp32.
            torch.autograd.backward(outputs, torch.ones_like(outputs))
        inputs.grad = None

    # Four gates, a product of two matrices is two operations, and there are two more of its size backward.
    flops = 3.0 * 2 * 4 * size.hidden_size * (size.input_size + size.hidden_size) * tokens * directions
    return Work(steps=[step] * _CALLS, tokens=[tokens] * _CALLS, flops=[flops] * _CALLS)


def _ours(
    device: torch.device, size: LayerSize, *, back: bool = True, two_streams: bool = False
) -> Callable[[Tensor, Tensor], Tensor]:
    if two_streams and device.type != "cuda":
        raise RuntimeError("a CPU has no streams")

    def make() -> FusedLayer:
        return FusedLayer(kind="lstm", input_size=size.input_size, hidden_size=size.hidden_size)

    layer = EncoderLayer(ahead=make(), back=make() if back else None, final_cell=False).to(device)
    layer.two_streams = two_streams

    def read(inputs: Tensor, lengths: Tensor) -> Tensor:
        length = inputs.shape[1]
        mask = torch.arange(length, device=lengths.device) < lengths.unsqueeze(1)
        outputs: Tensor = layer(inputs, mask, reversal(lengths, length))[0]
        return outputs

    return read


def _torch(device: torch.device, size: LayerSize, *, packed: bool) -> Callable[[Tensor, Tensor], Tensor]:
    """Torch's own layer in both directions; padded it reads the backward one from the padding on, and is only timed."""
    layer = nn.LSTM(size.input_size, size.hidden_size, batch_first=True, bidirectional=True).to(device)
    kept: dict[str, Tensor] = {}

    def read(inputs: Tensor, lengths: Tensor) -> Tensor:
        if not packed:
            outputs: Tensor = layer(inputs)[0]
            return outputs
        # Packing asks for lengths in main memory: read once here, though an update would wait for them every time.
        known = kept.setdefault("lengths", lengths.cpu())
        sequences = pack_padded_sequence(inputs, known, batch_first=True, enforce_sorted=False)
        padded: Tensor = pad_packed_sequence(layer(sequences)[0], batch_first=True)[0]
        return padded

    return read
