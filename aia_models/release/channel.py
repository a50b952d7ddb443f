"""The release channel, which erases g, then perturbs or rounds it, before it leaves the encoder."""

import numpy as np
import torch
from jaxtyping import Float, Int8, Int64
from torch import Tensor, nn

from aia_models.config import ChannelConfig
from aia_models.random_streams import normal_like, uniform_like
from aia_models.release.codebook import fit_codebooks, nearest_words, part_width, spelled
from aia_models.release.eraser import fit_erasers

MIN_RANGE = 1e-6  # a coordinate that does not vary is quantised as if it varied this much


def add_noise(
    g: Float[Tensor, "batch k"], noise_sd: float, standard_normal: Float[Tensor, "batch k"]
) -> Float[Tensor, "batch k"]:
    """Return g plus Gaussian noise of standard deviation `noise_sd`, in training and in releases alike."""
    return g + noise_sd * standard_normal


def quantise(
    g: Float[Tensor, "batch k"], low: Float[Tensor, " k"], high: Float[Tensor, " k"], bits: int
) -> Float[Tensor, "batch k"]:
    """Round g to 2^bits evenly spaced values per coordinate from `low` to `high`; values outside are clipped.

    The gradient passes straight through (Bengio et al. 2013).
    """
    levels = 2**bits - 1
    width = (high - low).clamp_min(MIN_RANGE)
    rounded = low + ((g - low) / width * levels).round().clamp(0, levels) * width / levels
    return rounded.detach() + (g - g.detach())  # exactly the rounded values: a residue would reveal g


def replace_randomly(
    g: Float[Tensor, "batch k"], share: float, uniform: Float[Tensor, "2 batch k"]
) -> Float[Tensor, "batch k"]:
    """Replace about `share` of g's values by uniform numbers in [0, 1] (the paper's Random baseline)."""
    return torch.where(uniform[0] < share, uniform[1], g)


def training_channel(
    g: Float[Tensor, "batch k"], config: ChannelConfig, generator: torch.Generator | None
) -> Float[Tensor, "batch k"]:
    """Apply the channel of training: noise, or quantisation over the range of the batch, never the eraser."""
    if config.noise_sd is not None:
        return add_noise(g, config.noise_sd, normal_like(g, generator))
    if config.kind == "quantise":
        fixed = g.detach()
        return quantise(g, fixed.amin(0), fixed.amax(0), config.bits or 1)
    return g


class ReleaseChannel(nn.Module):
    """The channel of judging and of the shipped encoder: the eraser (if the config has one), then noise, quantiser or
    codebook.

    `fit_release_channel` fits it; before that the eraser does nothing, the quantiser's range is [0, 1] and all words
    are 0. Several
    private attributes are erased one after the other; each has one row in the eraser's buffers.
    """

    eraser_mean: Tensor
    eraser_direction: Tensor
    eraser_covector: Tensor
    low: Tensor
    high: Tensor
    words: Tensor

    def __init__(self, config: ChannelConfig, width: int, attributes: int = 1) -> None:
        super().__init__()
        self.config = config
        for name in ("eraser_mean", "eraser_direction", "eraser_covector"):
            self.register_buffer(name, torch.zeros(attributes, width))
        self.register_buffer("low", torch.zeros(width))
        self.register_buffer("high", torch.ones(width))
        if config.codebooks is not None:
            shape = (config.codebooks, config.codewords or 0, part_width(width, config.codebooks))
            self.register_buffer("words", torch.zeros(shape))

    def erase(self, g: Float[Tensor, "batch k"]) -> Float[Tensor, "batch k"]:
        """Remove the attributes' linear trace from g; without erasure in the config, return g itself."""
        if not self.config.erasure:
            return g
        rows = zip(self.eraser_mean, self.eraser_direction, self.eraser_covector, strict=True)
        for mean, direction, covector in rows:
            g = g - ((g - mean) @ covector)[:, None] * direction
        return g

    @property
    def alphabet(self) -> int | None:
        """Number of different words that the channel can release, None where it is not finite."""
        if self.config.kind == "codebook":
            return self.words.shape[1] ** len(self.words)
        if self.config.kind == "quantise":
            return 2 ** ((self.config.bits or 1) * len(self.low))
        return None

    def word_codes(self, released: Float[Tensor, "batch k"]) -> Int64[Tensor, " batch"]:
        """Return the code of each released word of a finite alphabet, from 0 to below `alphabet`."""
        if self.config.kind == "codebook":
            numbers, size = nearest_words(released, self.words), self.words.shape[1]
            return (numbers * size ** torch.arange(len(self.words), device=released.device)).sum(1)
        bits = self.config.bits or 1
        last = 2**bits - 1
        step = (self.high - self.low).clamp_min(MIN_RANGE) / last
        # Where steps are smaller than float32 can tell, rounding may pass the last level.
        levels = ((released - self.low) / step).round().clamp(0, last).long()
        places = 2 ** (bits * torch.arange(released.shape[1], device=released.device))
        return (levels * places).sum(1)

    def forward(
        self, g: Float[Tensor, "batch k"], generator: torch.Generator | None
    ) -> Float[Tensor, "batch k"]:
        """Return the release of clean `g`; noise comes from `generator`, or without one from the system's entropy."""
        return self.release(g, self.draw(g, generator))

    def draw(self, g: Float[Tensor, "batch k"], generator: torch.Generator | None) -> Tensor | None:
        """Draw the random input of `release`: standard normal like `g`, two uniform tensors like `g`, or None."""
        if self.config.kind == "noise":
            return normal_like(g, generator)
        if self.config.kind == "random_replacement":
            return uniform_like(g, (2, *g.shape), generator)
        return None

    def release(self, g: Float[Tensor, "batch k"], drawn: Tensor | None) -> Float[Tensor, "batch k"]:
        """Return the release of clean `g`, given the random numbers that `draw` has returned for it."""
        erased = self.erase(g)
        if self.config.kind == "quantise":
            return quantise(erased, self.low, self.high, self.config.bits or 1)
        if self.config.kind == "codebook":
            return spelled(nearest_words(erased, self.words), self.words, g.shape[1])
        if drawn is None:
            return erased
        if self.config.kind == "random_replacement":
            return replace_randomly(erased, self.config.replaced_share or 0.0, drawn)
        return add_noise(erased, self.config.noise_sd or 0.0, drawn)


def fit_release_channel(
    config: ChannelConfig, g: Float[Tensor, "n k"], attributes: Int8[Tensor, "n attribute"]
) -> ReleaseChannel:
    """Return the channel fitted on clean `g` of the `train` identities: LEACE, the quantiser's range, the words."""
    channel = ReleaseChannel(config, g.shape[1], attributes.shape[1]).to(g.device)
    if config.erasure:
        erasers = fit_erasers(g.double().cpu().numpy(), attributes.cpu().numpy())
        for name in ("mean", "direction", "covector"):
            rows = np.stack([getattr(eraser, name) for eraser in erasers])
            getattr(channel, f"eraser_{name}").copy_(torch.from_numpy(rows))
    erased = channel.erase(g)
    channel.low.copy_(erased.amin(0))
    channel.high.copy_(erased.amax(0))
    if config.codebooks is not None:
        channel.words.copy_(fit_codebooks(erased, config.codebooks, config.codewords or 0))
    return channel
