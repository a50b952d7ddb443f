"""An attack by a kernel machine: kernel ridge regression in closed form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from aia_models.judging.attackers.examples import FOLDS, Examples, Reading, View
from aia_models.judging.attackers.nystroem import (
    NormalEquations,
    add_up,
    normal_equations,
    nystroem_features,
)

CHOOSING_LANDMARKS, LANDMARKS = 500, 1500  # more read more, and cost more
BEST_KERNELS = 2
PENALTIES = (1e-4, 1e-3, 1e-2)  # per row
SHARPNESS = 1.5
SHARP = 6.0  # for an attribute that changes over short distances
COMPONENTS = (25, 50, 100)


@dataclass(frozen=True)
class _Kernel:
    """A view of the representations and the sharpness of the kernel on it, as in `nystroem_features`."""

    name: str
    view: View
    sharpness: float


@dataclass(frozen=True)
class _Trial:
    """A kernel on held-back people: for each vantage the best penalty, and its AUC."""

    kernel: _Kernel
    penalties: Mapping[str, float]
    aucs: Mapping[str, float]


def kernel_machine(examples: Examples, seed: int) -> dict[str, Reading]:
    """Return the reading of each vantage: the mean score of the kernels that are best on held-back people.

    The mean over vantages decides about a kernel, each vantage about its penalty. Choosing uses fewer landmarks than
    the final fit. Each cell of people enters by one set of normal equations, from which those of all vantages, with and
    without held-back people, are added up.
    """
    tried = [_try(kernel, examples, seed) for kernel in _kernels(examples)]
    best = sorted(tried, key=lambda trial: -sum(trial.aucs.values()))[:BEST_KERNELS]
    scores = {vantage: np.zeros(len(examples.judged_rows)) for vantage in examples.vantages}
    for trial in best:
        features, judged = _features(trial.kernel, LANDMARKS, seed)
        cells = _by_cell(examples, features)
        for vantage, own in examples.vantages.items():
            solution = add_up([cells[cell] for cell in sorted(own)]).solve(trial.penalties[vantage])
            read = (solution @ judged).double().cpu().numpy()
            scores[vantage] += read / max(float(read.std()), 1e-12) / len(best)
    setting = " and ".join(trial.kernel.name for trial in best)
    return {vantage: Reading(scores[vantage], setting) for vantage in examples.vantages}


def _try(kernel: _Kernel, examples: Examples, seed: int) -> _Trial:
    features, _ = _features(kernel, CHOOSING_LANDMARKS, seed)
    cells = _by_cell(examples, features)
    held = [features[:, examples.held_back(fold)] for fold in range(FOLDS)]
    penalties, aucs = {}, {}
    for vantage, own in examples.vantages.items():
        rests = [own - {fold} or own for fold in range(FOLDS)]
        unseen = {rest: add_up([cells[cell] for cell in sorted(rest)]) for rest in rests}
        by_penalty = {}
        for penalty in PENALTIES:
            fits = {rest: equations.solve(penalty) for rest, equations in unseen.items()}
            by_penalty[penalty] = examples.held_back_auc(
                [fits[rest] @ rows for rest, rows in zip(rests, held, strict=True)]
            )
        penalties[vantage] = max(by_penalty, key=lambda penalty: by_penalty[penalty])
        aucs[vantage] = by_penalty[penalties[vantage]]
    return _Trial(kernel, penalties, aucs)


def _kernels(examples: Examples) -> Iterator[_Kernel]:
    for sharpness in (SHARPNESS, SHARP):
        yield _Kernel(f"standardised, sharpness {sharpness:g}", examples.standardised, sharpness)
    yield _Kernel(f"scaled, sharpness {SHARPNESS:g}", examples.scaled, SHARPNESS)
    for count in COMPONENTS:
        if count < examples.components.learnt.shape[1]:
            view = examples.components.leading(count)
            yield _Kernel(f"{count} components, sharpness {SHARPNESS:g}", view, SHARPNESS)


def _features(
    kernel: _Kernel, landmarks: int, seed: int
) -> tuple[Float[Tensor, "landmark row"], Float[Tensor, "landmark n"]]:
    view = kernel.view
    learnt, judged = nystroem_features(
        view.learnt, (view.learnt, view.judged), kernel.sharpness, landmarks, seed
    )
    return learnt, judged


def _by_cell(examples: Examples, features: Float[Tensor, "landmark row"]) -> dict[int, NormalEquations]:
    equations = {}
    for cell in sorted(set(examples.cell.tolist())):
        rows = examples.rows_of(frozenset({cell}))
        targets = examples.balanced_targets[rows]
        equations[cell] = normal_equations(features[:, rows], targets.sign(), targets.abs())
    return equations
