"""Compares two studies by the hypervolumes of their fronts, with bootstrap intervals."""

from dataclasses import dataclass

from analysis.errors import AnalysisError
from analysis.fronts.candidates import is_judged
from analysis.tables.reader import StudyTables, read_spec, read_trials
from analysis.uncertainty.design_bootstrap import DesignBootstrap, bootstrap_designs
from analysis.uncertainty.resampled import Estimate, estimate

# Keys of study.toml: studies that agree in them were judged on the same people.
PEOPLE_KEYS = ("dataset", "attribute", "positive", "split_seed")


@dataclass(frozen=True)
class Comparison:
    """The hypervolumes of two studies' fronts and their `difference` (`one` minus `other`), with 95 % intervals.

    All three are in AUC x AUC. `source` says what the fronts consist of: "confirm" (confirmed designs) or "search"
    (search trials). `same_people` is True if both studies were judged on the same people, so that their resamples are
    paired, and `seeds_resampled` is True if the bootstrap resamples seeds as well as people.
    """

    source: str
    one: Estimate
    other: Estimate
    difference: Estimate
    same_people: bool
    seeds_resampled: bool


def compare(one: StudyTables, other: StudyTables) -> Comparison:
    """Compare the fronts of two studies: of their confirmed designs if both have any, else of their search trials.

    The bootstrap resamples people and, for confirmed designs, seeds: the same resamples for both studies if both
    used the same seeds, else independent ones. Raises AnalysisError if both are one study, the studies were not
    judged alike, no trial is judged, or resamples are missing.
    """
    if one.location.resolve() == other.location.resolve():
        raise AnalysisError(f"{one.directory} is compared with itself; expected two different studies")
    specs = [read_spec(study.location) for study in (one, other)]
    source = "confirm" if all(_is_confirmed(study) for study in (one, other)) else "search"
    versions = [spec.get("judge_version") for spec in specs]
    if versions[0] != versions[1]:
        raise AnalysisError(
            f"{one.directory} and {other.directory} cannot be compared: their study.toml differ in judge_version,"
            f" {versions[0]} and {versions[1]}; expected the same value in both"
        )
    first = bootstrap_designs(one, source)
    second = bootstrap_designs(other, source)
    if first.seeds != second.seeds:
        second = bootstrap_designs(other, source, stream=1)
    return _compared(first, second, same_people=all(specs[0].get(k) == specs[1].get(k) for k in PEOPLE_KEYS))


def _compared(one: DesignBootstrap, other: DesignBootstrap, *, same_people: bool) -> Comparison:
    volumes = [each.hypervolume() for each in (one, other)]
    length = min(len(volume) for volume in volumes)
    first, second = (volume[:length] for volume in volumes)
    return Comparison(
        one.source,
        estimate(first),
        estimate(second),
        estimate(first - second),
        same_people=same_people,
        seeds_resampled=min(len(one.seeds), len(other.seeds)) > 1,
    )


def _is_confirmed(study: StudyTables) -> bool:
    return "confirm" in read_trials(study).filter(is_judged())["phase"]
