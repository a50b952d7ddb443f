"""Builds the interactive frontier of a report as a Vega-Lite chart, whose data the page's script sets by name."""

from typing import Any

import altair as alt

from analysis.plots.elements.frontier_points import View
from analysis.plots.pictures.frontier import BASELINES, CHANCE_AUC, CONFIRMED, FRONT, SEARCH_TRIAL, STOPPED
from analysis.report.designs import DOMINATED, KINDS, NAMES
from analysis.tables.objectives import ATTACKER, MATCHING, Objective

# Colours are CSS variables of the page, so that the chart follows its light or dark style.
BASELINE_SHAPES = ("square", "triangle-up", "diamond", "triangle-down", "triangle-right")
MARKS = {  # kind: colour, shape, area in square pixels
    SEARCH_TRIAL: ("var(--trial)", "circle", 42),
    STOPPED: ("var(--trial)", "cross", 42),
    DOMINATED: ("var(--staircase)", "circle", 60),
    FRONT: ("var(--front)", "circle", 100),
    CONFIRMED: ("var(--front)", "circle", 100),
    **{
        name: ("var(--baseline)", shape, 110)
        for (_, name), shape in zip(BASELINES.values(), BASELINE_SHAPES, strict=True)
    },
}
# The legend is filled row by row: with two columns, as on a phone, the long names are in the first.
LEGEND = (CONFIRMED, FRONT, SEARCH_TRIAL, DOMINATED, STOPPED, *NAMES.values())
RING_AREA = 320  # square pixels, of the ring around the chosen design


def frontier_chart(kinds: set[str], x: View, y: View) -> dict[str, Any]:
    """Return the Vega-Lite specification of the chart, ready for JSON, with axes that cover the ranges `x` and `y`.

    `kinds` are the kinds of designs that the legend names, of `analysis.report.designs.KINDS`. The page's script sets
    the data sets `designs`, `staircase`, `x_bars` and `y_bars` (entries of `report_data`) and the parameters `limit`
    (an attacker AUC) and `chosen` (a design's id).
    """
    across = alt.X("x:Q").scale(domain=[x.low, x.high], zero=False, nice=False).title(_title(ATTACKER))
    up = alt.Y("y:Q").scale(domain=[y.low, y.high], zero=False, nice=False).title(_title(MATCHING))
    limit = alt.Chart(alt.InlineData(values=[{}])).transform_calculate(x="limit", right=str(x.high))
    layers = [
        limit.mark_rect(color="var(--beyond)", clip=True).encode(across, x2="right:Q"),
        *_chance(across if x.contains(CHANCE_AUC) else None, up if y.contains(CHANCE_AUC) else None),
        alt.Chart(alt.NamedData("x_bars"))
        .mark_rule(color="var(--front)", opacity=0.35)
        .encode(across, up, x2="x2:Q"),
        alt.Chart(alt.NamedData("y_bars"))
        .mark_rule(color="var(--front)", opacity=0.35)
        .encode(across, up, y2="y2:Q"),
        alt.Chart(alt.NamedData("staircase"))
        .mark_line(color="var(--staircase)", strokeWidth=2, clip=True)
        .encode(across, up, order="step:Q"),
        limit.mark_rule(color="var(--limit)", strokeWidth=1.5, clip=True).encode(across),
        alt.Chart(alt.NamedData("designs"))
        .transform_filter("datum.id === chosen")
        .mark_point(shape="circle", size=RING_AREA, filled=False, color="var(--ink)", strokeWidth=2)
        .encode(across, up),
        _designs([kind for kind in KINDS if kind in kinds], across, up),
    ]
    chart = alt.LayerChart(layer=layers).properties(width="container", height="container")
    parameters = [{"name": "limit", "value": 1.0}, {"name": "chosen", "value": ""}]
    return {**_styled(chart).to_dict(), "params": parameters}


def _title(objective: Objective) -> list[str]:
    return [objective.title, f"({objective.better})"]


def _chance(across: alt.X | None, up: alt.Y | None) -> list[alt.Chart]:
    at = alt.Chart(alt.InlineData(values=[{"x": CHANCE_AUC, "y": CHANCE_AUC}]))
    line = at.mark_rule(color="var(--muted)", strokeDash=[2, 3])
    return [line.encode(channel) for channel in (across, up) if channel is not None]


def _designs(kinds: list[str], across: alt.X, up: alt.Y) -> alt.Chart:
    colours, shapes, sizes = (list(values) for values in zip(*(MARKS[kind] for kind in kinds), strict=True))
    columns = alt.ExprRef(expr="width < 480 ? 2 : 4")
    values = [kind for kind in LEGEND if kind in kinds]
    legend = alt.Legend(title=None, orient="top", columns=columns, values=values, symbolOpacity=1)
    return (
        alt.Chart(alt.NamedData("designs"))
        .mark_point(filled=True, opacity=1, cursor="pointer", stroke="var(--page)", strokeWidth=0.7)
        .encode(
            across,
            up,
            alt.Color("kind:N").scale(domain=kinds, range=colours).legend(legend),
            alt.Shape("kind:N").scale(domain=kinds, range=shapes).legend(legend),
            alt.Size("kind:O").scale(type="ordinal", domain=kinds, range=sizes).legend(legend),
            tooltip=[
                alt.Tooltip("id:N", title="trial"),
                alt.Tooltip("kind:N"),
                alt.Tooltip("attacker:N", title="attacker AUC"),
                alt.Tooltip("matching:N", title="matching AUC"),
                alt.Tooltip("design:N"),
            ],
        )
    )


def _styled(chart: alt.LayerChart) -> alt.LayerChart:
    return (
        chart.configure(background="transparent", font="system-ui, sans-serif", padding=4, aria=False)
        .configure_view(stroke="var(--line)")
        .configure_axis(
            domain=False,
            gridColor="var(--grid)",
            tickColor="var(--line)",
            labelColor="var(--muted)",
            labelFontSize=12,
            titleColor="var(--ink)",
            titleFontSize=13,
            titleFontWeight="normal",
            titlePadding=10,
            tickCount=6,
        )
        .configure_legend(
            labelColor="var(--ink)", labelFontSize=12, labelLimit=240, rowPadding=4, columnPadding=4
        )
    )
