"""`report`: a study's page as a file, or live while it runs."""

import os
from pathlib import Path

from analysis.pictures import PICTURES
from analysis.report import report_page
from analysis.tables import open_study
from study.console import stdout
from study.errors import StudyError
from study.layout import REPORT
from study.report_server import LiveReport, serve


def report(directory: Path, output: Path | None, *, live: bool, port: int | None) -> None:
    """Writes the page, which appears whole, and says where; `live` serves it until interrupted instead.

    StudyError for options that do not go together.
    """
    if live and output is not None:
        raise StudyError("--live serves the page and writes no file: give --live or --output")
    if port is not None and not live:
        raise StudyError("--port is where --live serves the page: give --live too")
    if live:
        serve(LiveReport(directory, render), port or 0)
        return
    path = output or directory / REPORT
    page = render(directory, None)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_text(page, "utf-8")
    os.replace(aside, path)
    stdout.print(f"report: {path} ({len(page.encode()) / 1e6:.1f} MB)")


def render(directory: Path, version: str | None) -> str:
    """The page of the study in `directory`."""
    return report_page(open_study(directory), directory.resolve().name, PICTURES, version)
