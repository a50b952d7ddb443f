"""Config of the release channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from aia_models.config.checks import require, require_number, require_one_of

ChannelKind = Literal["none", "noise", "quantise", "codebook", "random_replacement"]

OWNERS: Mapping[str, tuple[ChannelKind, ...]] = {
    "noise_sd": ("noise", "codebook"),
    "bits": ("quantise",),
    "codewords": ("codebook",),
    "codebooks": ("codebook",),
    "replaced_share": ("random_replacement",),
}


@dataclass(frozen=True)
class ChannelConfig:
    """The release channel, through which g leaves the encoder.

    `noise_sd` is the standard deviation of the Gaussian noise in units of g, and `bits` the bits of a quantised value.
    A `codebook` releases the nearest of `codewords` words, or of as many in each of several `codebooks`; its training
    sees noise of `noise_sd` in place of the words. Each is given for its own kinds only. `random_replacement` is the
    paper's Random baseline: `replaced_share` of the values become uniform noise. `erasure` applies the closed-form
    linear eraser before the channel.
    """

    kind: ChannelKind = "none"
    noise_sd: float | None = None
    bits: int | None = None
    codewords: int | None = None
    codebooks: int | None = None
    replaced_share: float | None = None
    erasure: bool = False

    def __post_init__(self) -> None:
        require_one_of(ChannelKind, "channel.kind", self.kind)
        for name, owners in OWNERS.items():
            given = getattr(self, name) is not None
            right = f"a value with kind {' or '.join(owners)} and none with others"
            require(given == (self.kind in owners), f"channel.{name}", getattr(self, name), right)
        if self.noise_sd is not None:
            require_number("channel.noise_sd", self.noise_sd, 0.0, above=True)
        if self.bits is not None:
            require(self.bits in range(1, 17), "channel.bits", self.bits, "1 to 16")
        if self.codewords is not None:
            require(self.codewords in range(2, 4097), "channel.codewords", self.codewords, "2 to 4096")
            require(self.codebooks in range(1, 9), "channel.codebooks", self.codebooks, "1 to 8")
        if self.replaced_share is not None:
            require(0 < self.replaced_share <= 1, "channel.replaced_share", self.replaced_share, "(0, 1]")
