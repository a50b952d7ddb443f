"""Opening a study for commands that only read it, with warnings about damaged parts of its tables."""

from analysis.tables.location import Location
from analysis.tables.reader import StudyTables, open_tables
from study.console import stderr


def open_readable(directory: Location, *tables: str) -> StudyTables:
    """Return the tables of the study in `directory`, and print a warning for each damaged part of the named tables.

    Without names the warnings are about all tables. Raises AnalysisError like `open_tables`.
    """
    study = open_tables(directory)
    for part in study.damaged(*tables):
        stderr.print(f"warning: {part}")
    return study
