"""Codebooks: the nearest words are released, always the same ones, and spell codes of a finite alphabet."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances_argmin

from aia_models.config import ChannelConfig
from aia_models.errors import DataError
from aia_models.release.channel import ReleaseChannel, fit_release_channel, training_channel
from aia_models.release.codebook import fit_codebooks, nearest_words, spelled


def config(codewords: int, codebooks: int = 1, *, erasure: bool = False) -> ChannelConfig:
    return ChannelConfig("codebook", noise_sd=0.1, codewords=codewords, codebooks=codebooks, erasure=erasure)


def codes(n: int = 200, k: int = 7, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return codes in four clusters, and an attribute that shifts them."""
    rng = np.random.default_rng(seed)
    attribute = rng.integers(0, 2, n)
    centres = rng.normal(0, 2, (4, k))
    g = centres[rng.integers(0, 4, n)] + rng.normal(0, 0.3, (n, k)) + attribute[:, None]
    return torch.tensor(g, dtype=torch.float32), torch.tensor(attribute, dtype=torch.int8)


def fitted(channel: ChannelConfig) -> tuple[ReleaseChannel, torch.Tensor]:
    g, attribute = codes()
    return fit_release_channel(channel, g, attribute[:, None]), g


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(2, 9), st.integers(4, 10), st.integers(0, 2**31))
def test_each_part_becomes_the_nearest_word_of_its_codebook(codebooks, codewords, k, seed) -> None:
    rng = np.random.default_rng(seed)
    width = -(-k // codebooks)
    g = torch.from_numpy(rng.normal(size=(20, k)))
    padded = np.pad(g.numpy(), ((0, 0), (0, codebooks * width - k)))
    words = rng.normal(size=(codebooks, codewords, width))
    for number in range(codebooks):
        words[number, :, max(k - number * width, 0) :] = 0  # coordinates that no code has
    found = nearest_words(g, torch.from_numpy(words))
    released = spelled(found, torch.from_numpy(words), k)
    for number in range(codebooks):
        part = slice(number * width, (number + 1) * width)
        expected = pairwise_distances_argmin(padded[:, part], words[number])
        assert found[:, number].tolist() == expected.tolist()
        own = words[number, expected][:, : released[:, part].shape[1]]
        np.testing.assert_array_equal(released[:, part].numpy(), own)


@pytest.mark.parametrize("codebooks", [1, 3])
def test_words_are_released_and_asking_again_tells_nothing(codebooks: int) -> None:
    channel, g = fitted(config(5, codebooks))
    released = channel(g, torch.Generator().manual_seed(0))
    assert torch.equal(released, channel(g, None))
    assert torch.equal(released, channel(released, None)), "a word is its own nearest word"
    assert len(released.unique(dim=0)) <= 5**codebooks
    assert channel.alphabet == 5**codebooks
    spelling = channel.word_codes(released)
    assert 0 <= spelling.min() <= spelling.max() < 5**codebooks
    assert len(spelling.unique()) == len(released.unique(dim=0))


def test_four_words_find_the_four_clusters() -> None:
    channel, g = fitted(config(4))
    released = channel(g, None)
    assert len(released.unique(dim=0)) == 4
    assert (g - released).square().mean() < 0.5 < (g - g.mean(0)).square().mean()


def test_the_attribute_is_erased_before_the_word_is_chosen() -> None:
    channel, g = fitted(config(8, erasure=True))
    assert torch.equal(channel(g, None), channel(channel.erase(g), None))
    assert not torch.equal(channel.erase(g), g)


def test_training_sees_noise_in_place_of_words() -> None:
    g, _ = codes(n=4000)
    noisy = training_channel(g, config(4), torch.Generator().manual_seed(0))
    assert (noisy - g).std().item() == pytest.approx(0.1, rel=0.05)


def test_more_words_than_codes_are_refused() -> None:
    g, _ = codes(n=10)
    with pytest.raises(DataError, match=r"channel\.codewords = 16: only 10 codes"):
        fit_codebooks(g, 1, 16)


def test_equal_codes_give_equal_words_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    words = fit_codebooks(torch.ones(10, 3), 1, 4)
    assert torch.equal(spelled(nearest_words(torch.ones(2, 3), words), words, 3), torch.ones(2, 3))
    assert not recwarn.list
