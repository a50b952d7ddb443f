"""Draws what the confirmed designs attain over their seeds: a band from the best to the worst attainment surface."""

import numpy as np
import plotnine as p9
import polars as pl

from analysis.fronts.staircase import ATTACKER_AUC, MATCHING_AUC, staircase
from analysis.plots.elements.frontier_points import padded_view
from analysis.plots.elements.theme import (
    BLUE,
    GREY,
    SKY,
    VERMILLION,
    WIDTH_INCHES,
    axis_title,
    caption,
    caption_inches,
    column_theme,
)
from analysis.summaries.evidence import evidence
from analysis.tables.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES
from analysis.tables.reader import StudyTables, read_trials
from analysis.uncertainty.attainment import (
    BEST,
    MEDIAN,
    WORST,
    ConfirmedRuns,
    VorobevExpectation,
    confirmed_runs,
)

AVERAGE = "Vorob'ev expectation"
LINES = {BEST: "dashed", MEDIAN: "solid", WORST: "dotted", AVERAGE: "dashdot"}
COLOURS = {BEST: BLUE, MEDIAN: BLUE, WORST: BLUE, AVERAGE: VERMILLION}


def plot_attainment(study: StudyTables) -> p9.ggplot:
    """Return the attainment surfaces of one, half and all seeds, and the Vorob'ev expectation, as staircases.

    With several private attributes the strongest attack counts. Raises AnalysisError if fewer than two seeds have all
    confirmed designs.
    """
    trials = read_trials(study)
    runs = confirmed_runs(trials, study.directory)
    surfaces, average = runs.surfaces(), runs.vorobev()
    fronts = {name: _front(costs) for name, costs in {**surfaces, AVERAGE: average.expectation}.items()}
    points, text = _front(runs.costs), _caption(trials, runs, average)
    x, y = padded_view([points[ATTACKER_AUC]]), padded_view([points[MATCHING_AUC]])
    paths = {name: staircase(front, y.low, x.high) for name, front in fronts.items() if front.height}
    band = pl.concat([paths[BEST], paths[WORST].reverse()])
    lines = pl.concat([path.with_columns(surface=pl.lit(name)) for name, path in paths.items()]).with_columns(
        pl.col("surface").cast(pl.Enum(list(LINES)))  # the average is drawn last: it may lie on another
    )
    return (
        p9.ggplot(lines, p9.aes(ATTACKER_AUC, MATCHING_AUC))
        + p9.geom_polygon(data=band, fill=SKY, alpha=0.25)
        + p9.geom_point(data=points, color=GREY, size=0.8)
        + p9.geom_path(p9.aes(linetype="surface", color="surface"), size=0.6)
        + p9.scale_linetype_manual(values=LINES, breaks=list(LINES))
        + p9.scale_color_manual(values=COLOURS, breaks=list(LINES))
        + p9.coord_cartesian(xlim=(x.low, x.high), ylim=(y.low, y.high), expand=False)
        + p9.labs(x=axis_title(ATTACKER), y=axis_title(MATCHING), caption=text)
        + column_theme(WIDTH_INCHES, 2.75 + caption_inches(text))
        + p9.theme(legend_key_width=14)
    )


def _front(costs: np.ndarray) -> pl.DataFrame:
    """Return points given as costs `[point, objective]` as AUCs, sorted by attacker AUC, then by matching AUC."""
    signs = np.array([objective.sign for objective in SEARCH_OBJECTIVES])
    columns = [ATTACKER_AUC, MATCHING_AUC]
    return pl.DataFrame(costs * signs, schema=columns, orient="row").sort(columns)


def _caption(trials: pl.DataFrame, runs: ConfirmedRuns, average: VorobevExpectation) -> str:
    return caption(
        f"{evidence(trials)}.",
        f"Surfaces attained by one (best), half (median) and all (worst) of {runs.count} seeds; points: designs at each"
        " seed.",
        f"Vorob'ev: threshold {average.threshold_percent:.0f} % of seeds, deviation {average.deviation:.4f}, mean"
        f" hypervolume {average.mean_hypervolume:.4f} (AUC x AUC).",
    )
