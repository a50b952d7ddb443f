"""Warm start: a new study begins its search with the measurements of an earlier study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aia_models.judging.judge import JUDGE_VERSION
from analysis.tables.location import children, location
from analysis.tables.reader import StudyTables, read_trials
from search_spaces.domains import Value
from search_spaces.errors import SpaceError
from search_spaces.hyperparameters import HYPERPARAMETERS, resolve
from study.errors import SpecError
from study.spec.files import load_spec
from study.spec.spec import StudySpec, searched_space
from study.storage.paths import SPEC_FILE


@dataclass(frozen=True)
class Measurement:
    """A complete trial of the earlier study: its design in the new study's space, and its `trials` row."""

    trial_id: str
    values: Mapping[str, Value]
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class EarlierTrials:
    """The complete search trials of the earlier study.

    `inside` are those in the new study's space, and `outside` counts the others; `attributes` are the private
    attributes of the earlier study.
    """

    inside: tuple[Measurement, ...]
    outside: int
    attributes: tuple[str, ...]


def check_earlier_study(spec: StudySpec) -> StudySpec:
    """Return the spec of the study that `warm_start` names.

    Raises SpecError if it is no study that has ended, or if its objectives or judge differ from those of `spec`.
    """
    setting = f"warm_start = {spec.warm_start}"
    directory = location(str(spec.warm_start))
    if not (directory / SPEC_FILE).is_file():
        raise SpecError(f"{setting}: is no study, it has no {SPEC_FILE}; needs the directory of a study")
    if any(name.startswith("segment-") for name in children(directory / "wal")):
        raise SpecError(
            f"{setting}: it is running, or its driver died with rows unwritten; needs a study that has ended, as after:"
            f" aia-study resume {directory}"
        )
    earlier = load_spec(str(directory / SPEC_FILE))
    columns, earlier_columns = (
        [objective.column for objective in each.search_objectives] for each in (spec, earlier)
    )
    if columns != earlier_columns:
        raise SpecError(
            f"{setting}: its objectives are {', '.join(earlier_columns)}; needs a study of {', '.join(columns)}"
        )
    if earlier.judge_version != JUDGE_VERSION:
        raise SpecError(
            f"{setting}: version {earlier.judge_version} of the judge judged it, this release has version"
            f" {JUDGE_VERSION}, and their figures do not compare; needs a study of this version"
        )
    return earlier


def read_earlier_trials(spec: StudySpec) -> EarlierTrials:
    """Return the complete search trials of the study that `warm_start` names.

    Raises SpecError as `check_earlier_study` does and where a part of `trials` is damaged, and AnalysisError where
    `trials` have another version of the tables. Confirmation trials are left out, because other seeds made
    their figures.
    """
    earlier = check_earlier_study(spec)
    tables = StudyTables(str(spec.warm_start), earlier.search_objectives)
    for part in tables.damaged("trials"):
        raise SpecError(
            f"warm_start = {spec.warm_start}: {part.path} is damaged ({part.why}); needs a whole study"
        )
    # Sorted, so that the search does not depend on the order in which the trials ended.
    trials = read_trials(tables).filter(phase="search", status="complete").sort("trial_id")
    complete = trials.to_dicts()
    inside = [
        Measurement(row["trial_id"], values, row)
        for row in complete
        if (values := _design(row, spec)) is not None
    ]
    return EarlierTrials(tuple(inside), len(complete) - len(inside), earlier.attributes)


def _design(row: Mapping[str, Any], spec: StudySpec) -> dict[str, Value] | None:
    """Return the row's design in the space of `spec`.

    None if it lies outside, because a value is out of range or differs from a value that `spec` fixes.
    """
    searched = searched_space(spec)
    recorded = {name: row[name] for name in HYPERPARAMETERS if row.get(name) is not None}
    values = {name: recorded[name] for name in searched.active(recorded) if name in recorded}
    try:
        searched.check(values)
    except SpaceError:
        return None
    resolved = resolve(values, {**spec.fixed, "private_attributes": len(spec.attributes)})
    in_effect = {name: value for name, value in resolved.items() if value is not None}
    return values if in_effect == recorded else None
