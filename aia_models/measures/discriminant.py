"""Linear discriminant for verification: directions along which people differ more than the images of one person."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int32

from aia_models.measures.whitening import principal_axes

COMPONENTS = 250  # leading principal components, in which both scatters are estimated


class Scatters:
    """Scatters of `values` between and within people in the leading principal components, in float64.

    The mean of a person with n images carries 1/n of the within-person scatter, which is subtracted from the scatter
    between people.
    """

    def __init__(self, values: Float[np.ndarray, "n k"], identity: Int32[np.ndarray, " n"]) -> None:
        self._mean, self._axes = principal_axes(values, COMPONENTS)
        projected = (values - self._mean) @ self._axes
        _, person, images = np.unique(identity, return_inverse=True, return_counts=True)
        means = np.zeros((len(images), projected.shape[1]))
        np.add.at(means, person, projected)
        means /= images[:, None]
        residuals = projected - means[person]
        self._within = residuals.T @ residuals / max(len(person) - len(images), 1)
        centred = means - means.mean(0)
        self._between = centred.T @ centred / len(images) - self._within * (1 / images).mean()

    def discriminant(self, shrinkage: float) -> "Discriminant":
        """Return Fisher's linear discriminant of the people (Fisher 1936), in closed form.

        The directions w solve S_b w = λ (S_w + shrinkage mean(diag S_w) I) w with the scatters between and within
        people. Each direction is scaled by λ / (1 + λ), the share of its variance that tells people apart, so that
        directions that hold mostly noise count little. Directions with λ <= 0 are left out.
        """
        ridge = shrinkage * _mean_variance(self._within, self._between) * np.eye(len(self._within))
        strength, directions = scipy.linalg.eigh(self._between, self._within + ridge)
        kept = strength > 0
        return Discriminant(
            self._mean, self._axes @ (directions[:, kept] * (strength[kept] / (1 + strength[kept])))
        )


@dataclass(frozen=True)
class Discriminant:
    """Projects on linear discriminants, each scaled by the share of its variance that tells people apart."""

    mean: Float[np.ndarray, " k"]
    directions: Float[np.ndarray, "k direction"]

    def __call__(self, values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n direction"]:
        """Return the scaled discriminants; no columns where no direction tells people apart."""
        return (values.astype(np.float64) - self.mean) @ self.directions


def _mean_variance(within: np.ndarray, between: np.ndarray) -> float:
    """Return the mean variance within people; that between them where nobody has two different images."""
    for scatter in (within, between):
        variance = float(np.trace(scatter)) / max(len(scatter), 1)
        if variance > 0:
            return variance
    return 1.0
