"""Annotation files with one image and its values per line, in the published format and the variants of copies."""

import csv
import hashlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aia_models.data.sources.categorical import Categorical, Numbering
from aia_models.data.sources.image_files import is_image
from aia_models.errors import DataError


@dataclass(frozen=True, eq=False)
class Annotation:
    """Content of an annotation file: `columns` maps name -> one text per image, `rows` maps image -> row from 0.

    `lines` holds the line number of each row and `digest` is a sha256 in hex over the file.
    """

    path: Path
    digest: str
    columns: Mapping[str, Categorical]
    rows: Mapping[str, int]
    lines: Sequence[int]

    def place(self, image: str) -> str:
        """Return file and line of an image's row, for messages."""
        return f"{self.path} line {self.lines[self.rows[image]]}"


def read_annotation(path: Path, columns: Sequence[str]) -> Annotation:
    """Read lines of `image value...`, separated by commas or white space, with or without a header.

    The header is everything before the first image: a count, column names with or without one for the image, or both.
    `columns` are the names of a file without header. Raises DataError naming the file, the line and the remedy.
    """
    header: list[str] = []
    rows: dict[str, int] = {}
    lines: list[int] = []
    width = 0
    # For hundreds of thousands of images, lists of texts take gigabytes and minutes of garbage collection.
    numbering, codes = Numbering(), array("i")
    for number, text in enumerate(decoded_lines(path), 1):
        cells = _cells(text)
        if not cells:
            continue
        image = cells[0]
        if not is_image(image):
            if rows:
                raise DataError(f"{path} line {number}: '{image}' is no image name, as 000001.jpg is")
            header = cells
            continue
        if image in rows:
            earlier = lines[rows[image]]
            raise DataError(
                f"{path} line {number}: {image} is listed before, on line {earlier}: remove one of the two"
            )
        if rows and len(cells) != width + 1:
            raise DataError(f"{path} line {number}: {len(cells) - 1} values, but {width} on line {lines[0]}")
        width = len(cells) - 1
        rows[image] = len(lines)
        lines.append(number)
        codes.extend(map(numbering.__getitem__, cells[1:]))
    if not rows:
        raise DataError(f"{path} lists no images: write one line per image, its name first")
    names = _column_names(path, header, width, columns)
    categories, table = tuple(numbering), np.asarray(codes, dtype=np.int32).reshape(-1, width)
    by_column = {name: Categorical(categories, table[:, place]) for place, name in enumerate(names)}
    return Annotation(path, hashlib.sha256(path.read_bytes()).hexdigest(), by_column, rows, lines)


def check_named_once(path: Path, columns: Sequence[str]) -> None:
    """Raise DataError where two columns of a file have the same name."""
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path} names the column '{twice}' twice: rename one of them")


def decoded_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file, with any line endings; raises DataError where it is not UTF-8."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8 ({error}): save it as such") from error


def _cells(text: str) -> list[str]:
    if "," not in text:
        return text.split()
    return [cell.strip() for cell in next(csv.reader([text.strip()], skipinitialspace=True))]


def _column_names(path: Path, header: Sequence[str], width: int, expected: Sequence[str]) -> Sequence[str]:
    if len(header) == width + 1:
        names = header[1:]
    elif len(header) == width and not _is_count(header):
        names = header
    elif len(header) <= 1 and width == len(expected):
        names = expected
    else:
        raise DataError(
            f"{path}: {width} values per image under a header of {len(header)} names; "
            f"needs one name per value, or no header and {len(expected)} values"
        )
    check_named_once(path, names)
    return names


def _is_count(header: Sequence[str]) -> bool:
    return len(header) == 1 and header[0].isdecimal()
