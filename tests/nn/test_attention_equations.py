"""Every attention against its equations in plain loops over numbers, one sentence and one position at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

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
from seq2seq.recipe import AttentionName

QUERY, VALUE, SIZE, HEADS, WINDOW, FERTILITY = 4, 4, 6, 2, 2, 3.0
LENGTHS = [6, 3, 1]

Vector = NDArray[np.float64]
Weights = dict[str, Vector]
#: Context and weights of every query of one sentence.
Answers = list[tuple[Vector, list[float]]]
Score = Callable[[Vector, Vector], float]
Sines = Callable[..., Tensor]


def shares(scores: list[float]) -> list[float]:
    powers = [math.exp(score) for score in scores]
    return [power / sum(powers) for power in powers]


def mean_of(values: list[Vector], weights: list[float]) -> Vector:
    context = np.zeros_like(values[0])
    for value, weight in zip(values, weights, strict=True):
        context = context + weight * value
    return context


def dot(query: Vector, value: Vector) -> float:
    return sum(float(q) * float(v) for q, v in zip(query, value, strict=True))


def additive(w: Weights, query: Vector, value: Vector, extra: Vector | None = None, prefix: str = "") -> float:
    """w . tanh(Q q + K v + b + extra), unit by unit, with b only where there is one."""
    total = 0.0
    units = w[f"{prefix}score.weight"].shape[1]
    bias = w.get(f"{prefix}key.bias", np.zeros(units))
    for unit in range(units):
        inside = dot(w[f"{prefix}query.weight"][unit], query) + dot(w[f"{prefix}key.weight"][unit], value) + bias[unit]
        inside += 0.0 if extra is None else extra[unit]
        total += float(w[f"{prefix}score.weight"][0, unit]) * math.tanh(inside)
    return total


def luong(w: Weights, name: str) -> Score:
    """The three scores, with the names of a part's parameters."""
    if name == "dot":
        return dot
    if name == "general":
        return lambda query, value: dot(query, w["score.key.weight"] @ value)
    return lambda query, value: additive(w, query, value, prefix="score.")


def globally(score: Score, queries: list[Vector], values: list[Vector]) -> Answers:
    answers = []
    for query in queries:
        weights = shares([score(query, value) for value in values])
        answers.append((mean_of(values, weights), weights))
    return answers


def summary(w: Weights, queries: list[Vector], values: list[Vector]) -> Answers:
    context = np.array([math.tanh(dot(row, values[-1])) for row in w["summary.weight"]])
    return [(context, []) for _ in queries]


def normalized(w: Weights, query: Vector, value: Vector) -> float:
    vector = w["score.weight"][0]
    length = math.sqrt(sum(float(one) ** 2 for one in vector))
    return additive(w | {"score.weight": float(w["gain"]) / length * vector[None]}, query, value)


def heads_of(vector: Vector) -> list[Vector]:
    return [vector[head * SIZE // HEADS : (head + 1) * SIZE // HEADS] for head in range(HEADS)]


def multihead(w: Weights, queries: list[Vector], values: list[Vector]) -> Answers:
    keys = [heads_of(w["key.weight"] @ value + w["key.bias"]) for value in values]
    read = [heads_of(w["value.weight"] @ value + w["value.bias"]) for value in values]
    answers = []
    for query in queries:
        asked = heads_of(w["query.weight"] @ query + w["query.bias"])
        weights = [shares([dot(asked[h], key[h]) / math.sqrt(SIZE / HEADS) for key in keys]) for h in range(HEADS)]
        parts = [mean_of([value[h] for value in read], weights[h]) for h in range(HEADS)]
        answers.append((w["output.weight"] @ np.concatenate(parts) + w["output.bias"], mean(weights)))
    return answers


def multihead_additive(w: Weights, queries: list[Vector], values: list[Vector]) -> Answers:
    projected = [heads_of(w["value.weight"] @ value + w["value.bias"]) for value in values]
    inner = {
        "query.weight": w["head_query.weight"], "key.weight": w["head_key.weight"], "score.weight": w["score.weight"],
    }  # fmt: skip
    answers = []
    for query in queries:
        asked = heads_of(w["query.weight"] @ query + w["query.bias"])
        weights = [shares([additive(inner, asked[h], one[h]) for one in projected]) for h in range(HEADS)]
        parts = [mean_of([one[h] for one in projected], weights[h]) for h in range(HEADS)]
        answers.append((np.concatenate(parts), mean(weights)))
    return answers


def mean(lists: list[list[float]]) -> list[float]:
    return [sum(column) / len(lists) for column in zip(*lists, strict=True)]


def monotonic(score: Score, queries: list[Vector], values: list[Vector]) -> Answers:
    answers = []
    for step, query in enumerate(queries):
        centre = min(step, len(values) - 1)
        inside = [place for place in range(len(values)) if centre - WINDOW <= place <= centre + WINDOW]
        weights = [0.0] * len(values)
        for place, share in zip(inside, shares([score(query, values[one]) for one in inside]), strict=True):
            weights[place] = share
        answers.append((mean_of(values, weights), weights))
    return answers


def predictive(w: Weights, score: Score, queries: list[Vector], values: list[Vector]) -> Answers:
    answers = []
    sigma = WINDOW / 2
    for query in queries:
        hidden = [math.tanh(dot(row, query)) for row in w["position.weight"]]
        logit = dot(w["position_score.weight"][0], np.array(hidden))
        p = len(values) / (1 + math.exp(-logit))
        inside = [s for s in range(1, len(values) + 1) if abs(s - p) <= WINDOW]
        weights = [0.0] * len(values)
        for s, share in zip(inside, shares([score(query, values[s - 1]) for s in inside]), strict=True):
            weights[s - 1] = share * math.exp(-((s - p) ** 2) / (2 * sigma**2))
        answers.append((mean_of(values, weights), weights))
    return answers


def location(w: Weights, queries: list[Vector], values: list[Vector], left: int) -> Answers:
    answers = []
    last = [0.0] * len(values)
    for query in queries:
        scores = []
        for place, value in enumerate(values):
            features = []
            for weights in w["filters.weight"][:, 0]:
                covered = [(place - left + offset, float(weight)) for offset, weight in enumerate(weights)]
                features.append(sum(last[other] * weight for other, weight in covered if 0 <= other < len(values)))
            scores.append(additive(w, query, value, w["location.weight"] @ np.array(features)))
        last = shares(scores)
        answers.append((mean_of(values, last), last))
    return answers


def coverage(w: Weights, queries: list[Vector], values: list[Vector]) -> Answers:
    answers = []
    fertilities = [FERTILITY / (1 + math.exp(-dot(w["fertility.weight"][0], value))) for value in values]
    seen = [0.0] * len(values)
    for query in queries:
        scores = [
            additive(w, query, value, seen[place] * w["coverage.weight"][:, 0]) for place, value in enumerate(values)
        ]
        weights = shares(scores)
        seen = [one + weight / phi for one, weight, phi in zip(seen, weights, fertilities, strict=True)]
        answers.append((mean_of(values, weights), weights))
    return answers


def hard(w: Weights, queries: list[Vector], values: list[Vector]) -> Answers:
    answers = []
    for query in queries:
        scores = [additive(w, query, value) for value in values]
        best = scores.index(max(scores))
        answers.append((values[best], [float(place == best) for place in range(len(values))]))
    return answers


SIZED: dict[str, Any] = {"query_size": QUERY, "value_size": VALUE, "size": SIZE}
LOCAL: dict[str, Any] = SIZED | {"window": WINDOW}
Reference = Callable[[Weights, list[Vector], list[Vector]], Answers]

#: Every kind and its equations; scores and other variants stand behind a slash.
KINDS: dict[str, tuple[Callable[[], Any], Reference]] = {
    "summary": (lambda: SummaryAttention(value_size=VALUE), summary),
    "additive": (
        lambda: AdditiveAttention(**SIZED),
        lambda w, q, v: globally(lambda query, value: additive(w, query, value), q, v),
    ),
    "normalized-additive": (
        lambda: NormalizedAdditiveAttention(**SIZED),
        lambda w, q, v: globally(lambda query, value: normalized(w, query, value), q, v),
    ),
    "dot": (lambda: DotAttention(value_size=VALUE), lambda w, q, v: globally(dot, q, v)),
    "scaled-dot": (
        lambda: ScaledDotAttention(value_size=VALUE),
        lambda w, q, v: globally(lambda query, value: dot(query, value) / math.sqrt(VALUE), q, v),
    ),
    "general": (
        lambda: GeneralAttention(query_size=QUERY, value_size=VALUE),
        lambda w, q, v: globally(lambda query, value: dot(query, w["key.weight"] @ value), q, v),
    ),
    "concat": (
        lambda: ConcatAttention(**SIZED),
        lambda w, q, v: globally(lambda query, value: additive(w, query, value), q, v),
    ),
    "multihead": (lambda: MultiheadAttention(**SIZED, heads=HEADS), multihead),
    "multihead-additive": (lambda: MultiheadAdditiveAttention(**SIZED, heads=HEADS), multihead_additive),
    "local-m/dot": (
        lambda: LocalMonotonicAttention(**LOCAL, score="dot"), lambda w, q, v: monotonic(luong(w, "dot"), q, v),
    ),
    "local-m/general": (
        lambda: LocalMonotonicAttention(**LOCAL, score="general"), lambda w, q, v: monotonic(luong(w, "general"), q, v),
    ),
    "local-m/concat": (
        lambda: LocalMonotonicAttention(**LOCAL, score="concat"), lambda w, q, v: monotonic(luong(w, "concat"), q, v),
    ),
    "local-p/dot": (
        lambda: LocalPredictiveAttention(**LOCAL, score="dot"), lambda w, q, v: predictive(w, luong(w, "dot"), q, v),
    ),
    "local-p/general": (
        lambda: LocalPredictiveAttention(**LOCAL, score="general"),
        lambda w, q, v: predictive(w, luong(w, "general"), q, v),
    ),
    "local-p/concat": (
        lambda: LocalPredictiveAttention(**LOCAL, score="concat"),
        lambda w, q, v: predictive(w, luong(w, "concat"), q, v),
    ),
    "location/odd": (
        lambda: LocationAttention(**SIZED, filters=2, width=5), lambda w, q, v: location(w, q, v, left=2),
    ),
    "location/even": (
        lambda: LocationAttention(**SIZED, filters=2, width=4), lambda w, q, v: location(w, q, v, left=1),
    ),
    "coverage": (lambda: CoverageAttention(**SIZED, fertility=FERTILITY), coverage),
    "hard": (lambda: HardAttention(**SIZED).eval(), hard),
}  # fmt: skip


def test_the_table_names_every_kind() -> None:
    assert {name.partition("/")[0] for name in KINDS} == set(get_args(AttentionName)) - {"none"}


@torch.no_grad()
@pytest.mark.parametrize("name", KINDS)
def test_equals_plain_loops(name: str, fill: Callable[..., Any], sines: Sines) -> None:
    maker, reference = KINDS[name]
    attention = fill(maker().double(), scale=1.0)
    weights = {path: parameter.numpy() for path, parameter in attention.named_parameters()}
    values, queries = sines(3, 6, VALUE), sines(3, 5, QUERY, start=300)
    mask = torch.arange(6) < torch.tensor(LENGTHS).unsqueeze(1)
    memory = attention.remember(values, mask)
    state = attention.initial_state(memory, 3)
    if attention.sequential:
        steps = []
        for query in queries.split(1, dim=1):
            steps.append(attention(query, memory, state))
            state = steps[-1].state
        contexts = torch.cat([step.contexts for step in steps], dim=1)
        shown = torch.cat([step.weights for step in steps], dim=1)
    else:
        attended = attention(queries, memory, state)
        contexts, shown = attended.contexts, attended.weights
    for row, length in enumerate(LENGTHS):
        answers = reference(weights, list(queries[row].numpy()), list(values[row, :length].numpy()))
        for n, (context, expected) in enumerate(answers):
            np.testing.assert_allclose(contexts[row, n].numpy(), context, rtol=0, atol=1e-12)
            if name == "summary":
                assert shown is None
            else:
                assert shown[row, n].tolist() == pytest.approx(expected + [0.0] * (6 - length), abs=1e-12)


def test_multihead_equals_torch(fill: Callable[..., Any], sines: Sines) -> None:
    attention = fill(MultiheadAttention(**SIZED, heads=HEADS).double(), scale=1.0)
    values, queries = sines(3, 6, VALUE), sines(3, 4, QUERY, start=300)
    mask = torch.arange(6) < torch.tensor(LENGTHS).unsqueeze(1)
    attended = attention(queries, attention.remember(values, mask), None)

    def heads(sequences: Tensor) -> Tensor:
        return sequences.unflatten(-1, (HEADS, -1)).transpose(1, 2)

    read = functional.scaled_dot_product_attention(
        heads(attention.query(queries)), heads(attention.key(values)), heads(attention.value(values)),
        attn_mask=mask[:, None, None, :],
    )  # fmt: skip
    right = attention.output(read.transpose(1, 2).flatten(2))
    torch.testing.assert_close(attended.contexts, right, rtol=0, atol=1e-12)
