"""A study on real Ray starts with an earlier study's trials and resumes after that study is gone."""

import shutil
from pathlib import Path

import optuna
import polars as pl
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from study.cli import run
from study.spec.files import load_spec


@pytest.fixture(scope="module")
def earlier(local_ray: None, module_storage: Path, tiny_settings: list[str]) -> Path:
    arguments = ["launch", "quick", "--storage", str(module_storage), "--name", "earlier", "--trials", "3"]
    assert run([*arguments, *tiny_settings]) == 0
    return module_storage / "earlier"


def numbers(study: Path) -> list[int]:
    rows = pl.read_parquet(study / "results" / "trials" / "*.parquet").filter(phase="search")
    assert rows["trial_id"].to_list() == [f"trial-{number:05d}" for number in rows["optuna_number"]]
    return sorted(rows["optuna_number"].to_list())


@pytest.mark.slow
def test_trials_count_behind_the_earlier_ones_and_a_resume_does_without_that_study(
    earlier, tiny_settings, monkeypatch, capsys
):
    storage = earlier.parent
    monkeypatch.chdir(storage)
    arguments = ["launch", "quick", "--storage", str(storage), "--name", "later", "--trials", "2"]
    constrained = ["--set", "warm_start=earlier", "--set", "constraints=['matching_auc_validation >= 0.55']"]
    assert run([*arguments, *tiny_settings, *constrained]) == 0
    assert f"warm start: 3 trials of {earlier} taken; skipped: 0 outside" in capsys.readouterr().err
    later = storage / "later"
    assert load_spec(str(later / "study.toml")).warm_start == str(earlier)
    assert numbers(later) == [3, 4]

    shutil.rmtree(earlier)
    monkeypatch.chdir("/")
    assert run(["resume", str(later)]) == 0
    assert numbers(later) == [3, 4]
    assert run(["resume", str(later), "--trials", "3"]) == 0
    assert numbers(later) == [3, 4, 5]
    storage = JournalStorage(JournalFileBackend(str(later / "search.journal")))
    trials = optuna.load_study(study_name="later", storage=storage).trials
    assert [trial.user_attrs.get("earlier study") for trial in trials[:4]] == [
        *(f"trial-{number:05d}" for number in range(3)),
        None,
    ]
    assert all("matching_auc_validation >= 0.55" in trial.constraints for trial in trials)


def test_a_launch_that_cannot_begin_with_that_study_leaves_nothing_behind(tmp_path, tiny_settings, capsys):
    arguments = ["launch", "quick", "--storage", str(tmp_path), "--name", "later"]
    assert run([*arguments, *tiny_settings, "--set", f"warm_start={tmp_path}"]) == 2
    assert "is no study, it has no study.toml" in capsys.readouterr().err
    assert not (tmp_path / "later").exists()
