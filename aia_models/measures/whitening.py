"""Principal components: leading axes of variation, and projections on them scaled to variance 1 (whitening)."""

from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import PCA

RELATIVE_TOLERANCE = 1e-10  # directions below this share of the largest variance count as without any


class Whitening:
    """Projects on the leading principal components of `values`, in float64, each scaled to variance 1.

    Directions without variance are left out: whitening would blow up their rounding errors. `components` is the number
    of those that remain.
    """

    def __init__(self, values: Float[np.ndarray, "n k"], components: int) -> None:
        self._pca = _fit(values, components, whiten=True)
        self.components = _varying(self._pca)

    def __call__(self, values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n component"]:
        """Return the whitened components of `values`; no columns where the fitted values did not vary."""
        return self._pca.transform(values.astype(np.float64))[:, : self.components]


def principal_axes(
    values: Float[np.ndarray, "n k"], components: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k component"]]:
    """Return the mean of `values` and their leading principal axes, without axes along which they do not vary."""
    pca = _fit(values, components, whiten=False)
    axes: Any = pca.components_  # scikit-learn's stub says that it may be None
    return pca.mean_, axes[: _varying(pca)].T


def unit_length(values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Scale rows to length 1, so that their products are cosines; a row of zeros stays zero."""
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)


def _fit(values: Float[np.ndarray, "n k"], components: int, *, whiten: bool) -> PCA:
    most = min(components, values.shape[1], len(values) - 1)
    # The covariance's time grows with the cube of the coordinates, which are thousands at 64x64.
    solver = "covariance_eigh" if len(values) > values.shape[1] else "full"
    with np.errstate(invalid="ignore"):  # where nothing varies, shares of the variance are 0 / 0
        return PCA(most, whiten=whiten, svd_solver=solver).fit(values.astype(np.float64))


def _varying(pca: PCA) -> int:
    variance = pca.explained_variance_
    return int((variance > RELATIVE_TOLERANCE * variance[0]).sum())
