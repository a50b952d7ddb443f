"""Frozen, validated configs: every size and weight that a training of the AIA depends on.

Defaults are the paper's (sections 4 and 5.2) where the paper gives a value.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from aia_models.errors import ConfigError

AdversaryKind = Literal["linear", "mlp", "cnn"]
ChannelKind = Literal["none", "noise", "quantise", "random_replacement"]
PenaltyKind = Literal["adversary", "max_entropy", "kernel_ridge", "kernel_ridge_rff", "hsic"]
Schedule = Literal["constant", "ramp", "reversal"]
UtilityKind = Literal["pairs", "batch_contrastive"]
Augmentation = Literal["none", "flip", "flip_shift"]

KERNEL_PENALTIES: tuple[PenaltyKind, ...] = ("kernel_ridge", "kernel_ridge_rff", "hsic")


def _require(condition: bool, name: str, value: object, right: str) -> None:
    if not condition:
        raise ConfigError(f"{name} = {value!r}: expected {right}")


def _require_one_of(kinds: Any, name: str, value: object) -> None:
    """`value` is one of a Literal's."""
    _require(value in get_args(kinds), name, value, f"one of {', '.join(get_args(kinds))}")


def _require_positive_integers(name: str, values: tuple[int, ...], count: int | None = None) -> None:
    whole = all(isinstance(value, int) and not isinstance(value, bool) and value > 0 for value in values)
    right = "positive whole numbers" if count is None else f"{count} positive whole numbers"
    _require(whole and len(values) == (count or len(values)) and len(values) > 0, name, values, right)


def _require_positive_integer(name: str, value: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
    _require(whole, name, value, "a positive whole number")


def _require_number(name: str, value: float, low: float, *, above: bool = False) -> None:
    right = f"a finite number {'above' if above else 'of at least'} {low:g}"
    finite = isinstance(value, int | float) and math.isfinite(value)
    _require(finite and (value > low if above else value >= low), name, value, right)


@dataclass(frozen=True)
class EncoderConfig:
    """Two blocks of convolution, leaky ReLU and average pooling (Eq. 2, 3)."""

    channels: tuple[int, int] = (8, 12)

    def __post_init__(self) -> None:
        _require_positive_integers("encoder.channels", self.channels, 2)


@dataclass(frozen=True)
class DecoderConfig:
    """Two blocks of convolution, leaky ReLU and up-sampling (Eq. 4), then one convolution to the image."""

    channels: tuple[int, int] = (256, 128)

    def __post_init__(self) -> None:
        _require_positive_integers("decoder.channels", self.channels, 2)


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
        _require_one_of(ChannelKind, "channel.kind", self.kind)
        refitted = self.erasure_in_training
        _require(
            self.erasure or not refitted, "channel.erasure_in_training", refitted, "true with erasure only"
        )
        owners = {"noise_sd": "noise", "bits": "quantise", "replaced_share": "random_replacement"}
        for name, owner in owners.items():
            given = getattr(self, name) is not None
            right = f"a value with kind {owner} and none with others"
            _require(given == (self.kind == owner), f"channel.{name}", getattr(self, name), right)
        if self.noise_sd is not None:
            _require_number("channel.noise_sd", self.noise_sd, 0.0, above=True)
        if self.bits is not None:
            _require(self.bits in range(1, 17), "channel.bits", self.bits, "1 to 16")
        if self.replaced_share is not None:
            _require(0 < self.replaced_share <= 1, "channel.replaced_share", self.replaced_share, "(0, 1]")


@dataclass(frozen=True)
class AdversaryConfig:
    """The in-loop gender classifier: one network or an ensemble whose losses are averaged.

    `hidden` is the width of Eq. 6's tanh layer, `cnn_channels` are section 5.2's. `standardise` gives the
    networks representations standardised over the batch, so that the encoder cannot hide by shrinking g.
    `steps` counts adversary updates per anonymizer update. Every `restart_epochs` joint epochs (None: never)
    the networks begin again from new weights, so that the encoder cannot settle on fooling one of them (Wu et al.
    2018, arXiv 1807.08379).
    """

    members: tuple[AdversaryKind, ...] = ("cnn",)
    hidden: int = 128
    cnn_channels: tuple[int, ...] = (32, 64, 64, 128, 128, 256)
    steps: int = 1
    class_balanced: bool = True
    standardise: bool = True
    restart_epochs: int | None = None

    def __post_init__(self) -> None:
        kinds = get_args(AdversaryKind)
        known = bool(self.members) and set(self.members) <= set(kinds)
        distinct = len(set(self.members)) == len(self.members)
        _require(
            known and distinct, "adversary.members", self.members, f"distinct names of {', '.join(kinds)}"
        )
        _require_positive_integers("adversary.cnn_channels", self.cnn_channels)
        _require_positive_integer("adversary.hidden", self.hidden)
        _require_positive_integer("adversary.steps", self.steps)
        if self.restart_epochs is not None:
            _require_positive_integer("adversary.restart_epochs", self.restart_epochs)


@dataclass(frozen=True)
class PenaltyConfig:
    """The term that β weighs in the anonymizer's loss: the paper's -L_Adv (`adversary`) or a penalty.

    The penalties are those of `aia_models.losses.penalties`, and training lowers them. `mirrored` gives a kernel
    penalty the features with the class means swapped; `schedule` is how β grows over the joint epochs.
    """

    kind: PenaltyKind = "adversary"
    mirrored: bool = False
    schedule: Schedule = "constant"

    def __post_init__(self) -> None:
        _require_one_of(PenaltyKind, "penalty.kind", self.kind)
        _require_one_of(Schedule, "penalty.schedule", self.schedule)
        right = f"true with {', '.join(KERNEL_PENALTIES)} only"
        _require(self.kind in KERNEL_PENALTIES or not self.mirrored, "penalty.mirrored", self.mirrored, right)


@dataclass(frozen=True)
class UtilityConfig:
    """The utility loss that α weighs: Eq. 7 on the in-loop matcher's embeddings (`pairs`), or `batch_contrastive`.

    The latter is the contrastive identity loss over the batch, on the representations themselves, at `temperature`
    (None with `pairs`).
    """

    kind: UtilityKind = "pairs"
    temperature: float | None = None

    def __post_init__(self) -> None:
        _require_one_of(UtilityKind, "utility.kind", self.kind)
        given = self.temperature is not None
        right = "a value with kind batch_contrastive and none with pairs"
        _require(given == (self.kind == "batch_contrastive"), "utility.temperature", self.temperature, right)
        if self.temperature is not None:
            _require_number("utility.temperature", self.temperature, 0.0, above=True)


@dataclass(frozen=True)
class MatcherConfig:
    """The Siamese network of task T (section 5.2) and the margin of Eq. 7."""

    conv_channels: tuple[int, int, int] = (4, 8, 8)
    hidden: tuple[int, int] = (500, 500)
    embedding: int = 128
    margin: float = 1.0
    standardise: bool = True

    def __post_init__(self) -> None:
        _require_positive_integers("matcher.conv_channels", self.conv_channels, 3)
        _require_positive_integers("matcher.hidden", self.hidden, 2)
        _require_positive_integer("matcher.embedding", self.embedding)
        _require_number("matcher.margin", self.margin, 0.0, above=True)


@dataclass(frozen=True)
class BudgetConfig:
    """Epochs per stage: the auto-encoder alone, adversary and matcher alone on its g, then all together."""

    autoencoder_epochs: int = 6
    heads_epochs: int = 3
    joint_epochs: int = 20

    def __post_init__(self) -> None:
        for budget in fields(self):
            value = getattr(self, budget.name)
            least = 1 if budget.name == "autoencoder_epochs" else 0
            whole = isinstance(value, int) and value >= least
            _require(whole, f"budget.{budget.name}", value, f"a whole number of epochs, at least {least}")


@dataclass(frozen=True)
class TrainingConfig:
    """One training of the AIA. `alpha` and `betas` weigh Eq. 8; the rest follows the paper's sections 4 and 5.2.

    `betas` holds one weight per private attribute, each of which has an adversary of its own. `bottleneck` weighs the
    rate of the noise channel. Raises ConfigError where a value makes no training possible.
    """

    alpha: float = 0.5
    betas: tuple[float, ...] = (0.5,)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    channel: ChannelConfig = field(default_factory=ChannelConfig)
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    matcher: MatcherConfig = field(default_factory=MatcherConfig)
    penalty: PenaltyConfig = field(default_factory=PenaltyConfig)
    utility: UtilityConfig = field(default_factory=UtilityConfig)
    augmentation: Augmentation = "none"
    bottleneck: float = 0.0
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    learning_rate: float = 1e-3
    batch_images: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        _require_number("alpha", self.alpha, 0.0)
        _require(len(self.betas) > 0, "betas", self.betas, "one weight per private attribute")
        for number, beta in enumerate(self.betas, start=1):
            _require_number("beta" if number == 1 else f"beta_{number}", beta, 0.0)
        _require_number("bottleneck", self.bottleneck, 0.0)
        noisy = self.channel.kind == "noise"
        right = "0 where the channel adds no noise: it weighs what passes the noise"
        _require(noisy or self.bottleneck == 0, "bottleneck", self.bottleneck, right)
        _require_one_of(Augmentation, "augmentation", self.augmentation)
        _require_number("learning_rate", self.learning_rate, 0.0, above=True)
        whole = isinstance(self.batch_images, int) and self.batch_images >= 4 and self.batch_images % 2 == 0
        _require(whole, "batch_images", self.batch_images, "an even whole number of at least 4")
        _require(
            isinstance(self.seed, int) and self.seed >= 0, "seed", self.seed, "a whole number, at least 0"
        )

    @property
    def design_id(self) -> str:
        """First 12 hex digits of SHA-256 over every field but the seed: repeats of one design share it."""
        content = asdict(self)
        del content["seed"]
        # The first β is hashed by itself: the ids of designs that are recorded stay as they are.
        first, *others = content.pop("betas")
        return content_key(content | {"beta": first, "further_betas": others})[:12]


@dataclass(frozen=True)
class ComputeConfig:
    """Where and how arithmetic runs; it is no part of a design. `threads` bounds CPU threads per trial."""

    device: str = "cpu"
    dtype: Literal["float32", "bfloat16"] = "float32"
    memory_format: Literal["channels_last", "contiguous"] = "channels_last"
    threads: int = 1

    def __post_init__(self) -> None:
        _require(self.dtype in ("float32", "bfloat16"), "dtype", self.dtype, "float32 or bfloat16")
        formats = ("channels_last", "contiguous")
        _require(self.memory_format in formats, "memory_format", self.memory_format, " or ".join(formats))
        _require_positive_integer("threads", self.threads)


def content_key(content: Any) -> str:
    """SHA-256 (hex) over the canonical JSON of `content`."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
