"""The prepared decoder against its slow twin, step by step, for every network that has one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from seq2seq.model import prepared_layers
from seq2seq.model.prepared import prepare
from seq2seq.nn import prepacked
from seq2seq.nn.prepacked import PrepackedLinear, QuantisedLinear, can_prepack, can_quantise
from tests.small_network import small_network

needs_packing = pytest.mark.skipif(not can_prepack(torch.float32), reason="no prepacked products on this machine")


def network(**sections: Any) -> Any:
    """A small network with biases of all sizes."""
    model = small_network(factor=2.0, **sections)
    draw = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.uniform_(-1.0, 1.0, generator=draw)
    return model


CASES: dict[str, dict[str, Any]] = {
    "output": {},
    "one layer": {"decoder": {"layers": 1}},
    "no attention": {"attention": {"type": "none", "context": "none"}},
    "input feeding": {"attention": {"type": "additive", "context": "input-feeding"}},
    "embeddings": {"encoder": {"hidden_size": 8, "embedding_size": 8, "embedding_in_output": True}},
    "deep readout": {"decoder": {"readout": "deep"}},
    "maxout readout": {"decoder": {"readout": "maxout"}},
    "plain readout": {"decoder": {"readout": "plain"}},
    "gate": {"decoder": {"readout": "deep", "context_gate": True}},
    "gate of a tanh": {"decoder": {"readout": "tanh", "context_gate": True}},
    "residual": {"decoder": {"connection": "residual"}},
    "dense": {"decoder": {"connection": "dense"}},
    "highway": {"decoder": {"connection": "highway"}},
    "multihead": {"attention": {"type": "multihead"}},
    "coverage": {"attention": {"type": "coverage"}},
    "location": {"attention": {"type": "location", "context": "input-feeding"}},
    "tied": {"tying": "all"},
    "whole vectors": {"decoder": {"hidden_size": 64, "readout": "deep"}},
    "upper layers": {"attention": {"context": "upper-layers"}},
    "gnmt": {
        "attention": {"type": "normalized-additive", "context": "upper-layers"},
        "decoder": {"layers": 3, "connection": "residual", "readout": "plain"},
    },
    "gru": {"decoder": {"cell": "gru"}},
    "gru, input feeding": {"decoder": {"cell": "gru"}, "attention": {"context": "input-feeding"}},
}


@needs_packing
@torch.no_grad()
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, 2e-5), (torch.bfloat16, 0.25), (torch.int8, 0.25)],
    ids=["fp32", "bf16", "int8"],
)
def test_every_step_is_that_of_the_network(name: str, dtype: torch.dtype, tolerance: float) -> None:
    if not (can_quantise() if dtype is torch.int8 else can_prepack(dtype)):
        pytest.skip("no prepacked products in this precision")
    model = network(**CASES[name])
    ready = prepare(model, dtype=dtype)
    assert ready is not None
    source = torch.tensor([[5, 9, 3, 7], [4, 3, 0, 0], [8, 8, 3, 0]])
    lengths = torch.tensor([4, 2, 3])
    slow, fast = model.start(source, lengths), ready.start(source, lengths)
    tokens = torch.tensor([2, 2, 2])
    draw = torch.Generator().manual_seed(1)
    for step in range(6):
        expected, slow, weights = model.step(tokens, slow)
        found, fast, found_weights = ready.step(tokens, fast)
        assert found.dtype == torch.float32
        assert (found - expected).abs().max() < tolerance
        assert found.exp().sum(dim=1).tolist() == pytest.approx([1.0] * len(tokens), abs=1e-4)
        assert (weights is None) == (found_weights is None)
        if weights is not None:
            assert found_weights is not None
            assert (found_weights - weights).abs().max() < max(tolerance / 4, 1e-5)
        if step == 1:  # three hypotheses each
            rows = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2])
            slow, fast = slow.reorder(rows), fast.reorder(rows)
        elif step == 3:  # one sentence leaves, the hypotheses of the others change places
            slow, fast = slow.keep(torch.tensor([0, 2])), fast.keep(torch.tensor([0, 2]))
            rows = torch.tensor([2, 1, 1, 3, 5, 4])
            slow, fast = slow.reorder(rows), fast.reorder(rows)
        count = (3, 9, 9, 6, 6, 6)[step]
        tokens = torch.randint(4, 40, (count,), generator=draw)


@pytest.mark.parametrize(
    "sections",
    [
        {"attention": {"type": "additive", "context": "conditional"}},
        {"attention": {"type": "additive", "context": "previous-state"}},
        {"decoder": {"cell": "elman-tanh"}},
        {"decoder": {"cell": "lstm-peephole"}},
        {"generator": "copy"},
    ],
)
def test_other_networks_are_left_alone(sections: dict[str, Any]) -> None:
    assert prepare(network(**sections), dtype=torch.float32) is None


@needs_packing
def test_the_weights_are_a_copy() -> None:
    model = network()
    ready = prepare(model, dtype=torch.float32)
    assert ready is not None
    source, lengths = torch.tensor([[5, 9, 3]]), torch.tensor([3])
    state = ready.start(source, lengths)
    before = ready.step(torch.tensor([2]), state)[0]
    with torch.no_grad():
        model.output.weight.zero_()
        model.decoder.layers[0].w_hh.zero_()
    assert torch.equal(ready.step(torch.tensor([2]), state)[0], before)


@pytest.mark.skipif(not can_prepack(torch.bfloat16), reason="no prepacked products in bf16 on this machine")
@torch.no_grad()
@pytest.mark.parametrize(
    "sections",
    [
        *CASES.values(),
        {"bridge": "zero"},
        {"bridge": "final-state", "encoder": {"hidden_size": 6, "embedding_size": 8, "layers": 2}},
        {"encoder": {"hidden_size": 8, "embedding_size": 8, "cell": "gru", "output_size": 10}},
        {"encoder": {"hidden_size": 8, "embedding_size": 8, "cell": "lstm-layer-norm"}},
    ],
)
def test_a_batch_starts_with_weights_that_were_cast_before(sections: dict[str, Any]) -> None:
    model = network(**sections)
    ready = prepare(model, dtype=torch.bfloat16)
    assert ready is not None
    source, lengths = torch.tensor([[5, 9, 3, 7], [4, 3, 0, 0], [8, 8, 3, 0]]), torch.tensor([4, 2, 3])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        slow = model.start(source, lengths)
    casts: list[torch.Size] = []

    class Casts(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.ops.aten._to_copy.default and isinstance(args[0], torch.nn.Parameter):
                casts.append(args[0].shape)
            return func(*args, **(kwargs or {}))

    with Casts():
        fast = ready.start(source, lengths)
    for one, other in zip(slow.decoder.layers, fast.decoder.layers, strict=True):
        assert torch.equal(one.h.float(), other.h)
        assert (one.c is None) == (other.c is None)
        assert one.c is None or torch.equal(one.c.float(), other.c)
    if slow.memory is not None:
        for mine, theirs in ((fast.memory.values, slow.memory.values), (fast.memory.keys, slow.memory.keys)):
            assert torch.equal(mine.float(), theirs.bfloat16().float())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    if sections.get("encoder", {}).get("cell") != "lstm-layer-norm":  # such layers cast their weights themselves
        assert not [shape for shape in casts if len(shape) == 2]


@pytest.mark.parametrize("packed", [True, False])
def test_a_linear_layer_with_and_without_packing(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if packed and not can_prepack(torch.float32):
        pytest.skip("no prepacked products on this machine")
    monkeypatch.setattr(prepacked, "can_prepack", lambda dtype: packed)
    weight, bias = torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]]), torch.tensor([10.0, 20.0])
    layer = PrepackedLinear(weight, bias, dtype=torch.float32)
    assert layer(torch.tensor([[1.0, 1.0, 1.0], [2.0, 0.0, -1.0]])).tolist() == [[16.0, 19.5], [9.0, 18.0]]
    bare = PrepackedLinear(weight, None, dtype=torch.float32)
    assert bare(torch.tensor([[1.0, 1.0, 1.0]])).tolist() == [[6.0, -0.5]]
    assert layer.select(torch.tensor([1]))(torch.tensor([[2.0, 0.0, -1.0]])).tolist() == [[18.0]]


@needs_packing
def test_a_table_that_would_be_too_large_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network()
    source, lengths, tokens = torch.tensor([[5, 9, 3]] * 36), torch.tensor([3] * 36), torch.arange(4, 40)
    found = []
    for largest in (2**20, 0):
        monkeypatch.setitem(prepared_layers._LARGEST_TABLE, "cpu", largest)
        ready = prepare(model, dtype=torch.float32)
        assert ready is not None
        found.append(ready.step(tokens, ready.start(source, lengths))[0])
    assert (found[0] - found[1]).abs().max() < 1e-5
    assert not torch.equal(found[0], found[1])  # another order of additions: there were two ways


@needs_packing
@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.int8], ids=["fp32", "int8"])
def test_a_part_of_the_vocabulary_has_the_same_scores(dtype: torch.dtype) -> None:
    if dtype is torch.int8 and not can_quantise():
        pytest.skip("no products of 8-bit integers on this machine")
    ready = prepare(network(), dtype=dtype)
    assert ready is not None
    state = ready.start(torch.tensor([[5, 9, 3], [4, 3, 0]]), torch.tensor([3, 2]))
    ids, tokens = torch.tensor([1, 3, 4, 17, 39]), torch.tensor([2, 2])
    everything, following, weights = ready.step(tokens, state)
    part, part_following, part_weights = ready.narrowed(ids)(tokens, state)
    assert (part.log_softmax(dim=1) - everything[:, ids].log_softmax(dim=1)).abs().max() < 1e-5
    assert torch.equal(part_following.decoder.layers[0].h, following.decoder.layers[0].h)
    assert weights is not None
    assert part_weights is not None
    assert torch.equal(part_weights, weights)


needs_integers = pytest.mark.skipif(not can_quantise(), reason="no products of 8-bit integers on this machine")


@needs_integers
@pytest.mark.parametrize("bias", [True, False])
def test_an_integer_product_is_that_of_the_rounded_factors(bias: bool) -> None:
    draw = torch.Generator().manual_seed(3)
    weight, inputs = torch.randn(7, 40, generator=draw), torch.randn(5, 40, generator=draw)
    inputs[3] *= 1000.0  # a row's scale is its own
    added = torch.randn(7, generator=draw) if bias else None
    found = QuantisedLinear(weight, added, bound=None)(inputs)
    for row in range(5):
        for column in range(7):
            scale_x, scale_w = (float(v.abs().max()) / 127 for v in (inputs[row], weight[column]))
            whole = sum(
                round(float(x) / scale_x) * round(float(w) / scale_w)
                for x, w in zip(inputs[row], weight[column], strict=True)
            )
            expected = whole * scale_x * scale_w + (0.0 if added is None else float(added[column]))
            assert float(found[row, column]) == pytest.approx(expected, rel=1e-4, abs=2e-3 * max(1.0, scale_x))


@needs_integers
def test_a_known_bound_is_the_scale_of_all_inputs() -> None:
    weight = torch.tensor([[1.0, 0.0], [0.0, -2.0]])
    found = QuantisedLinear(weight, torch.tensor([0.5, 0.0]), bound=1.0)(torch.tensor([[1.0, 0.3], [-1.0, 0.0]]))
    assert found.flatten().tolist() == pytest.approx([1.5, -2.0 * 38 / 127, -0.5, 0.0], abs=1e-5)


@needs_integers
def test_rows_of_integers_do_not_depend_on_their_company() -> None:
    draw = torch.Generator().manual_seed(4)
    product = QuantisedLinear(torch.randn(33, 50, generator=draw), torch.randn(33, generator=draw), bound=None)
    inputs = torch.randn(21, 50, generator=draw)
    assert torch.equal(product(inputs), torch.cat([product(row[None]) for row in inputs]))
    assert torch.equal(product(torch.zeros(1, 50)), product(torch.zeros(1, 50)))  # no division by 0
    assert bool(product(torch.zeros(1, 50)).isfinite().all())


@needs_packing
def test_where_there_are_no_integer_products_float32_takes_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepacked, "can_quantise", lambda: False)
    model = network()
    source, lengths, tokens = torch.tensor([[5, 9, 3]]), torch.tensor([3]), torch.tensor([2])
    found = []
    for dtype in (torch.int8, torch.float32):
        ready = prepare(model, dtype=dtype)
        assert ready is not None
        found.append(ready.step(tokens, ready.start(source, lengths))[0])
    assert torch.equal(found[0], found[1])
