"""The copy generator, by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.build import build_model
from seq2seq.data.batch import Batch
from seq2seq.model.copying import CopyGenerator
from seq2seq.recipe import Model


def tensor(*rows: Any) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def generator(features: int = 3) -> CopyGenerator:
    made = CopyGenerator(features_size=features).double()
    with torch.no_grad():
        made.gate.weight.zero_()
        made.gate.bias.fill_(math.log(3))  # three quarters are generated
    return made


@torch.no_grad()
def test_a_case_in_numbers() -> None:
    """Five pieces; the source is 3, 1, 3 and padding (0)."""
    logits = tensor([[0.1, 0.2, 0.3, 0.2, 0.2]]).log() + 7  # a constant means nothing
    weights = tensor([[0.5, 0.3, 0.2, 0.0]])
    log_probs = generator()(logits, weights, torch.zeros(1, 1, 3).double(), torch.tensor([[3, 1, 3, 0]]))
    generated = [0.075, 0.15, 0.225, 0.15, 0.15]
    copied = [0.0, 0.075, 0.0, 0.175, 0.0]  # the two places of 3 add up: a quarter of 0.7
    expected = [one + other for one, other in zip(generated, copied, strict=True)]
    assert log_probs.shape == (1, 1, 5)
    assert log_probs.exp().flatten().tolist() == pytest.approx(expected)
    assert log_probs.exp().sum().item() == pytest.approx(1.0)


@torch.no_grad()
def test_the_gate_reads_the_features() -> None:
    made = generator()
    made.gate.weight.copy_(tensor([1, 2, 3]))
    made.gate.bias.fill_(-1.0)
    logits, weights, source = tensor([[[0.0, 0.0]]])[0], tensor([[1.0]]), torch.tensor([[1]])
    features = tensor([[[0.2, 0.1, 0.2]]])[0]  # 0.2 + 0.2 + 0.6 - 1 = 0: half and half
    assert made(logits, weights, features, source).exp().flatten().tolist() == pytest.approx([0.25, 0.75])
    shut = made(logits, weights, features - 1000, source)
    # What only the vocabulary could give has no chance left, but a logarithm.
    assert shut.flatten().tolist() == pytest.approx([math.log(torch.finfo(torch.float64).tiny), 0.0])


@torch.no_grad()
def test_every_sentence_copies_from_its_own_source() -> None:
    """Two sentences, three target positions (or hypotheses) each."""
    weights = torch.tensor([[[1, 0], [0, 1], [0.5, 0.5]], [[1, 0], [1, 0], [0, 1]]], dtype=torch.float64)
    made = generator(1)
    made.gate.bias.fill_(-1000.0)  # all is copied
    source = torch.tensor([[2, 4], [1, 1]])
    probabilities = made(torch.zeros(2, 3, 5).double(), weights, torch.zeros(2, 3, 1).double(), source).exp()
    one, half = 1.0, 0.5
    expected = [
        [[0, 0, one, 0, 0], [0, 0, 0, 0, one], [0, 0, half, 0, half]],
        [[0, one, 0, 0, 0], [0, one, 0, 0, 0], [0, one, 0, 0, 0]],
    ]
    torch.testing.assert_close(probabilities, torch.tensor(expected, dtype=torch.float64))


def test_gradients_reach_both_sides() -> None:
    made = generator(2)
    logits = torch.zeros(1, 1, 3, dtype=torch.float64, requires_grad=True)
    weights = tensor([[0.25, 0.75]]).requires_grad_()
    features = torch.ones(1, 1, 2, dtype=torch.float64)
    loss = -made(logits, weights, features, torch.tensor([[1, 2]]))[0, 0, 1]  # p = 3/4 1/3 + 1/4 1/4 = 5/16
    assert loss.item() == pytest.approx(math.log(16 / 5))
    of_weights, of_bias = torch.autograd.grad(loss, [weights, made.gate.bias], retain_graph=True)
    assert of_weights.flatten().tolist() == pytest.approx([-(1 / 4) * 16 / 5, 0.0])
    # dp/dg = 1/3 - 1/4, dg/db = 3/16
    assert of_bias.item() == pytest.approx(-(16 / 5) * (1 / 12) * (3 / 16))
    (of_logits,) = torch.autograd.grad(loss, logits)
    assert of_logits.flatten().tolist() == pytest.approx([x * 16 / 5 * 3 / 4 / 9 for x in (1, -2, 1)])


@torch.no_grad()
def test_half_precision_is_summed_in_single() -> None:
    made = CopyGenerator(features_size=2)
    with torch.autocast("cpu", torch.bfloat16):
        log_probs = made(
            torch.zeros(1, 1, 3, dtype=torch.bfloat16), torch.ones(1, 1, 1), torch.ones(1, 1, 2), torch.tensor([[1]])
        )
    assert log_probs.dtype == torch.float32
    assert log_probs.exp().sum().item() == pytest.approx(1.0, abs=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("context", ["output", "upper-layers", "input-feeding", "previous-state", "conditional"])
def test_in_a_network(context: str, fill: Callable[..., Any], make_pairs: Callable[..., Batch]) -> None:
    """The same mixture made from a network without copying and its own weights; probabilities sum to one."""
    sections = {
        "encoder": {"hidden_size": 3, "embedding_size": 5},
        "decoder": {"layers": 2, "hidden_size": 6, "embedding_size": 5},
        "attention": {"type": "additive", "context": context, "size": 4},
    }  # fmt: skip
    plain = fill(
        build_model(Model.model_validate(sections), source_vocabulary=11, target_vocabulary=11).double().eval()
    )
    copying = build_model(
        Model.model_validate(sections | {"generator": "copy"}), source_vocabulary=11, target_vocabulary=11
    )
    copying = copying.double().eval()
    missing, extra = copying.load_state_dict(plain.state_dict(), strict=False)
    assert missing == ["copying.gate.weight", "copying.gate.bias"]
    assert extra == []
    copying.copying.gate.weight.zero_()  # type: ignore[union-attr]
    copying.copying.gate.bias.fill_(math.log(3))  # type: ignore[union-attr]
    batch = make_pairs()
    given = (batch.source, batch.source_lengths, batch.target_in)
    base, mixed = plain(*given), copying(*given)
    expected = 0.75 * base.logits.softmax(-1)
    for sentence, row, place in torch.cartesian_prod(*map(torch.arange, base.weights.shape)).tolist():
        piece = int(batch.source[sentence, place])
        expected[sentence, row, piece] += 0.25 * base.weights[sentence, row, place]
    torch.testing.assert_close(mixed.logits.exp(), expected, rtol=0, atol=1e-12)
    assert torch.equal(mixed.weights, base.weights)
