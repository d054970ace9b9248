"""Adding up over the processes of a training: gradients, by DistributedDataParallel, and what is reported of them."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, distributed, nn
from torch.distributed import ProcessGroup
from torch.nn.parallel import DistributedDataParallel


class _Nothing(torch.autograd.Function):
    """Zero, made of parameters to which it passes no gradient; but their gradients' hooks run after it."""

    @staticmethod
    def forward(ctx: Any, *parameters: Tensor) -> Tensor:
        ctx.parameters = len(parameters)
        return parameters[0].new_zeros(())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, ...]:
        parameters: int = ctx.parameters
        return (None,) * parameters


class _Parameters(nn.Module):
    """A network of which only the parameters count."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self) -> Tensor:
        """Zero."""
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        return _Nothing.apply(*trained)  # type: ignore[no-any-return, no-untyped-call]


def _summing(gradients: Tensor, group: ProcessGroup) -> torch.futures.Future[Tensor]:
    """Begin to add up `gradients`, in place; by itself DistributedDataParallel would take their mean."""
    work = distributed.all_reduce(gradients, group=group, async_op=True)
    future: torch.futures.Future[list[Tensor]] = work.get_future()
    return future.then(lambda done: done.value()[0])


@final
class Exchange:
    """Adds up over processes what each of them has of an update.

    DistributedDataParallel does the work, but it never sees the network's own forward pass: once all backward passes of
    an update are done it is given one more, of a zero that passes nothing on, which has it send the gradients that are
    there. So what the network returns, which parameters it uses, how many batches a process has, even none, and how
    often a batch had to be begun again because memory ran out: none of it is anything to the other processes. The
    price is that nothing is sent while a process still computes.
    """

    def __init__(self, model: nn.Module, *, group: ProcessGroup) -> None:
        """`model` takes the weights of the first process of `group`."""
        self._group = group
        self._parallel = DistributedDataParallel(_Parameters(model), process_group=group, gradient_as_bucket_view=True)
        self._parallel.register_comm_hook(group, lambda within, bucket: _summing(bucket.buffer(), within))

    def add_gradients(self) -> None:
        """Replace the gradients of all trained parameters by their sums over the processes, the same in each."""
        zero: Tensor = self._parallel()
        torch.autograd.backward(zero)

    def sums(self, *scalars: Tensor) -> tuple[Tensor, ...]:
        """The sums over the processes of scalars on the device, which a GPU need not wait for."""
        stacked = torch.stack(scalars)
        distributed.all_reduce(stacked, group=self._group)
        return stacked.unbind()
