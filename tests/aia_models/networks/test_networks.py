"""Shapes, sizes and initial weights of the four networks."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from torch import nn
from torch.nn import functional as F

from aia_models.config import (
    AdversaryConfig,
    ConvolutionalStem,
    DecoderConfig,
    EncoderConfig,
    MatcherConfig,
    TrainingConfig,
)
from aia_models.networks.adversary import Adversary, MLPAdversary
from aia_models.networks.networks import Networks
from aia_models.networks.standardise import MIN_SD, standardise
from aia_models.networks.upsampling import UpsampledConv, UpsampledImage
from tests.aia_models.random_faces import SMALL

ENSEMBLE = AdversaryConfig(members=("linear", "mlp", "cnn"), hidden=5, cnn_channels=(3, 4, 5, 6))


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def convolution(inner: int, outer: int) -> int:
    return 9 * inner * outer + outer


def dense(inner: int, outer: int) -> int:
    return inner * outer + outer


@pytest.mark.parametrize("side", [16, 32, 36, 64])
@pytest.mark.parametrize(
    "config",
    [
        TrainingConfig(),
        replace(SMALL, adversary=ENSEMBLE, matcher=MatcherConfig((2, 3, 4), (7, 6), 5)),
        replace(
            SMALL, encoder=EncoderConfig(ConvolutionalStem(channels=(3, 1))), decoder=DecoderConfig((2, 5))
        ),
    ],
)
def test_shapes(config: TrainingConfig, side: int) -> None:
    networks = Networks(config, (1, side, side))
    images = torch.rand((2, 1, side, side))
    g = networks.encoder(images)
    assert networks.encoder.map_shape == (config.encoder.stem.channels[1], side // 4, side // 4)
    assert g.shape == (2, config.encoder.stem.channels[1] * (side // 4) ** 2)
    assert networks.decoder(g).shape == images.shape
    assert networks.matcher(g).shape == (2, config.matcher.embedding)
    assert networks.adversaries[0](g).shape == (2, len(config.adversary.members))


def block(maps: np.ndarray, layer: nn.Module) -> np.ndarray:
    """Return Eq. 2 in float64: zero-padded convolution, leaky ReLU and average pooling over 2x2 pixels."""
    weight, bias = (parameter.detach().double().numpy() for parameter in layer.parameters())
    hidden = np.array(
        [
            sum(correlate2d(inner, kernel, mode="same") for inner, kernel in zip(maps, kernels, strict=True))
            + b
            for kernels, b in zip(weight, bias, strict=True)
        ]
    )
    hidden = np.where(hidden > 0, hidden, 0.01 * hidden)
    return (hidden[:, ::2, ::2] + hidden[:, 1::2, ::2] + hidden[:, ::2, 1::2] + hidden[:, 1::2, 1::2]) / 4


def test_encoder_is_equations_2_and_3_in_the_unit_interval() -> None:
    encoder = Networks(SMALL, (1, 16, 16)).encoder
    with torch.no_grad():
        encoder.stem[1].convolutions[0].weight.mul_(30)
    image = np.random.default_rng(0).random((1, 16, 16))
    expected = 1 / (
        1 + np.exp(-block(block(image, encoder.stem[0].convolutions[0]), encoder.stem[1].convolutions[0]))
    )
    g = encoder(torch.tensor(image[None], dtype=torch.float32)).detach().numpy()
    np.testing.assert_allclose(g[0], expected.flatten(), rtol=1e-5)
    assert 0 <= g.min() < 0.5 < 0.95 < g.max() <= 1


def test_paper_sizes() -> None:
    networks = Networks(TrainingConfig(), (1, 64, 64))
    assert networks.encoder.map_shape == (12, 16, 16)
    assert count(networks.encoder) == convolution(1, 8) + convolution(8, 12)
    assert count(networks.decoder) == convolution(12, 256) + convolution(256, 128) + convolution(128, 1)
    widths = [12, 32, 64, 64, 128, 128, 256]
    convolutions = sum(convolution(a, b) for a, b in pairwise(widths))
    assert count(networks.adversaries[0]) == convolutions + dense(256, 2)
    head = dense(8 * 16 * 16, 500) + dense(500, 500) + dense(500, 128)
    assert count(networks.matcher) == convolution(12, 4) + convolution(4, 8) + convolution(8, 8) + head
    assert networks.encoder(torch.zeros((1, 1, 64, 64))).shape == (1, 12 * 16 * 16)


def test_sizes_follow_the_config() -> None:
    adversary = Adversary(AdversaryConfig(("linear", "mlp", "cnn"), hidden=5, cnn_channels=(3, 4)), (2, 4, 4))
    cnn = convolution(2, 3) + convolution(3, 4) + dense(4, 2)
    assert count(adversary) == dense(32, 1) + dense(32, 5) + dense(5, 1) + cnn


def test_mlp_adversary_is_equation_6() -> None:
    torch.manual_seed(3)
    adversary = MLPAdversary(AdversaryConfig(("mlp",), hidden=6), (2, 3, 3))
    w1, b1, w2, b2 = (weight.detach().double().numpy() for weight in adversary.parameters())
    g = np.random.default_rng(0).random((5, 18))
    expected = 1 / (1 + np.exp(-(np.tanh(g @ w1.T + b1) @ w2.T + b2)))
    found = torch.sigmoid(adversary(torch.tensor(g, dtype=torch.float32)))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-5)


def test_cnn_adversary_reads_g_as_a_map() -> None:
    """Shifting the map's only pixel shifts the features with it, so global pooling gives the same answer."""
    torch.manual_seed(0)
    adversary = Adversary(AdversaryConfig(("cnn",), cnn_channels=(4,), standardise=False), (2, 8, 8))
    left, right = torch.zeros((2, 1, 2, 8, 8))
    left[0, 1, 3, 3], right[0, 1, 4, 5] = 1.0, 1.0
    torch.testing.assert_close(adversary(left.flatten(1)), adversary(right.flatten(1)))


@pytest.mark.parametrize("part", ["adversary", "matcher"])
@pytest.mark.parametrize("standardised", [True, False])
def test_shift_and_scale_are_undone_where_asked(part: str, standardised: bool) -> None:
    config: Any = AdversaryConfig(("linear",)) if part == "adversary" else MatcherConfig((2, 2, 2), (8, 8), 4)
    changed: Any = {part: replace(config, standardise=standardised)}
    networks = Networks(replace(SMALL, **changed), (1, 16, 16))
    network = networks.adversaries[0] if part == "adversary" else networks.matcher
    g = torch.rand((16, 64), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        unmoved = torch.allclose(network(g), network(0.2 + 0.3 * g), atol=1e-4)
    assert unmoved == standardised


def test_standardise_against_numpy() -> None:
    values = np.random.default_rng(0).normal(3, [1e-7, 0.1, 5], (40, 3))
    found = standardise(torch.tensor(values)).numpy()
    expected = (values - values.mean(0)) / np.maximum(values.std(0), MIN_SD)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_constant_coordinate_has_gradient_zero() -> None:
    values = torch.full((4, 2), 0.5)
    values[:, 1] = torch.arange(4.0)
    values.requires_grad_()
    (standardise(values) ** 3 * torch.arange(4.0)[:, None]).sum().backward()
    assert values.grad is not None
    assert values.grad.isfinite().all()
    assert values.grad[:, 1].abs().max() > 0


def weights(config: TrainingConfig, network: str) -> torch.Tensor:
    return nn.utils.parameters_to_vector(getattr(Networks(config, (1, 16, 16)), network).parameters())


def test_each_network_is_initialised_from_its_own_stream() -> None:
    other = replace(SMALL, adversary=ENSEMBLE, decoder=DecoderConfig((16, 2)))
    for network in ("encoder", "matcher"):
        assert torch.equal(weights(SMALL, network), weights(other, network))
    assert torch.equal(
        weights(SMALL, "adversaries"), weights(replace(other, adversary=SMALL.adversary), "adversaries")
    )


def test_no_two_networks_begin_with_the_same_random_numbers() -> None:
    """PyTorch draws initial weights uniformly and scales them by the number of inputs."""
    begin = []
    networks = Networks(replace(SMALL, betas=(0.5, 0.5)), (1, 16, 16))
    for network in (networks.encoder, networks.decoder, networks.matcher, *networks.adversaries):
        first = next(network.parameters()).detach()
        begin.append((first.flatten()[:3] * first[0].numel() ** 0.5).numpy())
    for i, ours in enumerate(begin):
        assert not any(np.allclose(ours, theirs, rtol=1e-3) for theirs in begin[:i])


@pytest.mark.parametrize("network", ["encoder", "decoder", "adversaries", "matcher"])
def test_seeds_decide_the_initial_weights(network: str) -> None:
    assert torch.equal(weights(SMALL, network), weights(SMALL, network))
    assert not torch.equal(weights(SMALL, network), weights(replace(SMALL, seed=1), network))


def test_initialising_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Networks(SMALL, (1, 16, 16))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("conv", [UpsampledConv(5, 3), UpsampledImage(5)], ids=["map", "image"])
def test_upsampled_convolution_is_up_sampling_then_convolution(conv: UpsampledConv, layout: Any) -> None:
    """Values and all gradients agree in float64 up to rounding."""
    torch.manual_seed(0)
    conv = conv.double()
    small = torch.rand(2, 5, 4, 6, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    weights = torch.rand(2, conv.out_channels, 8, 12, dtype=torch.float64)

    def literally(small: torch.Tensor) -> torch.Tensor:
        return F.conv2d(F.interpolate(small, scale_factor=2), conv.weight, conv.bias, padding=1)

    results = []
    for forward in (conv, literally):
        output = forward(small)
        gradients = torch.autograd.grad((output * weights).sum(), [small, conv.weight, conv.bias])
        results.append([output, *gradients])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
