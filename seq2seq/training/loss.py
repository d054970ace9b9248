"""Cross-entropy with label smoothing, summed over the real target pieces."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

#: Rows whose probabilities are computed at a time, so that they stay in the processor's cache.
_ROWS = 64


class _CrossEntropy(torch.autograd.Function):
    """Softmax, smoothed cross-entropy and its gradient in two passes over logits that may be bf16 or fp16.

    With V classes, smoothing e and target y, a row's loss is (1-e)(lse - z_y) + e (lse - mean z), and its gradient
    softmax(z) - e/V - (1-e) [class is y]. Sums are float32 whatever the logits are, or float64 if these are.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, real: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
        dtype = real.dtype
        normalizers = torch.empty(logits.shape[0], dtype=dtype, device=logits.device)
        means = torch.zeros_like(normalizers)
        rows = _ROWS if logits.device.type == "cpu" else max(1, logits.shape[0])
        for start in range(0, logits.shape[0], rows):
            chunk = logits[start : start + rows].to(dtype)
            torch.logsumexp(chunk, dim=-1, out=normalizers[start : start + rows])
            if smoothing:
                torch.mean(chunk, dim=-1, out=means[start : start + rows])
        picked = logits.gather(1, targets.unsqueeze(1)).squeeze(1).to(dtype)
        likelihood = (normalizers - picked) * real
        loss = (1.0 - smoothing) * likelihood + smoothing * (normalizers - means) * real
        ctx.save_for_backward(logits, targets, real, normalizers)
        ctx.smoothing, ctx.rows = smoothing, rows
        total = likelihood.sum()
        ctx.mark_non_differentiable(total)
        return loss.sum(), total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        logits, targets, real, normalizers = ctx.saved_tensors
        smoothing = ctx.smoothing
        weights = (real * gradients[0]).unsqueeze(1)
        result = torch.empty_like(logits)
        for start in range(0, logits.shape[0], ctx.rows):
            part = slice(start, start + ctx.rows)
            chunk = (logits[part] - normalizers[part].unsqueeze(1)).exp_()  # float32, and never the logits themselves
            if smoothing:
                chunk.sub_(smoothing / logits.shape[1])
            hit = targets[part].unsqueeze(1)
            chunk.scatter_add_(1, hit, torch.full_like(hit, smoothing - 1.0, dtype=chunk.dtype))
            result[part] = chunk.mul_(weights[part])
        return result, None, None, None


def cross_entropy(logits: Tensor, targets: Tensor, mask: Tensor, *, smoothing: float) -> tuple[Tensor, Tensor]:
    """Smoothed loss and plain negative log-likelihood, both summed over the real positions.

    Args:
        logits: [batch, tgt_len, vocab] in any float format.
        targets: ids [batch, tgt_len].
        mask: bool [batch, tgt_len]; padding, False, counts for nothing.
        smoothing: share of the target's probability spread evenly over the vocabulary (Szegedy et al. 2016, section 7).

    Returns:
        Two float32 scalars (float64 of float64 logits) in nats; only the first has a gradient.
    """
    real = mask.flatten().to(torch.promote_types(logits.dtype, torch.float32))
    loss, likelihood = _CrossEntropy.apply(logits.flatten(0, 1), targets.flatten(), real, smoothing)  # type: ignore[no-untyped-call]
    return loss, likelihood


class _Disagreement(torch.autograd.Function):
    """The symmetric divergence of two predictions of the same positions, and its gradient, a few rows at a time.

    With p and q the softmax of a row and of its twin, the row's value is (KL(p||q) + KL(q||p)) / 2, and its gradient by
    the logits of p is (p (log p/q - KL(p||q)) + p - q) / 2.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, real: Tensor) -> Tensor:
        half = logits.shape[0] // 2
        rows = _ROWS if logits.device.type == "cpu" else max(1, half)
        total = torch.zeros((), dtype=real.dtype, device=logits.device)
        for start in range(0, half, rows):
            part, twin = slice(start, min(start + rows, half)), slice(half + start, half + min(start + rows, half))
            first, second = (logits[which].to(real.dtype).log_softmax(dim=-1) for which in (part, twin))
            total += 0.5 * ((first.exp() - second.exp()).mul_(first - second).sum(dim=-1) * real[part]).sum()
        ctx.save_for_backward(logits, real)
        ctx.rows = rows
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        logits, real = ctx.saved_tensors
        half, rows = logits.shape[0] // 2, ctx.rows
        weights = (0.5 * real * gradients[0]).unsqueeze(1)
        result = torch.empty_like(logits)
        for start in range(0, half, rows):
            part, twin = slice(start, min(start + rows, half)), slice(half + start, half + min(start + rows, half))
            first, second = (logits[which].to(real.dtype).log_softmax(dim=-1) for which in (part, twin))
            p, q, ratio = first.exp(), second.exp(), first - second
            forth, back = (p * ratio).sum(dim=-1, keepdim=True), -(q * ratio).sum(dim=-1, keepdim=True)
            result[part] = (p * (ratio - forth) + p - q).mul_(weights[part])
            result[twin] = (q * (-ratio - back) + q - p).mul_(weights[part])
        return result, None


def disagreement(logits: Tensor, mask: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of two predictions of a batch, summed over the real positions.

    Args:
        logits: [2*batch, tgt_len, vocab], the batch predicted twice under different dropout, one below the other.
        mask: bool [batch, tgt_len]; padding, False, counts for nothing.

    Returns:
        A float32 scalar (float64 of float64 logits), nats: the mean of both directions (R-Drop, Liang et al. 2021,
        equation 2).
    """
    real = mask.flatten().to(torch.promote_types(logits.dtype, torch.float32))
    result: Tensor = _Disagreement.apply(logits.flatten(0, 1), real)  # type: ignore[no-untyped-call]
    return result
