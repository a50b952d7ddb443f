"""The page of a reproduction and its pictures state what was computed."""

import struct
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotnine as p9
import pytest

from analysis.paper.claims import FRESH, check_claims
from analysis.paper.figure2 import plot_figure_2
from analysis.paper.figure3 import ShownFace, overlaid, plot_faces
from analysis.paper.page import FacesSection, paper_page
from analysis.paper.run import AIA, AIA_WITHOUT_T, ORIGINAL, RANDOM, Design, PaperRun
from analysis.paper.tables import figure_2, table_1
from analysis.uncertainty.resampled import Estimate
from tests.analysis.paper.paper_runs import run_of

SIDE = 8


def run(seeds: int = 3, attacker: float = 0.8) -> PaperRun:
    """Return a run in which all figures are equal except the AUC of AIA's fresh attacker, `attacker`."""
    designs = [ORIGINAL, RANDOM, AIA_WITHOUT_T, Design("aia", 0.5, 1.0)]
    return run_of({AIA: {FRESH.inference: attacker}, **{design: {} for design in designs}}, seeds=seeds)


def page(of: PaperRun, faces: FacesSection | None = None) -> str:
    return paper_page(of, table_1(of), check_claims(of), faces, {"command": "`aia-study paper x`"})


def row(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(
    ("attacker", "said"),
    [(0.3, "**agree**: +0.200"), (0.8, "**disagree**: -0.300"), (0.5, "**cannot tell**")],
)
def test_verdicts_are_those_of_the_figures(attacker: float, said: str) -> None:
    cells = row(page(run(attacker=attacker)), "AIA hides gender better than Original")
    assert cells[-1].startswith(said)
    assert cells[2].startswith("**cannot tell**: +0.000"), "in the loop nothing differs"


def test_the_papers_own_figures_stand_beside_ours() -> None:
    cells = row(page(run()), "AIA")
    assert cells[1:4] == ["0.500 [0.500, 0.500]", "0.6496", "0.6813"]
    assert cells[5:] == ["0.7864", "0.7796"]


def test_the_page_says_that_one_seed_does_not_show_how_trainings_differ() -> None:
    assert "they do not show how trainings differ" in page(run(seeds=1))
    assert "resample seeds and judged people" in page(run(seeds=2))


def test_the_page_without_figure_3_says_why_and_with_it_what_was_measured() -> None:
    assert "Not drawn" in page(run())
    section = FacesSection(Estimate(0.9, 0.8, 0.95), Estimate(0.6, 0.5, 0.7), 12, "Faces.")
    text = page(run(), section)
    assert "12 test images the classifier's AUC is 0.900 [0.800, 0.950] before and 0.600" in text
    assert "![Faces, reconstructions and Grad-CAM](figure3.png)" in text


def test_trainings_that_are_missing_are_counted_and_leave_dashes() -> None:
    whole = run()
    partial = replace(whole, trials=whole.trials.filter(method="aia"))
    text = page(partial)
    assert f"{partial.trials.height} of {whole.planned_count} trainings complete" in text
    assert row(text, "Original")[1] == "-"
    assert row(text, "AIA hides gender better than Original")[2] == "not measured"


def saved(plot: p9.ggplot, path: Path) -> tuple[int, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot.save(path, format="png", dpi=100, verbose=False)
    return struct.unpack(">II", path.read_bytes()[16:24])


@pytest.mark.parametrize("panel", ["a", "b"])
def test_figure_2_is_drawn_with_units_and_directions(tmp_path: Path, capfd, panel: str) -> None:
    plot = plot_figure_2(figure_2(run()), panel)
    assert saved(plot, tmp_path / "figure.png") == (660, 310)
    assert capfd.readouterr() == ("", "")
    varied, held = ("β", "α") if panel == "a" else ("α", "β")
    assert plot.labels.x == f"{varied}, weight in Eq. 8 ({held} = 0.5)"
    sides = plot.data["side"].unique().to_list()
    assert sorted(sides) == [
        "face matching, ROC AUC\n(higher is more useful)",
        "gender inference, ROC AUC\n(lower is more private)",
    ]
    assert "3 seeds per point" in " ".join(plot.labels.caption.split())


def test_faces_are_drawn_one_row_each_also_where_their_titles_agree(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    faces = [
        ShownFace(
            "gender 1, read as 1", *rng.random((4, SIDE, SIDE)), probability_before=0.9, probability_after=0.4
        )
        for _ in range(2)
    ]
    plot = plot_faces(faces, "Some faces.")
    width, height = saved(plot, tmp_path / "faces.png")
    assert width > height > 200
    assert plot.data.height == 2 * 4 * SIDE * SIDE
    original = plot.data.filter(row="1", column="original", x=3, y=SIDE - 1 - 5)["colour"].item()
    grey = round(faces[1].original[5, 3] * 255)
    assert original == f"#{grey:02x}{grey:02x}{grey:02x}", "rows of an image run downwards"


def test_heat_tints_most_where_the_map_is_largest_and_a_map_of_zeros_nowhere() -> None:
    image = np.full((SIDE, SIDE), 0.5)
    heat = np.zeros((SIDE, SIDE))
    cold = overlaid(image, heat)
    assert (cold == cold[0, 0]).all()
    heat[2, 3] = 4.0
    tinted = np.abs(overlaid(image, heat) - cold).sum(2)
    assert np.unravel_index(tinted.argmax(), tinted.shape) == (2, 3)
    assert ((overlaid(image, heat) >= 0) & (overlaid(image, heat) <= 1)).all()
    np.testing.assert_allclose(overlaid(image, heat), overlaid(image, 7 * heat))
