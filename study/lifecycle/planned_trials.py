"""Planned trials: the baselines and the spec's own designs, which a study trains whatever its search finds."""

from collections.abc import Iterator

from search_spaces.hyperparameters import resolve
from study.spec.spec import StudySpec
from study.trial.plan import TrialPlan
from study.trial.training_config import baseline_designs


def planned_trials(spec: StudySpec) -> list[TrialPlan]:
    """Return the baselines and the spec's own designs, each once per seed.

    They are ordered by seed, so that a run that ends early leaves complete seeds. More seeds only append trials; the
    ids of the others stay.
    """
    seeds = range(spec.seed, spec.seed + spec.seeds)
    return [plan for seed in seeds for plan in _trials_with_seed(spec, seed)]


def _trials_with_seed(spec: StudySpec, seed: int) -> Iterator[TrialPlan]:
    suffix = "" if seed == spec.seed else f"-seed-{seed}"
    for name in spec.baselines:
        for strength, values in baseline_designs(name, spec).items():
            trial_id = f"baseline-{name}{strength}{suffix}"
            yield TrialPlan(trial_id, None, "baseline", name, values, seed)
    for index, design in enumerate(spec.designs):
        values = resolve(design, spec.fixed)
        yield TrialPlan(f"design-{index:02d}{suffix}", None, "search", "aia", values, seed)
