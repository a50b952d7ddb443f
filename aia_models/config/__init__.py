"""Frozen, validated configs: every size and weight that a training of the AIA depends on.

Defaults are the paper's (sections 4 and 5.2) where the paper gives a value. Other rooms import all names from here.
"""

from aia_models.config.channel import ChannelConfig, ChannelKind
from aia_models.config.encoder import (
    CodeHead,
    ConvolutionalStem,
    DecoderConfig,
    EncoderConfig,
    Head,
    LinearStem,
    MapHead,
    PlainHead,
    Stem,
)
from aia_models.config.objective import (
    KERNEL_PENALTIES,
    AdversaryConfig,
    AdversaryKind,
    MatcherConfig,
    PenaltyConfig,
    PenaltyKind,
    Schedule,
    UtilityConfig,
    UtilityKind,
)
from aia_models.config.training import (
    Augmentation,
    BudgetConfig,
    ComputeConfig,
    TrainingConfig,
    content_key,
)

__all__ = [
    "KERNEL_PENALTIES", "AdversaryConfig", "AdversaryKind", "Augmentation", "BudgetConfig", "ChannelConfig",
    "ChannelKind", "CodeHead", "ComputeConfig", "ConvolutionalStem", "DecoderConfig", "EncoderConfig", "Head",
    "LinearStem", "MapHead", "MatcherConfig", "PenaltyConfig", "PenaltyKind", "PlainHead", "Schedule", "Stem",
    "TrainingConfig", "UtilityConfig", "UtilityKind", "content_key",
]  # fmt: skip
