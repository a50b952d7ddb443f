"""Frozen, validated configs: every size and weight that a training of the AIA depends on.

Defaults are the paper's (sections 4 and 5.2) where the paper gives a value. Other rooms import all names from here.
"""

from aia_models.config.channel import ChannelConfig, ChannelKind
from aia_models.config.encoder import (
    Activation,
    CodeHead,
    ConvolutionalStem,
    DecoderConfig,
    EncoderConfig,
    Head,
    LinearStem,
    MapHead,
    Normalisation,
    PlainHead,
    Pooling,
    Projection,
    Stem,
)
from aia_models.config.objective import (
    AdversaryConfig,
    AdversaryKind,
    MatcherConfig,
    PenaltyKind,
    UtilityConfig,
    UtilityKind,
)
from aia_models.config.training import (
    Augmentation,
    BudgetConfig,
    ComputeConfig,
    RateSchedule,
    TrainingConfig,
    content_key,
)

__all__ = [
    "Activation",
    "AdversaryConfig",
    "AdversaryKind",
    "Augmentation",
    "BudgetConfig",
    "ChannelConfig",
    "ChannelKind",
    "CodeHead",
    "ComputeConfig",
    "ConvolutionalStem",
    "DecoderConfig",
    "EncoderConfig",
    "Head",
    "LinearStem",
    "MapHead",
    "MatcherConfig",
    "Normalisation",
    "PenaltyKind",
    "PlainHead",
    "Pooling",
    "Projection",
    "RateSchedule",
    "Stem",
    "TrainingConfig",
    "UtilityConfig",
    "UtilityKind",
    "content_key",
]  # fmt: skip
