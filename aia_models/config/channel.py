"""Config of the release channel."""

from dataclasses import dataclass
from typing import Literal

from aia_models.config.checks import require, require_number, require_one_of

ChannelKind = Literal["none", "noise", "quantise", "random_replacement"]


@dataclass(frozen=True)
class ChannelConfig:
    """The release channel, through which g leaves the encoder.

    `noise_sd` is the standard deviation of the Gaussian noise in units of g, and `bits` the bits of a quantised value;
    each is given for its own kind only. `random_replacement` is the paper's Random baseline: `replaced_share` of the
    values become uniform noise. `erasure` applies the closed-form linear eraser before the channel; with
    `erasure_in_training` it is refitted before each joint epoch, and training sees its output too.
    """

    kind: ChannelKind = "none"
    noise_sd: float | None = None
    bits: int | None = None
    replaced_share: float | None = None
    erasure: bool = False
    erasure_in_training: bool = False

    def __post_init__(self) -> None:
        require_one_of(ChannelKind, "channel.kind", self.kind)
        refitted = self.erasure_in_training
        require(
            self.erasure or not refitted, "channel.erasure_in_training", refitted, "true with erasure only"
        )
        owners = {"noise_sd": "noise", "bits": "quantise", "replaced_share": "random_replacement"}
        for name, owner in owners.items():
            given = getattr(self, name) is not None
            right = f"a value with kind {owner} and none with others"
            require(given == (self.kind == owner), f"channel.{name}", getattr(self, name), right)
        if self.noise_sd is not None:
            require_number("channel.noise_sd", self.noise_sd, 0.0, above=True)
        if self.bits is not None:
            require(self.bits in range(1, 17), "channel.bits", self.bits, "1 to 16")
        if self.replaced_share is not None:
            require(0 < self.replaced_share <= 1, "channel.replaced_share", self.replaced_share, "(0, 1]")
