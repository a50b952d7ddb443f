"""Configs of what Eq. 8 weighs: the in-loop adversary, the kind of penalty, the utility loss, the in-loop matcher."""

from dataclasses import dataclass
from typing import Literal, get_args

from aia_models.config.checks import (
    require,
    require_number,
    require_one_of,
    require_positive_integer,
    require_positive_integers,
)

AdversaryKind = Literal["linear", "mlp", "cnn"]
PenaltyKind = Literal["adversary", "kernel_ridge"]
UtilityKind = Literal["pairs", "batch_contrastive"]


@dataclass(frozen=True)
class AdversaryConfig:
    """The in-loop gender classifier: one network or an ensemble whose losses are averaged.

    `hidden` is the width of Eq. 6's tanh layer, `cnn_channels` are section 5.2's. `standardise` gives the
    networks representations standardised over the batch, so that the encoder cannot hide by shrinking g.
    `steps` counts adversary updates per anonymizer update.
    """

    members: tuple[AdversaryKind, ...] = ("cnn",)
    hidden: int = 128
    cnn_channels: tuple[int, ...] = (32, 64, 64, 128, 128, 256)
    steps: int = 1
    class_balanced: bool = True
    standardise: bool = True

    def __post_init__(self) -> None:
        kinds = get_args(AdversaryKind)
        known = bool(self.members) and set(self.members) <= set(kinds)
        distinct = len(set(self.members)) == len(self.members)
        require(
            known and distinct, "adversary.members", self.members, f"distinct names of {', '.join(kinds)}"
        )
        require_positive_integers("adversary.cnn_channels", self.cnn_channels)
        require_positive_integer("adversary.hidden", self.hidden)
        require_positive_integer("adversary.steps", self.steps)


@dataclass(frozen=True)
class UtilityConfig:
    """The utility loss that α weighs: Eq. 7 on the in-loop matcher's embeddings (`pairs`), or `batch_contrastive`.

    The latter is the contrastive identity loss over the batch, on the representations themselves, at `temperature`
    (None with `pairs`).
    """

    kind: UtilityKind = "pairs"
    temperature: float | None = None

    def __post_init__(self) -> None:
        require_one_of(UtilityKind, "utility.kind", self.kind)
        given = self.temperature is not None
        right = "a value with kind batch_contrastive and none with pairs"
        require(given == (self.kind == "batch_contrastive"), "utility.temperature", self.temperature, right)
        if self.temperature is not None:
            require_number("utility.temperature", self.temperature, 0.0, above=True)


@dataclass(frozen=True)
class MatcherConfig:
    """The Siamese network of task T (section 5.2) and the margin of Eq. 7."""

    conv_channels: tuple[int, int, int] = (4, 8, 8)
    hidden: tuple[int, int] = (500, 500)
    embedding: int = 128
    margin: float = 1.0
    standardise: bool = True

    def __post_init__(self) -> None:
        require_positive_integers("matcher.conv_channels", self.conv_channels, 3)
        require_positive_integers("matcher.hidden", self.hidden, 2)
        require_positive_integer("matcher.embedding", self.embedding)
        require_number("matcher.margin", self.margin, 0.0, above=True)
