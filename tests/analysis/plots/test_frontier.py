import struct
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.errors import AnalysisError
from analysis.plots.elements.frontier_points import ATTACKER_AUC, MATCHING_AUC, frontier_points
from analysis.plots.elements.label_placement import place_labels
from analysis.plots.elements.theme import save_png
from analysis.plots.pictures.frontier import plot_frontier


def test_the_staircase_goes_right_then_up_from_edge_to_edge(points) -> None:
    shown = frontier_points(points((0.6, 0.65), (0.8, 0.74), (0.7, 0.6)))
    assert shown.staircase.rows() == [
        (0.6, shown.y.low),
        (0.6, 0.65),
        (0.8, 0.65),
        (0.8, 0.74),
        (shown.x.high, 0.74),
    ]


def test_the_staircase_bounds_what_the_front_dominates(searched) -> None:
    shown = frontier_points(searched(60))
    corners = shown.staircase.to_numpy()
    for attacker, matching in shown.complete.select(ATTACKER_AUC, MATCHING_AUC).iter_rows():
        reached = corners[corners[:, 0] <= attacker][-1, 1]
        assert matching <= reached


def test_every_judged_search_trial_is_shown_once(searched) -> None:
    frame = searched(60)
    shown = frontier_points(frame)
    drawn = [*shown.complete["trial_id"], *shown.stopped_early["trial_id"], *shown.front["trial_id"]]
    judged = frame.filter(pl.col("phase") == "search", pl.col(ATTACKER_AUC).is_not_null())
    assert sorted(drawn) == sorted(judged["trial_id"])
    assert set(shown.stopped_early["status"]) == {"stopped_early"}


def test_seeds_of_a_baseline_show_as_their_mean_and_its_strengths_one_by_one(trials) -> None:
    baseline = {"phase": "baseline", "method": "random", "design_id": "r", MATCHING_AUC: 0.6}
    fisher = {**baseline, "method": "fisher"}
    shown = frontier_points(
        trials(
            [
                {ATTACKER_AUC: 0.6, MATCHING_AUC: 0.7},
                {**baseline, ATTACKER_AUC: 0.7},
                {**baseline, ATTACKER_AUC: 0.8, "seed": 1},
                {**fisher, ATTACKER_AUC: 0.7, "design_id": "weak"},
                {**fisher, ATTACKER_AUC: 0.6, "design_id": "strong"},
            ]
        )
    )
    assert shown.baselines["method"].to_list() == ["fisher", "fisher", "random"]
    assert shown.baselines[ATTACKER_AUC].to_list() == pytest.approx([0.6, 0.7, 0.75])


def test_everything_drawn_is_in_view_and_one_trial_has_room(points, searched) -> None:
    shown = frontier_points(searched(60))
    assert all(
        map(shown.x.contains, [*shown.all_points[ATTACKER_AUC], *shown.x_bars["low"], *shown.x_bars["high"]])
    )
    assert all(
        map(shown.y.contains, [*shown.all_points[MATCHING_AUC], *shown.y_bars["low"], *shown.y_bars["high"]])
    )
    single = frontier_points(points((0.6, 0.7)))
    assert (single.x.low, single.x.high) == pytest.approx((0.58, 0.62))


@pytest.mark.parametrize("column", [ATTACKER_AUC, MATCHING_AUC])
@pytest.mark.parametrize(("low", "high"), [(0.55, 0.66), (0.64, 0.75)])
def test_both_ends_of_a_bar_are_in_view(trials, column: str, low: float, high: float) -> None:
    shown = frontier_points(
        trials([{ATTACKER_AUC: 0.65, MATCHING_AUC: 0.65, f"{column}_low": low, f"{column}_high": high}])
    )
    view = shown.x if column == ATTACKER_AUC else shown.y
    assert view.low < low < high < view.high


def test_bars_are_left_out_where_intervals_are_missing(points, searched) -> None:
    shown = frontier_points(points((0.6, 0.7)))
    assert (shown.x_bars.height, shown.y_bars.height) == (0, 0)
    full = frontier_points(searched(60))
    assert full.x_bars.height == full.y_bars.height == full.front.height


def test_axes_are_named_with_unit_and_direction(searched) -> None:
    labels = plot_frontier(searched(12)).labels
    assert labels.x == "strongest fresh attacker, ROC AUC (lower is more private)"
    assert labels.y == "face matching, ROC AUC (higher is more useful)"


def test_the_caption_holds_the_evidence(searched) -> None:
    caption = _caption(searched(12))
    counts = "12 search trials: 6 complete, 2 stopped early, 2 failed, 2 diverged; 1 seed; split: validation."
    assert caption == f"{counts} Bars: 95 % bootstrap over identities."


def test_chance_is_dotted_where_in_view_and_only_there(points) -> None:
    assert _chance_lines(points((0.6, 0.7))) == set()
    assert _chance_lines(points((0.51, 0.7))) == {"geom_vline"}
    assert _chance_lines(points((0.51, 0.51))) == {"geom_vline", "geom_hline"}
    assert "Dotted: chance." in _caption(points((0.6, 0.51)))
    assert "Dotted" not in _caption(points((0.6, 0.7)))


def test_baselines_differ_in_shape_and_are_named(searched) -> None:
    layers = plot_frontier(searched(12)).layers
    shapes = {layer.geom.aes_params.get("shape") for layer in layers} - {None}
    assert len(shapes) == 4
    assert _drawn(layers, "name") == {"Original", "Random", "AIA\\T", "Erasure"}


def test_confirmed_fronts_say_so(trials) -> None:
    judged = {ATTACKER_AUC: 0.6, MATCHING_AUC: 0.7, "design_id": "a"}
    frame = trials([judged, *({**judged, "phase": "confirm", "seed": seed} for seed in (1, 2))])
    assert _drawn(plot_frontier(frame).layers, "kind") == {"trial", "Pareto-optimal, confirmed"}


@pytest.mark.parametrize("count", [1, 8, 200])
@pytest.mark.parametrize("baselines", [True, False])
def test_pictures_are_saved_at_a_columns_width_without_a_word(
    searched, tmp_path: Path, capfd, count: int, baselines: bool
) -> None:
    frame = searched(count, baselines=baselines)
    before = frame.clone()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_png(plot_frontier(frame, title="a study"), tmp_path / "frontier.png")
    assert capfd.readouterr() == ("", "")
    width, height = struct.unpack(">II", (tmp_path / "frontier.png").read_bytes()[16:24])
    assert (width, height) == (1020, 900)
    assert_frame_equal(frame, before)


def test_nothing_to_plot_is_an_error(trials) -> None:
    with pytest.raises(AnalysisError, match="none of 1 trials is complete"):
        plot_frontier(trials([{"status": "failed"}]))


def test_labels_stay_in_the_panel_and_off_each_other() -> None:
    generator = np.random.default_rng(0)
    for _ in range(50):
        anchors = generator.uniform(0.06, 0.94, (4, 2)) * (2.9, 2.1)
        sizes = np.array([(0.4, 0.09)] * 4)
        centres = place_labels(anchors, sizes, np.empty((0, 2)), (2.9, 2.1))
        assert (centres - sizes / 2 >= 0).all()
        assert (centres + sizes / 2 <= (2.9, 2.1)).all()
        gaps = np.abs(centres[:, None] - centres[None]) - sizes[0]
        overlaps = (gaps < 0).all(axis=2) & ~np.eye(4, dtype=bool)
        assert not overlaps.any()


def test_a_label_moves_out_of_the_way_of_points() -> None:
    anchor, size = np.array([[1.0, 1.0]]), np.array([(0.4, 0.1)])
    free = place_labels(anchor, size, np.empty((0, 2)), (2.0, 2.0))
    assert free[0, 0] > 1
    moved = place_labels(anchor, size, free, (2.0, 2.0))
    assert moved[0, 0] < 1


def test_a_label_goes_farther_away_where_all_near_places_cover_points() -> None:
    anchor, size = np.array([[1.0, 1.0]]), np.array([(0.4, 0.1)])
    near = np.random.default_rng(0).uniform((0.5, 0.85), (1.5, 1.15), (400, 2))
    (centre,) = place_labels(anchor, size, near, (2.0, 2.0))
    assert abs(centre[1] - 1) > 0.15


def _caption(frame: pl.DataFrame) -> str:
    return " ".join((plot_frontier(frame).labels.caption or "").split())


def _chance_lines(frame: pl.DataFrame) -> set[str]:
    names = {type(layer.geom).__name__ for layer in plot_frontier(frame).layers}
    return names & {"geom_vline", "geom_hline"}


def _drawn(layers: Iterable[Any], column: str) -> set[str]:
    """Return the values of a column in the data of all layers of a picture."""
    frames = [layer._data for layer in layers if isinstance(layer._data, pl.DataFrame)]
    return {value for frame in frames if column in frame.columns for value in frame[column]}
