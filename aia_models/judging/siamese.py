"""The paper's Siamese network (section 5.2) as a fresh matcher."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from jaxtyping import Int32, Int64

from aia_models.config import MatcherConfig
from aia_models.errors import DataError
from aia_models.judging.matcher import Embed, Embedding
from aia_models.judging.released import Representations
from aia_models.losses.losses import all_pairs_contrastive_loss
from aia_models.networks.matcher import Matcher
from aia_models.networks.standardise import MIN_SD
from aia_models.random_streams import normal_like, stream, stream_seed

MAX_STEPS, MAX_EPOCHS = 80, 20
PEOPLE, IMAGES = 16, 4  # per step: people, and images of each
LEARNING_RATE = 2e-3
INPUT_NOISE = 0.4  # in standard deviations of the inputs


def fit_siamese(
    released: Representations,
    identity: Int32[np.ndarray, " n"],
    map_shape: tuple[int, int, int],
    seed: int,
) -> Embed:
    """Train the paper's Siamese network (section 5.2) from new weights by Eq. 7, as an embedding.

    Inputs are centred and scaled by one factor to variance 1: with one factor per coordinate, coordinates that hold
    only the channel's noise would drown the others. Each step takes a few images of a few people and averages Eq. 7
    over all pairs among them, with the same weight for pairs of one person and of two: many more pairs per forward pass
    than one partner per anchor. Gaussian noise on the inputs keeps it from memorising its few people.
    """
    mean = released.mean(0)
    sd = np.maximum((released - mean).std(), np.float32(MIN_SD))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "fresh-siamese", "initialise"))
        network = Matcher(MatcherConfig(standardise=False), map_shape)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-4, fused=True)
    rng = np.random.default_rng(stream_seed(seed, "fresh-siamese", "batches"))
    noise = stream(seed, "fresh-siamese", "noise")
    inputs, people = torch.from_numpy((released - mean) / sd), torch.from_numpy(identity)
    steps = min(-(-MAX_EPOCHS * len(identity) // (PEOPLE * IMAGES)), MAX_STEPS)
    for rows in map(torch.from_numpy, islice(_groups(identity, rng), steps)):
        clean = inputs[rows]
        noisy = clean + INPUT_NOISE * normal_like(clean, noise)
        loss = all_pairs_contrastive_loss(network(noisy), people[rows], rows, MatcherConfig().margin)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    @torch.no_grad()
    def embed(others: Representations) -> Embedding:
        return network(torch.from_numpy((others - mean) / sd)).double().numpy()

    return embed


def _groups(
    identity: Int32[np.ndarray, " n"], rng: np.random.Generator
) -> Iterator[Int64[np.ndarray, " rows"]]:
    """Yield the rows of `IMAGES` images each of `PEOPLE` people (or all, if fewer) with several images.

    An image is taken twice only where its person has fewer than `IMAGES`.
    """
    images = [np.flatnonzero(identity == one) for one in np.unique(identity)]
    images = [own for own in images if len(own) > 1]
    if not images:
        raise DataError(
            "the Siamese matcher has no pair to learn from: people with 2 or more images are needed"
        )
    together = min(PEOPLE, len(images))
    while True:
        order = rng.permutation(len(images))
        for start in range(0, len(order) - together + 1, together):
            people = [images[person] for person in order[start : start + together]]
            yield np.concatenate([rng.choice(own, IMAGES, replace=len(own) < IMAGES) for own in people])
