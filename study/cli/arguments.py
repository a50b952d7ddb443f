"""Arguments and options that several commands of `aia-study` share, and the parsers of their texts."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from study.console import Format

_STUDY = "A study's directory, STORAGE/NAME"


def local_path(path: Path | None) -> Path | None:
    """Return an option's path, or raise a usage error for a URI, of which a path would make a local folder."""
    if path is not None and ":/" in str(path):
        raise typer.BadParameter(f"{path}: needs a path on this machine, not a URI")
    return path


def parse_location(text: str) -> Any:
    """Return the location that a path or a URI names."""
    from analysis.tables.location import location

    return location(text)


def parse_readable_study(text: str) -> Any:
    """Return the location of a study for a command that only reads it; `example` is the study that ships."""
    from study.lifecycle.example_study import resolve_example

    return resolve_example(parse_location(text))


def parse_writable_study(text: str) -> Any:
    """Return the location of a study for a command that writes to it; raises StudyError for the study that ships."""
    from study.lifecycle.example_study import require_writable_study

    return require_writable_study(parse_location(text))


def spec_value(key: str) -> Callable[[str], Any]:
    """Return a parser of texts for a key of the spec that takes values of several types."""

    def parse(text: str) -> Any:
        from study.spec.settings import parse_value

        return parse_value(key, text)

    return parse


# typer accepts no union as the type of an argument, and a location is a path or a URI.
Directory = Annotated[
    Any,
    typer.Argument(
        metavar="DIR", help=f"{_STUDY}, or example for the study that ships.", parser=parse_readable_study
    ),
]
OwnDirectory = Annotated[Any, typer.Argument(metavar="DIR", help=f"{_STUDY}.", parser=parse_writable_study)]
Checkpoint = Annotated[
    Any,
    typer.Argument(
        metavar="CHECKPOINT", help="A checkpoint's folder, as select prints it.", parser=parse_location
    ),
]
RecordedStudy = Annotated[
    Any,
    typer.Argument(
        metavar="TABLE",
        help="A study that was judged after each epoch: its directory, or the one Parquet file made of it.",
        parser=parse_location,
    ),
]
ParquetOutput = Annotated[
    Path,
    typer.Option(
        "-o", "--output", callback=local_path, metavar="PARQUET", help="The Parquet file to create."
    ),
]
Storage = Annotated[
    str,
    typer.Option(
        metavar="DIR_OR_URI",
        help="Folder for studies: a directory, or a URI such as s3://BUCKET/FOLDER.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set any key of the spec; may be repeated."),
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="Print a table for people, or JSON or CSV for programs.")
]
Address = Annotated[
    str | None, typer.Option(metavar="ADDR", help="A running Ray cluster: auto or HEAD:6379.")
]
Detach = Annotated[
    bool,
    typer.Option(
        "--detach",
        help="Run as a job of the cluster whose dashboard is at --address, such as http://HEAD:8265.",
    ),
]
Hours = Annotated[
    float | None, typer.Option(min=0, help="Stop the run cleanly after this many hours; resume continues it.")
]
