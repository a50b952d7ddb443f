"""Measures what the machine can do: the rates of matrix products and of one convolution."""

import statistics
import time
from collections.abc import Callable

import torch
from torch.nn import functional as F

SIZES = (512, 1024, 2048, 4096)


def synchronise(device: str) -> None:
    """Waits until a CUDA device has done what it was asked to."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def seconds(call: Callable[[], object], device: str, repeats: int = 5) -> float:
    """Median over `repeats` calls after two that do not count."""
    call()
    call()
    found = []
    for _ in range(repeats):
        synchronise(device)
        started = time.perf_counter()
        call()
        synchronise(device)
        found.append(time.perf_counter() - started)
    return statistics.median(found)


@torch.no_grad()
def ceiling(device: str, dtype: torch.dtype, batch: int = 64) -> dict[str, float]:
    """FLOP/s of square matrix products and of the 128 -> 256 channels_last convolution on 32x32 maps."""
    rates = {}
    for size in SIZES:
        left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
        rates[f"product of {size}"] = 2 * size**3 / seconds(lambda: left @ right, device)  # noqa: B023
    maps = torch.randn(batch, 128, 32, 32, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    kernel = torch.randn(256, 128, 3, 3, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    flops = 2 * batch * 32 * 32 * 9 * 128 * 256
    rates["convolution"] = flops / seconds(lambda: F.conv2d(maps, kernel, padding=1), device)
    return rates
