from __future__ import annotations

import torch

from seq2seq.shortlist import Shortlist

TABLE = Shortlist(torch.tensor([[1, 1], [4, 5], [6, 1], [1, 1]]), torch.tensor([1, 3]), 8)


def test_what_a_sentence_may_use_is_its_own() -> None:
    allowed = TABLE.allowed(torch.tensor([[1, 0], [2, 3], [0, 2]]), torch.tensor([1, 2, 1]))
    assert [row.nonzero().flatten().tolist() for row in allowed] == [
        [1, 3, 4, 5],
        [1, 3, 6],
        [1, 3],
    ]  # padding has none
