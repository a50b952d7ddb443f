"""An attack by a kernel machine: kernel ridge regression in closed form."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from aia_models.judging.attackers.examples import FOLDS, Examples, Reading, View
from aia_models.judging.attackers.nystroem import (
    NormalEquations,
    add_up,
    normal_equations,
    nystroem_features,
)

CHOOSING_LANDMARKS, LANDMARKS = 600, 2000  # more read more, and cost more
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
class _Choice:
    """The kernel and the penalty that are best for one vantage on held-back people."""

    held_back_auc: float
    kernel: _Kernel
    penalty: float


def kernel_machine(examples: Examples, seed: int) -> dict[str, Reading]:
    """Return the reading of each vantage, with the view, kernel and penalty that are best on its held-back people.

    Choosing uses fewer landmarks than the final fit. Each cell of people enters by one set of normal equations, from
    which those of all vantages, with and without held-back people, are added up.
    """
    choices = _choose(examples, seed)
    readings = {}
    for kernel in {choice.kernel.name: choice.kernel for choice in choices.values()}.values():
        own = {vantage: choice for vantage, choice in choices.items() if choice.kernel is kernel}
        features, judged = _features(kernel, LANDMARKS, seed)
        cells = _by_cell(examples, features, {cell for vantage in own for cell in examples.vantages[vantage]})
        for vantage, choice in own.items():
            whole = add_up([cells[cell] for cell in sorted(examples.vantages[vantage])])
            scores = (whole.solve(choice.penalty) @ judged).double().cpu().numpy()
            readings[vantage] = Reading(scores, f"{kernel.name}, penalty {choice.penalty:g}")
    return {vantage: readings[vantage] for vantage in examples.vantages}


def _choose(examples: Examples, seed: int) -> dict[str, _Choice]:
    choices: dict[str, _Choice] = {}
    for kernel in _kernels(examples):
        features, _ = _features(kernel, CHOOSING_LANDMARKS, seed)
        cells = _by_cell(examples, features, set(examples.cell.tolist()))
        held = [features[:, examples.held_back(fold)] for fold in range(FOLDS)]
        for vantage, own in examples.vantages.items():
            rests = [own - {fold} or own for fold in range(FOLDS)]
            unseen = {rest: add_up([cells[cell] for cell in sorted(rest)]) for rest in rests}
            for penalty in PENALTIES:
                fits = {rest: equations.solve(penalty) for rest, equations in unseen.items()}
                held_back_auc = examples.held_back_auc(
                    [fits[rest] @ rows for rest, rows in zip(rests, held, strict=True)]
                )
                if vantage not in choices or held_back_auc > choices[vantage].held_back_auc:
                    choices[vantage] = _Choice(held_back_auc, kernel, penalty)
    return choices


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


def _by_cell(
    examples: Examples, features: Float[Tensor, "landmark row"], cells: Iterable[int]
) -> dict[int, NormalEquations]:
    equations = {}
    for cell in cells:
        rows = examples.rows_of(frozenset({cell}))
        targets = examples.balanced_targets[rows]
        equations[cell] = normal_equations(features[:, rows], targets.sign(), targets.abs())
    return equations
