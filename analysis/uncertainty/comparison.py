"""By how much the front of one study is better than another's, with an interval."""

from dataclasses import dataclass

from analysis.errors import AnalysisError
from analysis.fronts.candidates import judged
from analysis.tables.reader import StudyTables, read_spec, read_trials
from analysis.uncertainty.design_bootstrap import Bootstrapped, bootstrapped
from analysis.uncertainty.resampled import Estimate, estimate

SAME_PEOPLE = ("dataset", "attribute", "positive", "split_seed")  # keys of a spec that say who is judged
SAME_JUDGE = ("judge_version", "suite")


@dataclass(frozen=True)
class Comparison:
    """Hypervolumes of two studies' fronts and their difference, one less other, AUC x AUC, with 95 % intervals.

    `source` says which rows the fronts are of, "confirm" or "search". `same_people`: the two were judged on the same
    people and resamples are paired. `over_seeds`: seeds were resampled as well as people.
    """

    source: str
    one: Estimate
    other: Estimate
    difference: Estimate
    same_people: bool
    over_seeds: bool


def compare(one: StudyTables, other: StudyTables) -> Comparison:
    """Compare by confirmed designs where both studies have them, else by their search trials.

    Resamples are of people and, for confirmed designs, of the seeds: together where both have the same seeds, else each
    by itself. AnalysisError where the studies were not judged alike, no trial was judged, or resamples are missing.
    """
    if one.location.resolve() == other.location.resolve():
        raise AnalysisError(f"{one.directory} is compared with itself; expected another study")
    specs = [read_spec(study.location) for study in (one, other)]
    source = "confirm" if all(_is_confirmed(study) for study in (one, other)) else "search"
    for key in SAME_JUDGE if source == "search" else SAME_JUDGE[:1]:
        values = [spec.get(key) for spec in specs]
        if values[0] != values[1]:
            raise AnalysisError(
                f"{one.directory} and {other.directory} do not compare: {key} is {values[0]} in one and {values[1]} in"
                " the other; expected the same"
            )
    first = bootstrapped(one, source)
    second = bootstrapped(other, source)
    if first.seeds != second.seeds:
        second = bootstrapped(other, source, stream=1)
    return _compared(first, second, same_people=all(specs[0].get(k) == specs[1].get(k) for k in SAME_PEOPLE))


def _compared(one: Bootstrapped, other: Bootstrapped, *, same_people: bool) -> Comparison:
    volumes = [each.hypervolume() for each in (one, other)]
    length = min(len(volume) for volume in volumes)
    first, second = (volume[:length] for volume in volumes)
    return Comparison(
        one.source,
        estimate(first),
        estimate(second),
        estimate(first - second),
        same_people=same_people,
        over_seeds=min(len(one.seeds), len(other.seeds)) > 1,
    )


def _is_confirmed(study: StudyTables) -> bool:
    return "confirm" in read_trials(study).filter(judged())["phase"]
