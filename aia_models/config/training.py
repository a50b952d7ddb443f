"""Config of one training, and of where its arithmetic runs."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from aia_models.config.channel import ChannelConfig
from aia_models.config.checks import require, require_number, require_one_of, require_positive_integer
from aia_models.config.encoder import DecoderConfig, EncoderConfig, MapHead
from aia_models.config.objective import AdversaryConfig, MatcherConfig, PenaltyKind, UtilityConfig

Augmentation = Literal["none", "flip", "flip_shift"]
RateSchedule = Literal["constant", "cosine"]


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
            require(whole, f"budget.{budget.name}", value, f"a whole number of epochs, at least {least}")


@dataclass(frozen=True)
class TrainingConfig:
    """One training of the AIA. `alpha` and `betas` weigh Eq. 8; the rest follows the paper's sections 4 and 5.2.

    `betas` holds one weight per private attribute, each of which has an adversary of its own. `penalty` is what β
    weighs: the paper's -L_Adv (`adversary`) or a kernel ridge penalty. With the `cosine` schedule the anonymizer's
    learning rate falls to 0 over the joint epochs; `weight_decay` is decoupled (AdamW). Raises ConfigError where a
    value makes no training possible.
    """

    alpha: float = 0.5
    betas: tuple[float, ...] = (0.5,)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    channel: ChannelConfig = field(default_factory=ChannelConfig)
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    matcher: MatcherConfig = field(default_factory=MatcherConfig)
    penalty: PenaltyKind = "adversary"
    utility: UtilityConfig = field(default_factory=UtilityConfig)
    augmentation: Augmentation = "none"
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    learning_rate: float = 1e-3
    learning_rate_schedule: RateSchedule = "constant"
    weight_decay: float = 0.0
    batch_images: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        require_number("alpha", self.alpha, 0.0)
        require(len(self.betas) > 0, "betas", self.betas, "one weight per private attribute")
        for number, beta in enumerate(self.betas, start=1):
            require_number("beta" if number == 1 else f"beta_{number}", beta, 0.0)
        has_map = isinstance(self.encoder.head, MapHead)
        fits = has_map or "cnn" not in self.adversary.members
        require(fits, "adversary.members", self.adversary.members, "linear or mlp: cnn needs a map")
        require_one_of(PenaltyKind, "penalty", self.penalty)
        require_one_of(Augmentation, "augmentation", self.augmentation)
        require_number("learning_rate", self.learning_rate, 0.0, above=True)
        require_one_of(RateSchedule, "learning_rate_schedule", self.learning_rate_schedule)
        require_number("weight_decay", self.weight_decay, 0.0)
        whole = isinstance(self.batch_images, int) and self.batch_images >= 4 and self.batch_images % 2 == 0
        require(whole, "batch_images", self.batch_images, "an even whole number of at least 4")
        require(
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
        require(self.dtype in ("float32", "bfloat16"), "dtype", self.dtype, "float32 or bfloat16")
        formats = ("channels_last", "contiguous")
        require(self.memory_format in formats, "memory_format", self.memory_format, " or ".join(formats))
        require_positive_integer("threads", self.threads)


def content_key(content: Any) -> str:
    """SHA-256 (hex) over the canonical JSON of `content`."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
