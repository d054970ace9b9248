"""The settings of memory: made once, and a user's own are left alone."""

from __future__ import annotations

import os

import pytest

from seq2seq.allocator import bound_kernel_cache

_NAME = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"


def test_the_kernel_cache_is_bounded_unless_the_user_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set first, so that what the function sets is undone at the end.
    monkeypatch.setenv(_NAME, "7")
    bound_kernel_cache()
    assert os.environ[_NAME] == "7"
    monkeypatch.delenv(_NAME)
    bound_kernel_cache()
    assert os.environ[_NAME] == "256"
