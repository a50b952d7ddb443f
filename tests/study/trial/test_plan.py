"""A plan reaches its worker as a flat Ray Tune config and arrives unchanged."""

import pytest

from search_spaces.hyperparameters import resolve
from study.spec.files import load_spec, with_settings
from study.spec.spec import searched_space
from study.trial.plan import TrialPlan
from study.trial.training_config import baseline_designs

SPEC = with_settings(load_spec("full"), ["fixed.decoder_width=32"])
SEARCH = TrialPlan(
    "trial-00007",
    7,
    "search",
    "aia",
    resolve(searched_space(SPEC).defaults(), SPEC.fixed) | {"alpha": 2.5},
    3,
)
BASELINE = TrialPlan(
    "baseline-original", None, "baseline", "original", baseline_designs("original", SPEC)[""], 3
)


@pytest.mark.parametrize("plan", [SEARCH, BASELINE], ids=["search", "baseline"])
def test_a_config_gives_back_the_whole_plan(plan: TrialPlan) -> None:
    config = plan.to_config()
    assert TrialPlan.from_config(config) == plan
    assert None not in config.values(), "Ray's loggers show each value"


def test_hyperparameters_stand_under_their_own_names_as_they_are() -> None:
    config = SEARCH.to_config()
    assert (config["alpha"], config["trial_id"], config["seed"]) == (2.5, "trial-00007", 3)
    assert "noise_sd" not in BASELINE.to_config(), "a hyperparameter that is not in effect is absent"
