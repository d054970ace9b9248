"""Attention: worked by hand, against plain loops, and against PyTorch's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seq2seq.nn.attention import (
    AdditiveAttention,
    DotAttention,
    GeneralAttention,
    Memory,
    MultiheadAttention,
)
from seq2seq.recipe import AttentionName

LN2, LN3 = math.log(2), math.log(3)
NAMES = [name for name in get_args(AttentionName) if name != "none"]
VALUE, QUERY, SIZE, HEADS = 4, 4, 6, 2  # dot needs values as wide as queries

Sines = Callable[..., Tensor]
Make = Callable[..., Any]


@pytest.fixture
def make(fill: Callable[..., Any]) -> Make:
    """A function that makes an attention by its name in a recipe, with weights by formula."""

    def make_attention(name: str, dropout: float = 0.0) -> Any:
        makers: dict[str, Callable[[], nn.Module]] = {
            "dot": lambda: DotAttention(value_size=VALUE, dropout=dropout),
            "general": lambda: GeneralAttention(query_size=QUERY, value_size=VALUE, dropout=dropout),
            "additive": lambda: AdditiveAttention(query_size=QUERY, value_size=VALUE, size=SIZE, dropout=dropout),
            "multihead": lambda: MultiheadAttention(
                query_size=QUERY, value_size=VALUE, size=SIZE, heads=HEADS, dropout=dropout
            ),
        }
        assert set(makers) == set(NAMES)
        return fill(makers[name]().double(), scale=1.0)

    return make_attention


def set_weights(module: nn.Module, **weights: list[Any]) -> None:
    """Set every parameter by hand, its name written with _ for the dot."""
    assert {name.replace(".", "_") for name, _ in module.named_parameters()} == set(weights)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.tensor(weights[name.replace(".", "_")], dtype=torch.float64).view_as(parameter))


def tensor(numbers: list[Any]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


MASK = torch.tensor([[True, True, False]])
EYE = [[1, 0], [0, 1]]


def test_dot_by_hand() -> None:
    attention = DotAttention(value_size=2)
    memory = attention.remember(tensor([[[1, 0], [0, 2], [9, 9]]]), MASK)
    # Scores ln 3 and 0, so weights 3/4 and 1/4; the third is padding.
    contexts, weights = attention(tensor([[[LN3, 0]]]), memory)
    torch.testing.assert_close(weights, tensor([[[0.75, 0.25, 0]]]))
    torch.testing.assert_close(contexts, tensor([[[0.75, 0.5]]]))


def test_general_by_hand() -> None:
    attention = GeneralAttention(query_size=1, value_size=2).double()
    set_weights(attention, key_weight=[2, 3])
    memory = attention.remember(tensor([[[1, -1], [0.5, 0], [9, 9]]]), MASK)
    # Keys 2 - 3 = -1 and 1; with q = (ln 3) / 2 the scores differ by ln 3.
    contexts, weights = attention(tensor([[[LN3 / 2]]]), memory)
    torch.testing.assert_close(weights, tensor([[[0.25, 0.75, 0]]]))
    torch.testing.assert_close(contexts, tensor([[[0.25 + 0.375, -0.25]]]))


def test_additive_by_hand() -> None:
    attention = AdditiveAttention(query_size=1, value_size=1, size=1).double()
    set_weights(attention, query_weight=[2], key_weight=[1], key_bias=[1 + LN2], score_weight=[LN3 / 0.6])
    # tanh(2 q + v + 1 + ln 2): with q = -1/2 it is tanh(ln 2) = 3/5 for v = 0, and 0 for v = -ln 2.
    memory = attention.remember(tensor([[[0], [-LN2], [9]]]), MASK)
    contexts, weights = attention(tensor([[[-0.5]]]), memory)
    torch.testing.assert_close(weights, tensor([[[0.75, 0.25, 0]]]))
    torch.testing.assert_close(contexts, tensor([[[-0.25 * LN2]]]))


def test_multihead_by_hand() -> None:
    attention = MultiheadAttention(query_size=8, value_size=8, size=8, heads=2).double()
    eye = torch.eye(8).tolist()
    nothing = [0] * 8
    set_weights(
        attention, query_weight=eye, query_bias=nothing, key_weight=eye, key_bias=nothing,
        value_weight=(2 * torch.eye(8)).tolist(), value_bias=nothing, output_weight=eye, output_bias=[0.5] * 8,
    )  # fmt: skip
    # Heads are 4 wide, so scores are halved. The first head sees q . k / 2 = ln 3 and 0; the second 0 and 0.
    values = tensor([[[1, 0, 0, 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0, 1, 0], [9] * 8]])
    contexts, weights = attention(tensor([[[2 * LN3] + [0] * 7]]), attention.remember(values, MASK))
    torch.testing.assert_close(weights, tensor([[[0.625, 0.375, 0]]]))
    torch.testing.assert_close(contexts, tensor([[[2, 1, 0.5, 0.5, 1.5, 0.5, 1.5, 0.5]]]))


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="4 heads do not divide a width of 6"):
        MultiheadAttention(query_size=3, value_size=3, size=6, heads=4)


LENGTHS = [5, 2, 1]


def make_mask(length: int = 5) -> Tensor:
    return torch.arange(length) < torch.tensor(LENGTHS).unsqueeze(1)


def loop_scores(attention: Any, query: Tensor, value: Tensor) -> list[float]:
    """The score of one query and one value, of every head."""
    match attention:
        case DotAttention():
            return [float(query @ value)]
        case GeneralAttention():
            return [float(query @ (attention.key.weight @ value))]
        case AdditiveAttention():
            total = 0.0
            for unit in range(SIZE):
                inside = float(attention.query.weight[unit] @ query + attention.key.weight[unit] @ value)
                total += float(attention.score.weight[0, unit]) * math.tanh(inside + float(attention.key.bias[unit]))
            return [total]
        case MultiheadAttention():
            q = attention.query.weight @ query + attention.query.bias
            k = attention.key.weight @ value + attention.key.bias
            width = SIZE // HEADS
            parts = [slice(head * width, (head + 1) * width) for head in range(HEADS)]
            return [float(q[part] @ k[part]) / math.sqrt(width) for part in parts]
    raise AssertionError(attention)


def loop_attention(attention: Any, query: Tensor, values: list[Tensor]) -> tuple[Tensor, list[float]]:
    """Context and mean weights of one query over the real values, in plain loops."""
    scores = [loop_scores(attention, query, value) for value in values]
    heads = len(scores[0])
    weights = []
    for head in range(heads):
        powers = [math.exp(score[head]) for score in scores]
        weights.append([power / sum(powers) for power in powers])
    if isinstance(attention, MultiheadAttention):
        projected = [attention.value.weight @ value + attention.value.bias for value in values]
        width = SIZE // HEADS
        parts = [
            sum(
                weights[head][place] * projected[place][head * width : (head + 1) * width]
                for place in range(len(values))
            )
            for head in range(HEADS)
        ]
        context = attention.output.weight @ torch.cat(parts) + attention.output.bias
    else:
        context = sum(weights[0][place] * value for place, value in enumerate(values))
    return context, [sum(head[place] for head in weights) / heads for place in range(len(values))]


@torch.no_grad()
@pytest.mark.parametrize("name", NAMES)
def test_equals_plain_loops(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    values, queries = sines(3, 5, VALUE), sines(3, 4, QUERY, start=300)
    contexts, weights = attention(queries, attention.remember(values, make_mask()))
    assert contexts.shape == (3, 4, attention.output_size)
    for row, length in enumerate(LENGTHS):
        for n in range(4):
            context, expected = loop_attention(attention, queries[row, n], list(values[row, :length]))
            torch.testing.assert_close(contexts[row, n], context, rtol=0, atol=1e-12)
            assert weights[row, n, :length].tolist() == pytest.approx(expected, abs=1e-12)


def test_multihead_equals_torch(make: Make, sines: Sines) -> None:
    attention = make("multihead")
    values, queries = sines(3, 5, VALUE), sines(3, 4, QUERY, start=300)
    contexts, _ = attention(queries, attention.remember(values, make_mask()))

    def heads(sequences: Tensor) -> Tensor:
        return sequences.unflatten(-1, (HEADS, -1)).transpose(1, 2)

    read = functional.scaled_dot_product_attention(
        heads(attention.query(queries)), heads(attention.key(values)), heads(attention.value(values)),
        attn_mask=make_mask()[:, None, None, :],
    )  # fmt: skip
    torch.testing.assert_close(contexts, attention.output(read.transpose(1, 2).flatten(2)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_shares_of_the_real_positions(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    for scale in (1.0, 1e4):  # such scores overflow any exp that is taken without care
        _, weights = attention(scale * sines(3, 4, QUERY), attention.remember(sines(3, 5, VALUE), make_mask()))
        assert (weights.masked_select(~make_mask()[:, None, :].expand_as(weights)) == 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, 4, dtype=torch.float64))


@pytest.mark.parametrize("name", NAMES)
def test_queries_together_equal_queries_alone(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    queries = sines(3, 6, QUERY)
    memory = attention.remember(sines(3, 5, VALUE, start=300), make_mask())
    contexts, weights = attention(queries, memory)
    for n in range(6):
        context, weight = attention(queries[:, n : n + 1], memory)
        torch.testing.assert_close(contexts[:, n : n + 1], context, rtol=0, atol=1e-13)
        torch.testing.assert_close(weights[:, n : n + 1], weight, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    queries = sines(3, 4, QUERY, start=300)

    def run(garbage: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mask = make_mask(garbage.shape[1])
        real = functional.pad(sines(3, 5, VALUE), (0, 0, 0, garbage.shape[1] - 5))
        values = torch.where(mask.unsqueeze(-1), real, garbage).requires_grad_()
        contexts, weights = attention(queries, attention.remember(values, mask))
        (gradient,) = torch.autograd.grad((contexts * sines(3, 4, VALUE)).sum() + (weights**2).sum(), values)
        assert torch.count_nonzero(gradient[~mask]) == 0
        assert torch.count_nonzero(weights[:, :, 5:]) == 0
        return contexts, weights[:, :, :5], gradient[:, :5]

    expected = run(torch.zeros(3, 5, VALUE, dtype=torch.float64))
    for columns in (5, 9):
        for actual, plain in zip(run(100 * sines(3, columns, VALUE, start=900)), expected, strict=True):
            torch.testing.assert_close(actual, plain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_by_finite_differences(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    parameters = dict(attention.named_parameters())
    mask = torch.tensor([[True, True, True], [True, False, False]])

    def run(queries: Tensor, values: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        class Whole(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.attention = attention

            def forward(self) -> tuple[Tensor, ...]:
                contexts, shares = self.attention(queries, self.attention.remember(values, mask))
                return contexts, shares

        named = {f"attention.{name}": weight for name, weight in zip(parameters, weights, strict=True)}
        result: tuple[Tensor, ...] = torch.func.functional_call(Whole(), named, ())
        return result

    inputs = [sines(2, 2, QUERY), sines(2, 3, VALUE, start=60), *(p.detach().clone() for p in parameters.values())]
    assert torch.autograd.gradcheck(run, [one.requires_grad_() for one in inputs])


@pytest.mark.parametrize("name", NAMES)
def test_the_memory_of_some_sentences(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    values, queries = sines(3, 5, VALUE), sines(3, 2, QUERY, start=300)
    memory = attention.remember(values, make_mask())
    contexts, weights = attention(queries, memory)
    kept = torch.tensor([2, 0])
    some = memory.keep(kept)
    assert isinstance(some, Memory)
    assert torch.equal(some.mask, make_mask()[kept])
    some_contexts, some_weights = attention(queries[kept], some)
    torch.testing.assert_close(some_contexts, contexts[kept], rtol=0, atol=1e-13)
    torch.testing.assert_close(some_weights, weights[kept], rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_dropout_is_on_the_weights_that_read(name: str, make: Make, sines: Sines) -> None:
    attention = make(name, dropout=0.5)
    values, queries = sines(1, 1, VALUE), sines(1, 200, QUERY, start=300)
    memory = attention.remember(values, torch.tensor([[True]]))
    plain, _ = attention.eval()(queries, memory)
    torch.manual_seed(1)
    dropped, weights = attention.train()(queries, memory)
    assert (weights == 1).all()  # what is reported is what attention chose
    # One weight of 1 is dropped or doubled, so there are two contexts (four with two heads).
    distinct = torch.unique(dropped[0].detach().round(decimals=9), dim=0)
    assert len(distinct) == (4 if name == "multihead" else 2)
    assert len(torch.unique(plain[0].detach().round(decimals=9), dim=0)) == 1
    middle = distinct.mean(0)  # nothing and double, on average the plain one
    torch.testing.assert_close(middle, plain[0, 0].detach(), rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_fp32_under_bf16(name: str, make: Make, sines: Sines) -> None:
    attention = make(name).float()
    values, queries = sines(3, 5, VALUE).float(), sines(3, 4, QUERY, start=300).float()
    contexts, weights = attention(queries, attention.remember(values, make_mask()))
    with torch.autocast("cpu", torch.bfloat16):
        short_contexts, short_weights = attention(queries, attention.remember(values, make_mask()))
    assert short_weights.dtype == torch.float32
    torch.testing.assert_close(short_weights, weights, rtol=0, atol=0.03)
    torch.testing.assert_close(short_contexts.float(), contexts, rtol=0, atol=0.06)
