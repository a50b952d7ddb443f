"""Every picture of one study by name: what a report leafs through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import plotnine as p9

from analysis.frontier_plot import plot_frontier
from analysis.tables import StudyTables, read_trials


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn of an opened study.

    `draw` returns it without its `title`, in the size that its theme says. It raises AnalysisError, in one line,
    where the study holds nothing to draw.
    """

    title: str
    draw: Callable[[StudyTables], p9.ggplot]


PICTURES: Mapping[str, Picture] = MappingProxyType(
    {
        "frontier": Picture("Trade-off frontier", lambda study: plot_frontier(read_trials(study))),
    }
)
