"""The part of the history that a sampler receives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from optuna.samplers import GPSampler, NSGAIIISampler, NSGAIISampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces.spaces import SPACES
from study.search.samplers import capped_history, optuna_sampler
from study.spec.choices import GUIDED

SIGNS = np.array([1, -1])
AUC = st.floats(0, 1)


def complete(attacker: float, matching: float, violation: float = 0.0) -> FrozenTrial:
    return create_trial(values=[attacker, matching], constraints={"c": violation})


def dominated(trial: FrozenTrial, others: list[FrozenTrial]) -> bool:
    attacker, matching = trial.values
    return any(
        o.values[0] <= attacker and o.values[1] >= matching and o.values != trial.values for o in others
    )


@given(st.lists(st.tuples(AUC, AUC), max_size=60), st.integers(2, 20))
def test_it_is_the_newest_and_the_front_as_far_as_that_fits(values, most):
    finished = {number: complete(*pair) for number, pair in enumerate(values)}
    kept = capped_history(finished, most, SIGNS)
    assert len(kept) == min(most, len(finished))
    assert list(kept) == sorted(kept)
    assert all(kept[number] is finished[number] for number in kept)
    front = [n for n, trial in finished.items() if not dominated(trial, list(finished.values()))]
    assert len(set(front) & kept.keys()) >= min(len(front), most // 2, len(finished))
    assert set(list(finished)[-(most - most // 2) :]) <= kept.keys()


def test_a_violating_trial_comes_after_all_that_violate_nothing_and_one_stopped_early_last():
    stopped = create_trial(state=TrialState.PRUNED)
    ranked = [complete(0.9, 0.1), complete(0.1, 0.9, 0.1), complete(0.0, 1.0, 0.2)]
    trials = dict(enumerate([*ranked, *[stopped] * 10]))
    for best in (1, 2, 3):
        assert list(capped_history(trials, 2 * best, SIGNS)) == [*range(best), *range(13 - best, 13)]


def test_nothing_is_shown_of_nothing():
    assert capped_history({}, 4, SIGNS) == {}


def test_every_name_is_optunas_sampler_of_that_name_without_a_warning(recwarn):
    kinds = [type(optuna_sampler(name, SPACES["alpha-beta"], 2**63 - 1)) for name in GUIDED]
    assert issubclass(kinds[0], TPESampler)
    assert kinds[1:] == [NSGAIISampler, NSGAIIISampler, GPSampler]
    assert not recwarn.list
