"""Whole studies on real Ray: the launched command and the files afterwards."""

import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import optuna
import pandas as pd
import polars as pl
import pytest
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

import aia_models
from aia_models.data.prepared.prepare import open_prepared
from study.cli import run
from study.lifecycle.study_directory import open_study_directory
from study.storage.results_store import ResultsStore

TABLES = ("trials", "epochs", "attacks", "matches")

pytestmark = pytest.mark.usefixtures("local_ray")


@pytest.fixture(scope="module")
def study(module_storage: Path, tiny_settings: list[str]) -> Path:
    arguments = ["launch", "quick", "--storage", str(module_storage), "--name", "tiny", "--trials", "3"]
    assert run([*arguments, *tiny_settings]) == 0
    return module_storage / "tiny"


def table(study: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(study / "results" / name / "*.parquet")


def test_every_planned_trial_has_one_row_with_figures(study):
    trials = table(study, "trials")
    assert trials["trial_id"].is_unique().all()
    assert trials["phase"].value_counts(sort=True).rows() == [("search", 3), ("baseline", 1)]
    assert (trials["status"] == "complete").all()
    figures = trials.select(pl.col("^(attacker|matching)_auc_(validation|test)$"))
    assert figures.null_count().sum_horizontal().item() == 0
    assert trials.filter(phase="search")["optuna_number"].sort().to_list() == [0, 1, 2]
    baseline = trials.filter(phase="baseline").row(0, named=True)
    assert (baseline["method"], baseline["optuna_number"], baseline["alpha"]) == ("original", None, None)


def test_the_tables_agree_with_each_other(study):
    trials, attacks, matches = table(study, "trials"), table(study, "attacks"), table(study, "matches")
    single = attacks.filter(pl.col("reads") == "single_release", pl.col("vantage") != "other")
    counted = single.filter(pl.col("train_images") == pl.max("train_images").over("trial_id", "vantage"))
    for split in ("validation", "test"):
        worst = counted.filter(split=split).group_by("trial_id").agg(worst=pl.max("folded_auc"))
        joined = trials.join(worst, on="trial_id")
        assert joined.height == trials.height
        assert (joined["worst"] == joined[f"attacker_auc_{split}"]).all()
    best = matches.filter(split="validation", negatives="any").group_by("trial_id").agg(best=pl.max("auc"))
    joined = trials.join(best, on="trial_id")
    assert (joined["best"] == joined["matching_auc_validation"]).all()
    assert matches["negatives"].unique().sort().to_list() == ["any", "same_gender"]
    epochs = table(study, "epochs").group_by("trial_id").agg(last=pl.max("epoch"), rows=pl.len())
    joined = trials.join(epochs, on="trial_id")
    assert (joined["last"] == joined["epochs"]).all()
    assert (joined["rows"] == joined["epochs"]).all()


@pytest.mark.parametrize("name", TABLES)
def test_other_tools_read_the_tables(study, name):
    glob = f"{study}/results/{name}/*.parquet"
    rows = table(study, name).height
    assert rows > 0
    assert duckdb.sql(f"select count(*) from read_parquet('{glob}')").fetchall() == [(rows,)]
    assert (
        len(pd.concat(pd.read_parquet(part) for part in (study / "results" / name).glob("*.parquet"))) == rows
    )


def test_optuna_was_told_every_trial(study):
    storage = JournalStorage(JournalFileBackend(str(study / "search.journal")))
    trials = {t.number: t for t in optuna.load_study(study_name="tiny", storage=storage).trials}
    rows = table(study, "trials").filter(phase="search")
    for row in rows.iter_rows(named=True):
        values = [row["attacker_auc_validation"], row["matching_auc_validation"]]
        assert trials[row["optuna_number"]].values == pytest.approx(values, abs=1e-15)
        assert trials[row["optuna_number"]].params["alpha"] == row["alpha"]
    assert len(trials) == 3


def test_checkpoints_load_and_encode(study):
    images = open_prepared(open_study_directory(study).prepared).inputs[:5]
    for row in table(study, "trials").iter_rows(named=True):
        folder = study / row["checkpoint"]
        assert sorted(path.name for path in folder.iterdir()) == [
            "config.json",
            "examples.png",
            "model.safetensors",
        ]
        encoder = aia_models.load(folder)
        released = encoder.encode(images)
        assert released.shape == (5, encoder.channel.low.shape[0])
        assert torch.isfinite(released).all()


def test_front_status_and_select_speak_json(study, capsys):
    assert run(["front", str(study), "--format", "json"]) == 0
    front = json.loads(capsys.readouterr().out)
    assert run(["select", str(study), "--max-attacker-auc", "1.0", "--format", "json"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert chosen["matching_auc_validation"] == max(row["matching_auc_validation"] for row in front)
    assert Path(chosen["checkpoint"]).is_dir()
    assert run(["status", str(study), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["phases"]["search"]["complete"] == 3


def test_people_get_tables_and_a_picture(study, capsys, tmp_path):
    assert (study / "frontier.png").read_bytes().startswith(b"\x89PNG")
    assert run(["plot", str(study), "-o", str(tmp_path / "again.png")]) == 0
    assert (tmp_path / "again.png").exists()
    assert run(["front", str(study)]) == 0
    assert str(study / "checkpoints") in capsys.readouterr().out


def test_resume_of_a_finished_study_changes_nothing_and_can_extend_it(study, capsys):
    kept = [path for path in sorted(study.rglob("*")) if path.is_file()]
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in kept}
    assert run(["resume", str(study)]) == 0
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in kept} == before
    assert run(["resume", str(study), "--trials", "2"]) == 2
    assert "3" in capsys.readouterr().err
    assert run(["resume", str(study), "--trials", "4"]) == 0
    assert table(study, "trials").filter(phase="search")["optuna_number"].sort().to_list() == [0, 1, 2, 3]
    assert open_study_directory(study).spec.trials == 4


def test_a_trial_that_asks_for_more_than_there_is_is_refused(storage, tiny_settings, capsys):
    arguments = ["launch", "quick", "--storage", str(storage), "--name", "tiny", "--gpus-per-trial", "64"]
    assert run([*arguments, *tiny_settings]) == 2
    assert "64 GPU" in capsys.readouterr().err


@pytest.fixture(scope="module")
def interrupted(
    tmp_path_factory: pytest.TempPathFactory, prepared_faces: Path, tiny_settings: list[str]
) -> Path:
    """Return a study of 2 trials and a baseline whose driver got Ctrl-C while trials were running."""
    storage = tmp_path_factory.mktemp("interrupted")
    shutil.copytree(prepared_faces, storage / ".prepared")
    study = storage / "tiny"
    arguments = ["launch", "quick", "--storage", str(storage), "--name", "tiny", "--trials", "2"]
    # With so many epochs a trial that has saved itself is still running when Ctrl-C reaches the driver.
    long = ["--set", "training.joint_epochs=150"]
    process = subprocess.Popen(
        [Path(sys.executable).with_name("aia-study"), *arguments, *tiny_settings, *long],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "trials finished" in line:
            break
    while not (before := saved(study)):
        assert process.poll() is None, "it ended before a trial saved itself"
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    last = process.stderr.read().splitlines()[-1]
    assert process.wait() == 130
    assert f"aia-study resume {study}" in last
    there = table(study, "trials").height
    assert 1 <= there < 3
    assert f"interrupted: {there} of 3 trials are recorded" in last
    after = saved(study)
    assert any(at > before.get(trial, 0) for trial, at in after.items()), "trials under way are saved"
    assert not after.keys() & set(table(study, "trials")["trial_id"])
    return study


def test_when_its_hours_are_over_a_study_ends_in_good_order(interrupted, capsys):
    before = table(interrupted, "trials").height
    assert run(["resume", str(interrupted), "--hours", str(2 / 3600)]) == 0
    there = table(interrupted, "trials").height
    assert before <= there < 3
    last = capsys.readouterr().err.splitlines()[-1]
    assert "hours are over" in last
    assert f"{there - before} of {3 - before} trials are recorded" in last
    assert f"aia-study resume {interrupted}" in last


def test_a_resume_runs_the_rest_once_and_rows_are_visible_while_no_trial_ends(interrupted, monkeypatch):
    seen: list[int] = []
    flush = ResultsStore.flush

    def noted(store: ResultsStore) -> None:
        rows = table(interrupted, "trials").height
        flush(store)
        seen.append(table(interrupted, "trials").height - rows)

    monkeypatch.setattr(ResultsStore, "flush", noted)
    monkeypatch.setattr("study.storage.results_store.FLUSH_SECONDS", 0.1)
    lacking = 3 - table(interrupted, "trials").height
    assert run(["resume", str(interrupted)]) == 0
    assert sum(seen) == lacking
    assert seen.count(1) == lacking, (
        "rows of one trial wait neither for the end of the next nor for the close"
    )
    trials = table(interrupted, "trials")
    assert trials["trial_id"].is_unique().all()
    assert trials.filter(phase="search")["optuna_number"].sort().to_list() == [0, 1]
    assert (trials["status"] == "complete").all()
    assert not list(interrupted.glob("state/*"))


def saved(study: Path) -> dict[str, int]:
    """Return the running trials that have saved themselves, with the times of their saves."""
    found = {}
    for state in study.glob("state/*/training.safetensors"):
        # The trial may have ended since the listing.
        with suppress(FileNotFoundError):
            found[state.parent.name] = state.stat().st_mtime_ns
    return found


def test_a_second_ctrl_c_says_how_to_go_on(study, monkeypatch, capsys):
    def stopped(*given, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("study.tune.run_study.run_study", stopped)
    assert run(["resume", str(study)]) == 130
    assert f"aia-study resume {study}" in capsys.readouterr().err


def test_a_study_without_one_judged_trial_exits_1_and_says_why(storage, tiny_settings, capsys):
    arguments = ["launch", "quick", "--storage", str(storage), "--name", "tiny", "--trials", "2"]
    diverging = ["--set", "fixed.learning_rate=1e30", "--set", "baselines=[]"]
    assert run([*arguments, *tiny_settings, *diverging]) == 1
    trials = table(storage / "tiny", "trials")
    assert trials["status"].to_list() == ["diverged", "diverged"]
    assert trials["attacker_auc_validation"].null_count() == 2
    assert trials["error"].str.contains("nan|inf|NaN").all()
    assert "trial-00000 diverged: " in capsys.readouterr().out
    assert run(["front", str(storage / "tiny")]) == 2
