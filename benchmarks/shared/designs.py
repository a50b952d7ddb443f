"""The families of designs that benchmarks train: the paper's maps, compact codes, and the closed form."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aia_models.config import (
    AdversaryConfig,
    BudgetConfig,
    ChannelConfig,
    CodeHead,
    DecoderConfig,
    EncoderConfig,
    LinearStem,
    PlainHead,
    TrainingConfig,
    UtilityConfig,
)

AUTOENCODER_SHARE, HEADS_SHARE = 0.1, 0.05  # of the epochs of a map


def noise(noise_sd: float, *, erasure: bool = True) -> ChannelConfig:
    """Return noise, behind linear erasure or without it."""
    return ChannelConfig("noise", noise_sd=noise_sd, erasure=erasure)


@dataclass(frozen=True)
class MapDesign:
    """The paper's networks and losses with α, β and `changes`; training sees noise against two adversaries."""

    alpha: float
    beta: float
    changes: Mapping[str, Any] = field(default_factory=dict)

    def config(self, epochs: int, seed: int) -> TrainingConfig:
        """Return the training over `epochs` epochs in all stages."""
        autoencoder, heads = round(epochs * AUTOENCODER_SHARE), round(epochs * HEADS_SHARE)
        plain = TrainingConfig(
            alpha=self.alpha,
            betas=(self.beta,),
            decoder=DecoderConfig((32, 16)),
            channel=noise(0.05),
            adversary=AdversaryConfig(("linear", "mlp")),
            budget=BudgetConfig(autoencoder, heads, epochs - autoencoder - heads),
            learning_rate=2e-3,
            seed=seed,
        )
        return replace(plain, **self.changes)


@dataclass(frozen=True)
class CodeDesign:
    """A compact code as the spec `code` trains it, with α, β and `changes`."""

    alpha: float
    beta: float
    changes: Mapping[str, Any] = field(default_factory=dict)

    def config(self, epochs: int, seed: int) -> TrainingConfig:
        """Return the training over `epochs` joint epochs."""
        plain = TrainingConfig(
            alpha=self.alpha,
            betas=(self.beta,),
            encoder=EncoderConfig(LinearStem(), CodeHead()),
            decoder=DecoderConfig((32, 16)),
            channel=noise(0.4),
            adversary=AdversaryConfig(("linear", "mlp")),
            penalty="kernel_ridge",
            utility=UtilityConfig("batch_contrastive", 0.1),
            augmentation="flip",
            budget=BudgetConfig(1, 1, epochs),
            learning_rate=2e-3,
            learning_rate_schedule="cosine",
            weight_decay=0.01,
            batch_images=512,
            seed=seed,
        )
        return replace(plain, **self.changes)


@dataclass(frozen=True)
class FisherDesign:
    """The closed form: linear discriminants of the `train` people, erasure and noise, without training."""

    components: int
    noise_sd: float

    def config(self, epochs: int, seed: int) -> TrainingConfig:
        """Return the design; `epochs` have no meaning for it."""
        return TrainingConfig(
            alpha=0.0,
            betas=(0.0,),
            encoder=EncoderConfig(LinearStem(components=self.components), PlainHead()),
            decoder=DecoderConfig((32, 16)),
            channel=noise(self.noise_sd),
            adversary=AdversaryConfig(("linear",)),
            budget=BudgetConfig(1, 0, 0),
            batch_images=1024,
            seed=seed,
        )
