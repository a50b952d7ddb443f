"""Every picture of `aia-study plot` and of a report is drawn, or refused with a message of one line."""

import struct
import warnings
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis.errors import AnalysisError
from analysis.plots.catalogue import PICTURES
from analysis.plots.elements.theme import DPI, caption, save_png
from analysis.plots.pictures.comparison import plot_comparison
from analysis.tables.reader import open_tables
from analysis.tables.schema import IMPORTANCE_FRONT, IMPORTANCE_SCHEMA, to_table
from study.console import PictureKind
from tests.analysis.made_up import write_study


def with_importance(directory: Path) -> Path:
    targets = {
        "attacker_auc_validation": "fanova",
        "matching_auc_validation": "fanova",
        IMPORTANCE_FRONT: "ped_anova",
    }
    rows = [
        {"target": target, "hyperparameter": name, "importance": share, "evaluator": by, "trials": 20}
        for target, by in targets.items()
        for name, share in {"alpha": 0.2, "beta": 0.5, "channel": 0.1, "noise_sd": 0.05}.items()
    ]
    pq.write_table(to_table(rows, IMPORTANCE_SCHEMA), directory / "importance.parquet")
    return directory


@pytest.fixture(scope="module", params=["small", "confirmed"])
def study(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a complete study: a small one of eight trials with two confirmed designs, or a larger one."""
    directory = tmp_path_factory.mktemp(request.param) / "study"
    sizes = {"small": (8, 2), "confirmed": (60, 5)}[request.param]
    return with_importance(write_study(directory, *sizes))


def test_the_command_line_offers_every_picture() -> None:
    assert {kind.value for kind in PictureKind} == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_saved_in_its_size_without_a_word(
    study: Path, tmp_path: Path, capfd, name: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot = PICTURES[name].draw(open_tables(study))
        save_png(plot, tmp_path / "picture.png", title=PICTURES[name].title)
    assert capfd.readouterr() == ("", "")
    width, height = plot.theme.getp("figure_size")
    size = struct.unpack(">II", (tmp_path / "picture.png").read_bytes()[16:24])
    assert size == pytest.approx((width * DPI, height * DPI), abs=1)
    assert width in (3.4, 7.0)
    assert "search trials" in " ".join((plot.labels.caption or "").split()), "the evidence"


@pytest.mark.parametrize("name", PICTURES)
def test_a_study_with_nothing_to_draw_is_refused_in_one_line(study_directory, trials, name: str) -> None:
    directory = study_directory(trials([{"status": "failed"}]))
    with pytest.raises(AnalysisError) as refused:
        PICTURES[name].draw(open_tables(directory))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["attainment", "rungs", "attacks", "map", "optimism", "importance", "probability"]
)
def test_a_picture_names_the_study_that_lacks_what_it_shows(study_directory, points, name: str) -> None:
    directory = study_directory(points((0.6, 0.7), (0.7, 0.8)))
    with pytest.raises(AnalysisError, match=str(directory)):
        PICTURES[name].draw(open_tables(directory))


def test_an_importance_of_too_few_trials_is_an_error(study_directory, points) -> None:
    directory = study_directory(points((0.6, 0.7)))
    pq.write_table(to_table([], IMPORTANCE_SCHEMA), directory / "importance.parquet")
    with pytest.raises(AnalysisError, match="fewer than 10 complete search trials"):
        PICTURES["importance"].draw(open_tables(directory))


def test_a_history_without_epochs_and_seconds_counts_trials_alone(study_directory, points) -> None:
    plot = PICTURES["history"].draw(open_tables(study_directory(points((0.6, 0.7), (0.5, 0.8)))))
    assert plot.data["panel"].unique().to_list() == ["over search trials that have ended"]


def test_a_map_has_a_linear_axis_where_a_weight_is_0(study_directory, trials, tmp_path: Path) -> None:
    figures = {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}
    rows = [{**figures, "alpha": alpha, "beta": beta} for alpha, beta in ((0.0, 0.5), (0.5, 0.1))]
    plot = PICTURES["map"].draw(open_tables(study_directory(trials(rows))))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_png(plot, tmp_path / "map.png")


def test_a_comparison_says_by_how_much_with_an_interval(study: Path, tmp_path: Path, capfd) -> None:
    other = write_study(tmp_path / "other", confirmed=3, shift=0.03)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot = plot_comparison(open_tables(other), open_tables(study))
        save_png(plot, tmp_path / "picture.png", title="Comparison")
    assert capfd.readouterr() == ("", "")
    text = " ".join((plot.labels.caption or "").split())
    assert "Hypervolume of other minus that of study: " in text
    assert (
        "95 % bootstrap over people and seeds; the same people; validation. Fronts of confirmed designs."
        in text
    )
    assert text.count("search trials") == 2


def test_a_caption_keeps_numbers_with_their_words_and_drops_what_is_empty() -> None:
    text = caption("24 search trials.", "", "1 seed.", width=1.0)
    assert " ".join(text.split()) == "24 search trials. 1 seed."
    assert all(len(line) <= 24 for line in text.splitlines())
    assert "24\N{NO-BREAK SPACE}search" in text
