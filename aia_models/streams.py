"""Named random streams: each use of randomness draws from its own, so adding one never moves the others."""

import hashlib

import torch


def stream_seed(seed: int, *names: str) -> int:
    """Seed of the stream `names` under `seed`: 63 bits of SHA-256 over both."""
    digest = hashlib.sha256("/".join([str(seed), *names]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, *names: str, device: str | torch.device = "cpu") -> torch.Generator:
    """PyTorch generator on `device` for the stream `names`."""
    return torch.Generator(device=device).manual_seed(stream_seed(seed, *names))
