"""The settings of memory: made once, and a user's own are left alone."""

from __future__ import annotations

import os

import pytest

from seq2seq.allocator import bound_kernel_cache


@pytest.mark.parametrize(("name", "bound"), [("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256"), ("LRU_CACHE_CAPACITY", "64")])
def test_kernel_caches_are_bounded_unless_the_user_said_otherwise(
    name: str, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Set first, so that what the function sets is undone at the end.
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "7")
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "7")
    bound_kernel_cache()
    assert os.environ[name] == "7"
    monkeypatch.delenv(name)
    bound_kernel_cache()
    assert os.environ[name] == bound
