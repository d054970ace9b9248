"""Mixed precision: matrix products in a short format, weights and everything else in float32."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from seq2seq.device import PrecisionName, precision_name, resolve_precision

#: Cells that train worse in bf16 than in fp32, by tools/compare_precisions.py; none of all that there are
#: (docs/lab-notes.md, "bf16 against fp32, cell by cell").
FULL_PRECISION_CELLS: frozenset[str] = frozenset()


def chosen_precision(
    name: PrecisionName, device: torch.device, *, cells: Iterable[str]
) -> tuple[torch.dtype, str | None]:
    """The dtype of the matrix products, and why it is not the one that `auto` would give, if so.

    As :func:`~seq2seq.device.resolve_precision`, but `auto` takes fp32 where a network of `cells` is known to train
    worse in a short format; a precision that is asked for by name is taken.
    """
    dtype = resolve_precision(name, device)
    wary = sorted(FULL_PRECISION_CELLS.intersection(cells))
    if name != "auto" or dtype is torch.float32 or not wary:
        return dtype, None
    return torch.float32, f"precision fp32: cells of kind {' and '.join(wary)} train worse in a shorter one"


class Precision:
    """Autocast, and for fp16 a loss scale, behind one small interface.

    With fp16 the loss is multiplied by a scale so that small gradients do not vanish; :meth:`unscale` divides it out
    again before clipping, and :meth:`step` lowers it after an update whose gradients overflowed, which is to be left
    out.
    """

    def __init__(self, *, dtype: torch.dtype, device: torch.device) -> None:
        self.dtype = dtype
        self.device = device
        self._scaler = torch.amp.GradScaler(device.type, enabled=dtype is torch.float16)

    @property
    def name(self) -> str:
        """fp32, bf16 or fp16."""
        return precision_name(self.dtype)

    def autocast(self) -> AbstractContextManager[object]:
        """Context in which the network computes."""
        enabled = self.dtype is not torch.float32
        return torch.autocast(self.device.type, dtype=self.dtype if enabled else None, enabled=enabled)

    def backward(self, loss: Tensor) -> None:
        """Backpropagate, scaled if need be."""
        torch.autograd.backward(self._scaler.scale(loss))

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Bring the gradients of `optimizer` back to their true size."""
        self._scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer, apply: Tensor | None = None) -> None:
        """Update the weights if `apply`, a bool scalar on the device, is true, and adapt the scale of fp16.

        Without `apply` they are updated unless gradients in fp16 overflowed.

        Weights and optimizer are otherwise untouched. Fused optimizers on a GPU look at `apply` themselves, by the same
        `found_inf` through which a GradScaler speaks to them, so that nobody waits for it. Elsewhere it is read: on the
        processor that costs nothing, and optimizers that are not fused have no other way. It is read at the first
        update too: the fused SGD would take momentum that an update left out has not filled.
        """
        if apply is None:
            self._scaler.step(optimizer)
        elif self.asynchronous and optimizer.defaults.get("fused") and optimizer.state:
            optimizer.grad_scale, optimizer.found_inf = None, (~apply).float()  # type: ignore[attr-defined]
            try:
                optimizer.step()
            finally:
                del optimizer.grad_scale, optimizer.found_inf  # type: ignore[attr-defined]
        elif bool(apply):
            optimizer.step()
        self._scaler.update()

    @property
    def asynchronous(self) -> bool:
        """Whether the device works on while the program does, so that reading a number from it means waiting."""
        return self.device.type != "cpu"

    @property
    def skips_overflow(self) -> bool:
        """Whether an update with infinite gradients is left out and merely lowers the scale."""
        return self._scaler.is_enabled()

    def state(self) -> dict[str, float]:
        """What resuming needs: empty without a loss scale."""
        return dict(self._scaler.state_dict())

    def load_state(self, state: dict[str, float]) -> None:
        """Restore :meth:`state`."""
        if self._scaler.is_enabled() and state:
            self._scaler.load_state_dict(state)


def clip_gradients(parameters: Iterable[Tensor], *, by: str, threshold: float) -> Tensor:
    """Clip the gradients in place and return their norm before clipping, a scalar tensor that is not read here.

    `by` is "norm" (Pascanu et al. 2013: scale the whole gradient down to the threshold), "value" (cut every element
    at plus and minus the threshold) or "none".
    """
    parameters = [parameter for parameter in parameters if parameter.grad is not None]
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    if by == "norm":
        torch.nn.utils.clip_grads_with_norm_(parameters, threshold, norm)
    elif by == "value":
        torch.nn.utils.clip_grad_value_(parameters, threshold)
    return norm
