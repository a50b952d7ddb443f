"""An attack by a kernel machine: kernel ridge regression in closed form."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64
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
COMPONENTS = (25, 50)


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


def kernel_machine(examples: Examples, seed: int, landmarks: int = LANDMARKS) -> dict[str, Reading]:
    """Return the reading of each vantage: the mean score of the kernels that are best on held-back people.

    The mean over vantages decides about a kernel, each vantage about its penalty. Choosing uses fewer landmarks than
    the final fit, and first releases only. The second of the best kernels learns from second releases, where there are
    any, so that the mean of both is less disturbed by the channel's noise.
    """
    first, second = np.flatnonzero(examples.first), np.flatnonzero(~examples.first)
    tried = [_try(kernel, examples, first, seed) for kernel in _kernels(examples)]
    best = sorted(tried, key=lambda trial: -sum(trial.aucs.values()))[:BEST_KERNELS]
    scores = {vantage: np.zeros(len(examples.judged_rows)) for vantage in examples.vantages}
    for number, trial in enumerate(best):
        rows = second if number == 1 and len(second) else first
        view = trial.kernel.view
        learnt, judged = _features(trial.kernel, (view.learnt[rows], view.judged), landmarks, seed)
        cells = _by_cell(examples, rows, learnt)
        for vantage, own in examples.vantages.items():
            solution = add_up([cells[cell] for cell in sorted(own)]).solve(trial.penalties[vantage])
            read = (solution @ judged).double().cpu().numpy()
            scores[vantage] += read / max(float(read.std()), 1e-12) / len(best)
    setting = " and ".join(trial.kernel.name for trial in best)
    return {vantage: Reading(scores[vantage], setting) for vantage in examples.vantages}


def _try(kernel: _Kernel, examples: Examples, rows: Int64[np.ndarray, " own"], seed: int) -> _Trial:
    (features,) = _features(kernel, [kernel.view.learnt[rows]], CHOOSING_LANDMARKS, seed)
    cells = _by_cell(examples, rows, features)
    held = [features[:, examples.cell[rows] == fold] for fold in range(FOLDS)]
    penalties, aucs = {}, {}
    for vantage, own in examples.vantages.items():
        rests = [own - {fold} or own for fold in range(FOLDS)]
        unseen = {rest: add_up([cells[cell] for cell in sorted(rest)]) for rest in rests}
        by_penalty = {}
        for penalty in PENALTIES:
            fits = {rest: equations.solve(penalty) for rest, equations in unseen.items()}
            by_penalty[penalty] = examples.held_back_auc(
                [fits[rest] @ own for rest, own in zip(rests, held, strict=True)]
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
    kernel: _Kernel, asked: Sequence[Float[Tensor, "_ dim"]], landmarks: int, seed: int
) -> list[Float[Tensor, "landmark _"]]:
    """Return the kernel's features of each array in `asked`; landmarks are drawn among the first one."""
    return nystroem_features(asked[0], asked, kernel.sharpness, landmarks, seed)


def _by_cell(
    examples: Examples, rows: Int64[np.ndarray, " own"], features: Float[Tensor, "landmark own"]
) -> dict[int, NormalEquations]:
    """Return the normal equations of each cell of people, of which those of vantages and folds are sums."""
    targets = examples.balanced_targets[rows]
    equations = {}
    for cell in sorted(set(examples.cell.tolist())):
        own = examples.cell[rows] == cell
        equations[cell] = normal_equations(features[:, own], targets[own].sign(), targets[own].abs())
    return equations
