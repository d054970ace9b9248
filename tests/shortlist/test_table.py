from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seq2seq.errors import ModelError
from seq2seq.shortlist import SHORTLIST, Shortlist

TABLE = Shortlist(torch.tensor([[1, 1], [4, 5], [6, 1], [1, 1]]), torch.tensor([1, 3]), 8)
PRINTS = {"source_tokenizer": "abc", "target_tokenizer": "def"}


def test_what_a_sentence_may_use_is_its_own() -> None:
    allowed = TABLE.allowed(torch.tensor([[1, 0], [2, 3], [0, 2]]), torch.tensor([1, 2, 1]))
    assert [row.nonzero().flatten().tolist() for row in allowed] == [
        [1, 3, 4, 5],
        [1, 3, 6],
        [1, 3],
    ]  # padding has none


def test_stored_and_read(tmp_path: Path) -> None:
    TABLE.save(tmp_path / SHORTLIST, fingerprints=PRINTS)
    read = Shortlist.load(tmp_path / SHORTLIST, fingerprints=PRINTS)
    assert torch.equal(read.likely, TABLE.likely)
    assert torch.equal(read.common, TABLE.common)
    assert read.vocabulary == 8
    with pytest.raises(ModelError, match="is of other tokenizers than those beside it; make it again"):
        Shortlist.load(tmp_path / SHORTLIST, fingerprints={**PRINTS, "target_tokenizer": "ghi"})


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / SHORTLIST
    with pytest.raises(ModelError, match=r"has no shortlist; seq2seq-shortlist .* makes it"):
        Shortlist.load(path, fingerprints=PRINTS)
    TABLE.save(path, fingerprints=PRINTS)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelError, match="damaged or truncated"):
        Shortlist.load(path, fingerprints=PRINTS)
