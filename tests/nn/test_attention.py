"""What every attention must do, by one table over all of them.

A new kind needs an entry in `KINDS` here, one in test_attention_equations.py, and a case worked by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seq2seq.nn import attention as package
from seq2seq.nn.attention import (
    AdditiveAttention,
    Attended,
    AttentionState,
    ConcatAttention,
    CoverageAttention,
    DotAttention,
    GeneralAttention,
    HardAttention,
    LocalMonotonicAttention,
    LocalPredictiveAttention,
    LocationAttention,
    Memory,
    MultiheadAdditiveAttention,
    MultiheadAttention,
    NormalizedAdditiveAttention,
    ScaledDotAttention,
    SummaryAttention,
)
from seq2seq.recipe import AttentionName

QUERY = VALUE = 4  # dot products need one width
SIZE, HEADS, WINDOW = 6, 2, 1
SIZED: dict[str, Any] = {"query_size": QUERY, "value_size": VALUE, "size": SIZE}

#: Every kind of attention by its name in a recipe, and the scores of local ones behind a slash.
KINDS: dict[str, Callable[[float], Any]] = {
    "summary": lambda dropout: SummaryAttention(value_size=VALUE),
    "additive": lambda dropout: AdditiveAttention(**SIZED, dropout=dropout),
    "normalized-additive": lambda dropout: NormalizedAdditiveAttention(**SIZED, dropout=dropout),
    "dot": lambda dropout: DotAttention(value_size=VALUE, dropout=dropout),
    "scaled-dot": lambda dropout: ScaledDotAttention(value_size=VALUE, dropout=dropout),
    "general": lambda dropout: GeneralAttention(query_size=QUERY, value_size=VALUE, dropout=dropout),
    "concat": lambda dropout: ConcatAttention(**SIZED, dropout=dropout),
    "multihead": lambda dropout: MultiheadAttention(**SIZED, heads=HEADS, dropout=dropout),
    "multihead-additive": lambda dropout: MultiheadAdditiveAttention(**SIZED, heads=HEADS, dropout=dropout),
    "local-m/dot": lambda dropout: LocalMonotonicAttention(**SIZED, score="dot", window=WINDOW, dropout=dropout),
    "local-m/general": lambda dropout: LocalMonotonicAttention(
        **SIZED, score="general", window=WINDOW, dropout=dropout
    ),
    "local-m/concat": lambda dropout: LocalMonotonicAttention(**SIZED, score="concat", window=WINDOW, dropout=dropout),
    "local-p/dot": lambda dropout: LocalPredictiveAttention(**SIZED, score="dot", window=WINDOW, dropout=dropout),
    "local-p/general": lambda dropout: LocalPredictiveAttention(
        **SIZED, score="general", window=WINDOW, dropout=dropout
    ),
    "local-p/concat": lambda dropout: LocalPredictiveAttention(**SIZED, score="concat", window=WINDOW, dropout=dropout),
    "location": lambda dropout: LocationAttention(**SIZED, filters=2, width=3, dropout=dropout),
    "coverage": lambda dropout: CoverageAttention(**SIZED, fertility=2.0, dropout=dropout),
    "hard": lambda dropout: HardAttention(**SIZED),
}
NAMES = list(KINDS)
WEIGHING = [name for name in NAMES if name != "summary"]
SEQUENTIAL = [name for name in NAMES if name.startswith(("local-m", "location", "coverage"))]
INDEPENDENT = [name for name in NAMES if name not in SEQUENTIAL]
DROPPING = [name for name in NAMES if name not in ("summary", "hard")]

LENGTHS = [5, 2, 1]
Sines = Callable[..., Tensor]
Make = Callable[..., Any]


@pytest.fixture
def make(fill: Callable[..., Any]) -> Make:
    """A function that makes an attention by its name, in evaluation, with weights by formula."""

    def make_attention(name: str, dropout: float = 0.0) -> Any:
        return fill(KINDS[name](dropout).double(), scale=1.0).eval()

    return make_attention


def make_mask(length: int = 5) -> Tensor:
    return torch.arange(length) < torch.tensor(LENGTHS).unsqueeze(1)


def attend(attention: Any, queries: Tensor, memory: Memory) -> Attended:
    """What the queries of one hypothesis per sentence [batch, tgt_len, query] see, step by step where it must be."""
    state = attention.initial_state(memory, queries.shape[0])
    if not attention.sequential:
        assert state is None
        attended: Attended = attention(queries, memory, state)
        assert attended.state is None
        return attended
    steps = []
    for query in queries.split(1, dim=1):
        steps.append(attention(query, memory, state))
        state = steps[-1].state
    contexts, weights = (torch.cat([getattr(step, name) for step in steps], 1) for name in ("contexts", "weights"))
    return Attended(contexts, weights, state)


def both(attended: Attended) -> tuple[Tensor, ...]:
    """Contexts, and weights where there are some."""
    return (attended.contexts,) if attended.weights is None else (attended.contexts, attended.weights)


def assert_close(actual: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)


def test_the_table_names_every_kind() -> None:
    assert {name.partition("/")[0] for name in NAMES} == set(get_args(AttentionName)) - {"none"}
    classes = {type(maker(0.0)) for maker in KINDS.values()}
    others = {"Attended", "Attention", "AttentionState", "Choice", "Memory"}
    assert {one.__name__ for one in classes} == set(package.__all__) - others


@pytest.mark.parametrize("name", NAMES)
def test_what_it_says_of_itself(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    assert attention.sequential == (name in SEQUENTIAL)
    attended = attend(attention, sines(3, 4, QUERY), attention.remember(sines(3, 5, VALUE), make_mask()))
    assert attended.contexts.shape == (3, 4, attention.output_size)
    assert (attended.weights is None) == (name == "summary")
    assert attended.choice is None  # nothing is drawn in evaluation


@pytest.mark.parametrize("name", WEIGHING)
def test_weights_are_shares_of_the_real_positions(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    padding = ~make_mask()[:, None, :]
    for scale in (1.0, 1e4):  # such scores overflow any exp that is taken without care
        memory = attention.remember(sines(3, 5, VALUE), make_mask())
        weights = attend(attention, scale * sines(3, 4, QUERY), memory).weights
        assert weights is not None
        assert (weights.masked_select(padding.expand_as(weights)) == 0).all()
        assert (weights >= 0).all()
        if name.startswith("local-p"):  # takes from the shares what is far from the centre
            assert (weights.sum(-1) <= 1).all()
            assert (weights.sum(-1) > 0).all()
        else:
            assert_close(weights.sum(-1), torch.ones(3, 4, dtype=torch.float64))


@pytest.mark.parametrize("name", INDEPENDENT)
def test_queries_together_equal_queries_alone(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    queries = sines(3, 6, QUERY)
    memory = attention.remember(sines(3, 5, VALUE, start=300), make_mask())
    together = both(attention(queries, memory, None))
    for n in range(6):
        for whole, alone in zip(together, both(attention(queries[:, n : n + 1], memory, None)), strict=True):
            assert_close(whole[:, n : n + 1], alone, 1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_hypotheses_share_the_memory_of_their_sentence(name: str, make: Make, sines: Sines) -> None:
    """Three steps of four hypotheses to each sentence equal those of twelve sentences, and states can be reordered."""
    attention = make(name)
    memory = attention.remember(sines(3, 5, VALUE, start=300), make_mask())
    repeated = memory.keep(torch.arange(3).repeat_interleave(4))
    state, alone = attention.initial_state(memory, 12), attention.initial_state(repeated, 12)
    # Each sentence's hypotheses get new places, one of them twice.
    rows = torch.tensor([3, 0, 0, 1, 6, 5, 4, 7, 8, 11, 10, 8])
    for step in range(3):
        queries = sines(12, QUERY, start=1000 * step + 1)
        attended = attention(queries.view(3, 4, QUERY), memory, state)
        expected = attention(queries.view(12, 1, QUERY), repeated, alone)
        for actual, right in zip(both(attended), both(expected), strict=True):
            assert_close(actual.flatten(0, 1).unsqueeze(1), right, 1e-13)
        if name in SEQUENTIAL:
            assert attended.state.history.shape[0] == 12
            state, alone = attended.state.select(rows), AttentionState(expected.state.history[rows])


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_steps_depend_on_their_history_and_leave_it_as_it_was(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    memory = attention.remember(sines(3, 5, VALUE), make_mask())
    state = attention.initial_state(memory, 3)
    before = state.history.clone()
    first = attention(sines(3, 1, QUERY), memory, state)
    assert torch.equal(state.history, before)
    second = attention(sines(3, 1, QUERY), memory, first.state)
    assert (first.weights[0] - second.weights[0]).abs().max() > 1e-3
    assert_close(attention(sines(3, 1, QUERY), memory, state).weights, first.weights, 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    queries = sines(3, 4, QUERY, start=300)

    def run(garbage: Tensor) -> list[Tensor]:
        mask = make_mask(garbage.shape[1])
        real = functional.pad(sines(3, 5, VALUE), (0, 0, 0, garbage.shape[1] - 5))
        values = torch.where(mask.unsqueeze(-1), real, garbage).requires_grad_()
        results = both(attend(attention, queries, attention.remember(values, mask)))
        loss = torch.stack([(one**2).sum() for one in results]).sum()
        (gradient,) = torch.autograd.grad(loss, values)
        assert torch.count_nonzero(gradient[~mask]) == 0
        if len(results) > 1:
            assert torch.count_nonzero(results[1][:, :, 5:]) == 0
        return [results[0], *(weights[:, :, :5] for weights in results[1:]), gradient[:, :5]]

    expected = run(torch.zeros(3, 5, VALUE, dtype=torch.float64))
    for columns in (5, 9):
        for actual, plain in zip(run(1e4 * sines(3, columns, VALUE, start=900)), expected, strict=True):
            assert_close(actual, plain)


def run_with(attention: nn.Module, weights: dict[str, Tensor], function: Callable[[Any], Any]) -> Any:
    """`function` of the attention with these weights, so that gradients reach them."""

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = attention

        def forward(self) -> Any:
            return function(self.attention)

    return torch.func.functional_call(Whole(), {f"attention.{name}": weight for name, weight in weights.items()}, ())


def drawn(attended: Attended) -> tuple[Tensor, ...]:
    """What has a gradient: contexts and weights, or of a hard attention the contexts and its choice."""
    if attended.choice is None:
        return both(attended)
    return attended.contexts, attended.choice.log_probs, attended.choice.entropies


@pytest.mark.parametrize("name", NAMES)
def test_gradients_by_finite_differences(name: str, make: Make, sines: Sines) -> None:
    """Of inputs and all parameters, through three steps; a hard attention's of what it drew."""
    attention = make(name).train()
    parameters = dict(attention.named_parameters())
    mask = torch.tensor([[True, True, True], [True, False, False]])

    def run(queries: Tensor, values: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)  # the same positions every time
            attended = run_with(
                attention,
                dict(zip(parameters, weights, strict=True)),
                lambda module: attend(module, queries, module.remember(values, mask)),
            )
        return drawn(attended)

    inputs = [sines(2, 3, QUERY), sines(2, 3, VALUE, start=60), *(p.detach().clone() for p in parameters.values())]
    assert torch.autograd.gradcheck(run, [one.requires_grad_() for one in inputs])


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_trained(name: str, make: Make, sines: Sines) -> None:
    attention = make(name).train()
    torch.manual_seed(1)
    values = sines(3, 5, VALUE).requires_grad_()
    attended = attend(attention, sines(3, 4, QUERY), attention.remember(values, make_mask()))
    torch.stack([(one**2).sum() for one in drawn(attended)]).sum().backward()
    # The bias of keys that are only multiplied with queries moves all scores of a query alike.
    nothing = {"key.bias"} if name == "multihead" else set()
    for path, parameter in attention.named_parameters():
        assert parameter.grad is not None, path
        assert (parameter.grad.abs().max() > 1e-6) == (path not in nothing), path


@pytest.mark.parametrize("name", NAMES)
def test_the_memory_of_some_sentences(name: str, make: Make, sines: Sines) -> None:
    attention = make(name)
    values, queries = sines(3, 5, VALUE), sines(3, 3, QUERY, start=300)
    memory = attention.remember(values, make_mask())
    kept = torch.tensor([2, 0])
    some = memory.keep(kept)
    assert isinstance(some, Memory)
    assert torch.equal(some.mask, make_mask()[kept])
    actual = both(attend(attention, queries[kept], some))
    for one, all_of_it in zip(actual, both(attend(attention, queries, memory)), strict=True):
        assert_close(one, all_of_it[kept], 1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_what_depends_on_the_source_alone_is_computed_once(name: str, make: Make, sines: Sines) -> None:
    """No layer that `remember` runs is run again by a call."""
    attention = make(name)
    ran: list[str] = []
    layers = [(path, module) for path, module in attention.named_modules() if not list(module.children())]
    for path, module in layers:
        module.register_forward_hook(lambda *_, path=path: ran.append(path))
    memory = attention.remember(sines(3, 5, VALUE), make_mask())
    once = set(ran)
    assert once or name.endswith("dot")
    ran.clear()
    attend(attention, sines(3, 2, QUERY), memory)
    assert not once & set(ran)


@pytest.mark.parametrize("name", DROPPING)
def test_dropout_is_on_the_weights_that_read(name: str, make: Make, sines: Sines) -> None:
    attention = make(name, dropout=0.5)
    queries = sines(1, 1, QUERY, start=300).expand(1, 200, QUERY)
    memory = attention.remember(sines(1, 1, VALUE), torch.tensor([[True]]))
    state = attention.initial_state(memory, 200)
    plain = attention(queries, memory, state)
    torch.manual_seed(1)
    dropped = attention.train()(queries, memory, state)
    assert torch.equal(dropped.weights, plain.weights)  # what is reported is what attention chose
    if name in SEQUENTIAL:
        assert torch.equal(dropped.state.history, plain.state.history)
    # The only weight is dropped or doubled, so there are two contexts (four with two heads).
    distinct = torch.unique(dropped.contexts[0].detach().round(decimals=9), dim=0)
    assert len(distinct) == (4 if name.startswith("multihead") else 2)
    assert len(torch.unique(plain.contexts[0].detach().round(decimals=9), dim=0)) == 1
    middle = distinct.mean(0)  # nothing and double, on average the plain one
    assert_close(middle, plain.contexts[0, 0].detach(), 1e-8)


@pytest.mark.parametrize("name", WEIGHING)
def test_weights_are_fp32_under_bf16(name: str, make: Make, sines: Sines) -> None:
    attention = make(name).float()
    values, queries = sines(3, 5, VALUE).float(), sines(3, 4, QUERY, start=300).float()
    full = attend(attention, queries, attention.remember(values, make_mask()))
    with torch.autocast("cpu", torch.bfloat16):
        short = attend(attention, queries, attention.remember(values, make_mask()))
        from_short = attend(attention, queries.bfloat16(), attention.remember(values.bfloat16(), make_mask()))
    for attended in (short, from_short):
        assert full.weights is not None
        assert attended.weights is not None
        assert attended.weights.dtype == torch.float32
        assert_close(attended.weights, full.weights, 0.04)
        assert_close(attended.contexts.float(), full.contexts, 0.08)
        if attended.state is not None:
            assert attended.state.history.dtype in (torch.float32, torch.int64)


@pytest.mark.parametrize("name", NAMES)
def test_a_source_of_one_word(name: str, make: Make, sines: Sines) -> None:
    """Every query sees the word and nothing else, whatever else is in the batch."""
    attention = make(name)
    memory = attention.remember(sines(3, 5, VALUE), make_mask())  # the last sentence is one word long
    attended = attend(attention, sines(3, 4, QUERY, start=300), memory)
    if attended.weights is not None:
        assert torch.count_nonzero(attended.weights[2, :, 1:]) == 0
        if not name.startswith("local-p"):
            assert (attended.weights[2, :, 0] == 1).all()
    single = attention.remember(sines(3, 5, VALUE)[2:, :1], torch.tensor([[True]]))
    assert_close(attended.contexts[2:], attend(attention, sines(3, 4, QUERY, start=300)[2:], single).contexts, 1e-13)
    if name not in ("summary", "multihead", "multihead-additive") and not name.startswith("local-p"):
        assert_close(attended.contexts[2], sines(3, 5, VALUE)[2, 0].expand(4, VALUE))
