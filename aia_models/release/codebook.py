"""Codebooks: a representation is released as the nearest of a few words, so that asking again tells nothing new.

Several codebooks divide the coordinates among them (product quantisation: Jégou, Douze and Schmid 2011). The words are
the centroids of k-means.
"""

import warnings

import numpy as np
import torch
from jaxtyping import Float, Int64
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor
from torch.nn import functional as F

from aia_models.errors import DataError

MAX_LEARNT_ROWS = 20_000
Words = Float[Tensor, "codebook word part"]


def fit_codebooks(g: Float[Tensor, "n k"], codebooks: int, codewords: int) -> Words:
    """Return the words of each codebook, the centroids of its coordinates of `g` by k-means.

    Of more than 20,000 rows, as many at even distances count. Raises DataError where there are fewer rows than words.
    """
    if len(g) < codewords:
        raise DataError(
            f"channel.codewords = {codewords}: only {len(g)} codes of train images, needs as many or fewer"
        )
    rows = np.linspace(0, len(g) - 1, min(len(g), MAX_LEARNT_ROWS)).astype(int)
    parts = _parts(g, codebooks)[rows].double().cpu().numpy()
    words = []
    for number in range(codebooks):
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ConvergenceWarning
            )  # fewer different codes than words: some are equal
            fitted = KMeans(codewords, random_state=0).fit(parts[:, number])
        words.append(torch.from_numpy(fitted.cluster_centers_))
    return torch.stack(words).to(g)


def nearest_words(g: Float[Tensor, "batch k"], words: Words) -> Int64[Tensor, "batch codebook"]:
    """Return the number of the nearest word in each codebook; of equal distances the first."""
    parts = _parts(g, len(words))
    products = torch.einsum("bcp,cwp->bcw", parts, words)
    return (words.square().sum(2) - 2 * products).argmin(2)


def spelled(numbers: Int64[Tensor, "batch codebook"], words: Words, k: int) -> Float[Tensor, "batch k"]:
    """Return representations of k values put together from the words of each codebook."""
    chosen = [codebook[numbers[:, number]] for number, codebook in enumerate(words)]
    return torch.cat(chosen, 1)[:, :k]


def part_width(k: int, codebooks: int) -> int:
    """Return the number of coordinates of a codebook's words; the last ones are filled up with zeros."""
    return -(-k // codebooks)


def _parts(g: Float[Tensor, "batch k"], codebooks: int) -> Float[Tensor, "batch codebook part"]:
    width = part_width(g.shape[1], codebooks)
    return F.pad(g, (0, codebooks * width - g.shape[1])).unflatten(1, (codebooks, width))
