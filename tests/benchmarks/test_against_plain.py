"""The comparison of two whole studies completes, and each cause that it switches off is really off."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "against_plain.py"


@pytest.mark.slow
def test_both_studies_run_and_every_cause_is_switched_off():
    command = [sys.executable, str(SCRIPT), "--trials", "2", "--people", "40", "--within", "1", "--causes"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    *lines, result = ran.stdout.splitlines()
    assert [line.startswith("seed 2, ours without ") for line in lines].count(True) == 7
    assert [line.startswith("seed 2, ours with ") for line in lines].count(True) == 1
    names, figures = zip(*(part.split("=") for part in result.removeprefix("RESULT ").split()), strict=True)
    assert names == ("ratio", "hypervolume_ours", "hypervolume_plain")
    assert all(float(figure) > 0 for figure in figures)
