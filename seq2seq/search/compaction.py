"""When sentences that are done leave a batch."""

from __future__ import annotations

from torch import Tensor

from seq2seq.search.waiting import looking_waits

#: Leaving costs one copy of what the model remembers, staying one row of every further step. At an eighth, at most an
#: eighth of the work is wasted, and a batch of 64 is copied at most 30 times, ever smaller parts of it.
_SHARE = 8

#: Where looking makes the host wait for the device.
_STEPS_BETWEEN_LOOKS = 4


def sentences_to_keep(done: Tensor, *, step: int) -> Tensor | None:
    """Return the places of ``done`` (bool [active]) that go on, or None where it is not worth while to drop any yet.

    An empty answer means that all are done. What a search returns does not depend on this.
    """
    if looking_waits(done.device) and step % _STEPS_BETWEEN_LOOKS:
        return None
    count = int(done.sum())
    if count == 0 or count * _SHARE < done.shape[0]:
        return None
    return (~done).nonzero().squeeze(1)
