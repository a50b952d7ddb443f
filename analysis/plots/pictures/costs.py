"""Draws what each trial of a study cost, in epochs and in seconds, in the order in which trials ended."""

import plotnine as p9
import polars as pl

from analysis.errors import AnalysisError
from analysis.plots.elements.theme import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILLION,
    WIDTH_INCHES,
    caption,
    column_theme,
    whole_breaks,
)
from analysis.summaries.costs import with_costs
from analysis.summaries.evidence import evidence
from analysis.tables.reader import StudyTables, read_epochs, read_trials

# Colour and shape of each kind of trial; the kind of a search trial is its status.
KINDS = {
    "complete": (BLUE, "o"),
    "stopped early": (GREY, "x"),
    "failed": (VERMILLION, "v"),
    "diverged": (VERMILLION, "^"),
    "baseline": (GREEN, "s"),
    "confirmation": (ORANGE, "D"),
}
PANELS = {"epochs_spent": "epochs that the trial trained", "seconds_spent": "seconds that the trial took"}
PANEL_INCHES = 1.35


def plot_costs(study: StudyTables) -> p9.ggplot:
    """Return the costs of all trials, one panel for epochs and one for seconds.

    Costs are those of `analysis.summaries.costs.with_costs`. Raises AnalysisError if neither epochs nor seconds are
    recorded.
    """
    trials = read_trials(study)
    costs = with_costs(trials, read_epochs(study)).select("phase", "status", *PANELS)
    panels = {column: title for column, title in PANELS.items() if costs[column].max()}
    if not panels:
        raise AnalysisError(
            f"{study.directory}: neither epochs nor seconds of its trials are recorded; expected rows in table `epochs`"
            " or values of `wall_seconds` in table `trials`"
        )
    kind = (
        pl.when(pl.col("phase") == "search")
        .then(pl.col("status").str.replace_all("_", " "))
        .otherwise(pl.col("phase").replace("confirm", "confirmation"))
    )
    long = (
        costs.select(kind.alias("kind"), *PANELS)
        .with_row_index("number", offset=1)
        .unpivot(on=list(panels), index=["number", "kind"], variable_name="panel", value_name="cost")
        .with_columns(pl.col("panel").replace_strict(panels, return_dtype=pl.Enum(list(panels.values()))))
    )
    kinds = [kind for kind in KINDS if kind in long["kind"]]
    rows = 1 if len(kinds) < 4 else 2
    return (
        p9.ggplot(long, p9.aes("number", "cost", color="kind", shape="kind"))
        + p9.geom_point(size=0.9, stroke=0.3)
        + p9.facet_wrap("panel", ncol=1, scales="free_y")
        + p9.expand_limits(y=0)
        + p9.scale_x_continuous(breaks=whole_breaks)
        + p9.scale_y_continuous(breaks=whole_breaks)
        + p9.scale_color_manual(values={kind: colour for kind, (colour, _) in KINDS.items()}, breaks=kinds)
        + p9.scale_shape_manual(values={kind: shape for kind, (_, shape) in KINDS.items()}, breaks=kinds)
        + p9.guides(color=p9.guide_legend(nrow=rows), shape=p9.guide_legend(nrow=rows))
        + p9.labs(
            x="trials in the order in which they ended",
            y="cost of a trial (lower is cheaper)",
            caption=caption(f"{evidence(trials)}.", _totals(costs)),
        )
        + column_theme(WIDTH_INCHES, 0.95 + PANEL_INCHES * len(panels))
    )


def _totals(costs: pl.DataFrame) -> str:
    epochs, seconds = costs["epochs_spent"].sum(), costs["seconds_spent"].sum()
    median = costs["seconds_spent"].median()
    return (
        f"All {costs.height:,} trials with baselines and confirmations: {epochs:,} epochs and {seconds:,.0f} s in"
        f" total; median {median:,.0f} s per trial."
    )
