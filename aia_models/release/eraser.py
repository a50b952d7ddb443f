"""Linear erasure in closed form: LEACE (Belrose et al. 2023, arXiv 2306.03819) for binary attributes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int8
from sklearn.covariance import ledoit_wolf

from aia_models.errors import DataError

MIN_SHARE = 1e-16  # of the attribute's variance explained linearly: a smaller share is rounding error
RELATIVE_TOLERANCE = 1e-10  # eigenvalues below this share of the largest count as directions without variance


@dataclass(frozen=True)
class LinearEraser:
    """The map g -> g - direction * (covector . (g - mean)), each array float64 of length k.

    It is the least change of g (in the whitened metric) after which no linear predictor of the attribute beats a
    constant on the fitted data.
    """

    mean: Float[np.ndarray, " k"]
    direction: Float[np.ndarray, " k"]
    covector: Float[np.ndarray, " k"]

    def __call__(self, values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
        """Return `values` without the attribute's linear trace."""
        return values - np.outer((values - self.mean) @ self.covector, self.direction)


def fit_erasers(
    values: Float[np.ndarray, "n k"], attributes: Int8[np.ndarray, "n attribute"]
) -> list[LinearEraser]:
    """Fit one eraser per attribute (a column of 1, 0 and -1, unknown), each on the output of the previous ones.

    Applied in this order they remove the linear trace of every attribute: what a later eraser removes is, on the fitted
    data, uncorrelated with the attributes erased before. Together they are LEACE for all attributes at once.
    """
    erasers: list[LinearEraser] = []
    for attribute in attributes.T:
        erasers.append(fit_eraser(values, attribute))
        values = erasers[-1](values)
    return erasers


def fit_eraser(values: Float[np.ndarray, "n k"], attribute: Int8[np.ndarray, " n"]) -> LinearEraser:
    """Fit LEACE on representations whose `attribute` is 1 or 0 (rows with -1, unknown, are left out).

    With sigma the cross-covariance of g and the attribute and S the covariance of g, LEACE's projection
    is g - sigma (sigma' S+ (g - mean)) / (sigma' S+ sigma). S is Ledoit-Wolf shrunk where k reaches the
    number of images. Raises DataError where one class is missing.
    """
    known = attribute >= 0
    fitted = values[known].astype(np.float64)
    labels = attribute[known].astype(np.float64)
    if not 0 < labels.sum() < len(labels):
        counts = f"{int(labels.sum())} of {len(labels)} images have the value 1"
        raise DataError(f"linear erasure: {counts}; both values of the attribute are needed")
    mean = fitted.mean(0)
    centred = fitted - mean
    sigma = centred.T @ (labels - labels.mean()) / len(labels)
    count, width = centred.shape
    covariance = (
        centred.T @ centred / count if count > width else ledoit_wolf(centred, assume_centered=True)[0]
    )
    eigenvalues, vectors = np.linalg.eigh(covariance)
    kept = eigenvalues > RELATIVE_TOLERANCE * eigenvalues[-1]
    covector = vectors[:, kept] @ ((vectors[:, kept].T @ sigma) / eigenvalues[kept])
    strength = float(sigma @ covector)
    if strength <= MIN_SHARE * labels.var():  # nothing linear to erase
        return LinearEraser(mean, np.zeros(width), np.zeros(width))
    return LinearEraser(mean, sigma / strength, covector)
