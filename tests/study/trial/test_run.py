"""A trial runs in this process, without Ray."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from aia_models.config import ComputeConfig
from aia_models.judging.released import ReleasedFaces
from search_spaces.hyperparameters import resolve
from study.lifecycle.study_directory import create_study
from study.spec.files import load_spec, with_settings
from study.spec.spec import searched_space, with_defaults
from study.storage.outcome import Outcome
from study.trial import run
from study.trial.plan import TrialPlan
from study.trial.run import TrialContext


@pytest.fixture
def planned(faces_folder: Path, tiny_settings: list[str], tmp_path: Path) -> tuple[TrialPlan, TrialContext]:
    return plan_of(faces_folder, tiny_settings, tmp_path)


def plan_of(
    faces_folder: Path, tiny_settings: list[str], storage: Path, *more: str
) -> tuple[TrialPlan, TrialContext]:
    settings = [*(part for part in tiny_settings[2:] if part != "--set"), *more]
    spec = with_defaults(
        with_settings(load_spec("quick"), [*settings, f"dataset=folder:{faces_folder}", "name=threads"])
    )
    study = create_study(spec, storage)
    values = resolve(searched_space(spec).defaults(), spec.fixed)
    plan = TrialPlan("trial-00000", 0, "search", "aia", values, spec.seed)
    attack_prepared = study.attack_prepared and str(study.attack_prepared)
    return plan, TrialContext(study.spec, str(study.prepared), str(study.path), attack_prepared)


def test_threads_are_the_trials_in_training_and_in_judging(
    planned: tuple[TrialPlan, TrialContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, context = planned
    seen: dict[str, set[int]] = {}
    train, judge = run.Trainer.joint_step, run.judge

    def note(where: str) -> None:
        pools = {pool["num_threads"] for pool in threadpool_info()}
        seen[where] = pools | {torch.get_num_threads()}

    monkeypatch.setattr(run.Trainer, "joint_step", lambda *given: (note("training"), train(*given))[1])
    monkeypatch.setattr(run, "judge", lambda *given: (note("judging"), judge(*given))[1])
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpool_limits(2):
            *_, last = run.run_trial(plan, context, context.faces, ComputeConfig(threads=1))
    finally:
        torch.set_num_threads(before)
    assert isinstance(last, Outcome)
    assert last.trial["status"] == "complete", last.trial["error"]
    assert seen == {"training": {1}, "judging": {1}}


def test_the_people_of_another_data_set_are_released_too(
    faces_folder: Path, tiny_settings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, context = plan_of(faces_folder, tiny_settings, tmp_path, "attack_dataset=synthetic")
    released: list[Mapping[str, ReleasedFaces]] = []
    judge = run.judge
    monkeypatch.setattr(run, "judge", lambda faces, *given: (released.append(faces), judge(faces, *given))[1])
    *_, last = run.run_trial(plan, context, context.faces, ComputeConfig(threads=1))
    assert isinstance(last, Outcome)
    assert last.trial["status"] == "complete", last.trial["error"]
    (faces,) = released
    other = context.attack_faces()
    assert other is not None
    assert other.input_shape == (1, 16, 16)
    assert np.array_equal(faces["other"].identity, other.identity)
    assert np.array_equal(faces["other"].attributes["gender"], other.attribute("gender"))
    assert faces["other"].releases.shape[1] == len(other)


def test_a_figure_that_is_no_number_is_the_trials_recorded_error(
    planned: tuple[TrialPlan, TrialContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, context = planned
    judge = run.judge

    def broken(*given):
        judgement = judge(*given)
        return replace(judgement, matches=tuple(replace(m, eer=float("nan")) for m in judgement.matches))

    monkeypatch.setattr(run, "judge", broken)
    *_, last = run.run_trial(plan, context, context.faces, ComputeConfig(threads=1))
    assert isinstance(last, Outcome)
    assert last.trial["status"] == "failed"
    assert last.trial["error"] == "ValueError: eer = nan: a row holds finite numbers or null"
    assert last.trial["epochs"] == len(last.epochs) > 0
    assert last.trial["wall_seconds"] > 0
    assert last.trial["stage1_key"]


@pytest.mark.parametrize("stage", ["heads", "joint"])
def test_an_epoch_record_that_is_no_number_is_the_trials_recorded_error(
    planned: tuple[TrialPlan, TrialContext], monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    plan, context = planned
    run_stage = run.Trainer._run

    def broken(*given):
        for record in run_stage(*given):
            is_broken = record.stage == stage
            yield replace(record, matcher_auc_validation=float("nan")) if is_broken else record

    monkeypatch.setattr(run.Trainer, "_run", broken)
    *_, last = run.run_trial(plan, context, context.faces, ComputeConfig(threads=1))
    assert isinstance(last, Outcome)
    assert last.trial["status"] == "failed"
    assert (
        last.trial["error"] == "ValueError: matcher_auc_validation = nan: a row holds finite numbers or null"
    )
    assert last.trial["epochs"] == len(last.epochs) > 0
    assert stage not in {row["stage"] for row in last.epochs}
