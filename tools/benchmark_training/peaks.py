"""The machine's peak: how fast the same minute's matrix products are, library by library and type by type."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

#: Side of the square matrices: large enough for the peak, small enough to be taken between rounds.
CPU_SIDE, CUDA_SIDE = 2048, 8192
_REPEATS = 3
#: Products a GPU is given at a time, so that the start of the first and the last one's end do not count.
_CUDA_PRODUCTS = 8

_NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}


@dataclass
class Peak:
    """One way to multiply matrices, and what it reached: GFLOP/s, the best of a few products, once per `take`."""

    name: str
    dtype: torch.dtype
    product: Callable[[], object]
    device: torch.device
    side: int
    readings: list[float] = field(default_factory=list)

    def take(self) -> float:
        """Measure once more; the reading in GFLOP/s."""
        seconds = min(self._seconds() for _ in range(_REPEATS))
        self.readings.append(2.0 * self.side**3 / seconds / 1e9)
        return self.readings[-1]

    def _seconds(self) -> float:
        if self.device.type != "cuda":
            began = time.perf_counter()
            self.product()
            return time.perf_counter() - began
        torch.cuda.synchronize(self.device)
        began = time.perf_counter()
        for _ in range(_CUDA_PRODUCTS):
            self.product()
        torch.cuda.synchronize(self.device)
        return (time.perf_counter() - began) / _CUDA_PRODUCTS


class Peaks:
    """All peaks of a device that can be taken, and the names of those that cannot, with the reason."""

    def __init__(self, device: torch.device, *, side: int | None = None) -> None:
        """`side`: of the square matrices; by default 2048 on a CPU, 8192 on a GPU."""
        self.left_out: list[str] = []
        side = side or (CUDA_SIDE if device.type == "cuda" else CPU_SIDE)
        self.peaks = _on_cuda(device, side) if device.type == "cuda" else self._on_cpu(device, side)
        for peak in self.peaks:
            peak.product()  # The first product chooses a kernel, and on the CPU compiles it.

    def take(self) -> None:
        """Take every peak once more."""
        for peak in self.peaks:
            peak.take()

    def of(self, dtype: torch.dtype) -> Peak:
        """The peak that utilisation in `dtype` refers to: the one with the highest reading of the matrices' type."""
        return max((peak for peak in self.peaks if peak.dtype is dtype), key=lambda peak: max(peak.readings))

    def _on_cpu(self, device: torch.device, side: int) -> list[Peak]:
        peaks = []
        for dtype in (torch.float32, torch.bfloat16):
            left, right = (torch.randn(side, side).to(dtype) for _ in range(2))
            name = _NAMES[dtype]
            mkl = dtype is torch.float32 and torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
            library = "MKL" if mkl else "oneDNN"
            peaks.append(Peak(f"{name} F.linear ({library})", dtype, _linear(left, right), device, side))
            prepacked = _prepacked(left, right)
            if prepacked is None:
                self.left_out.append(f"{name} oneDNN prepacked: this torch has no such operator, or it does not work")
            else:
                peaks.append(Peak(f"{name} oneDNN prepacked", dtype, prepacked, device, side))
        return peaks


def _linear(left: Tensor, right: Tensor) -> Callable[[], object]:
    return lambda: F.linear(left, right)


def _prepacked(left: Tensor, right: Tensor) -> Callable[[], object] | None:
    """The product with weights in oneDNN's own layout, by operators of torch that are private; None without them."""
    try:
        reorder, linear = torch.ops.mkldnn._reorder_linear_weight, torch.ops.mkldnn._linear_pointwise
        packed = reorder(right, left.shape[0])
        linear(left, packed, None, "none", [], "")
    except (AttributeError, RuntimeError):
        return None
    return lambda: linear(left, packed, None, "none", [], "")


def _on_cuda(device: torch.device, side: int) -> list[Peak]:
    peaks = []
    square = torch.randn(side, side, device=device)
    for allowed, name in ((False, "fp32"), (True, "fp32, tf32 allowed")):
        peaks.append(Peak(name, torch.float32, _with_tf32(square, allowed), device, side))
    for dtype in (torch.float16, torch.bfloat16):
        short = square.to(dtype)
        peaks.append(Peak(_NAMES[dtype], dtype, _linear(short, short), device, side))
    return peaks


def _with_tf32(square: Tensor, allowed: bool) -> Callable[[], object]:
    def product() -> None:
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = allowed
        try:
            F.linear(square, square)
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before

    return product
