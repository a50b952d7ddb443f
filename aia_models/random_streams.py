"""Named random streams: each use of randomness draws from its own, so adding one never moves the others."""

import hashlib
import math
import os

import numpy as np
import torch
from torch import Tensor


def stream_seed(seed: int, *names: str) -> int:
    """Seed of the stream `names` under `seed`: 63 bits of SHA-256 over both."""
    digest = hashlib.sha256("/".join([str(seed), *names]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, *names: str, device: str | torch.device = "cpu") -> torch.Generator:
    """PyTorch generator on `device` for the stream `names`."""
    return torch.Generator(device=device).manual_seed(stream_seed(seed, *names))


def uniform_like(values: Tensor, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    """Uniform numbers in [0, 1] of `shape`, on the device and of the type of `values`.

    Without a generator each comes from the operating system's entropy. No generator can stand in for that: one
    of PyTorch's takes 32 bits of its seed on the CPU, few enough to try them all.
    """
    if generator is None:
        return _entropy_uniform(shape).to(values)
    return torch.rand(shape, generator=generator, device=values.device, dtype=values.dtype)


def normal_like(values: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal numbers of the shape, device and type of `values`; without a generator as `uniform_like`."""
    if generator is None:
        return torch.special.ndtri(_entropy_uniform(tuple(values.shape))).to(values)
    return torch.randn(values.shape, generator=generator, device=values.device, dtype=values.dtype)


def _entropy_uniform(shape: tuple[int, ...]) -> Tensor:
    words = np.frombuffer(os.urandom(8 * math.prod(shape)), dtype=np.uint64)
    # 52 bits and a half: exact in float64, so neither 0 nor 1, where a normal number would be infinite.
    return torch.from_numpy(((words >> 12) + 0.5) / 2**52).reshape(shape)
