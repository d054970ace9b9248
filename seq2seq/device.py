"""Devices and precisions: what was asked for, against what this machine has."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import torch

from seq2seq.errors import DeviceError

PrecisionName = Literal["auto", "fp32", "bf16", "fp16", "int8"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def resolve_device(name: str) -> torch.device:
    """The device called `name`: auto (the first GPU, else the CPU), cpu, cuda or cuda:N.

    Raises:
        DeviceError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    match = re.fullmatch(r"(cpu|cuda)(?::(\d+))?", name)
    if match is None or (match[1] == "cpu" and match[2] is not None):
        raise DeviceError(f"unknown device {name!r}; use auto, cpu, cuda or cuda:N")
    if match[1] == "cuda":
        if not torch.cuda.is_available():
            raise DeviceError(f"device {name} was asked for, but torch finds no GPU here; use cpu or auto")
        if match[2] is not None and int(match[2]) >= torch.cuda.device_count():
            raise DeviceError(f"device {name} was asked for, but there are only {torch.cuda.device_count()} GPUs here")
    return torch.device(name)


def has_bf16(device: torch.device) -> bool:
    """Whether `device` multiplies matrices in bf16 in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.get_device_capability(device) >= (8, 0))
    # A private operator of torch: where it is missing, fp32 is always right.
    check = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return bool(check()) if check is not None else False


def resolve_precision(name: PrecisionName, device: torch.device) -> torch.dtype:
    """The dtype of the matrix products: for auto bf16 where the hardware has it, else fp16 on a GPU, else fp32.

    Raises:
        DeviceError: fp16 on a CPU, where its products would be slow and its range a danger; int8 on a GPU, which has no
            such products here.
    """
    match name:
        case "auto":
            if has_bf16(device):
                return torch.bfloat16
            return torch.float16 if device.type == "cuda" else torch.float32
        case "fp32":
            return torch.float32
        case "bf16":
            return torch.bfloat16
        case "fp16":
            if device.type != "cuda":
                raise DeviceError(f"precision fp16 needs a GPU, but the device is {device}; use auto, bf16 or fp32")
            return torch.float16
        case "int8":
            if device.type != "cpu":
                raise DeviceError(f"precision int8 is for the CPU, but the device is {device}; use auto, fp16 or bf16")
            return torch.int8


def activation_dtype(dtype: torch.dtype, device: torch.device) -> torch.dtype:
    """What goes with products of `dtype` where they are no products of weights: with int8 the fastest that there is."""
    if dtype is not torch.int8:
        return dtype
    return torch.bfloat16 if has_bf16(device) else torch.float32


def in_parts_that_fit(
    items: Sequence[Item], work: Callable[[Sequence[Item]], list[Result]], *, too_large: Callable[[Item], str]
) -> list[Result]:
    """Results of `work` for the items, all at once; in halves where they do not fit into the memory of the GPU.

    Raises:
        DeviceError: with what `too_large` says of an item that does not fit alone.
    """
    try:
        return work(items)
    except torch.OutOfMemoryError:
        if len(items) == 1:
            raise DeviceError(too_large(items[0])) from None
    # Outside of the handler, which would keep the tensors of the failed attempt alive.
    half = len(items) // 2
    first = in_parts_that_fit(items[:half], work, too_large=too_large)
    return first + in_parts_that_fit(items[half:], work, too_large=too_large)


def precision_name(dtype: torch.dtype) -> PrecisionName:
    """The name of the precision that :func:`resolve_precision` gave as a dtype."""
    names: dict[torch.dtype, PrecisionName] = {
        torch.float32: "fp32",
        torch.bfloat16: "bf16",
        torch.float16: "fp16",
        torch.int8: "int8",
    }
    return names[dtype]
