"""Trials that Ray kills for lack of memory are recorded as failed, and the run ends with the reason."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

AIA_STUDY = str(Path(sys.executable).with_name("aia-study"))
# With this threshold every node counts as out of memory, and Ray's monitor kills every worker.
STARVED = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "100"}


@pytest.mark.slow
def test_a_study_that_finds_no_memory_ends_and_names_it(tmp_path, tiny_settings):
    study = tmp_path / "studies" / "starved"
    command = [
        AIA_STUDY,
        "launch",
        "quick",
        "--storage",
        str(study.parent),
        "--name",
        study.name,
        "--trials",
        "8",
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [*command, *tiny_settings], capture_output=True, text=True, env=environment | STARVED
    )
    assert ran.returncode != 0
    assert "memory" in ran.stderr.splitlines()[-1]
    trials = pl.read_parquet(study / "results" / "trials" / "*.parquet")
    assert set(trials["status"]) == {"failed"}
    resumed = subprocess.run(
        [AIA_STUDY, "resume", str(study)], capture_output=True, text=True, env=environment
    )
    assert resumed.returncode == 0, resumed.stderr
    trials = pl.read_parquet(study / "results" / "trials" / "*.parquet")
    assert trials["trial_id"].is_unique().all()
    assert (trials["status"] == "complete").sum() >= 1
