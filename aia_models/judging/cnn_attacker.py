"""The paper's six-convolution classifier as a fresh attacker, on the map of a representation or on decoded images."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.config import AdversaryConfig
from aia_models.judging.sklearn_attackers import Attacker, Examples, Positive, Scorer
from aia_models.measures.metrics import auc
from aia_models.networks.standardise import MIN_SD
from aia_models.random_streams import stream, stream_seed

MIN_POOLED_SIDE = 8  # a map smaller than this is not pooled further
MAX_EPOCHS = 12
BATCH_IMAGES = 64
SCORED_IMAGES = 256
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-2

AsMap = Callable[[Examples], Float[Tensor, "n channel height width"]]


class CNNAttacker(Attacker[int]):
    """Section 5.2's convolutions (32, 64, 64, 128, 128, 256) and one linear layer, trained from new weights.

    `as_map` turns representations into its input. `releases` is the number of releases of each image among the
    examples; an epoch draws as many examples as there are images. Batch normalisation, absent in the paper, lets it
    learn within a few epochs; inputs are standardised by channel and mirrored at random. Its setting is the number of
    epochs.
    """

    settings = tuple(range(1, MAX_EPOCHS + 1))
    usual = MAX_EPOCHS // 2

    def __init__(self, as_map: AsMap, releases: int, device: str = "cpu") -> None:
        self.as_map = as_map
        self.releases = releases
        self.device = device

    def fit(self, examples: Examples, positive: Positive, setting: int, seed: int) -> Scorer:
        """Train for `setting` epochs; see `Attacker.fit`."""
        *_, trained = self._epochs(self.as_map(examples), positive, setting, seed)
        return lambda others: self._scores(trained, self.as_map(others))

    def choose(
        self,
        own: Examples,
        positive: Positive,
        held_back: Examples,
        truth: Bool[np.ndarray, " held"],
        seed: int,
    ) -> int:
        """Return the number of epochs with the largest AUC on the held-back examples, from one training."""
        maps = self.as_map(held_back)
        aucs = [
            auc(self._scores(network, maps), truth)
            for network in self._epochs(self.as_map(own), positive, MAX_EPOCHS, seed)
        ]
        return int(np.argmax(aucs)) + 1

    def _epochs(self, maps: Tensor, positive: Positive, epochs: int, seed: int) -> Iterator[nn.Module]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "cnn", "initialise"))
            network = _SixConvolutions(maps).to(self.device)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True
        )
        order, mirror = stream(seed, "cnn", "order"), stream(seed, "cnn", "mirror")
        labels = torch.from_numpy(positive.astype(np.float32))
        weight = torch.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
        images = max(len(maps) // self.releases, 1)
        for _ in range(epochs):
            network.train()
            for rows in torch.randperm(len(maps), generator=order)[:images].split(BATCH_IMAGES):
                if len(rows) < 2:  # batch normalisation needs two
                    continue
                turned = torch.rand(len(rows), generator=mirror) < 0.5
                batch = torch.where(turned[:, None, None, None], maps[rows].flip(3), maps[rows])
                log_odds = network(batch.to(self.device))
                loss = F.binary_cross_entropy_with_logits(
                    log_odds, labels[rows].to(self.device), weight[rows].to(self.device)
                )
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
            network.eval()
            yield network

    @torch.no_grad()
    def _scores(self, network: nn.Module, maps: Tensor) -> np.ndarray:
        parts = maps.split(SCORED_IMAGES)
        return torch.cat([network(part.to(self.device)) for part in parts]).double().cpu().numpy()


class _SixConvolutions(nn.Module):
    """Log-odds from maps, standardised by each channel's mean and deviation over the training maps `maps`."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, maps: Float[Tensor, "n channel height width"]) -> None:
        super().__init__()
        dimensions = (0, 2, 3)
        self.register_buffer("mean", maps.mean(dimensions)[:, None, None])
        self.register_buffer("deviation", maps.std(dimensions, correction=0).clamp_min(MIN_SD)[:, None, None])
        layers: list[nn.Module] = []
        inner, side = maps.shape[1], maps.shape[-1]
        for outer in AdversaryConfig.cnn_channels:
            layers += [
                nn.Conv2d(inner, outer, 3, padding=1, bias=False),
                nn.BatchNorm2d(outer),
                nn.LeakyReLU(),
            ]
            if side >= MIN_POOLED_SIDE:
                layers.append(nn.AvgPool2d(2))
                side //= 2
            inner = outer
        self.convolutions = nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.classes = nn.Linear(inner, 1)

    def forward(self, maps: Float[Tensor, "n channel height width"]) -> Float[Tensor, " n"]:
        standardised = ((maps - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        return self.classes(self.convolutions(standardised).mean((2, 3)))[:, 0]


def maps_of(map_shape: tuple[int, int, int]) -> AsMap:
    """Return a function that reshapes flat released representations into maps `[channel, height, width]`."""
    return lambda examples: torch.from_numpy(examples.released).unflatten(1, map_shape)
