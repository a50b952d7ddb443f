"""Defines how all pictures look (sizes, colours, captions) and saves them."""

import re
import textwrap
from pathlib import Path
from typing import Any

import plotnine as p9
from matplotlib.ticker import MaxNLocator

from analysis.tables.objectives import Objective

WIDTH_INCHES, HEIGHT_INCHES, DPI = 3.4, 3.0, 300  # one column of a paper
WIDE_INCHES = 7.0  # both columns
CAPTION_CHARACTERS_PER_INCH, CAPTION_LINE_INCHES = 24.0, 0.095  # width and height of the caption's font
CHANCE_AUC = 0.5

Layers = list[Any]  # plotnine's type annotation accepts no list of one kind of layer

# The palette of Okabe and Ito, which colour-blind readers can distinguish; shapes or line types repeat what colours
# say.
GREY, BLUE, SKY, GREEN = "#A0A0A0", "#0072B2", "#56B4E9", "#009E73"
VERMILLION, ORANGE, PURPLE = "#D55E00", "#E69F00", "#CC79A7"
# Shades for what is no data: frames and reference lines, captions and small print, thin rules, the grid.
LINE_GREY, TEXT_GREY, RULE_GREY, GRID_GREY = "#555555", "#444444", "#C8C8C8", "#EBEBEB"
# The ends of a heat map have one hue: its cells differ in lightness, which colour-blind readers see.
HEAT_LIGHT, HEAT_DARK = "#F7FBFF", "#08306B"


def column_theme(width: float = WIDTH_INCHES, height: float = HEIGHT_INCHES) -> p9.theme:
    """Return the theme of a picture of `width` x `height` inches, whose text is legible when printed in that size."""
    return p9.theme_bw(base_size=7) + p9.theme(
        figure_size=(width, height),
        panel_grid_minor=p9.element_blank(),
        panel_grid_major=p9.element_line(color=GRID_GREY, size=0.3),
        panel_border=p9.element_rect(color=LINE_GREY, size=0.5),
        strip_background=p9.element_blank(),
        strip_text=p9.element_text(size=7, margin={"t": 4, "b": 2}),
        panel_spacing_y=0.02,
        axis_title=p9.element_text(size=7),
        axis_text=p9.element_text(size=6.5),
        plot_title=p9.element_text(size=8),
        plot_title_position="plot",
        plot_caption=p9.element_text(size=5.5, color=TEXT_GREY, ha="left"),
        plot_caption_position="plot",  # its lines are as wide as the picture
        plot_margin=0.012,
        legend_position="top",
        legend_title=p9.element_blank(),
        legend_text=p9.element_text(size=6.5),
        legend_margin=0,
        legend_box_margin=0,
        legend_box_spacing=0.012,
        legend_key_width=8,
    )


def axis_title(objective: Objective) -> str:
    """Return the title of an axis: the objective with its unit and its direction."""
    return f"{objective.title} ({objective.better})"


def short_title(objective: Objective) -> str:
    """Return a short name of an objective, from its column, for example "attacker AUC"."""
    return objective.column.removesuffix("_validation").replace("_", " ").replace("auc", "AUC")


def panel_title(objective: Objective) -> str:
    """Return the title of a panel: the objective's short name with its direction, which fits a column's width."""
    return f"{short_title(objective)} ({objective.better})"


def caption(*sentences: str, width: float = WIDTH_INCHES) -> str:
    """Return the sentences that are not empty as one text, broken into lines that fit a picture of `width` inches.

    A number and the word after it stay on one line.
    """
    text = re.sub(r"(\d) ", "\\1\N{NO-BREAK SPACE}", " ".join(filter(None, sentences)))
    return textwrap.fill(text, int(width * CAPTION_CHARACTERS_PER_INCH))


def caption_inches(text: str) -> float:
    """Return the height of a caption in inches."""
    return CAPTION_LINE_INCHES * len(text.splitlines())


def whole_breaks(limits: tuple[float, float]) -> list[float]:
    """Return about five whole numbers between `limits`: the breaks of an axis that counts."""
    return [
        tick
        for tick in MaxNLocator(nbins=5, integer=True).tick_values(*limits)
        if limits[0] <= tick <= limits[1]
    ]


def save_png(plot: p9.ggplot, path: str | Path, title: str | None = None) -> None:
    """Save a plot as PNG at 300 dpi, in the size that its theme sets, with a `title` above it if one is given.

    Raises OSError if `path` cannot be written.
    """
    titled = plot + p9.ggtitle(title) if title else plot
    titled.save(path, format="png", dpi=DPI, verbose=False)
