"""A short campaign of faults; the long one is `python -m tests.faults.campaign`."""

import subprocess
import sys

import pytest

from tests.faults.campaign import KINDS


def campaign(*options: str) -> str:
    command = [sys.executable, "-m", "tests.faults.campaign", *options]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_a_short_campaign_loses_nothing():
    *_, result = campaign("--rounds", "2", "--trials", "4", "--longest", "4").splitlines()
    assert result.endswith("lost=0 duplicates=0 zombies=0 reader_errors=0 differing_rows=0")
    assert int(result.removeprefix("RESULT rounds=").split()[0]) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_by_itself_loses_nothing(kind):
    *_, result = campaign("--rounds", "2", "--trials", "12", "--longest", "8", "--kinds", kind).splitlines()
    assert result.endswith("lost=0 duplicates=0 zombies=0 reader_errors=0 differing_rows=0")
