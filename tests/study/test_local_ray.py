"""A study on a Ray of its own, whose raylet dies: the driver ends, and resume goes on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.campaign import AIA_STUDY, ancestors, settings_of, trial_processes
from tests.faults.verdict import Verdict, judged


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_driver_whose_raylet_is_killed_ends_and_resume_goes_on(tmp_path, faces_folder):
    launching = [AIA_STUDY, "launch", "quick", "--name", "tiny", *settings_of(faces_folder, 6)]
    for storage in ("killed", "undisturbed"):
        driver = started([*launching, "--storage", str(tmp_path / storage)], tmp_path / f"{storage}.log")
        if storage == "killed":
            while not trial_processes():
                assert driver.poll() is None, "it ended before a trial began"
                time.sleep(0.1)
            time.sleep(4)
            os.kill(raylet_of(driver), signal.SIGKILL)
            assert driver.wait(200) != 0
            driver = started([AIA_STUDY, "resume", str(tmp_path / storage / "tiny")], tmp_path / "resume.log")
        assert driver.wait(300) == 0
    verdict = judged(tmp_path / "killed" / "tiny", tmp_path / "undisturbed" / "tiny", "tiny")
    assert verdict == Verdict(lost=0, duplicates=0, zombies=0, differing_rows=0)


def started(command: list[str], log: Path) -> subprocess.Popen:
    with log.open("w") as told:
        return subprocess.Popen(command, stdout=told, stderr=told)


def raylet_of(driver: subprocess.Popen) -> int:
    found = subprocess.run(["pgrep", "-x", "raylet"], capture_output=True, text=True)
    return next(pid for pid in map(int, found.stdout.split()) if driver.pid in ancestors(pid))
