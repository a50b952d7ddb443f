"""Checkpoints on the front are kept in any order of trials, and of the others only the best few."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.fronts.pareto import is_nondominated
from study.cli import run
from study.lifecycle.checkpoint_pruning import CheckpointPruner
from study.spec.files import load_spec, with_settings
from study.spec.spec import StudySpec
from study.storage.study_storage import StudyStorage

SPEC = load_spec("quick")
FIGURE = st.integers(0, 20).map(lambda twentieth: 0.5 + twentieth / 40)


def spec(behind: int | str = 3, *more: str) -> StudySpec:
    return with_settings(SPEC, [f"checkpoints_behind_front={behind}", *more])


def trial(number: int, attacker: float | None, matching: float | None, **more: Any) -> dict[str, Any]:
    row = {
        "trial_id": f"trial-{number:05d}",
        "design_id": f"design-{number}",
        "phase": "search",
        "status": "complete",
        "checkpoint": f"checkpoints/trial-{number:05d}",
        "attacker_auc_validation": attacker,
        "matching_auc_validation": matching,
    }
    return row | more


def on_disk(study: Path, row: dict[str, Any]) -> dict[str, Any]:
    folder = study / row["checkpoint"]
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_text("weights")
    return row


def left(study: Path) -> set[str]:
    return {folder.name for folder in (study / "checkpoints").iterdir()}


@settings(max_examples=200, deadline=None)
@given(
    figures=st.lists(st.tuples(FIGURE, FIGURE), min_size=1, max_size=40),
    behind=st.integers(0, 4),
    resumes=st.sets(st.integers(0, 39), max_size=3),
)
def test_the_front_is_kept_at_every_moment_and_no_more_than_some_behind_it(figures, behind, resumes) -> None:
    with TemporaryDirectory() as name:
        study, rows = Path(name), []
        kept = CheckpointPruner(StudyStorage(study), spec(behind), [])
        for number, (attacker, matching) in enumerate(figures):
            if number in resumes:
                kept = CheckpointPruner(StudyStorage(study), spec(behind), rows)
            rows.append(on_disk(study, trial(number, attacker, matching)))
            kept.add(rows[-1])
            costs = np.array([[a, -m] for a, m in figures[: number + 1]])
            front = {rows[n]["trial_id"] for n in np.flatnonzero(is_nondominated(costs))}
            assert front <= left(study)
            assert len(left(study)) <= len(front) + behind


def test_those_behind_the_front_are_the_best(tmp_path) -> None:
    kept = CheckpointPruner(StudyStorage(tmp_path), spec(2), [])
    # Each trial is dominated by all trials of lower number.
    for number in (3, 0, 4, 2, 1):
        kept.add(on_disk(tmp_path, trial(number, 0.6 + number / 50, 0.8)))
    assert left(tmp_path) == {"trial-00000", "trial-00001", "trial-00002"}


def test_baselines_confirming_trials_and_the_designs_they_confirm_keep_theirs(tmp_path) -> None:
    kept = CheckpointPruner(StudyStorage(tmp_path), spec(0), [])
    kept.add(on_disk(tmp_path, trial(0, 0.6, 0.8)))
    for number, phase in ((10, "baseline"), (11, "confirm")):
        kept.add(on_disk(tmp_path, trial(number, 0.9, 0.6, phase=phase, design_id="design-0")))
    kept.add(on_disk(tmp_path, trial(1, 0.55, 0.9)))
    assert left(tmp_path) == {"trial-00000", "trial-00010", "trial-00011", "trial-00001"}


def test_both_the_front_within_constraints_and_the_one_without_stay(tmp_path) -> None:
    kept = CheckpointPruner(StudyStorage(tmp_path), spec(0, 'constraints=["alpha <= 5"]'), [])
    for number, (attacker, matching, alpha) in enumerate(
        [(0.5, 0.9, 9.0), (0.6, 0.8, 1.0), (0.7, 0.75, 1.0)]
    ):
        kept.add(on_disk(tmp_path, trial(number, attacker, matching, alpha=alpha)))
    assert left(tmp_path) == {"trial-00000", "trial-00001"}


@pytest.mark.parametrize("attacker", [None, float("nan")])
def test_what_no_front_can_hold_goes(tmp_path, attacker) -> None:
    kept = CheckpointPruner(StudyStorage(tmp_path), spec(5), [])
    kept.add(on_disk(tmp_path, trial(0, attacker, 0.8)))
    assert left(tmp_path) == set()


def test_all_can_be_kept(tmp_path) -> None:
    kept = CheckpointPruner(StudyStorage(tmp_path), spec("all"), [])
    for number in range(30):
        kept.add(on_disk(tmp_path, trial(number, 0.6 + number / 100, 0.8)))
    assert len(left(tmp_path)) == 30


def test_disk_use_stays_bounded_over_1000_trials(tmp_path) -> None:
    rng = np.random.default_rng(0)
    kept, most = CheckpointPruner(StudyStorage(tmp_path), spec(10), []), 0
    costs = []
    for number, (privacy, noise) in enumerate(rng.random((1000, 2))):
        attacker, matching = 0.5 + privacy / 2, 0.5 + privacy / 3 + noise / 10
        costs.append([attacker, -matching])
        kept.add(on_disk(tmp_path, trial(number, attacker, matching)))
        most = max(most, len(left(tmp_path)))
    assert len(left(tmp_path)) == is_nondominated(np.array(costs)).sum() + 10
    assert most < 100


def test_fetch_says_what_is_wrong_in_one_line(tmp_path, capsys) -> None:
    assert run(["fetch", str(tmp_path), "trial-00000", "-o", str(tmp_path / "out")]) == 2
    assert "no study.toml" in capsys.readouterr().err
