"""Confirmation on real Ray: at the end of a launch, by the command `confirm`, and after its driver was killed."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from study.cli import run
from study.lifecycle.confirmation_trials import fresh_seeds, search_front
from study.lifecycle.planned_trials import planned_trials
from study.lifecycle.study_directory import create_study, open_study_directory
from study.lifecycle.study_extension import extend_study
from study.spec.files import load_spec, with_settings
from study.storage.results_store import ResultsStore
from study.storage.study_storage import StudyStorage
from study.trial.rows import failed

# A confirmation judges several trials, which takes seconds even for a few faces.
pytestmark = pytest.mark.slow


def table(study: Path, name: str = "trials") -> pl.DataFrame:
    return pl.read_parquet(study / "results" / name / "*.parquet")


def of_phase(study: Path, phase: str) -> pl.DataFrame:
    return table(study).filter(phase=phase).sort("trial_id")


def expected(study: Path) -> set[str]:
    spec = open_study_directory(study).spec
    designs = search_front(table(study), spec)["design_id"]
    return {f"confirm-{design}-{n}" for design in designs for n in range(1, spec.confirm_seeds + 1)}


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory, tiny_settings: list[str]) -> Path:
    storage = tmp_path_factory.mktemp("storage")
    arguments = ["launch", "quick", "--storage", str(storage), "--name", "tiny", "--trials", "1"]
    assert run([*arguments, *tiny_settings, "--set", "confirm_seeds=1"]) == 0
    assert set(of_phase(storage / "tiny", "confirm")["trial_id"]) == expected(storage / "tiny")
    return storage / "tiny"


@pytest.fixture(scope="module")
def confirmed(launched: Path) -> Path:
    """Confirm an unfinished search with three seeds by a driver that is killed, then by another driver."""
    extend_study(open_study_directory(launched), 2)
    process = subprocess.Popen(
        [Path(sys.executable).with_name("aia-study"), "confirm", str(launched), "--seeds", "3"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "trials finished" in line:
            process.kill()
            break
    assert process.wait() == -signal.SIGKILL, said
    assert any("the search lacks trials (1)" in line for line in said)
    assert run(["confirm", str(launched)]) == 0
    return launched


def test_the_search_front_is_confirmed_once_for_each_fresh_seed_though_a_driver_was_killed(confirmed):
    assert table(confirmed)["trial_id"].is_unique().all()
    assert of_phase(confirmed, "search").height == 1
    rows = of_phase(confirmed, "confirm")
    assert set(rows["trial_id"]) == expected(confirmed)
    assert set(rows["seed"]) == set(fresh_seeds(open_study_directory(confirmed).spec))
    assert not set(rows["seed"]) & set(table(confirmed).filter(pl.col("phase") != "confirm")["seed"])
    assert rows.select("optuna_number", "error").null_count().row(0) == (rows.height, rows.height)
    assert (rows["status"] == "complete").all()
    assert all((confirmed / checkpoint / "model.safetensors").is_file() for checkpoint in rows["checkpoint"])
    searched = {row["design_id"]: row for row in of_phase(confirmed, "search").iter_rows(named=True)}
    for row in rows.iter_rows(named=True):
        assert row["trial_id"].split("-")[1] == row["design_id"]
        assert (row["alpha"], row["beta"]) == tuple(
            searched[row["design_id"]][name] for name in ("alpha", "beta")
        )


def test_readers_use_the_means_over_fresh_seeds_and_say_so(confirmed, capsys, tmp_path):
    assert run(["front", str(confirmed), "--format", "json"]) == 0
    front = json.loads(capsys.readouterr().out)
    assert {(row["source"], row["seeds"]) for row in front} == {("confirm", 3)}
    rows = of_phase(confirmed, "confirm")
    for row in front:
        seeds = rows.filter(design_id=row["design_id"])["attacker_auc_validation"]
        assert row["attacker_auc_validation"] == pytest.approx(seeds.mean())
    for command, said in (
        ("front", "means over 3 fresh seeds"),
        ("status", "on 3 fresh seeds"),
    ):
        assert run([command, str(confirmed)]) == 0
        assert said in " ".join(capsys.readouterr().out.split())
    assert run(["select", str(confirmed), "--max-attacker-auc", "1.0", "--format", "json"]) == 0
    assert "/checkpoints/confirm-" in json.loads(capsys.readouterr().out)["checkpoint"]
    assert run(["plot", str(confirmed), "-o", str(tmp_path / "front.png")]) == 0


def test_what_is_confirmed_is_left_alone_and_seeds_only_grow(confirmed, capsys):
    kept = [path for path in sorted(confirmed.rglob("*")) if path.is_file()]
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in kept}
    assert run(["confirm", str(confirmed), "--seeds", "3"]) == 0
    assert run(["confirm", str(confirmed)]) == 0
    capsys.readouterr()
    assert run(["confirm", str(confirmed), "--seeds", "1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    for word in ("--seeds 1", str(confirmed), "3 fresh seeds"):
        assert word in line
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in kept} == before


def test_resume_searches_on_and_confirms_what_is_new_on_the_front(confirmed):
    there = set(of_phase(confirmed, "confirm")["trial_id"])
    assert run(["resume", str(confirmed)]) == 0
    assert of_phase(confirmed, "search").height == 2
    assert expected(confirmed) - there, (
        "the second design, which protects nothing, matches better than the first"
    )
    assert set(of_phase(confirmed, "confirm")["trial_id"]) == there | expected(confirmed)


def test_a_search_without_a_complete_trial_has_nothing_to_confirm(
    tmp_path, faces_folder, tiny_settings, capsys
):
    settings = [part for part in tiny_settings[2:] if part != "--set"]
    dataset = [f"dataset=folder:{faces_folder}", "name=none"]
    spec = with_settings(
        load_spec("paper"), [*settings, *dataset, "seeds=1", "designs=[{alpha=0.5, beta=0.5}]"]
    )
    study = create_study(spec, tmp_path)
    spec_toml = (study.path / "study.toml").read_bytes()
    with ResultsStore(StudyStorage(study.path)) as store:
        for plan in planned_trials(study.spec):
            store.append(failed(plan, study.spec, "lost"))
    assert run(["confirm", str(study.path), "--seeds", "2"]) == 2
    assert f"{study.path}: none of 1 trials is complete" in capsys.readouterr().err
    assert (study.path / "study.toml").read_bytes() == spec_toml
