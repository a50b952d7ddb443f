"""Linear discriminant for verification: directions along which people differ more than the images of one person."""

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int32

from aia_models.measures.whitening import principal_axes

COMPONENTS = 250  # leading principal components, in which both scatters are estimated


class Discriminant:
    """Fisher's linear discriminant of people, fitted in closed form in float64.

    In the leading principal components, the directions w solve S_b w = λ (S_w + shrinkage mean(diag S_w) I) w with the
    scatters between and within people (Fisher 1936). Each direction is scaled by λ / (1 + λ), the share of its variance
    that tells people apart, so that directions that hold mostly noise count little. Directions with λ <= 0 are left
    out. The mean of a person with n images carries 1/n of the within-person scatter, which is subtracted.
    """

    def __init__(
        self, values: Float[np.ndarray, "n k"], identity: Int32[np.ndarray, " n"], shrinkage: float
    ) -> None:
        self._mean, axes = principal_axes(values, COMPONENTS)
        projected = (values - self._mean) @ axes
        _, person, images = np.unique(identity, return_inverse=True, return_counts=True)
        means = np.zeros((len(images), projected.shape[1]))
        np.add.at(means, person, projected)
        means /= images[:, None]
        residuals = projected - means[person]
        within = residuals.T @ residuals / max(len(person) - len(images), 1)
        centred = means - means.mean(0)
        between = centred.T @ centred / len(images) - within * (1 / images).mean()
        ridge = shrinkage * _mean_variance(within, between) * np.eye(len(within))
        strength, directions = scipy.linalg.eigh(between, within + ridge)
        kept = strength > 0
        self._map = axes @ (directions[:, kept] * (strength[kept] / (1 + strength[kept])))

    def __call__(self, values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n direction"]:
        """Return the scaled discriminants; no columns where no direction tells people apart."""
        return (values.astype(np.float64) - self._mean) @ self._map


def _mean_variance(within: np.ndarray, between: np.ndarray) -> float:
    """Return the mean variance within people; that between them where nobody has two different images."""
    for scatter in (within, between):
        variance = float(np.trace(scatter)) / max(len(scatter), 1)
        if variance > 0:
            return variance
    return 1.0
