"""Reader of `vggface:PATH`: one folder of images per person (VGGFace2, LFW), and a CSV file of each person's gender."""

import os
from collections.abc import Iterator
from pathlib import Path

from aia_models.data.sources.categorical import Categorical
from aia_models.data.sources.image_files import TOLERATED_SHARE, ImageFiles, files_below
from aia_models.data.sources.person_table import PersonTable, read_person_table
from aia_models.data.sources.source import FaceSource, Remark, key_over
from aia_models.errors import DataError

# VGGFace2 keeps its people in two folders; the splits here are our own.
_NESTED = ("test", "train")
# `torchvision.datasets.LFWPeople(root)` keeps people in a folder of root/lfw-py, named after the images' alignment.
_LFW_FOLDER, _LFW_IMAGE_FOLDERS = "lfw-py", ("lfw", "lfw_funneled", "lfw-deepfunneled")


def read_vggface(location: str) -> FaceSource:
    """List the images in the folders of all people, with each person's attributes from the CSV file.

    `location` is a folder with one folder of images per person, or with VGGFace2's `train` and `test` of such folders,
    or the root that `torchvision.datasets.LFWPeople` takes, or its `lfw-py`. The CSV file, such as `gender.csv` with
    the header `identity,gender`, lies in `location`, or for LFW in any folder from it down to the people's folders or
    beside the image folder. People without a row in it have unknown attributes. Up to a tenth of the images may be
    unreadable.
    Raises DataError naming the file, the line and the remedy.
    """
    given = Path(location).expanduser()
    if not location or not given.is_dir():
        raise DataError(f"no folder '{location}': give vggface:PATH with one folder of images per person")
    root = _person_root(given)
    table, containers = read_person_table(*_table_folders(given, root)), _containers(root)
    files = {
        f"{folder.relative_to(root).as_posix()}/{name}": (folder.name, *state)
        for folder in _person_folders(containers)
        for name, state in sorted(files_below(folder).items())
    }
    if not files:
        raise DataError(
            f"{root} holds no images: they belong into one folder per person, as n000001/0001_01.jpg"
        )
    names = [*files]
    identities = [person for person, _, _ in files.values()]
    people = dict.fromkeys(identities)
    if not people.keys() & table.rows.keys():
        raise DataError(
            f"none of {len(people):,} folders, the first {next(iter(people))}, is named in {table.path}: "
            f"its first column must hold the folders' names"
        )
    return FaceSource(
        title=str(root),
        key=key_over([table.digest, *((name, *state) for name, state in files.items())]),
        identities=Categorical.of(identities),
        columns={
            column: Categorical.of(texts[person] if person in table.rows else "" for person in identities)
            for column, texts in table.columns.items()
        },
        places=lambda row: table.place(identities[row]),
        images=ImageFiles(str(root.absolute()), names),
        tolerated_share=TOLERATED_SHARE,
        remarks=tuple(_remarks(root, containers, people, table)),
    )


def _person_root(given: Path) -> Path:
    """Return the image folder of LFW where `given` is the root or the `lfw-py` that torchvision takes, else `given`.

    Raises DataError where several image folders lie side by side.
    """
    base = given / _LFW_FOLDER if (given / _LFW_FOLDER).is_dir() else given
    image_folders = [base / name for name in _LFW_IMAGE_FOLDERS if (base / name).is_dir()]
    if len(image_folders) > 1:
        names = ", ".join(folder.name for folder in image_folders)
        raise DataError(
            f"{base} holds several image folders ({names}): give vggface:{image_folders[0]} or another"
        )
    return image_folders[0] if image_folders else base


def _table_folders(given: Path, root: Path) -> list[Path]:
    """Return the folders in which the CSV file may lie: all from `given` down to `root`, and for LFW the one above."""
    folders = [root]
    while folders[-1] != given:
        folders.append(folders[-1].parent)
    if root.name in _LFW_IMAGE_FOLDERS and root.parent not in folders:
        folders.append(root.parent)
    return folders


def _containers(root: Path) -> list[Path]:
    """Return the folders that hold people's folders."""
    return [root, *(root / name for name in _NESTED if (root / name).is_dir() and _folders(root / name))]


def _folders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(folder / entry.name for entry in entries if entry.is_dir())


def _person_folders(containers: list[Path]) -> Iterator[Path]:
    for container in containers:
        yield from (folder for folder in _folders(container) if folder not in containers)


def _remarks(
    root: Path, containers: list[Path], people: dict[str, None], table: PersonTable
) -> Iterator[Remark]:
    strays = [container / name for container in containers for name in sorted(files_below(container))]
    if strays:
        first = strays[0].relative_to(root).as_posix()
        yield Remark(len(strays), "images lie in no person's folder and are left out", first)
    without_row = [person for person in people if person not in table.rows]
    if without_row:
        yield Remark(len(without_row), f"people are not in {table.path.name}", without_row[0])
    without_images = [person for person in table.rows if person not in people]
    if without_images:
        yield Remark(len(without_images), f"people of {table.path.name} have no images", without_images[0])
