"""A recurrence that is linear in its state, for all time steps at once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional


def linear_recurrence(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    r"""All states of :math:`h_t = a_t \odot h_{t-1} + b_t` from the state `h0` before the first step.

    A parallel scan: a step is the map h -> a h + b, and two successive maps are one map of the same form. Steps are
    joined in pairs, so that a sequence half as long gives every second state, and each state between them is one step
    from there (Ladner and Fischer 1980; Blelloch 1990): 2 log2(len) passes, and work that grows as len. The gradient is
    the same recurrence from the end to the start. The work is done in float32 at least.

    Args:
        a: [batch, len, hidden], of any size: nothing is divided by it.
        b: [batch, len, hidden].
        h0: [batch, hidden].

    Returns:
        The states [batch, len, hidden], of the dtype to which those of the arguments promote.
    """
    states: Tensor = _LinearRecurrence.apply(a, b, h0)  # type: ignore[no-untyped-call]
    return states


def linear_recurrence_by_loop(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """The slow twin of :func:`linear_recurrence`: the equation as it stands, one step at a time."""
    states, h = [], h0
    for a_t, b_t in zip(a.unbind(1), b.unbind(1), strict=True):
        h = a_t * h + b_t
        states.append(h)
    return torch.stack(states, dim=1)


def _scan(a: Tensor, b: Tensor) -> Tensor:
    """The states of the recurrence from zero, of `a` and `b` [batch, len, hidden]."""
    if b.shape[1] == 1:
        return b
    pairs = b.shape[1] // 2
    first_a, second_a = a[:, 0::2], a[:, 1::2]
    first_b, second_b = b[:, 0::2], b[:, 1::2]
    # second(first(h)) = second_a first_a h + (second_a first_b + second_b)
    after_second = _scan(second_a * first_a[:, :pairs], torch.addcmul(second_b, second_a, first_b[:, :pairs]))
    states = torch.empty_like(b)
    states[:, 1::2] = after_second
    states[:, 0] = b[:, 0]
    between = first_b.shape[1] - 1
    states[:, 2::2] = torch.addcmul(first_b[:, 1:], first_a[:, 1:], after_second[:, :between])
    return states


class _LinearRecurrence(Function):
    """The scan with its own backward: without it autograd would keep the joined maps of every pass."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        result = torch.promote_types(torch.promote_types(a.dtype, b.dtype), h0.dtype)
        work = torch.promote_types(result, torch.float32)
        wide_a, wide_b = a.to(work), b.to(work)
        first = torch.addcmul(wide_b[:, 0], wide_a[:, 0], h0.to(work)).unsqueeze(1)
        states = _scan(wide_a, torch.cat((first, wide_b[:, 1:]), dim=1)).to(result)
        ctx.save_for_backward(a, h0, states)
        ctx.dtype_of_b = b.dtype
        return states

    @staticmethod
    def backward(ctx: Any, gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, h0, states = ctx.saved_tensors
        # dL/dh_t = gradient_t + a_{t+1} dL/dh_{t+1}: the recurrence itself, from the end.
        following = functional.pad(a[:, 1:], (0, 0, 0, 1)).flip(1)
        of_states = linear_recurrence(following, gradients.flip(1), torch.zeros_like(h0)).flip(1)
        before = torch.cat((h0.unsqueeze(1).to(states.dtype), states[:, :-1]), dim=1)
        of_a = (of_states * before).to(a.dtype)
        return of_a, of_states.to(ctx.dtype_of_b), (of_states[:, 0] * a[:, 0]).to(h0.dtype)
