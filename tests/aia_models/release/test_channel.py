"""The release channel's effect on representations, in training and at release."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aia_models.config import ChannelConfig
from aia_models.random_streams import normal_like, uniform_like
from aia_models.release.channel import (
    ReleaseChannel,
    add_noise,
    fit_release_channel,
    quantise,
    replace_randomly,
    training_channel,
)
from aia_models.release.codebook import nearest_words, spelled
from aia_models.release.eraser import fit_eraser

NONE = ChannelConfig()
NOISE = ChannelConfig("noise", noise_sd=0.1)
ERASED = {
    "none": ChannelConfig(erasure=True),
    "noise": ChannelConfig("noise", noise_sd=0.1, erasure=True),
    "quantise": ChannelConfig("quantise", bits=3, erasure=True),
    "codebook": ChannelConfig("codebook", noise_sd=0.1, codewords=8, codebooks=2, erasure=True),
    "random_replacement": ChannelConfig("random_replacement", replaced_share=0.5, erasure=True),
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def representations(n: int = 60, k: int = 6, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return g in [0, 1] with coordinates of different spread, and an attribute that shifts all of them."""
    rng = np.random.default_rng(seed)
    attribute = rng.integers(0, 2, n)
    g = 0.5 + rng.uniform(-0.3, 0.3, (n, k)) * np.linspace(0.1, 1, k) + 0.1 * attribute[:, None]
    return torch.tensor(g, dtype=torch.float32), torch.tensor(attribute, dtype=torch.int8)


@pytest.mark.parametrize("source", [generator(), None])
def test_noise_is_gaussian_of_the_given_sd(source: torch.Generator | None) -> None:
    g = torch.rand((400, 500), generator=generator(1))
    noise = (add_noise(g, 0.2, normal_like(g, source)) - g).double() / 0.2
    # The tolerances are five standard deviations of the moments of 200,000 standard normal numbers.
    assert noise.mean().item() == pytest.approx(0, abs=5 / np.sqrt(2e5))
    assert noise.square().mean().item() == pytest.approx(1, abs=5 * np.sqrt(2 / 2e5))
    assert noise.pow(4).mean().item() == pytest.approx(3, abs=5 * np.sqrt(96 / 2e5))


def test_noise_depends_on_the_generator_alone() -> None:
    g = torch.rand((5, 4))
    noisy = training_channel(g, NOISE, generator(3))
    assert torch.equal(noisy, training_channel(g, NOISE, generator(3)))
    assert not torch.equal(noisy, training_channel(g, NOISE, generator(4)))


def test_entropy_ignores_every_seed() -> None:
    values = torch.zeros((3, 4))
    for draw in (lambda: normal_like(values, None), lambda: uniform_like(values, (3, 4), None)):
        torch.manual_seed(0)
        first = draw()
        torch.manual_seed(0)
        assert first.shape == (3, 4)
        assert first.dtype == values.dtype
        assert not torch.equal(first, draw())


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.booleans())
@settings(max_examples=40, deadline=None)
def test_quantised_values(seed: int, bits: int, erased: bool) -> None:
    """Each coordinate has at most 2^bits distinct values: any residue would leak information about g.

    Values of an erased g may be negative.
    """
    g = torch.rand((1000, 3), generator=generator(seed))
    g = 3 * g - 2 if erased else g
    low, high = g.amin(0) + 0.1, g.amax(0) - 0.1
    released = quantise(g, low, high, bits)
    assert max(len(column.unique()) for column in released.T) <= 2**bits
    assert (released >= low - 1e-6).all()
    assert (released <= high + 1e-6).all()
    inside = (g >= low) & (g <= high)
    step = ((high - low) / (2**bits - 1)).expand_as(g)
    assert ((released - g).abs()[inside] <= step[inside] / 2 + 1e-6).all()


def test_quantiser_keeps_its_ends() -> None:
    g = torch.tensor([[0.0], [0.2], [0.6], [1.0]])
    assert quantise(g, torch.zeros(1), torch.ones(1), 1).flatten().tolist() == [0.0, 0.0, 1.0, 1.0]


def test_quantiser_passes_gradients_straight_through() -> None:
    g = torch.rand((6, 2), generator=generator(), requires_grad=True)
    weight = torch.arange(12.0).reshape(6, 2)
    (quantise(g, torch.zeros(2), torch.ones(2), 2) * weight).sum().backward()
    assert g.grad is not None
    assert torch.equal(g.grad, weight)


def test_constant_coordinate_is_quantised_to_itself() -> None:
    g = torch.full((5, 1), 0.25)
    torch.testing.assert_close(quantise(g, g.amin(0), g.amax(0), 4), g, rtol=0, atol=1e-6)


@pytest.mark.parametrize("source", [generator(), None])
def test_random_replaces_half_by_uniform_numbers(source: torch.Generator | None) -> None:
    g = torch.full((200, 500), 7.0)
    released = replace_randomly(g, 0.5, uniform_like(g, (2, *g.shape), source))
    replaced = released[released != 7.0].double()
    assert len(replaced) / g.numel() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(1e5))
    assert 0 <= replaced.min() < 0.01
    assert 0.99 < replaced.max() <= 1
    assert replaced.mean().item() == pytest.approx(0.5, abs=5 / np.sqrt(12 * 5e4))
    assert replaced.var().item() == pytest.approx(1 / 12, abs=0.002)


def test_training_channel() -> None:
    """Training adds noise, quantises over the batch's own range, or uses g itself."""
    g, _ = representations()
    noisy = training_channel(g, NOISE, generator())
    assert torch.equal(noisy, add_noise(g, 0.1, normal_like(g, generator())))
    quantised = training_channel(g, ChannelConfig("quantise", bits=2), generator())
    assert torch.equal(quantised, quantise(g, g.amin(0), g.amax(0), 2))
    for config in (NONE, ChannelConfig("random_replacement", replaced_share=0.5)):
        assert torch.equal(training_channel(g, config, generator()), g)


@pytest.mark.parametrize("kind", ERASED)
def test_training_channel_never_erases(kind: str) -> None:
    g, _ = representations()
    fields: dict[str, Any] = {**vars(ERASED[kind]), "erasure": False}
    plain = training_channel(g, ChannelConfig(**fields), generator())
    assert torch.equal(training_channel(g, ERASED[kind], generator()), plain)


def test_none_releases_g_itself() -> None:
    g, attribute = representations()
    assert torch.equal(fit_release_channel(NONE, g, attribute[:, None])(g, generator()), g)


@pytest.mark.parametrize("kind", ERASED)
def test_erasure_comes_before_the_rest(kind: str) -> None:
    g, attribute = representations()
    channel = fit_release_channel(ERASED[kind], g, attribute[:, None])
    erased = channel.erase(g)
    rest = {
        "none": lambda: erased,
        "noise": lambda: add_noise(erased, 0.1, normal_like(erased, generator())),
        "quantise": lambda: quantise(erased, erased.amin(0), erased.amax(0), 3),
        "codebook": lambda: spelled(nearest_words(erased, channel.words), channel.words, 6),
        "random_replacement": lambda: replace_randomly(
            erased, 0.5, uniform_like(erased, (2, *erased.shape), generator())
        ),
    }
    assert torch.equal(channel(g, generator()), rest[kind]())
    assert not torch.allclose(erased, g, atol=1e-3)


def test_fitted_eraser_is_the_float64_one() -> None:
    g, attribute = representations()
    expected = fit_eraser(g.double().numpy(), attribute.numpy())(g.double().numpy())
    found = fit_release_channel(ERASED["none"], g, attribute[:, None]).erase(g)
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-6)


def test_quantiser_range_is_fitted_once() -> None:
    """Other representations are clipped to the range of the erased g on which the channel is fitted."""
    g, attribute = representations()
    channel = fit_release_channel(ERASED["quantise"], g, attribute[:, None])
    erased = channel.erase(g)
    torch.testing.assert_close(channel.low, erased.amin(0))
    torch.testing.assert_close(channel.high, erased.amax(0))
    others = channel(3 * g - 1, generator())
    assert (others >= channel.low - 1e-6).all()
    assert (others <= channel.high + 1e-6).all()


def test_unfitted_channel() -> None:
    g, _ = representations()
    assert torch.equal(ReleaseChannel(ERASED["none"], 6)(g, generator()), g)
    released = ReleaseChannel(ERASED["quantise"], 6)(g, generator())
    assert torch.equal(released, quantise(g, torch.zeros(6), torch.ones(6), 3))


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3), st.booleans())
@settings(max_examples=40, deadline=None)
def test_codes_are_those_of_words(seed: int, bits: int, width: int, constant: bool) -> None:
    """Equal words have equal codes, different ones different codes, all below the size of the alphabet."""
    g = 3 * torch.rand((200, width), generator=generator(seed)) - 1
    if constant:
        g[:, 0] = g[0, 0]
    channel = fit_release_channel(ChannelConfig("quantise", bits=bits), g, torch.zeros(200, 1).to(torch.int8))
    others = torch.cat([g, 2 * g])
    released = channel(others, generator())
    codes = channel.word_codes(released)
    assert channel.alphabet == 2 ** (bits * width)
    assert codes.min() >= 0
    assert codes.max() < channel.alphabet
    same_word = (released[:, None] == released).all(2)
    assert torch.equal(same_word, codes[:, None] == codes)


def test_codes_enumerate_the_alphabet() -> None:
    channel = ReleaseChannel(ChannelConfig("quantise", bits=2), 2)
    every = torch.cartesian_prod(torch.arange(4), torch.arange(4)).float() / 3
    assert sorted(channel.word_codes(every).tolist()) == list(range(16))
    assert channel.word_codes(every[[0, -1]]).tolist() == [0, 15]


def test_a_coordinate_that_hardly_varies_has_codes_inside_the_alphabet() -> None:
    """At eight bits its levels are nearer than float32 can tell."""
    g = torch.full((50, 1), 0.6)
    channel = fit_release_channel(ChannelConfig("quantise", bits=8), g, torch.zeros(50, 1).to(torch.int8))
    codes = channel.word_codes(channel(torch.linspace(-1, 2, 1000)[:, None], generator()))
    assert codes.min() >= 0
    assert codes.max() < 256


@pytest.mark.parametrize("config", [NONE, NOISE, ChannelConfig("random_replacement", replaced_share=0.5)])
def test_only_a_quantiser_has_an_alphabet(config: ChannelConfig) -> None:
    assert ReleaseChannel(config, 2).alphabet is None
