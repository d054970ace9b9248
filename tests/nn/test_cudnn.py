"""What cuDNN is handed, checked on the CPU: the weights' block, the precision, aligned widths, the second stream."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seq2seq.nn.recurrent import EncoderLayer, FusedLayer, encoder, fused, reversal, streams
from seq2seq.nn.recurrent.cudnn import in_one_block, kernel_dtype

Fill = Callable[..., Any]
LENGTHS = torch.tensor([5, 2, 4])


@pytest.fixture
def as_cudnn(monkeypatch: pytest.MonkeyPatch) -> list[list[Tensor]]:
    """Let fused layers prepare everything as for cuDNN; gives the weights of every call of a kernel."""
    calls: list[list[Tensor]] = []
    call = fused._call

    def watched(kind: Any, steps: Tensor, h: Tensor, c: Tensor | None, weights: list[Tensor]) -> Any:
        assert steps.is_contiguous() or steps.transpose(0, 1).is_contiguous()
        assert h.is_contiguous()
        calls.append(weights)
        return call(kind, steps, h, c, weights)

    monkeypatch.setattr(fused, "uses_cudnn", lambda device: True)
    monkeypatch.setattr(fused, "_call", watched)
    return calls


def test_a_block_by_hand() -> None:
    weights = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[5.0], [6.0]]), torch.tensor([7.0])]
    for weight in weights:
        weight.requires_grad_()
    block = in_one_block(weights, torch.bfloat16)
    memory = torch.empty(0, dtype=torch.bfloat16).set_(block[0].untyped_storage())  # type: ignore[call-overload]
    assert memory.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert [part.shape for part in block] == [weight.shape for weight in weights]
    (2 * block[0].sum() + (block[2] * block[2]).sum()).backward()
    assert weights[0].grad is not None
    assert weights[0].grad.dtype == torch.float32
    assert weights[0].grad.tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert weights[1].grad is None or weights[1].grad.tolist() == [[0.0], [0.0]]
    assert weights[2].grad is not None
    assert weights[2].grad.tolist() == [14.0]


@pytest.mark.parametrize("version", [None, 90100, 91300])
def test_bf16_where_cudnn_has_it(version: int | None) -> None:
    expected = torch.float32 if version == 90100 else torch.bfloat16
    assert kernel_dtype(torch.bfloat16, version=version) is expected
    assert kernel_dtype(torch.float16, version=version) is torch.float16
    assert kernel_dtype(torch.float32, version=version) is torch.float32


@pytest.mark.parametrize("kind", ["lstm", "gru", "elman-tanh", "elman-relu"])
def test_the_layer_is_the_same(kind: Any, fill: Fill, as_cudnn: list[list[Tensor]], monkeypatch: Any) -> None:
    """With the weights in a block, and with a memory cell that is held by 8 columns in place of one."""
    layer = fill(FusedLayer(kind=kind, input_size=3, hidden_size=4)).double()
    twin = copy.deepcopy(layer)
    inputs = torch.sin(torch.arange(45, dtype=torch.float64)).view(3, 5, 3).requires_grad_()
    mask = torch.arange(5) < LENGTHS.unsqueeze(1)

    def run(which: nn.Module) -> list[Tensor]:
        outputs, state = which(inputs, mask=mask)
        loss = (outputs * mask.unsqueeze(-1)).sum() + sum((2 * part).sum() for part in state.tensors())
        gradients = torch.autograd.grad(loss, [inputs, *which.parameters()])
        return [outputs[mask], *state.tensors(), *gradients]

    results = run(layer)
    weights = as_cudnn[0]
    assert len({weight.untyped_storage().data_ptr() for weight in weights}) == 1
    ends = [0]
    for weight in weights:
        assert weight.storage_offset() == ends[-1]
        ends.append(ends[-1] + weight.numel())
    assert weights[0].shape[1] == (3 + 8 if kind == "lstm" else 3)

    monkeypatch.setattr(fused, "uses_cudnn", lambda device: False)
    for ours, theirs in zip(results, run(twin), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_old_cudnn_reads_bf16_in_fp32(fill: Fill, as_cudnn: list[list[Tensor]], monkeypatch: Any) -> None:
    """What comes out is bf16 all the same."""
    monkeypatch.setattr(fused, "cudnn_version", lambda: 90100)
    layer = fill(FusedLayer(kind="lstm", input_size=3, hidden_size=4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs, state = layer(torch.ones(2, 3, 3))
    assert as_cudnn[0][0].dtype == torch.float32
    assert {outputs.dtype, *(part.dtype for part in state.tensors())} == {torch.bfloat16}


class FakeStream:
    """A stream that writes down what waits for it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    def wait_stream(self, other: FakeStream) -> None:
        self.log.append(f"{self.name} waits for {other.name}")


def test_two_streams_in_their_order(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for what it reads, the first for what it made, and the allocator knows of both."""
    log: list[str] = []
    main, side = FakeStream("main", log), FakeStream("side", log)
    current = [main]

    @contextmanager
    def stream(which: FakeStream) -> Iterator[None]:
        current.append(which)
        yield
        current.pop()

    streams._side_stream.cache_clear()
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device=None: current[-1])
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: side)
    monkeypatch.setattr(torch.cuda, "stream", stream)
    recorded: list[tuple[int, str]] = []
    monkeypatch.setattr(Tensor, "record_stream", lambda tensor, which: recorded.append((id(tensor), which.name)))

    def work(name: str, result: Tensor) -> Callable[[], Tensor]:
        def run() -> Tensor:
            log.append(f"{name} on {current[-1].name}")
            return result

        return run

    read, first, second = (torch.ones(1) for _ in range(3))
    try:
        results = streams.side_by_side(
            work("first", first), work("second", second), device=torch.device("cuda", 0), reads=[read],
            made=lambda tensor: [tensor],
        )  # fmt: skip
    finally:
        streams._side_stream.cache_clear()
    assert results[0] is first
    assert results[1] is second
    assert log == ["side waits for main", "second on side", "first on main", "main waits for side"]
    assert recorded == [(id(read), "side"), (id(second), "main")]


def test_both_directions_beside_each_other(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that one direction computes is hidden from the other or computed twice."""
    seen: list[int] = []

    def side_by_side(first: Any, second: Any, *, device: Any, reads: Any, made: Any) -> Any:
        seen.append(len(list(reads)))
        other = second()
        seen.append(len(list(made(other))))
        return first(), other

    layer = EncoderLayer(
        ahead=FusedLayer(kind="lstm", input_size=3, hidden_size=4),
        back=FusedLayer(kind="lstm", input_size=3, hidden_size=4),
        final_cell=True,
    )
    fill(layer)
    inputs, mask = torch.sin(torch.arange(45.0)).view(3, 5, 3), torch.arange(5) < LENGTHS.unsqueeze(1)
    expected = layer(inputs, mask, reversal(LENGTHS, 5))
    monkeypatch.setattr(encoder, "side_by_side", side_by_side)
    layer.two_streams = True
    assert torch.equal(layer(inputs, mask, reversal(LENGTHS, 5))[0], expected[0])
    assert seen == []  # there is one stream on a CPU
    monkeypatch.setattr(encoder, "has_streams", lambda device: True)
    outputs, state = layer(inputs, mask, reversal(LENGTHS, 5))
    assert seen == [3, 3]
    assert torch.equal(outputs, expected[0])
    assert torch.equal(state.h, expected[1].h)
    assert torch.equal(state.memory(), expected[1].memory())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.filterwarnings("error:RNN module weights")
def test_two_streams_on_a_gpu(kind: Any, dtype: torch.dtype, fill: Fill) -> None:
    """The results of one, ten times, with other work that wants memory in between; weights need no compaction."""
    layer = EncoderLayer(
        ahead=FusedLayer(kind=kind, input_size=64, hidden_size=128),
        back=FusedLayer(kind=kind, input_size=64, hidden_size=128),
        final_cell=kind == "lstm",
    )
    fill(layer, scale=0.1).cuda()
    lengths = torch.arange(1, 33, device="cuda")
    inputs = torch.randn(32, 32, 64, device="cuda", requires_grad=True)
    mask = torch.arange(32, device="cuda") < lengths.unsqueeze(1)

    def run() -> list[Tensor]:
        with torch.autocast("cuda", dtype=dtype, enabled=dtype is not torch.float32):
            outputs, state = layer(inputs, mask, reversal(lengths, 32))
        loss = outputs.float().square().sum() + sum(part.float().sum() for part in state.tensors())
        return [outputs, *torch.autograd.grad(loss, [inputs, *layer.parameters()])]

    expected = run()
    layer.two_streams = True
    for _ in range(10):
        for ours, theirs in zip(run(), expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0.02, atol=0.02)
        torch.randn(1 << 20, device="cuda")
