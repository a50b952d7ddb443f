"""The recorded study that ships with the package: commands that read a study know it by the name `example`."""

from importlib import resources
from pathlib import Path

from analysis.tables.location import Location
from study.errors import StudyError

EXAMPLE = "example"


def example_directory() -> Path:
    """Where it lies; nothing writes there."""
    return Path(str(resources.files("study").joinpath("example_study")))


def for_reading(directory: Location) -> Location:
    """A command's DIR: `example` means the study that ships, unless a directory of that name is here."""
    return example_directory() if directory == Path(EXAMPLE) and not directory.exists() else directory


def for_writing(directory: Location) -> Location:
    """The DIR of a command that writes to it; StudyError for the study that ships."""
    if is_example(for_reading(directory)):
        raise StudyError(
            f"{directory}: the study that ships is only read; launch one of your own: aia-study launch quick"
        )
    return directory


def is_example(directory: Location) -> bool:
    """Whether it is the study that ships."""
    return directory.resolve() == example_directory().resolve()


def picture_place(directory: Location, name: str) -> Location:
    """Where a study's picture goes that nobody gave a place: beside its tables; of the study that ships, here."""
    return Path(f"{EXAMPLE}-{name}") if is_example(directory) else directory / name
