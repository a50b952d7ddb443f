"""A study as the commands that only read it open it: what of its tables cannot be read is told on stderr."""

from analysis.tables.location import Location
from analysis.tables.reader import StudyTables, open_tables
from study.console import stderr


def open_readable(directory: Location, *tables: str) -> StudyTables:
    """The tables of a study; a line for each damaged part of those named, by default of all.

    AnalysisError as in `open_study`.
    """
    study = open_tables(directory)
    for part in study.damaged(*tables):
        stderr.print(f"warning: {part}")
    return study
