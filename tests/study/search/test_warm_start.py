"""A warm start takes an earlier study's complete search trials within the space, if figures compare."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aia_models.judging.judge import JUDGE_VERSION
from analysis.tables.objectives import ATTACKER, MATCHING
from search_spaces.hyperparameters import resolve
from study.errors import SpecError
from study.search.warm_start import check_earlier_study, read_earlier_trials
from study.spec.files import load_spec, to_toml, with_settings
from study.spec.spec import StudySpec, searched_space, with_defaults
from study.storage.outcome import Outcome
from study.storage.results_store import ResultsStore
from study.storage.study_storage import StudyStorage

FIGURES = {ATTACKER.column: 0.6, MATCHING.column: 0.7}


def quick(*settings: str) -> StudySpec:
    return with_defaults(with_settings(load_spec("quick"), list(settings)))


def row(trial_id: str, spec: StudySpec, changes: Mapping[str, Any], **more: Any) -> Outcome:
    values = resolve({**searched_space(spec).defaults(), **changes}, spec.fixed)
    trial = {
        "trial_id": trial_id,
        "design_id": trial_id,
        "phase": "search",
        "method": "aia",
        "seed": 0,
        "split_seed": 0,
        "status": "complete",
        **values,
        **FIGURES,
        **more,
    }
    return Outcome(trial)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """Write a study of the alpha-beta space with this release's judge, in two parts."""
    spec = with_defaults(with_settings(load_spec("alpha-beta"), [f"judge_version={JUDGE_VERSION}"]))
    directory = tmp_path / "earlier"
    directory.mkdir()
    (directory / "study.toml").write_text(to_toml(spec))
    with ResultsStore(StudyStorage(directory)) as store:
        store.append(row("trial-00000", spec, {}))
        store.append(row("trial-00001", spec, {"channel": "none", "noise_sd": None}))
        store.append(row("trial-00002", spec, {"channel": "quantise", "noise_sd": None, "quantise_bits": 3}))
        store.append(row("trial-00003", spec, {}, status="failed"))
        store.append(row("trial-00004", spec, {}, status="stopped_early"))
        store.append(row("baseline-original", spec, {}, phase="baseline"))
        store.flush()
        store.append(row("confirm-00000", spec, {}, phase="confirm"))
        store.append(row("trial-00005", spec, {"alpha": 25.0}))
    return directory


def spec_from(earlier: Path, *settings: str) -> StudySpec:
    return with_defaults(with_settings(load_spec("alpha-beta"), [f"warm_start={earlier}", *settings]))


def test_the_same_space_takes_every_complete_search_trial(earlier):
    found = read_earlier_trials(spec_from(earlier))
    assert [m.trial_id for m in found.inside] == ["trial-00000", "trial-00001", "trial-00002", "trial-00005"]
    assert found.outside == 0
    assert found.attributes == ("gender",)
    assert found.inside[2].values == {
        **{name: searched_space(spec_from(earlier)).defaults()[name] for name in ("alpha", "beta")},
        "channel": "quantise",
        "quantise_bits": 3,
        "erasure": True,
    }
    assert found.inside[0].figures[MATCHING.column] == 0.7


@pytest.mark.parametrize(
    ("settings", "inside"),
    [
        (["fixed.channel=noise"], ["trial-00000", "trial-00005"]),
        (["fixed.alpha=25"], ["trial-00005"]),
        (["fixed.decoder_width=64"], []),
        (["fixed.learning_rate=0.001"], []),
        (["space=maps"], ["trial-00000", "trial-00001", "trial-00005"]),
        # Only this trial has the default channel and an α of at most 1.
        (["space=paper"], ["trial-00000"]),
    ],
)
def test_what_is_fixed_otherwise_or_out_of_range_is_outside(earlier, settings, inside):
    found = read_earlier_trials(spec_from(earlier, *settings))
    assert [measurement.trial_id for measurement in found.inside] == inside
    assert found.outside == 4 - len(inside)
    for measurement in found.inside:
        searched_space(spec_from(earlier, *settings)).check(measurement.values)


def test_figures_that_do_not_compare_are_refused(earlier):
    message = "its objectives are attacker_auc_validation, matching_auc_validation; needs"
    with pytest.raises(SpecError, match=message) as caught:
        check_earlier_study(spec_from(earlier, "objectives=per_attribute"))
    assert "\n" not in str(caught.value)


def test_another_judge_is_refused(earlier):
    toml = earlier / "study.toml"
    toml.write_text(toml.read_text().replace(f"judge_version = {JUDGE_VERSION}", "judge_version = 1"))
    with pytest.raises(SpecError, match="version 1 of the judge judged it"):
        check_earlier_study(spec_from(earlier))


def test_a_directory_that_is_no_study_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"warm_start = .*nowhere: is no study, it has no study\.toml"):
        check_earlier_study(spec_from(tmp_path / "nowhere"))


def test_a_study_without_results_gives_nothing(tmp_path):
    (tmp_path / "study.toml").write_text(to_toml(quick(f"judge_version={JUDGE_VERSION}")))
    assert read_earlier_trials(quick(f"warm_start={tmp_path}")).inside == ()


def test_a_study_with_a_damaged_part_is_refused(earlier):
    part = earlier / "results" / "trials" / "part-000001.parquet"
    part.write_bytes(part.read_bytes()[:200])
    with pytest.raises(
        SpecError, match=r"part-000001\.parquet is damaged \(.*; needs a whole study"
    ) as caught:
        read_earlier_trials(spec_from(earlier))
    assert "\n" not in str(caught.value)


def test_a_study_whose_rows_are_not_all_readable_is_refused(earlier):
    (earlier / "wal" / "segment-000009.jsonl").write_text("")
    with pytest.raises(SpecError, match=r"driver died with rows unwritten; .* aia-study resume"):
        check_earlier_study(quick(f"warm_start={earlier}"))
