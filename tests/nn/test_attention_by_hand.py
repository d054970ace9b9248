"""Every attention on a case small enough to work out on paper."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seq2seq.nn.attention import (
    AdditiveAttention,
    ConcatAttention,
    CoverageAttention,
    DotAttention,
    GeneralAttention,
    HardAttention,
    LocalMonotonicAttention,
    LocalPredictiveAttention,
    LocationAttention,
    MultiheadAdditiveAttention,
    MultiheadAttention,
    NormalizedAdditiveAttention,
    ScaledDotAttention,
    SummaryAttention,
)

# tanh(ln 2) = 3/5, and scores ln 3 and 0 give weights 3/4 and 1/4.
LN2, LN3 = math.log(2), math.log(3)
MASK = torch.tensor([[True, True, False]])


def set_weights(module: nn.Module, **weights: list[Any]) -> None:
    """Set every parameter by hand, its name written with _ for the dot."""
    assert {name.replace(".", "_") for name, _ in module.named_parameters()} == set(weights)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(tensor(weights[name.replace(".", "_")]).view_as(parameter))


def tensor(numbers: list[Any]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def assert_equal(actual: Tensor, expected: list[Any]) -> None:
    torch.testing.assert_close(actual, tensor(expected), rtol=0, atol=1e-12)


def look(attention: Any, queries: list[Any], values: list[Any], mask: Tensor = MASK) -> tuple[Tensor, Tensor]:
    attended = attention(tensor(queries), attention.remember(tensor(values), mask), None)
    return attended.contexts, attended.weights


def look_in_steps(attention: Any, queries: list[Any], values: list[Any], mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Contexts, weights and histories of several steps of one hypothesis per sentence, stacked in axis 1."""
    memory = attention.remember(tensor(values), mask)
    state = attention.initial_state(memory, mask.shape[0])
    steps = []
    for query in tensor(queries).split(1, dim=1):
        steps.append(attention(query, memory, state))
        state = steps[-1].state
    contexts, weights = (torch.cat([getattr(step, name) for step in steps], 1) for name in ("contexts", "weights"))
    return contexts, weights, torch.stack([step.state.history for step in steps], 1)


def test_summary() -> None:
    attention = SummaryAttention(value_size=2).double()
    set_weights(attention, summary_weight=[[1, 0], [1, -1]])
    memory = attention.remember(tensor([[[5, 5], [LN2, LN2 - LN3], [9, 9]]]), MASK)
    attended = attention(torch.full((1, 2, 7), 3.0), memory, None)  # queries of any width: they are not read
    assert_equal(attended.contexts, [[[0.6, 0.8], [0.6, 0.8]]])  # tanh(ln 3) = 8/10
    assert attended.weights is None


def test_dot() -> None:
    # Scores ln 3 and 0; the third is padding.
    contexts, weights = look(DotAttention(value_size=2), [[[LN3, 0]]], [[[1, 0], [0, 2], [9, 9]]])
    assert_equal(weights, [[[0.75, 0.25, 0]]])
    assert_equal(contexts, [[[0.75, 0.5]]])


def test_scaled_dot() -> None:
    # Queries are four wide, so products 2 ln 3 and 0 are halved.
    values = [[[1, 0, 0, 0], [0, 2, 0, 4], [9, 9, 9, 9]]]
    contexts, weights = look(ScaledDotAttention(value_size=4), [[[2 * LN3, 0, 0, 0]]], values)
    assert_equal(weights, [[[0.75, 0.25, 0]]])
    assert_equal(contexts, [[[0.75, 0.5, 0, 1]]])


def test_general() -> None:
    attention = GeneralAttention(query_size=1, value_size=2).double()
    set_weights(attention, key_weight=[2, 3])
    # Keys 2 - 3 = -1 and 1; with q = (ln 3) / 2 the scores differ by ln 3.
    contexts, weights = look(attention, [[[LN3 / 2]]], [[[1, -1], [0.5, 0], [9, 9]]])
    assert_equal(weights, [[[0.25, 0.75, 0]]])
    assert_equal(contexts, [[[0.25 + 0.375, -0.25]]])


def test_additive() -> None:
    attention = AdditiveAttention(query_size=1, value_size=1, size=1).double()
    set_weights(attention, query_weight=[2], key_weight=[1], key_bias=[1 + LN2], score_weight=[LN3 / 0.6])
    # tanh(2 q + v + 1 + ln 2): with q = -1/2 it is tanh(ln 2) = 3/5 for v = 0, and 0 for v = -ln 2.
    contexts, weights = look(attention, [[[-0.5]]], [[[0], [-LN2], [9]]])
    assert_equal(weights, [[[0.75, 0.25, 0]]])
    assert_equal(contexts, [[[-0.25 * LN2]]])


def test_concat() -> None:
    attention = ConcatAttention(query_size=1, value_size=1, size=1).double()
    set_weights(attention, query_weight=[2], key_weight=[-1], score_weight=[LN3 / 0.6])
    # tanh(2 q - v) with q = 1/2: tanh(ln 2) for v = 1 - ln 2, and 0 for v = 1.
    contexts, weights = look(attention, [[[0.5]]], [[[1 - LN2], [1], [9]]])
    assert_equal(weights, [[[0.75, 0.25, 0]]])
    assert_equal(contexts, [[[1 - 0.75 * LN2]]])


def normalized(direction: list[float], gain: float) -> NormalizedAdditiveAttention:
    attention = NormalizedAdditiveAttention(query_size=1, value_size=1, size=2).double()
    set_weights(
        attention, query_weight=[1, 0], key_weight=[1, 0], key_bias=[LN2, 0], score_weight=direction, gain=[gain],
    )  # fmt: skip
    return attention


def test_normalized_additive() -> None:
    # w = [3, 4] has length 5, so of the first unit's tanh(ln 2) = 3/5 the score has 3/5, times the gain.
    contexts, weights = look(normalized([3, 4], LN3 / 0.36), [[[2.0]]], [[[-2], [-2 - LN2], [9]]])
    assert_equal(weights, [[[0.75, 0.25, 0]]])
    assert_equal(contexts, [[[-2 - 0.25 * LN2]]])


def test_only_the_direction_of_a_normalised_vector_matters() -> None:
    queries, values = [[[2.0], [1.0]]], [[[-2], [-1], [9]]]
    attention = normalized([3, 4], 2.0)
    contexts, weights = look(attention, queries, values)
    for longer in ([30, 40], [0.003, 0.004]):
        assert_equal(look(normalized(longer, 2.0), queries, values)[1], weights.tolist())
    assert (look(normalized([4, 3], 2.0), queries, values)[1] - weights).abs().max() > 0.01
    assert (look(normalized([3, 4], 3.0), queries, values)[1] - weights).abs().max() > 0.01
    # So the gradient is at a right angle to it.
    contexts.sum().backward()
    gradient = attention.score.weight.grad
    assert gradient is not None
    assert gradient.norm() > 1e-3
    assert abs(float((gradient * attention.score.weight).detach().sum())) < 1e-12


def test_the_gain_of_a_normalised_vector_starts_at_one_over_the_root_of_its_width() -> None:
    assert float(NormalizedAdditiveAttention(query_size=3, value_size=3, size=16).gain.detach()) == 0.25


def test_multihead() -> None:
    attention = MultiheadAttention(query_size=8, value_size=8, size=8, heads=2).double()
    eye = torch.eye(8).tolist()
    nothing = [0] * 8
    set_weights(
        attention, query_weight=eye, query_bias=nothing, key_weight=eye, key_bias=nothing,
        value_weight=(2 * torch.eye(8)).tolist(), value_bias=nothing, output_weight=eye, output_bias=[0.5] * 8,
    )  # fmt: skip
    # Heads are 4 wide, so scores are halved. The first head sees q . k / 2 = ln 3 and 0; the second 0 and 0.
    values = [[[1, 0, 0, 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0, 1, 0], [9] * 8]]
    contexts, weights = look(attention, [[[2 * LN3] + [0] * 7]], values)
    assert_equal(weights, [[[0.625, 0.375, 0]]])
    assert_equal(contexts, [[[2, 1, 0.5, 0.5, 1.5, 0.5, 1.5, 0.5]]])


def test_multihead_additive() -> None:
    attention = MultiheadAdditiveAttention(query_size=1, value_size=2, size=2, heads=2).double()
    set_weights(
        attention, query_weight=[0, 49], query_bias=[0, 1], value_weight=[[2, 0], [0, 2]], value_bias=[0, 1],
        head_query_weight=[1], head_key_weight=[1], score_weight=[LN3 / 0.6],
    )  # fmt: skip
    # Projected values (ln 2, 7) and (0, -1). The first head's query is 0: tanh(ln 2) = 3/5 and tanh 0. The second's is
    # 50, at which tanh no longer tells 7 from -1: halves.
    contexts, weights = look(attention, [[[1.0]]], [[[LN2 / 2, 3], [0, -1], [9, 9]]])
    assert_equal(weights, [[[0.625, 0.375, 0]]])
    assert_equal(contexts, [[[0.75 * LN2, 3]]])


def test_parameters_of_multihead_additive_as_in_rnmt_plus() -> None:
    with torch.device("meta"):
        attention = MultiheadAdditiveAttention(query_size=1024, value_size=1024, size=1024, heads=4)
    assert sum(one.numel() for one in attention.parameters()) == 2 * 1025 * 1024 + 2 * 256**2 + 256 == 2_230_528


@pytest.mark.parametrize("kind", [MultiheadAttention, MultiheadAdditiveAttention])
def test_heads_must_divide_the_width(kind: Any) -> None:
    with pytest.raises(ValueError, match="4 heads do not divide a width of 6"):
        kind(query_size=3, value_size=3, size=6, heads=4)


def local(kind: Any, *, window: int, score: str = "dot", size: int = 1) -> Any:
    return kind(query_size=1, value_size=1, size=size, score=score, window=window).double()


def test_local_monotonic() -> None:
    # Queries of 0 weigh alike whatever the window holds. Two sentences, of four words and of one.
    mask = torch.tensor([[True] * 4 + [False], [True] + [False] * 4])
    values = [[[0], [6], [12], [18], [99]], [[5], [99], [99], [99], [99]]]
    attention = local(LocalMonotonicAttention, window=1)
    contexts, weights, histories = look_in_steps(attention, [[[0.0]] * 6] * 2, values, mask)
    half, third = 1 / 2, 1 / 3
    assert_equal(
        weights[0],
        [
            [half, half, 0, 0, 0],
            [third, third, third, 0, 0],
            [0, third, third, third, 0],
            [0, 0, half, half, 0],
            [0, 0, half, half, 0],  # beyond the source the window stays at its end
            [0, 0, half, half, 0],
        ],
    )
    assert_equal(contexts[0, :, 0], [3, 6, 12, 15, 15, 15])
    assert_equal(weights[1], [[1, 0, 0, 0, 0]] * 6)
    assert histories.tolist() == [[1, 2, 3, 4, 5, 6]] * 2


def test_hypotheses_of_local_monotonic_may_be_at_different_steps() -> None:
    attention = local(LocalMonotonicAttention, window=1)
    memory = attention.remember(tensor([[[0], [6], [12], [18]]]), torch.ones(1, 4, dtype=torch.bool))
    state = attention.initial_state(memory, 2)
    for _ in range(3):
        later = attention(tensor([[[0.0], [0.0]]]), memory, state).state
        state = type(later)(torch.stack((state.history[0], later.history[1])))
    assert_equal(attention(tensor([[[0.0], [0.0]]]), memory, state).contexts, [[[3], [15]]])


@pytest.mark.parametrize("score", ["dot", "general", "concat"])
def test_a_window_wider_than_the_sentence_is_global_attention(score: str) -> None:
    sizes: dict[str, Any] = {"query_size": 3, "value_size": 3}
    torch.manual_seed(1)
    everything: Any = {
        "dot": DotAttention(value_size=3),
        "general": GeneralAttention(**sizes),
        "concat": ConcatAttention(**sizes, size=5),
    }[score]
    wide: Any = LocalMonotonicAttention(**sizes, size=5, score=score, window=5)  # type: ignore[arg-type]
    wide.load_state_dict({f"score.{name}": weight for name, weight in everything.state_dict().items()})
    everything, wide = everything.double(), wide.double()
    values, queries = torch.randn(1, 6, 3).double().tolist(), torch.randn(1, 6, 3).double().tolist()
    mask = torch.ones(1, 6, dtype=torch.bool)
    contexts, weights = look(everything, queries, values, mask)
    assert_equal(look_in_steps(wide, queries, values, mask)[0], contexts.tolist())
    assert_equal(look_in_steps(wide, queries, values, mask)[1], weights.tolist())


def test_local_predictive() -> None:
    attention = local(LocalPredictiveAttention, window=1)
    set_weights(attention, position_weight=[1], position_score_weight=[1])
    # A query of 0 weighs alike and predicts the middle of each sentence: p = 4/2 = 2 and 1/2 = 0.5. With sigma = 1/2
    # the factors are e^-2 at a distance of 1, and e^(-1/2) at a distance of 1/2.
    mask = torch.tensor([[True] * 4 + [False], [True] + [False] * 4])
    values = [[[3], [6], [9], [12], [99]], [[5], [99], [99], [99], [99]]]
    contexts, weights = look(attention, [[[0.0]]] * 2, values, mask)
    far, near = math.exp(-2), math.exp(-0.5)
    assert_equal(weights[0, 0], [far / 3, 1 / 3, far / 3, 0, 0])
    assert_equal(weights[1, 0], [near, 0, 0, 0, 0])
    assert_equal(contexts[:, 0, 0], [4 * far + 2, 5 * near])


def test_local_predictive_at_both_ends() -> None:
    attention = local(LocalPredictiveAttention, window=1)
    set_weights(attention, position_weight=[100], position_score_weight=[1000])
    # tanh is 1 or -1, and the sigmoid of 1000 or -1000 is 1 or 0: p = 4, the last word, and p = 0, before the first.
    values = [[[0], [0], [0], [0], [99]]]
    _, weights = look(attention, [[[1.0], [-1.0]]], values, torch.tensor([[True] * 4 + [False]]))
    far = math.exp(-2)
    assert_equal(weights, [[[0, 0, far / 2, 1 / 2, 0], [far, 0, 0, 0, 0]]])


@pytest.mark.parametrize("kind", [LocalMonotonicAttention, LocalPredictiveAttention])
def test_what_a_local_attention_cannot_be(kind: Any) -> None:
    with pytest.raises(ValueError, match="a window of 0 positions to each side is no window"):
        local(kind, window=0)
    with pytest.raises(ValueError, match="dot products need one width, not queries of 2 and values of 3"):
        kind(query_size=2, value_size=3, size=4, score="dot", window=2)


def test_location() -> None:
    attention = LocationAttention(query_size=1, value_size=1, size=1, filters=1, width=3).double()
    set_weights(
        attention, query_weight=[0], key_weight=[0], key_bias=[0], filters_weight=[0, 0, 1],
        location_weight=[2 * LN2], score_weight=[LN3 / 0.6],
    )  # fmt: skip
    # The filter sees the weight of the position to the right. Before the first step there are none: halves. Then the
    # first position sees 1/2, so tanh(ln 2) = 3/5, and the second nothing. Then the first sees 1/4: tanh(ln(2) / 2) is
    # 1/3.
    _, weights, histories = look_in_steps(attention, [[[1.0]] * 3], [[[0], [4], [9]]], MASK)
    power = 3 ** (5 / 9)
    assert_equal(weights, [[[0.5, 0.5, 0], [0.75, 0.25, 0], [power / (1 + power), 1 / (1 + power), 0]]])
    assert torch.equal(histories, weights)


def test_coverage() -> None:
    attention = CoverageAttention(query_size=1, value_size=1, size=1, fertility=2.0).double()
    set_weights(
        attention, query_weight=[0], key_weight=[0], key_bias=[0], fertility_weight=[1], coverage_weight=[2 * LN2],
        score_weight=[LN3 / 0.6],
    )  # fmt: skip
    values = [[[LN3], [0], [9]]]
    memory = attention.remember(tensor(values), MASK)
    assert memory.extra is not None
    assert_equal(memory.extra[:, :2], [[1.5, 1]])  # 2 sigmoid(ln 3) = 2 . 3/4, and 2 sigmoid(0)
    _, weights, histories = look_in_steps(attention, [[[1.0]] * 2], values, MASK)
    # Halves first; of the fertilities that is 1/3 and 1/2. Then tanh of 2/3 ln 2 and of ln 2.
    square = 2 ** (4 / 3)
    first, second = 3 ** ((square - 1) / (square + 1) / 0.6), 3.0
    shares = [first / (first + second), second / (first + second)]
    assert_equal(weights, [[[0.5, 0.5, 0], [*shares, 0]]])
    assert_equal(histories, [[[1 / 3, 1 / 2, 0], [1 / 3 + shares[0] / 1.5, 1 / 2 + shares[1], 0]]])


def hard() -> HardAttention:
    """Over values 0 and -ln 2, with a query of -1/2, the additive case of above: probabilities 3/4 and 1/4."""
    attention = HardAttention(query_size=1, value_size=1, size=1).double()
    set_weights(attention, query_weight=[2], key_weight=[1], key_bias=[1 + LN2], score_weight=[LN3 / 0.6])
    return attention


def test_hard_in_evaluation() -> None:
    contexts, weights = look(hard().eval(), [[[-0.5], [-0.5]]], [[[-LN2], [0], [9]]])
    assert_equal(weights, [[[0, 1, 0], [0, 1, 0]]])
    assert_equal(contexts, [[[0], [0]]])


def test_hard_in_training() -> None:
    attention = hard().train()
    memory = attention.remember(tensor([[[0], [-LN2], [9]]]), MASK)
    torch.manual_seed(1)
    attended = attention(torch.full((1, 4000, 1), -0.5, dtype=torch.float64), memory, None)
    assert attended.choice is not None
    first = attended.weights[0, :, 0] == 1
    assert torch.equal(attended.weights[0].sum(0)[2:], tensor([0]))
    assert torch.equal(attended.weights[0, :, 1] == 1, ~first)
    # Four deviations of a share of 4000 draws.
    assert float(first.double().mean()) == pytest.approx(0.75, abs=4 * math.sqrt(0.75 * 0.25 / 4000))
    right = torch.where(first, tensor([math.log(0.75)]), tensor([math.log(0.25)]))
    torch.testing.assert_close(attended.choice.log_probs[0], right, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        attended.contexts[0, :, 0], torch.where(first, tensor([0]), tensor([-LN2])), rtol=0, atol=1e-12
    )
    entropy = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    torch.testing.assert_close(
        attended.choice.entropies, torch.full((1, 4000), entropy, dtype=torch.float64), rtol=0, atol=1e-12
    )
    torch.manual_seed(1)
    again = attention(torch.full((1, 4000, 1), -0.5, dtype=torch.float64), memory, None)
    assert torch.equal(again.weights, attended.weights)


def test_reinforce_follows_the_gradient_of_the_expected_reward(fill: Any) -> None:
    """Each position's reward times the gradient of its log-probability, averaged by their probabilities.

    An additive attention has the same scores, so its weights are the probabilities.
    """
    sizes: dict[str, Any] = {"query_size": 2, "value_size": 2, "size": 3}
    chooser, weigher = HardAttention(**sizes).double().train(), AdditiveAttention(**sizes).double()
    fill(chooser, scale=1.0)
    weigher.load_state_dict(chooser.state_dict())
    queries, rewards = tensor([[[0.3, -0.8]]]), tensor([2.0, -1.0, 5.0])
    values, mask = tensor([[[1, 0.5], [-0.2, 0.7], [0.4, -1.1]]]), torch.ones(1, 3, dtype=torch.bool)
    _, weights = look(weigher, queries.tolist(), values.tolist(), mask)
    expected = torch.autograd.grad((weights[0, 0] * rewards).sum(), tuple(weigher.parameters()))
    probabilities = weights[0, 0].tolist()
    estimate = [torch.zeros_like(one) for one in expected]
    missing = {0, 1, 2}
    torch.manual_seed(1)
    while missing:
        attended = chooser(queries, chooser.remember(values, mask), None)
        position = int(attended.weights[0, 0].argmax())
        if position in missing:
            missing.remove(position)
            assert attended.choice is not None
            gradients = torch.autograd.grad(attended.choice.log_probs.sum(), tuple(chooser.parameters()))
            for total, gradient in zip(estimate, gradients, strict=True):
                total += probabilities[position] * rewards[position] * gradient
    for total, right in zip(estimate, expected, strict=True):
        torch.testing.assert_close(total, right, rtol=0, atol=1e-12)
        assert right.abs().max() > 1e-3
