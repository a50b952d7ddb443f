"""Trials that are known before any search: baselines and the spec's own designs, each at every seed."""

from collections.abc import Iterator

from search_spaces.hyperparameters import resolve
from study.design import baseline_values
from study.plan import TrialPlan
from study.spec import StudySpec


def planned_trials(spec: StudySpec) -> list[TrialPlan]:
    """Seed by seed, so that a run that ends early leaves whole seeds; ids stay when seeds are added."""
    return [plan for seed in range(spec.seed, spec.seed + spec.seeds) for plan in _of_seed(spec, seed)]


def _of_seed(spec: StudySpec, seed: int) -> Iterator[TrialPlan]:
    ending = "" if seed == spec.seed else f"-seed-{seed}"
    for name in spec.baselines:
        yield TrialPlan(f"baseline-{name}{ending}", None, "baseline", name, baseline_values(name, spec), seed)
    for place, design in enumerate(spec.designs):
        values = resolve(design, spec.fixed)
        yield TrialPlan(f"design-{place:02d}{ending}", None, "search", "aia", values, seed)
