"""The order and ids of the baselines and of the spec's own designs."""

from study.lifecycle.planned_trials import planned_trials
from study.spec.files import load_spec, with_settings
from study.trial.training_config import baseline_designs


def test_each_seed_runs_its_baselines_then_the_designs():
    spec = with_settings(
        load_spec("paper"),
        ["seed=4", "seeds=2", "designs=[{alpha=0, beta=1}, {alpha=0.5, beta=0.5}]"],
    )
    plans = planned_trials(spec)
    assert [(plan.trial_id, plan.phase, plan.method, plan.seed) for plan in plans] == [
        ("baseline-original", "baseline", "original", 4),
        ("baseline-random", "baseline", "random", 4),
        ("design-00", "search", "aia", 4),
        ("design-01", "search", "aia", 4),
        ("baseline-original-seed-5", "baseline", "original", 5),
        ("baseline-random-seed-5", "baseline", "random", 5),
        ("design-00-seed-5", "search", "aia", 5),
        ("design-01-seed-5", "search", "aia", 5),
    ]
    assert all(plan.optuna_number is None for plan in plans)
    assert (plans[2].values["alpha"], plans[2].values["beta"]) == (0.0, 1.0)
    assert plans[2].values["adversary"] == "cnn"
    assert plans[0].values == baseline_designs("original", spec)[""]


def test_more_seeds_only_add_trials():
    spec = load_spec("paper")
    fewer, more = (planned_trials(with_settings(spec, [f"seeds={seeds}"])) for seeds in (1, 3))
    assert more[: len(fewer)] == fewer
    assert len({plan.trial_id for plan in more}) == len(more) == 3 * len(fewer)


def test_a_spec_without_designs_plans_its_baselines_once():
    spec = load_spec("quick")
    *others, first, second, third, fourth = [plan.trial_id for plan in planned_trials(spec)]
    assert others == ["baseline-original", "baseline-random", "baseline-aia_without_t", "baseline-erasure"]
    assert first == "baseline-fisher-10-0.7"
    assert all(one.startswith("baseline-fisher-") for one in (second, third, fourth))
