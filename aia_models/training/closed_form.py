"""Fits a linear stem in closed form before training."""

import numpy as np
import torch

from aia_models.config import LinearStem
from aia_models.data.faces import FaceDataset
from aia_models.data.inputs import network_inputs
from aia_models.data.some_people import rows_of_some_people
from aia_models.measures.discriminant import Scatters
from aia_models.measures.whitening import principal_axes
from aia_models.networks.stems.linear import LinearMap

SHRINKAGE = 0.1  # of the scatter within people


@torch.no_grad()
def fit_stem(linear: LinearMap, stem: LinearStem, train: FaceDataset, seed: int) -> None:
    """Set the stem's mean and directions from the `train` people, or a share of them where there are many images.

    The stronger direction comes first. Where fewer directions than components carry anything, the last components are
    0.
    """
    rows = rows_of_some_people(train.identity, seed)
    values = network_inputs(torch.from_numpy(np.asarray(train.inputs[rows]))).flatten(1).double().numpy()
    if stem.projection == "pca":
        mean, directions = principal_axes(values, stem.components)
    else:
        found = Scatters(values, train.identity[rows]).discriminant(SHRINKAGE)
        mean, directions = found.mean, found.directions[:, ::-1][:, : stem.components]
    spread = np.sqrt(np.square((values - mean) @ directions).mean())
    linear.mean.copy_(torch.from_numpy(mean))
    linear.directions.zero_()
    linear.directions[:, : directions.shape[1]] = torch.from_numpy(directions / max(spread, 1e-12))
