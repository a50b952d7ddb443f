"""All phases of the profile are measured and add up to the whole."""

from pathlib import Path

import pytest
import trial_profile

TINY = """
space = "maps"
trials = 1
image_side = 16
[training]
stage1_epochs = 1
heads_epochs = 1
joint_epochs = 1
"""


@pytest.mark.slow
def test_phases_make_up_the_whole(faces_folder: Path, tmp_path: Path) -> None:
    spec = tmp_path / "tiny.toml"
    spec.write_text(TINY)
    runs = trial_profile.profile(str(spec), f"folder:{faces_folder}", threads=1, repeats=2)
    assert len(runs) == 2
    for run in runs:
        assert set(run) == {*trial_profile.PHASES, "whole"}
        assert all(seconds > 0 for seconds in run.values())
        claimed = sum(run[phase] for phase in trial_profile.PHASES)
        assert claimed <= run["whole"], "no second is counted twice"
