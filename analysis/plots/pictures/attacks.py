"""Draws how much each fresh attacker infers from each design, as a heat map."""

import plotnine as p9
import polars as pl

from analysis.errors import AnalysisError
from analysis.fronts.candidates import require_objectives
from analysis.plots.elements.theme import (
    CHANCE_AUC,
    HEAT_DARK,
    HEAT_LIGHT,
    WIDE_INCHES,
    WIDTH_INCHES,
    Layers,
    caption,
    column_theme,
)
from analysis.plots.pictures.frontier import BASELINES
from analysis.summaries.attackers import VANTAGE_SUFFIXES, attacker_aucs
from analysis.summaries.evidence import evidence
from analysis.tables.reader import StudyTables, read_attacks, read_trials

ROW_INCHES = 0.17
MAX_IN_A_COLUMN = 12  # attackers that fit a column's width
WHITE_FROM_AUC = 0.72  # figures in darker cells are white


def plot_attacks(study: StudyTables) -> p9.ggplot:
    """Return a heat map with a row per design of the front and per baseline, and a column per attacker.

    Each cell shows the folded ROC AUC on validation identities, averaged over seeds. Raises AnalysisError if no trial
    is judged or no attack on a shown design is recorded.
    """
    trials = read_trials(study)
    require_objectives(trials, study.directory, study.objectives)
    cells = attacker_aucs(trials, read_attacks(study), study.objectives)
    if cells.is_empty():
        raise AnalysisError(
            f"{study.directory}: no attack on a design of its front is recorded; expected rows in"
            " results/attacks/*.parquet for its trials"
        )
    names = {method: name for method, (_, name) in BASELINES.items()}
    cells = cells.with_columns(pl.col("design").replace(names))
    designs = cells["design"].unique(maintain_order=True).to_list()
    attackers = cells["attacker"].unique(maintain_order=True).to_list()
    cells = cells.with_columns(
        pl.col("design").cast(pl.Enum(designs[::-1])),  # the first row of a plot is its lowest
        pl.col("attacker").cast(pl.Enum(attackers)),
        figure=pl.col("folded_auc").round(2).map_elements("{:.2f}".format, return_dtype=pl.String),
    )
    vantages = _vantages(attackers)
    dark = pl.col("folded_auc") >= WHITE_FROM_AUC
    width = WIDTH_INCHES if len(attackers) <= MAX_IN_A_COLUMN else WIDE_INCHES
    return (
        p9.ggplot(cells, p9.aes("attacker", "design"))
        + p9.geom_tile(p9.aes(fill="folded_auc"), color="white", size=0.3)
        + [*_figures(cells.filter(~dark), "black"), *_figures(cells.filter(dark), "white")]
        + p9.scale_fill_gradient(low=HEAT_LIGHT, high=HEAT_DARK, limits=(CHANCE_AUC, 1.0), guide=None)
        + p9.scale_x_discrete(expand=(0, 0))
        + p9.scale_y_discrete(expand=(0, 0))
        + p9.labs(
            x="fresh attacker, strongest first",
            y="design",
            caption=caption(
                f"{evidence(trials)}.",
                "Folded ROC AUC of each attacker: 0.5 is chance, 1 infers the attribute without error (lower is more"
                " private). Designs of the front, most private first, then baselines.",
                vantages,
                width=width,
            ),
        )
        + column_theme(width, 1.75 + ROW_INCHES * len(designs))
        + p9.theme(
            axis_text_x=p9.element_text(size=6, rotation=45, ha="right", va="top"),
            axis_text_y=p9.element_text(size=6),
            panel_grid_major=p9.element_blank(),
        )
    )


def _vantages(attackers: list[str]) -> str:
    """Return a sentence on each suffix of the attackers' names that says on which people they were fitted."""
    about = {
        "train": "fitted on the people that the anonymizer was trained on",
        "both": "fitted on these people and the usual ones",
        "other": "fitted on the people of another data set",
    }
    found = [
        f"{suffix.strip()}: {about[vantage]}."
        for vantage, suffix in VANTAGE_SUFFIXES.items()
        if any(attacker.endswith(suffix) for attacker in attackers)
    ]
    return " ".join(found)


def _figures(cells: pl.DataFrame, colour: str) -> Layers:
    return [p9.geom_text(p9.aes(label="figure"), data=cells, size=5.5, color=colour)] if cells.height else []
