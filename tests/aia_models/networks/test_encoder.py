"""Stems and heads: shapes, closed form, and what they refuse."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from aia_models.config import CodeHead, ConvolutionalStem, EncoderConfig, LinearStem, MapHead, PlainHead
from aia_models.errors import ConfigError
from aia_models.networks.encoder import Encoder

IMAGES = torch.rand((6, 1, 32, 32), generator=torch.Generator().manual_seed(0))
DEEP = ConvolutionalStem(channels=(6, 8, 10), convolutions=2)


def encoder(stem: ConvolutionalStem | LinearStem, head: MapHead | CodeHead | PlainHead) -> Encoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Encoder(EncoderConfig(stem, head), (1, 32, 32))


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("pooling", ["average", "stride"])
@pytest.mark.parametrize("normalisation", ["none", "batch", "group"])
@pytest.mark.parametrize("residual", [False, True])
def test_each_block_halves_the_side(kernel, pooling, normalisation, residual) -> None:
    stem = replace(DEEP, kernel=kernel, pooling=pooling, normalisation=normalisation, residual=residual)
    built = encoder(stem, MapHead())
    assert built.map_shape == (10, 4, 4)
    g = built(IMAGES)
    assert g.shape == (6, 160)
    assert 0 <= g.min() <= g.max() <= 1
    g.sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in built.parameters())


def test_a_residual_block_adds_its_projected_input() -> None:
    built = encoder(replace(DEEP, residual=True), MapHead())
    block = built.stem[0]
    without = encoder(replace(DEEP, residual=False), MapHead()).stem[0]
    without.load_state_dict(
        {name: value for name, value in block.state_dict().items() if "shortcut" not in name}
    )
    expected = without(IMAGES) + F.avg_pool2d(block.shortcut(IMAGES), 2)
    torch.testing.assert_close(block(IMAGES), expected)


@pytest.mark.parametrize("stem", [DEEP, LinearStem(components=20)])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("skip", [False, True])
def test_codes_have_one_length(stem, layers, skip) -> None:
    built = encoder(stem, CodeHead(k=16, layers=layers, skip=skip))
    if isinstance(stem, LinearStem):
        built.stem.directions.data.normal_(generator=torch.Generator().manual_seed(1))
    assert built.map_shape == (16, 1, 1)
    torch.testing.assert_close(built(IMAGES).square().mean(1), torch.ones(6))


@pytest.mark.parametrize(
    ("stem", "head", "message"),
    [
        (LinearStem(), MapHead(), "encoder.head = 'map'"),
        (ConvolutionalStem(), PlainHead(), "encoder.head = 'plain'"),
    ],
)
def test_heads_that_do_not_fit_their_stem_are_refused(stem, head, message) -> None:
    with pytest.raises(ConfigError, match=message):
        EncoderConfig(stem, head)


@pytest.mark.parametrize("shape", [(1, 20, 20), (128,)])
def test_inputs_that_do_not_fit_the_stem_are_refused(shape) -> None:
    with pytest.raises(ConfigError, match="stem"):
        Encoder(EncoderConfig(DEEP, CodeHead()), shape)
