"""A study on its own local Ray loses nothing when its raylet dies: a resume completes it."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.campaign import AIA_STUDY, ancestors, settings_of, trial_processes
from tests.faults.verdict import Verdict, judged


@pytest.mark.slow
def test_a_study_whose_raylet_is_killed_is_complete_after_a_resume(tmp_path, faces_folder):
    launching = [AIA_STUDY, "launch", "quick", "--name", "tiny", *settings_of(faces_folder, 12)]
    driver = started([*launching, "--storage", str(tmp_path / "killed")], tmp_path / "killed.log")
    while not trial_processes():
        assert driver.poll() is None, "it ended before a trial began"
        time.sleep(0.1)
    time.sleep(4)
    try:
        os.kill(raylet_of(driver), signal.SIGKILL)
        assert "13 of 13 trials finished" not in (tmp_path / "killed.log").read_text(), (
            "nothing was under way"
        )
        # Workers, and so the study, may outlive the raylet.
        driver.wait()
    finally:
        driver.kill()
    study = tmp_path / "killed" / "tiny"
    assert started([AIA_STUDY, "resume", str(study)], tmp_path / "resume.log").wait() == 0
    undisturbed = tmp_path / "undisturbed"
    assert started([*launching, "--storage", str(undisturbed)], tmp_path / "other.log").wait() == 0
    verdict = judged(study, undisturbed / "tiny", "tiny")
    assert verdict == Verdict(lost=0, duplicates=0, zombies=0, differing_rows=0)


def started(command: list[str], log: Path) -> subprocess.Popen:
    with log.open("w") as told:
        return subprocess.Popen(command, stdout=told, stderr=told)


def raylet_of(driver: subprocess.Popen) -> int:
    found = subprocess.run(["pgrep", "-x", "raylet"], capture_output=True, text=True)
    return next(pid for pid in map(int, found.stdout.split()) if driver.pid in ancestors(pid))
