"""The designs, seeds and ids of the trials that confirm a front."""

from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.tables.schema import SCHEMAS, to_table
from search_spaces.domains import Choice, Integer, LogUniform, Uniform, Value
from search_spaces.hyperparameters import resolve
from search_spaces.spaces import SPACES, Space
from study.errors import StudyError
from study.lifecycle.confirmation_trials import MAX_SEEDS, confirmation_trials, fresh_seeds, search_front
from study.lifecycle.study_directory import StudyDirectory
from study.lifecycle.study_extension import extend_confirmation
from study.spec.files import load_spec, to_toml, with_settings
from study.spec.spec import StudySpec, searched_space, with_defaults
from study.storage.outcome import Outcome
from study.storage.results_store import ResultsStore
from study.storage.study_storage import StudyStorage
from study.trial.plan import TrialPlan
from study.trial.rows import trial_row

QUICK = with_settings(load_spec("quick"), ["confirm_seeds=2"])
FULL = load_spec("full")
DESIGNS = tuple(
    resolve({"alpha": alpha, "beta": beta}, QUICK.fixed) for alpha, beta in product((0.1, 1 / 3), (0, 7))
)
AUCS = st.sampled_from([0.5, 0.6, 0.7, None])
ROWS = st.lists(
    st.tuples(
        st.integers(0, len(DESIGNS) - 1), AUCS, AUCS,
        st.sampled_from(["search", "search", "baseline", "confirm"]),
        st.sampled_from(["complete", "complete", "stopped_early"]),
    ),
    max_size=12,
)  # fmt: skip


def frame(rows: list[tuple[int, float | None, float | None, Any, Any]]) -> pl.DataFrame:
    """Return a `trials` frame from rows of (design, attacker AUC, matching AUC, phase, status)."""
    recorded = []
    for number, (design, attacker, matching, phase, status) in enumerate(rows):
        plan = TrialPlan(f"t{number}", None, phase, "aia", DESIGNS[design], number)
        figures = {"attacker_auc_validation": attacker, "matching_auc_validation": matching}
        recorded.append(trial_row(plan, QUICK, status, **figures))
    read = pl.from_arrow(to_table(recorded, SCHEMAS["trials"]))
    assert isinstance(read, pl.DataFrame)
    return read


def with_seeds(spec: StudySpec, **seeds: int) -> StudySpec:
    return with_settings(spec, [f"{name}={value}" for name, value in seeds.items()])


@settings(deadline=None)
# In this example every second number of the stream is a seed of the search.
@example(seed=0, seeds=2**31, confirm_seeds=20)
@given(seed=st.integers(0, 2**32), seeds=st.integers(1, 2**31), confirm_seeds=st.integers(0, 20))
def test_fresh_seeds_are_distinct_and_none_of_the_searchs(seed, seeds, confirm_seeds):
    fresh = fresh_seeds(with_seeds(QUICK, seed=seed, seeds=seeds, confirm_seeds=confirm_seeds))
    assert len(set(fresh)) == len(fresh) == confirm_seeds
    assert all(0 <= one < 2**32 and one not in range(seed, seed + seeds) for one in fresh)


# For these seeds the first number of the stream lies less than MAX_SEEDS above the seed.
@pytest.mark.parametrize("seed", [6080, 20634, 180418, 0])
def test_fresh_seeds_stay_when_more_seeds_of_either_kind_follow(seed):
    few = fresh_seeds(with_seeds(QUICK, seed=seed, confirm_seeds=2))
    assert fresh_seeds(with_seeds(QUICK, seed=seed, confirm_seeds=9))[:2] == few
    assert fresh_seeds(with_seeds(QUICK, seed=seed, confirm_seeds=2, seeds=MAX_SEEDS)) == few
    assert not set(few) & set(fresh_seeds(with_seeds(QUICK, seed=seed + 1, confirm_seeds=2)))


@settings(deadline=None)
@given(rows=ROWS)
def test_each_design_on_the_searchs_front_is_confirmed_once_for_each_fresh_seed(rows):
    def costs(row: tuple) -> tuple[float, float]:
        return row[1], -row[2]

    searched = [r for r in rows if r[3:] == ("search", "complete") and None not in r[1:3]]
    front = {
        row[0]
        for row in searched
        if not any(costs(o) != costs(row) and all(map(float.__le__, costs(o), costs(row))) for o in searched)
    }
    plans = confirmation_trials(frame(rows), QUICK)
    assert [plan.seed for plan in plans] == [seed for seed in fresh_seeds(QUICK) for _ in front]
    assert len({plan.trial_id for plan in plans}) == len(plans)
    for plan in plans:
        assert (plan.optuna_number, plan.phase, plan.method) == (None, "confirm", "aia")
        assert plan.values in [DESIGNS[design] for design in front]


@settings(deadline=None)
@given(rows=ROWS, confirm_seeds=st.integers(0, 4))
def test_more_fresh_seeds_only_add_trials(rows, confirm_seeds):
    trials = frame(rows)
    fewer, more = (
        confirmation_trials(trials, with_seeds(QUICK, confirm_seeds=k)) for k in (confirm_seeds, 5)
    )
    assert more[: len(fewer)] == fewer


@st.composite
def designs(draw: st.DrawFn, searched: Space) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, domain in searched.parameters.items():
        match domain:
            case Choice():
                values[name] = draw(st.sampled_from(domain.options))
            case Integer():
                values[name] = draw(st.integers(domain.low, domain.high))
            case LogUniform() | Uniform():
                values[name] = draw(st.floats(domain.low, domain.high))
    return {name: values[name] for name in searched.active(values)}


# The examples are few, because each writes a file.
@settings(deadline=None, max_examples=30)
@given(design=designs(SPACES["full"]))
def test_a_design_read_back_from_parquet_is_the_same_design(design, tmp_path_factory):
    searched = searched_space(FULL)
    assert searched.parameters == SPACES["full"].without({"private_attributes": 1, **FULL.fixed}).parameters
    plan = TrialPlan("t", 0, "search", "aia", resolve(design, FULL.fixed), FULL.seed)
    row = trial_row(plan, FULL, "complete", attacker_auc_validation=0.6, matching_auc_validation=0.7)
    part: Path = tmp_path_factory.mktemp("part") / "part.parquet"
    pq.write_table(to_table([row], SCHEMAS["trials"]), part)
    plans = confirmation_trials(pl.read_parquet(part), FULL)
    assert {plan.trial_id for plan in plans} == {f"confirm-{row['design_id']}-{n}" for n in (1, 2, 3)}
    assert all(trial_row(p, FULL, "complete")["design_id"] == row["design_id"] for p in plans)
    assert all(p.values == plan.values for p in plans)


def test_a_design_that_this_release_trains_otherwise_is_refused():
    trials = frame([(0, 0.6, 0.7, "search", "complete")]).with_columns(design_id=pl.lit("0123456789ab"))
    with pytest.raises(StudyError, match="trial t0 cannot be confirmed") as caught:
        confirmation_trials(trials, QUICK)
    assert "\n" not in str(caught.value)


def test_a_design_beyond_a_constraint_is_not_confirmed_and_hides_no_other():
    rows = frame(
        [
            # This design, with β = 7, dominates the others.
            (1, 0.5, 0.9, "search", "complete"),
            (0, 0.6, 0.7, "search", "complete"),
            (2, 0.7, 0.6, "search", "complete"),
        ]
    )
    assert set(search_front(rows, QUICK)["trial_id"]) == {"t0"}
    limited = with_settings(QUICK, ['constraints=["attacker_auc_validation >= 0.55"]'])
    assert set(search_front(rows, limited)["trial_id"]) == {"t1"}
    by_beta = with_settings(QUICK, ['constraints=["beta <= 5"]'])
    assert set(search_front(rows, by_beta)["trial_id"]) == {"t1"}


def test_where_no_trial_is_within_the_constraints_nothing_is_planned(tmp_path):
    spec = with_defaults(
        with_settings(QUICK, ['constraints=["matching_auc_validation >= 0.9"]', "confirm_seeds=0"])
    )
    (tmp_path / "study.toml").write_text(to_toml(spec))
    plan = TrialPlan("trial-00000", 0, "search", "aia", DESIGNS[0], 0)
    figures = {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}
    with ResultsStore(StudyStorage(tmp_path)) as store:
        store.append(Outcome(trial_row(plan, spec, "complete", **figures)))
    with pytest.raises(
        StudyError, match=r"no complete search trial is within .*\(matching_auc_validation >= 0.9\)"
    ):
        extend_confirmation(StudyDirectory(StudyStorage(tmp_path), spec, tmp_path), 2)
    assert load_spec(str(tmp_path / "study.toml")).confirm_seeds == 0
