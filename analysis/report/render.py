"""Renders a study's report as one HTML page that needs neither other files nor a network."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import altair as alt
import vl_convert
from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup

from analysis.plots.catalogue import Picture
from analysis.plots.elements.frontier_points import ATTACKER_AUC, MATCHING_AUC, frontier_points
from analysis.report.chart import frontier_chart
from analysis.report.data import report_data
from analysis.report.designs import designs
from analysis.report.images import report_pictures
from analysis.report.summary import basis, source, summary
from analysis.summaries.front_table import front_rows
from analysis.summaries.status import status_summary
from analysis.summaries.wording import figure_text
from analysis.tables.reader import StudyTables, read_trials

TEMPLATES = "templates"  # folder beside this module with the page's templates, style and scripts
COLUMNS = ("attacker_auc_validation", "matching_auc_validation", "attacker_auc_test", "matching_auc_test")


def report_page(
    study: StudyTables, title: str, pictures: Mapping[str, Picture], version: str | None = None
) -> str:
    """Return the report of a study as HTML, with `title` as its heading and the given pictures.

    With a `version` the page is live: it asks its server for the newest version, at the relative address `version`, and
    reloads when that differs. Raises AnalysisError if no trial is judged or the tables cannot be read.
    """
    trials = read_trials(study)
    front, picture = front_rows(study), frontier_points(trials)
    shown = designs(trials, front)
    x, y = picture.x.extended(shown.rows[ATTACKER_AUC]), picture.y.extended(shown.rows[MATCHING_AUC])
    data = report_data(study, trials, shown, picture, x)
    entries = {design["id"]: design for design in data["designs"]}
    baselines = shown.rows.filter(source="baseline")
    return _template("report.html").render(
        title=title,
        version=version,
        summary=summary(front),
        source=source(front, study.directory),
        basis=basis(trials),
        data=data,
        chart=frontier_chart(set(shown.rows["kind"]), x, y),
        front=[_table_row(row, entries) for row in front.iter_rows(named=True)],
        baselines=[_table_row(row, entries) for row in baselines.iter_rows(named=True)],
        status=status_summary(study),
        pictures=report_pictures(study, pictures),
        bundle=_bundle(),
    )


def waiting_page(title: str, reason: str, version: str) -> str:
    """Return an HTML page that states the `reason` why there is no report yet, and reloads when the version changes."""
    return _template("waiting.html").render(title=title, reason=reason, version=version)


def _table_row(row: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    design = entries[row["trial_id"]]
    cells = [figure_text(row, column).partition(" ")[::2] for column in COLUMNS]
    return {**design, "cells": cells, "searched": dict(design["parameters"])}


def _template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("analysis.report", TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = _asset
    return environment.get_template(name)


def _asset(name: str) -> Markup:
    """Return a style sheet or script of the templates folder unchanged."""
    return Markup(resources.files("analysis.report").joinpath(TEMPLATES, name).read_text("utf-8"))


@cache
def _bundle() -> Markup:
    """Return Vega, Vega-Lite and Vega-Embed as one script that can be embedded in a page."""
    version = ".".join(alt.VEGALITE_VERSION.split(".")[:2])
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", version)
    return Markup(script.replace("</script", "<\\/script"))
