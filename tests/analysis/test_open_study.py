"""A study that is opened from Python gives the same answers as the functions of the command line."""

import polars as pl
import pytest

import analysis
from analysis.errors import AnalysisError
from analysis.fronts.hypervolume import hypervolume
from analysis.fronts.pareto import pareto_front


def test_front_hypervolume_and_selection_are_those_of_its_trials(searched, study_directory) -> None:
    trials = searched(60)
    opened = analysis.open_study(study_directory(trials))
    front = pareto_front(trials)
    assert opened.front()["trial_id"].to_list() == front["trial_id"].to_list()
    assert opened.hypervolume() == hypervolume(trials)
    limit = front["attacker_auc_validation"].median()
    within = front.filter(pl.col("attacker_auc_validation") <= limit)
    assert opened.select(limit).trial["trial_id"] == within["trial_id"][-1]
    assert opened.select(min_matching_auc=0.5).trial["trial_id"] == front["trial_id"][0]


def test_a_directory_without_a_study_is_an_error(tmp_path) -> None:
    with pytest.raises(AnalysisError, match=r"no study\.toml"):
        analysis.open_study(tmp_path)


def test_a_damaged_part_is_warned_of(searched, study_directory) -> None:
    trials = searched(4)
    directory = study_directory(trials)
    (directory / "results" / "trials" / "9.parquet").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"9\.parquet is damaged and left out"):
        opened = analysis.open_study(directory)
    assert opened.trials().height == trials.height
