"""Fresh matchers: fitted on the `attack` identities' released representations, judged on others."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, Float32, Int32
from sklearn.decomposition import PCA

from aia_models.batches import PairSampler
from aia_models.config import MatcherConfig
from aia_models.losses import contrastive_loss
from aia_models.networks import Matcher
from aia_models.standardise import SMALLEST_SD
from aia_models.streams import stream_seed

Released = Float32[np.ndarray, "n k"]
Embedding = Float[np.ndarray, "n dim"]
Embed = Callable[[Released], Embedding]

WHITENED_COMPONENTS = 150
RELATIVE_TOLERANCE = 1e-10  # directions below this share of the largest variance count as without any
SIAMESE_STEPS = 400
SIAMESE_BATCH_IMAGES = 128
SIAMESE_LEARNING_RATE = 1e-3


def fit_whitened_cosine(
    released: Released, identity: Int32[np.ndarray, " n"], map_shape: tuple[int, int, int], seed: int
) -> Embed:
    """PCA-whitened representations of length 1: their distance orders pairs as the cosine does.

    Learns nothing from identities, only the coordinates' covariance. Directions without variance are left out:
    whitening would make rounding errors count as much as faces.
    """
    components = min(WHITENED_COMPONENTS, released.shape[1], len(released) - 1)
    pca = PCA(components, whiten=True, svd_solver="covariance_eigh").fit(released.astype(np.float64))
    rank = int((pca.explained_variance_ > RELATIVE_TOLERANCE * pca.explained_variance_[0]).sum())

    def embed(others: Released) -> Embedding:
        whitened = pca.transform(others.astype(np.float64))[:, :rank]
        return whitened / np.maximum(np.linalg.norm(whitened, axis=1, keepdims=True), 1e-12)

    return embed


def fit_siamese(
    released: Released, identity: Int32[np.ndarray, " n"], map_shape: tuple[int, int, int], seed: int
) -> Embed:
    """The paper's Siamese network (section 5.2) trained from new weights by Eq. 7 on standardised maps."""
    mean, sd = released.mean(0), np.maximum(released.std(0), SMALLEST_SD)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "fresh-siamese", "initialise"))
        network = Matcher(MatcherConfig(standardise=False), map_shape)
    optimiser = torch.optim.Adam(network.parameters(), lr=SIAMESE_LEARNING_RATE, weight_decay=1e-4)
    rng = np.random.default_rng(stream_seed(seed, "fresh-siamese", "batches"))
    inputs, sampler = torch.from_numpy((released - mean) / sd), PairSampler(identity)
    for images, different in islice(_endless(sampler, rng), SIAMESE_STEPS):
        left, right = network(inputs[torch.from_numpy(images)]).chunk(2)
        counted = torch.from_numpy(sampler.paired[images]).view(2, -1).all(0)
        loss = contrastive_loss(left, right, torch.from_numpy(different), counted, MatcherConfig().margin)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    @torch.no_grad()
    def embed(others: Released) -> Embedding:
        return network(torch.from_numpy((others - mean) / sd)).double().numpy()

    return embed


def _endless(sampler: PairSampler, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    while True:
        batches = sampler.epoch(SIAMESE_BATCH_IMAGES, rng)
        yield from zip(batches.images, batches.different, strict=True)


MATCHERS = {"siamese": fit_siamese, "whitened_cosine": fit_whitened_cosine}
