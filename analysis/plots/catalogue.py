"""Lists every picture of one study by name, for `aia-study plot --kind` and for the report.

A new picture needs a module in `analysis/plots/pictures` and one line in PICTURES.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import plotnine as p9

from analysis.plots.pictures.attacks import plot_attacks
from analysis.plots.pictures.attainment import plot_attainment
from analysis.plots.pictures.coordinates import plot_coordinates
from analysis.plots.pictures.costs import plot_costs
from analysis.plots.pictures.frontier import plot_frontier
from analysis.plots.pictures.history import plot_history
from analysis.plots.pictures.importance import plot_importance
from analysis.plots.pictures.map import plot_map
from analysis.plots.pictures.optimism import plot_optimism
from analysis.plots.pictures.probability import plot_probability
from analysis.plots.pictures.rungs import plot_rungs
from analysis.tables.reader import StudyTables, read_trials


@dataclass(frozen=True)
class Picture:
    """One kind of picture: its title, and the function that draws it from a study's tables.

    `draw` returns a plot without the title, whose theme sets its size. It raises AnalysisError if the study lacks
    what the picture shows.
    """

    title: str
    draw: Callable[[StudyTables], p9.ggplot]


PICTURES: Mapping[str, Picture] = MappingProxyType(
    {
        "frontier": Picture("Trade-off frontier", lambda study: plot_frontier(read_trials(study))),
        "attainment": Picture("Attainment over seeds", plot_attainment),
        "history": Picture("Hypervolume over the search", plot_history),
        "rungs": Picture("Rungs of early stopping", plot_rungs),
        "attacks": Picture("Attackers by design", plot_attacks),
        "map": Picture("Objectives over α and β", plot_map),
        "coordinates": Picture("Parallel coordinates", plot_coordinates),
        "optimism": Picture("From search to confirmation", plot_optimism),
        "probability": Picture("Probability of being Pareto-optimal", plot_probability),
        "importance": Picture("Importance of hyperparameters", plot_importance),
        "costs": Picture("Cost of each trial", plot_costs),
    }
)
