"""What a search is asked for, checked."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq.search.scoring import check_length_penalty


def check_request(*, sentences: int, max_lengths: Tensor, beam: int, n_best: int, length_penalty: float) -> None:
    """Raise ValueError for what no search can do."""
    check_length_penalty(length_penalty)
    if beam < 1:
        raise ValueError(f"beam must be at least 1, not {beam}")
    if not 1 <= n_best <= beam:
        raise ValueError(f"n_best must lie between 1 and beam ({beam}), not {n_best}")
    if max_lengths.shape != (sentences,) or max_lengths.is_floating_point():
        raise ValueError(f"max_lengths must be integers of shape [{sentences}], not {list(max_lengths.shape)}")
    if sentences and int(max_lengths.min()) < 1:
        raise ValueError("max_lengths must be at least 1")


def never_generated(*, bos_id: int, eos_id: int, forbidden_ids: Sequence[int], device: torch.device) -> Tensor:
    """Return the ids that no hypothesis may contain: ``forbidden_ids`` and ``bos_id``, but never ``eos_id``."""
    return torch.tensor(sorted({bos_id, *forbidden_ids} - {eos_id}), dtype=torch.long, device=device)
