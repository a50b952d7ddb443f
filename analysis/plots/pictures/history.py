"""Draws how the hypervolume of a search's front grew over trials, epochs and seconds."""

import plotnine as p9
import polars as pl

from analysis.fronts.candidates import require_objectives
from analysis.plots.elements.theme import BLUE, WIDTH_INCHES, caption, column_theme, whole_breaks
from analysis.summaries.evidence import evidence
from analysis.summaries.history import history
from analysis.tables.reader import StudyTables, read_epochs, read_trials

PANELS = {
    "trials": "over search trials that have ended",
    "epochs": "over epochs, summed over these trials",
    "seconds": "over seconds, summed over these trials",
}
PANEL_INCHES = 1.15


def plot_history(study: StudyTables) -> p9.ggplot:
    """Return the hypervolume of the search's front after each search trial, in a panel for trials, epochs and
    seconds.

    A panel is left out if the study recorded nothing of what it counts. Raises AnalysisError if no search trial is
    judged.
    """
    trials = read_trials(study)
    require_objectives(trials.filter(pl.col("phase") == "search"), study.directory, study.objectives)
    grown = history(trials, read_epochs(study), study.objectives)
    spent = {name: title for name, title in PANELS.items() if grown[name][-1] > 0}
    lines = pl.concat([_line(grown, name, title) for name, title in spent.items()])
    unit = " x ".join(["AUC"] * len(study.objectives))
    return (
        p9.ggplot(
            lines.with_columns(pl.col("panel").cast(pl.Enum(list(spent.values())))),
            p9.aes("spent", "hypervolume"),
        )
        + p9.geom_step(color=BLUE, size=0.7)
        + p9.facet_wrap("panel", ncol=1, scales="free_x")
        + p9.expand_limits(y=0)
        + p9.scale_x_continuous(breaks=whole_breaks)
        + p9.labs(
            x="",
            y=f"hypervolume of the front, {unit}\n(higher is better)",
            caption=caption(f"{evidence(trials)}.", _end(grown)),
        )
        + column_theme(WIDTH_INCHES, 0.75 + PANEL_INCHES * len(spent))
    )


def _line(grown: pl.DataFrame, name: str, title: str) -> pl.DataFrame:
    start = pl.DataFrame({"spent": [0.0], "hypervolume": [0.0]})
    steps = grown.select(pl.col(name).cast(pl.Float64).alias("spent"), "hypervolume")
    return pl.concat([start, steps]).with_columns(panel=pl.lit(title))


def _end(grown: pl.DataFrame) -> str:
    last = grown.row(-1, named=True)
    return (
        f"At the end {last['hypervolume']:.4f} after {last['epochs']:,} epochs and {last['seconds']:,.0f} s, summed"
        " over trials."
    )
