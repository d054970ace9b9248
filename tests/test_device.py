"""Devices and precisions by name, on machines that are pretended."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from seq2seq.device import has_bf16, resolve_device, resolve_precision
from seq2seq.errors import DeviceError

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def pretend_gpus(monkeypatch: pytest.MonkeyPatch, count: int, capability: tuple[int, int] = (9, 0)) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)


def pretend_cpu(monkeypatch: pytest.MonkeyPatch, bf16: bool | None) -> None:
    """A processor with bf16 or without; None is a torch that does not say."""
    check = {} if bf16 is None else {"_is_mkldnn_bf16_supported": lambda: bf16}
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace(**check))


def test_without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 0)
    assert resolve_device("auto") == CPU
    assert resolve_device("cpu") == CPU
    with pytest.raises(DeviceError, match="device cuda was asked for, but torch finds no GPU here; use cpu or auto"):
        resolve_device("cuda")
    with pytest.raises(DeviceError, match="device cuda:1 was asked for, but torch finds no GPU"):
        resolve_device("cuda:1")


def test_with_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 2)
    assert resolve_device("auto") == GPU
    assert resolve_device("cuda") == GPU
    assert resolve_device("cuda:1") == torch.device("cuda", 1)
    assert resolve_device("cpu") == CPU
    with pytest.raises(DeviceError, match="device cuda:2 was asked for, but there are only 2 GPUs here"):
        resolve_device("cuda:2")


@pytest.mark.parametrize(
    "name", ["gpu", "", "cuda:", "cuda:-1", "cuda:x", "cpu:0", "CPU", "auto ", "cuda:1:2", "cpu\n"]
)
def test_unknown_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 2)
    with pytest.raises(DeviceError, match=r"^unknown device .*; use auto, cpu, cuda or cuda:N$"):
        resolve_device(name)


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True), ((8, 9), True), ((9, 0), True)])
def test_bf16_of_gpus(capability: tuple[int, int], expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 1, capability)
    assert has_bf16(GPU) is expected
    assert resolve_precision("auto", GPU) is (torch.bfloat16 if expected else torch.float16)


@pytest.mark.parametrize(("bf16", "expected"), [(True, torch.bfloat16), (False, torch.float32), (None, torch.float32)])
def test_precision_auto_on_a_cpu(bf16: bool | None, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cpu(monkeypatch, bf16)
    assert resolve_precision("auto", CPU) is expected


def test_this_torch_says_whether_it_has_bf16() -> None:
    assert has_bf16(CPU) in (True, False)
    assert hasattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported")


def test_precisions_asked_for() -> None:
    assert resolve_precision("fp32", GPU) is torch.float32
    assert resolve_precision("bf16", CPU) is torch.bfloat16
    assert resolve_precision("fp16", GPU) is torch.float16
    with pytest.raises(DeviceError, match="precision fp16 needs a GPU, but the device is cpu; use auto, bf16 or fp32"):
        resolve_precision("fp16", CPU)
