"""Named random streams."""

import hashlib

import torch

from aia_models.random_streams import stream, stream_seed


def test_seed_is_a_hash_of_seed_and_names() -> None:
    digest = hashlib.sha256(b"7/pairs/validation").hexdigest()
    assert stream_seed(7, "pairs", "validation") == int(digest[:16], 16) // 2


def test_streams_differ_by_seed_and_names() -> None:
    drawn = {
        tuple(torch.rand(3, generator=stream(*key)).tolist())
        for key in [(0, "a"), (1, "a"), (0, "b"), (0, "a", "b"), (0, "b", "a"), (0,)]
    }
    assert len(drawn) == 6


def test_same_stream_again() -> None:
    assert torch.equal(torch.rand(3, generator=stream(5, "x")), torch.rand(3, generator=stream(5, "x")))
