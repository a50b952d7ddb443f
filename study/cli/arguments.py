"""Arguments and options that several commands of `aia-study` take."""

from pathlib import Path
from typing import Annotated, Any

import typer

from study.console import Format

_STUDY = "The study: STORAGE/NAME"


def local(path: Path | None) -> Path | None:
    """An option's path as it is; typer's error for a URI, which would become a folder of that name."""
    if path is not None and ":/" in str(path):
        raise typer.BadParameter(f"{path}: needs a path on this machine, not a URI")
    return path


def _location(text: str) -> Any:
    from analysis.tables.location import location

    return location(text)


def read_only(text: str) -> Any:
    """A study's path or URI for commands that only read it."""
    from study.lifecycle.example_study import resolve_example

    return resolve_example(_location(text))


def _own(text: str) -> Any:
    from study.lifecycle.example_study import require_writable_study

    return require_writable_study(_location(text))


# What typer calls a type may be no union, which a path or a URI is.
Directory = Annotated[
    Any, typer.Argument(metavar="DIR", help=f"{_STUDY}, or example, which ships.", parser=read_only)
]
OwnDirectory = Annotated[Any, typer.Argument(metavar="DIR", help=f"{_STUDY}.", parser=_own)]
Checkpoint = Annotated[
    Any,
    typer.Argument(
        metavar="CHECKPOINT", help="A checkpoint's folder, as select prints it.", parser=_location
    ),
]
RecordedStudy = Annotated[
    Any,
    typer.Argument(
        metavar="TABLE",
        help="A study judged after each epoch: its directory, or one Parquet file of it.",
        parser=_location,
    ),
]
Storage = Annotated[
    str,
    typer.Option(
        metavar="DIR_OR_URI", help="Where studies lie: a directory, or a URI as s3://BUCKET/FOLDER."
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, or json or csv alone.")]
Address = Annotated[
    str | None, typer.Option(metavar="ADDR", help="A running Ray cluster, auto or HEAD:6379.")
]
Detach = Annotated[
    bool,
    typer.Option(
        "--detach", help="Run as a job of the cluster whose dashboard is at --address, as http://HEAD:8265."
    ),
]
Hours = Annotated[float | None, typer.Option(min=0, help="End in good order after so many; resume goes on.")]
