"""Fronts under resampling: the probability that a design is on the front, and the difference of two studies."""

import shutil
from pathlib import Path

import moocore
import numpy as np
import polars as pl
import pytest

from analysis.errors import AnalysisError
from analysis.tables.reader import open_tables, read_trials
from analysis.uncertainty.comparison import compare
from analysis.uncertainty.design_bootstrap import DesignBootstrap, bootstrap_designs
from tests.analysis.made_up import RESAMPLES, write_study
from tests.table_version import TABLE_VERSION


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("one") / "study")


def designs(*costs: list[list[float]]) -> DesignBootstrap:
    """Return a bootstrap of designs, each [attacker AUCs, negative matching AUCs], the figure first."""
    return DesignBootstrap("search", tuple("abc"[: len(costs)]), (), np.array(costs))


def test_probability_counts_the_resamples_that_are_known_in_which_nothing_is_better() -> None:
    found = designs(
        [[0.6, 0.6, 0.6, 0.6, 0.6], [-0.7, -0.7, -0.7, -0.7, -0.7]],
        [[0.7, 0.7, 0.7, 0.5, np.nan], [-0.7, -0.8, -0.6, -0.6, -0.9]],
        [[0.9, 0.9, 0.9, 0.9, 0.9], [-0.5, -0.5, -0.5, -0.5, -0.5]],
    ).pareto_probability()
    assert found.rows() == [("a", True, 1.0), ("b", False, pytest.approx(2 / 3)), ("c", False, 0.0)]


def test_the_volume_in_a_resample_is_that_of_the_fronts_own_designs() -> None:
    found = designs(
        [[0.6, 0.7, 0.6], [-0.7, -0.8, np.nan]],
        [[0.8, 0.8, 0.8], [-0.75, -0.9, -0.9]],
        # The measured figures of this design are not on the front.
        [[0.7, 0.5, 0.5], [-0.6, -1.0, -1.0]],
    ).hypervolume()
    reference = np.array([1.0, -0.5])
    front = np.array([[[0.6, -0.7], [0.8, -0.75]], [[0.7, -0.8], [0.8, -0.9]]])
    assert found[:2] == pytest.approx([moocore.hypervolume(points, ref=reference) for points in front])
    assert np.isnan(found[2])


def test_confirmed_designs_are_means_over_seeds_and_people(study: Path) -> None:
    found = bootstrap_designs(open_tables(study))
    confirmed = read_trials(open_tables(study)).filter(pl.col("phase") == "confirm")
    assert (found.source, found.seeds, len(found.designs)) == ("confirm", (1, 2, 3), 4)
    assert found.costs.shape == (4, 2, 1 + RESAMPLES)
    for design, costs in zip(found.designs, found.costs, strict=True):
        own = confirmed.filter(pl.col("design_id") == design)
        assert costs[0, 0] == pytest.approx(own["attacker_auc_validation"].mean())
        assert costs[1, 0] == pytest.approx(-own["matching_auc_validation"].mean())


def test_search_trials_are_resampled_over_people_alone(study: Path) -> None:
    found = bootstrap_designs(open_tables(study), "search")
    complete = read_trials(open_tables(study)).filter(
        pl.col("phase") == "search", pl.col("status") == "complete"
    )
    assert set(found.designs) == set(complete["trial_id"])
    assert found.seeds == ()


def test_a_trial_without_resamples_is_named(study: Path, tmp_path: Path) -> None:
    copied = write_study(tmp_path / "study", search=6, confirmed=0)
    (copied / "resamples" / "trial-00000.parquet").unlink()
    with pytest.raises(AnalysisError, match=r"trial-00000\.parquet cannot be read"):
        bootstrap_designs(open_tables(copied))
    with pytest.raises(AnalysisError, match="no confirm trial is judged"):
        bootstrap_designs(open_tables(copied), "confirm")


@pytest.mark.parametrize(
    ("content", "held"),
    [
        (
            pl.col("figure") != "matching_auc",
            "0 resamples of matching_auc on validation, other files hold 20",
        ),
        (pl.col("split") == "test", "0 resamples of attacker_auc on validation, other files hold 20"),
        (pl.col("resample") < 7, "7 resamples of attacker_auc on validation, other files hold 20"),
    ],
)
def test_a_file_that_lacks_resamples_is_named(
    study: Path, tmp_path: Path, content: pl.Expr, held: str
) -> None:
    copied = shutil.copytree(study, tmp_path / "study")
    path = copied / "resamples" / "trial-00000.parquet"
    pl.read_parquet(path).filter(content).write_parquet(path)
    with pytest.raises(AnalysisError, match=rf"trial-00000\.parquet holds {held}"):
        bootstrap_designs(open_tables(copied), "search")


def test_a_truncated_file_is_named(study: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(study, tmp_path / "study")
    path = copied / "resamples" / "trial-00001.parquet"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(AnalysisError, match=r"trial-00001\.parquet cannot be read"):
        bootstrap_designs(open_tables(copied), "search")


def test_a_file_with_other_columns_is_refused(study: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(study, tmp_path / "study")
    path = copied / "resamples" / "trial-00001.parquet"
    pl.read_parquet(path).with_columns(new=1).write_parquet(path)
    with pytest.raises(AnalysisError, match="resamples cannot be read"):
        bootstrap_designs(open_tables(copied), "search")


def test_a_study_does_not_differ_from_its_copy(study: Path, tmp_path: Path) -> None:
    found = compare(open_tables(study), open_tables(write_study(tmp_path / "copy")))
    assert (found.source, found.same_people, found.seeds_resampled) == ("confirm", True, True)
    assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)
    assert found.one == found.other
    assert found.one.low < found.one.value < found.one.high


def test_a_better_front_is_better_by_an_interval_on_one_side(study: Path, tmp_path: Path) -> None:
    better = open_tables(write_study(tmp_path / "better", shift=0.05))
    found = compare(better, open_tables(study))
    assert 0 < found.difference.low < found.difference.value < found.difference.high
    back = compare(open_tables(study), better).difference
    assert (back.value, back.low, back.high) == pytest.approx(
        (-found.difference.value, -found.difference.high, -found.difference.low)
    )


def test_search_fronts_are_compared_where_one_is_not_confirmed(study: Path, tmp_path: Path) -> None:
    found = compare(open_tables(study), open_tables(write_study(tmp_path / "unconfirmed", confirmed=0)))
    assert (found.source, found.seeds_resampled) == ("search", False)
    assert found.difference.value == 0


def test_other_seeds_are_drawn_by_themselves(study: Path, tmp_path: Path) -> None:
    """With the same figures at other seeds the difference is 0, but resamples of the difference are not."""
    other = write_study(tmp_path / "other")
    part = next((other / "results" / "trials").glob("*.parquet"))
    frame = pl.read_parquet(part)
    frame.with_columns(
        seed=pl.col("seed") + pl.when(pl.col("phase") == "confirm").then(10).otherwise(0)
    ).write_parquet(part, metadata=TABLE_VERSION)
    found = compare(open_tables(study), open_tables(other)).difference
    assert found.low < found.value == 0 < found.high


def test_studies_that_were_judged_otherwise_do_not_compare(study: Path, tmp_path: Path) -> None:
    other = write_study(tmp_path / "other", confirmed=0)
    spec = (other / "study.toml").read_text()
    (other / "study.toml").write_text(spec.replace("judge_version = 2", "judge_version = 1"))
    with pytest.raises(AnalysisError, match=r"cannot be compared: .* in judge_version, 2 and 1"):
        compare(open_tables(study), open_tables(other))


def test_a_study_is_not_compared_with_itself(study: Path) -> None:
    with pytest.raises(AnalysisError, match="compared with itself"):
        compare(open_tables(study), open_tables(study))
