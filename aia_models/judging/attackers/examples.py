"""What fresh attackers of one attribute learn from and are judged on: representations in several views, and labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int32, Int64
from torch import Tensor

from aia_models.measures.metrics import auc
from aia_models.measures.whitening import Whitening
from aia_models.networks.standardise import MIN_SD
from aia_models.random_streams import stream_seed

FOLDS = 4  # groups of people; each in turn is held back where an attacker's setting is chosen
MAX_COMPONENTS = 100


@dataclass(frozen=True)
class View:
    """One way to read representations: the rows that attackers learn from and the rows that are judged."""

    learnt: Float[Tensor, "row dim"]
    judged: Float[Tensor, "n dim"]

    def leading(self, count: int) -> "View":
        """Return the first `count` columns."""
        return View(self.learnt[:, :count], self.judged[:, :count])


@dataclass(frozen=True, eq=False)
class Examples:
    """Released representations with labels, divided into cells of people.

    The rows are releases: an image with three releases has three rows. Cells 0 to `FOLDS` - 1 hold people on whom
    settings may be chosen; a further cell holds other people. A vantage is the set of cells that an attacker learns
    from. `first` marks the first release of each image.
    """

    rows: Float32[np.ndarray, "row k"]
    judged_rows: Float32[np.ndarray, "n k"]
    positive: Bool[np.ndarray, " row"]
    cell: Int64[np.ndarray, " row"]
    first: Bool[np.ndarray, " row"]
    vantages: Mapping[str, frozenset[int]]
    device: str = "cpu"

    @cached_property
    def scaled(self) -> View:
        """Representations centred and divided by one number, so that coordinates keep their share of the distances."""
        return self._view(self.rows.mean(0), max(float(self.rows.std(0).mean()), MIN_SD))

    @cached_property
    def standardised(self) -> View:
        """Representations with every coordinate scaled to mean 0 and variance 1."""
        return self._view(self.rows.mean(0), np.maximum(self.rows.std(0), MIN_SD))

    @cached_property
    def components(self) -> View:
        """The leading principal components, the first first, each scaled to variance 1.

        Where a channel adds the same noise to every coordinate, these carry least of it. Components without variance
        are left out; where nothing varies, the view is `scaled`.
        """
        whiten = Whitening(self.rows, MAX_COMPONENTS)
        if not whiten.components:
            return self.scaled
        return View(*(self._tensor(whiten(values)) for values in (self.rows, self.judged_rows)))

    @cached_property
    def labels(self) -> Bool[Tensor, " row"]:
        """Whether each row has the attribute, as a tensor."""
        return torch.from_numpy(self.positive).to(self.device)

    @cached_property
    def balanced_targets(self) -> Float[Tensor, " row"]:
        """Targets of a least-squares fit: positive and negative rows have sums 0.5 n and -0.5 n over all n rows."""
        share = self.positive.mean()
        weights = np.where(self.positive, 0.5 / max(share, 1e-9), -0.5 / max(1 - share, 1e-9))
        return self._tensor(weights)

    def rows_of(self, cells: frozenset[int]) -> Int64[Tensor, " own"]:
        """Return the numbers of the rows in `cells`."""
        return torch.from_numpy(np.flatnonzero(np.isin(self.cell, list(cells)))).to(self.device)

    def held_back(self, fold: int) -> Int64[Tensor, " held"]:
        """Return the numbers of the first releases of the people in `fold`: single releases, as judged rows are."""
        return torch.from_numpy(np.flatnonzero(self.first & (self.cell == fold))).to(self.device)

    def held_back_auc(self, scores_by_fold: list[Float[Tensor, " _"]]) -> float:
        """Return the mean AUC over the folds; a fold that lacks one value of the attribute is left out.

        `scores_by_fold[fold]` are scores of the rows `held_back(fold)` by an attacker that did not learn from them; the
        list may cover the first folds only.
        Returns 0.5 where no fold has both values.
        """
        aucs = []
        for fold, scores in enumerate(scores_by_fold):
            truth = self.positive[self.first & (self.cell == fold)]
            if 0 < truth.sum() < len(truth):
                aucs.append(auc(scores.double().cpu().numpy(), truth))
        return float(np.mean(aucs)) if aucs else 0.5

    def _view(self, mean: np.ndarray, sd: np.ndarray | float) -> View:
        return View(*(self._tensor((values - mean) / sd) for values in (self.rows, self.judged_rows)))

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self.device)


@dataclass(frozen=True)
class Reading:
    """Scores of the judged rows by one fitted attacker, above 0 for the attribute, and the setting that it used."""

    scores: Float[np.ndarray, " n"]
    setting: str


def folds_of_people(identity: Int32[np.ndarray, " n"], seed: int) -> Int64[np.ndarray, " n"]:
    """Return the fold of each image; all images of a person are in one fold."""
    rng = np.random.default_rng(stream_seed(seed, "attackers", "folds"))
    people, index = np.unique(identity, return_inverse=True)
    return (rng.permutation(len(people)) % FOLDS)[index]
