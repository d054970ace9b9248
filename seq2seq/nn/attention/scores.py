"""Scores of queries against keys: the formulas that the attentions share."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

ScoreName = Literal["dot", "general", "concat"]


def dot_scores(queries: Tensor, keys: Tensor) -> Tensor:
    """Inner products q . k: [..., n, src_len] of `queries` [..., n, width] and `keys` [..., src_len, width]."""
    return queries @ keys.transpose(-2, -1).to(queries.dtype)


def additive_scores(queries: Tensor, keys: Tensor, vector: Tensor) -> Tensor:
    """Scores v . tanh(q + k) of every query and key, [..., n, src_len].

    `queries` [..., n, size] and `keys` [..., src_len, size] agree in the axes that are not named; `vector` is [size].
    Where the sums [..., n, src_len, size] would be large, they are made for a few queries at a time, and made again for
    the gradient, so that they are never in memory as a whole. So large, that is faster on a CPU, too.
    """
    keys, vector = keys.to(queries.dtype), vector.to(queries.dtype)
    if _large(queries, keys):
        scores: Tensor = _AdditiveScores.apply(queries, keys, vector)  # type: ignore[no-untyped-call]
        return scores
    with torch.autocast(queries.device.type, enabled=False):  # the types agree as they are
        return _tanh_of_sums(queries, keys) @ vector


def _tanh_of_sums(queries: Tensor, keys: Tensor) -> Tensor:
    """tanh(q + k), [..., n, src_len, size]."""
    return (queries.unsqueeze(-2) + keys.unsqueeze(-3)).tanh_()


def _large(queries: Tensor, keys: Tensor) -> bool:
    """Whether the sums of all queries are too many to store: 32 MiB of float32 on a CPU, 256 MiB elsewhere."""
    return queries.shape[-2] * keys.numel() > (2**23 if keys.device.type == "cpu" else 2**26)


def _queries_at_a_time(keys: Tensor) -> int:
    """So many queries that their sums stay in a CPU's cache, or are a good portion for another device."""
    budget = 2**18 if keys.device.type == "cpu" else 2**26
    return max(1, budget // max(1, keys.numel()))


class _AdditiveScores(torch.autograd.Function):
    """The scores and their gradient, with the sums computed twice instead of stored once."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, vector: Tensor) -> Tensor:
        ctx.save_for_backward(queries, keys, vector)
        parts = torch.split(queries, _queries_at_a_time(keys), dim=-2)
        with torch.autocast(queries.device.type, enabled=False):
            return torch.cat([_tanh_of_sums(part, keys) @ vector for part in parts], dim=-2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        queries, keys, vector = ctx.saved_tensors
        # Sums over many queries are kept in float32 at least.
        wide = torch.promote_types(keys.dtype, torch.float32)
        grad_keys = torch.zeros_like(keys, dtype=wide)
        grad_vector = torch.zeros_like(vector, dtype=wide)
        grad_queries = []
        count = _queries_at_a_time(keys)
        parts = zip(torch.split(queries, count, dim=-2), torch.split(grad, count, dim=-2), strict=True)
        with torch.autocast(queries.device.type, enabled=False):
            for part, part_grad in parts:
                tanh = _tanh_of_sums(part, keys)
                grad_vector += part_grad.reshape(-1) @ tanh.flatten(0, -2)
                # The derivative of tanh; v, a factor of every term, comes last.
                slopes = tanh.square_().neg_().add_(1).mul_(part_grad.unsqueeze(-1))
                grad_queries.append(slopes.sum(-2))
                grad_keys += slopes.sum(-3)
            return (
                torch.cat(grad_queries, dim=-2) * vector,
                (grad_keys * vector).to(keys.dtype),
                grad_vector.to(vector.dtype),
            )


class DotScore(nn.Module):
    """score(q, v) = q . v, for queries and values of one width."""

    def keys(self, values: Tensor) -> Tensor:
        """The values themselves."""
        return values

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Scores [batch, n, src_len] of `queries` [batch, n, query] and `keys` [batch, src_len, query]."""
        return dot_scores(queries, keys)


class GeneralScore(nn.Module):
    """score(q, v) = q . W v."""

    def __init__(self, *, query_size: int, value_size: int) -> None:
        super().__init__()
        self.key = nn.Linear(value_size, query_size, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        """W v, [batch, src_len, query]."""
        keys: Tensor = self.key(values)
        return keys

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Scores [batch, n, src_len] of `queries` [batch, n, query] and `keys` [batch, src_len, query]."""
        return dot_scores(queries, keys)


class ConcatScore(nn.Module):
    """score(q, v) = w . tanh(W [q; v]), W in two parts: W [q; v] = Q q + K v."""

    def __init__(self, *, query_size: int, value_size: int, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(value_size, size, bias=False)
        self.score = nn.Linear(size, 1, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        """K v, [batch, src_len, size]."""
        keys: Tensor = self.key(values)
        return keys

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Scores [batch, n, src_len] of `queries` [batch, n, query] and `keys` [batch, src_len, size]."""
        return additive_scores(self.query(queries), keys, self.score.weight[0])


Score = DotScore | GeneralScore | ConcatScore


def make_score(name: ScoreName, *, query_size: int, value_size: int, size: int) -> Score:
    """The score of Luong et al. (2015, section 3.1) by its name; only `concat` has a width of its own, `size`.

    Raises:
        ValueError: `dot` of queries and values of different widths.
    """
    match name:
        case "dot":
            if query_size != value_size:
                raise ValueError(f"dot products need one width, not queries of {query_size} and values of {value_size}")
            return DotScore()
        case "general":
            return GeneralScore(query_size=query_size, value_size=value_size)
        case "concat":
            return ConcatScore(query_size=query_size, value_size=value_size, size=size)
