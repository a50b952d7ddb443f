"""The command `report` writes the page of a study to a file, or serves it live while the study runs."""

from contextlib import suppress
from pathlib import Path

from analysis.plots.catalogue import PICTURES
from analysis.report.render import report_page
from analysis.tables.location import Location, write_to
from study.cli.report_server import LiveReport, serve
from study.console import stdout
from study.errors import StudyError
from study.lifecycle.example_study import default_output, is_example
from study.open_readable import open_readable
from study.search.importance import write_importance
from study.storage.paths import REPORT


def report(directory: Location, output: Path | None, *, live: bool, port: int | None) -> None:
    """Write the page to `output`, or to its default path, atomically, and print the path.

    With `live` the page is served on `port` until Ctrl-C instead. Raises StudyError for options that exclude each
    other.
    """
    if live and output is not None:
        raise StudyError("--live serves the page and writes no file: use either --live or --output")
    if port is not None and not live:
        raise StudyError("--port is the port of --live: add --live")
    if live:
        serve(LiveReport(directory, render), port or 0)
        return
    target = output or default_output(directory, REPORT)
    if not is_example(directory):
        # A study may be read-only or of another release: its page then shows the importance that is already there.
        with suppress(OSError, StudyError):
            write_importance(directory)
    page = render(directory, None)
    with write_to(target) as path:
        path.write_text(page, "utf-8")
    stdout.print(f"report: {target} ({len(page.encode()) / 1e6:.1f} MB)")


def render(directory: Location, version: str | None) -> str:
    """Return the HTML page of the study in `directory`; a live page needs the `version` of its results."""
    return report_page(open_readable(directory), directory.resolve().name, PICTURES, version)
