"""The in-loop adversaries: classifiers of the private attribute that the encoder learns to fool."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.config import AdversaryConfig, AdversaryKind
from aia_models.networks.standardise import standardise

MIN_POOLED_SIDE = 4  # a map smaller than this is not pooled further


class LinearAdversary(nn.Linear):
    """Logistic regression on g."""

    def __init__(self, config: AdversaryConfig, map_shape: tuple[int, int, int]) -> None:
        super().__init__(_flat(map_shape), 1)


class MLPAdversary(nn.Sequential):
    """Eq. 6: a tanh layer, then the log-odds of its sigmoid."""

    def __init__(self, config: AdversaryConfig, map_shape: tuple[int, int, int]) -> None:
        super().__init__(nn.Linear(_flat(map_shape), config.hidden), nn.Tanh(), nn.Linear(config.hidden, 1))


class CNNAdversary(nn.Module):
    """Section 5.2's six convolutions on g as a map, then one linear layer with softmax over two classes."""

    def __init__(self, config: AdversaryConfig, map_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.map_shape = map_shape
        channels = (map_shape[0], *config.cnn_channels)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inner, outer, 3, padding=1) for inner, outer in pairwise(channels)
        )
        self.classes = nn.Linear(channels[-1], 2)

    def forward(self, values: Float[Tensor, "batch k"]) -> Float[Tensor, "batch 1"]:
        """Log-odds of the softmax over two classes: the difference of their logits."""
        hidden = values.unflatten(1, self.map_shape)
        for depth, convolution in enumerate(self.convolutions, start=1):
            hidden = F.leaky_relu(convolution(hidden))
            if depth % 2 == 0 and hidden.shape[-1] >= MIN_POOLED_SIDE:
                hidden = F.avg_pool2d(hidden, 2)
        negative, positive = self.classes(hidden.mean((2, 3))).split(1, dim=1)
        return positive - negative


MEMBERS: dict[AdversaryKind, type[nn.Module]] = {
    "linear": LinearAdversary,
    "mlp": MLPAdversary,
    "cnn": CNNAdversary,
}


class Adversary(nn.Module):
    """An ensemble of the config's members, each with its own weights."""

    def __init__(self, config: AdversaryConfig, map_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.standardise = config.standardise
        self.members = nn.ModuleList(MEMBERS[kind](config, map_shape) for kind in config.members)

    def forward(self, released: Float[Tensor, "batch k"]) -> Float[Tensor, "batch member"]:
        """Log-odds that the attribute is 1, one column per member."""
        values = standardise(released) if self.standardise else released
        return torch.cat([member(values) for member in self.members], dim=1)


def _flat(map_shape: tuple[int, int, int]) -> int:
    channels, height, width = map_shape
    return channels * height * width
