"""Studies on real Ray that stop trials early and share stage 1."""

import math
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import optuna
import polars as pl
import pytest
import ray
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from ray.cluster_utils import Cluster
from ray.tune.schedulers import TrialScheduler
from rich.console import Console

from study.cli import run
from study.lifecycle.study_directory import open_study_directory
from study.storage.results_store import ResultsStore
from study.trial.plan import TrialPlan
from study.tune.searcher import JOINT_EPOCH
from study.tune.tune_run import RunContext, _recorded_epochs, _scheduler

# The rungs are after joint epochs 1 and 2.
GRACE, FACTOR, EPOCHS = 1, 2, 4
STOPPING = [
    "early_stopping.rule=mo_asha",
    f"early_stopping.grace_epochs={GRACE}",
    f"early_stopping.reduction_factor={FACTOR}",
    f"training.joint_epochs={EPOCHS}",
    "sampler=random",
    "space=alpha-beta",
]
STAGE1_EPOCHS = 2


def table(study: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(study / "results" / name / "*.parquet")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Start two nodes that Ray takes to have a GPU each, and return the cluster's address."""
    # This ends the local Ray of the test process.
    ray.shutdown()
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 1, "include_dashboard": False}
    )
    cluster.add_node(num_cpus=1, num_gpus=1)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(scope="module")
def study(module_storage: Path, tiny_settings: list[str], address: str) -> Path:
    """Run 8 trials over α and β with one architecture and seed; each trial occupies a whole GPU."""
    settings = [part for setting in STOPPING for part in ("--set", setting)]
    where = [
        "--storage",
        str(module_storage),
        "--name",
        "stopping",
        "--address",
        address,
        "--gpus-per-trial",
        "1",
    ]
    assert run(["launch", "alpha-beta", "--trials", "8", *where, *tiny_settings, *settings]) == 0
    return module_storage / "stopping"


def test_stage_1_is_trained_exactly_once(study):
    trials = table(study, "trials")
    # The baseline Original is a trial too.
    assert trials.height == 9
    assert trials["stage1_key"].n_unique() == 1
    assert trials["stage1_reused"].sum() == 8
    assert trials.filter(stage1_reused=False)["stage1_wait_seconds"].item() == 0.0
    assert len(list((study / "stage1").iterdir())) == 1


def test_trials_stop_at_rungs_and_hold_their_last_figures(study):
    trials, epochs = table(study, "trials").filter(phase="search"), table(study, "epochs")
    stopped = trials.filter(status="stopped_early")
    assert set(trials["status"]) == {"complete", "stopped_early"}
    assert set(stopped["epochs"]) <= {STAGE1_EPOCHS + 1, STAGE1_EPOCHS + 2}
    assert 2 <= stopped.height <= 7
    assert stopped["checkpoint"].null_count() == stopped.height
    last = epochs.join(
        trials, left_on=["trial_id", "epoch"], right_on=["trial_id", "epochs"], suffix="_trial"
    )
    assert last.height == trials.height
    for column in (
        "attacker_auc_validation",
        "matching_auc_validation",
        "attacker_auc_attribute_1_validation",
    ):
        assert (last[column] == last[f"{column}_trial"]).all()
    assert last["judging_seconds"].null_count() == 0


def test_every_rung_was_judged_and_baselines_ran_to_their_end(study):
    trials, epochs = table(study, "trials"), table(study, "epochs")
    judged = epochs.filter(pl.col("judging_seconds").is_not_null())
    complete = trials.filter(phase="search", status="complete")["trial_id"]
    for trial_id in complete:
        assert judged.filter(trial_id=trial_id)["epoch"].sort().to_list() == [3, 4, 6]
    baseline = trials.filter(phase="baseline").row(0, named=True)
    assert baseline["status"] == "complete"
    assert judged.filter(trial_id=baseline["trial_id"])["epoch"].to_list() == [STAGE1_EPOCHS]


def test_optuna_is_told_of_a_stopped_trial_as_such(study):
    storage = JournalStorage(JournalFileBackend(str(study / "search.journal")))
    trials = {t.number: t for t in optuna.load_study(study_name="stopping", storage=storage).trials}
    for row in table(study, "trials").filter(phase="search").iter_rows(named=True):
        told = trials[row["optuna_number"]]
        if row["status"] == "complete":
            assert told.state == TrialState.COMPLETE
        else:
            assert (told.state, told.values) == (TrialState.PRUNED, None)


def test_a_resume_compares_with_the_trials_of_before(study, address):
    directory = open_study_directory(study)
    with ResultsStore(directory.storage) as store:
        before = RunContext(directory, store, Console(), math.inf)
        recorded, scheduler = list(_recorded_epochs(before)), _scheduler(before)
    by_rung = pl.DataFrame({"epoch": [epoch for epoch, _ in recorded]})["epoch"].value_counts().sort("epoch")
    assert by_rung["epoch"].to_list() == [1, 2, EPOCHS]
    assert by_rung["count"].to_list()[0] == 8
    worst = TrialPlan("trial-00099", 99, "search", "aia", {}, 0)
    figures = {"attacker_auc_validation": 1.0, "matching_auc_validation": 0.5}
    told = scheduler.on_trial_result(
        None, SimpleNamespace(config=worst.to_config()), {JOINT_EPOCH: GRACE} | figures
    )
    assert told == TrialScheduler.STOP, "without those of before it would be the first, which goes on"
    assert run(["resume", str(study), "--trials", "9", "--address", address]) == 0
    trials = table(study, "trials").filter(phase="search")
    assert trials.height == 9
    assert trials["stage1_reused"].sum() >= 8
