"""The recorded study that ships with the package; commands that read a study find it by the name `example`."""

from importlib import resources
from pathlib import Path

from analysis.tables.location import Location
from study.errors import StudyError

EXAMPLE = "example"


def example_directory() -> Path:
    """Return the directory of the study that ships; it is never written to."""
    return Path(str(resources.files("study").joinpath("example_study")))


def resolve_example(directory: Location) -> Location:
    """Return the study that a command's DIR means.

    `example` means the study that ships, unless the working directory has a directory of that name.
    """
    return example_directory() if directory == Path(EXAMPLE) and not directory.exists() else directory


def require_writable_study(directory: Location) -> Location:
    """Return the DIR of a command that writes to the study. Raises StudyError for the study that ships."""
    if is_example(resolve_example(directory)):
        raise StudyError(
            f"{directory}: the study that ships is only read; launch one of your own: aia-study launch quick"
        )
    return directory


def is_example(directory: Location) -> bool:
    """Return whether `directory` is the study that ships."""
    return directory.resolve() == example_directory().resolve()


def default_output(directory: Location, name: str) -> Location:
    """Return where a picture or report is written if the user names no file.

    That is the study's directory, or the working directory for the study that ships.
    """
    return Path(f"{EXAMPLE}-{name}") if is_example(directory) else directory / name
