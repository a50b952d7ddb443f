"""Reader of `folder:PATH`: the user's own data, a labels.csv and image files."""

import csv
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aia_models.data.sources.annotations import check_named_once
from aia_models.data.sources.categorical import Categorical
from aia_models.data.sources.image_files import ImageFiles
from aia_models.data.sources.source import FaceSource, key_over
from aia_models.errors import DataError

_REQUIRED = ("image", "identity")


@dataclass(frozen=True)
class _Table:
    """The cells of labels.csv by column, and the line number of each row."""

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]

    def place(self, row: int) -> str:
        return f"{self.path} line {self.lines[row]}"


def read_folder(location: str) -> FaceSource:
    """List the faces of a folder that holds `labels.csv` (`image,identity,<attribute>...`) and images.

    Image names are relative to the folder. No image is decoded yet, but every image file must exist. Raises
    DataError naming the file, the line and the remedy.
    """
    folder = Path(location).expanduser()
    if not location or not folder.is_dir():
        raise DataError(f"no folder '{location}': give folder:PATH with a labels.csv and the images in it")
    labels = folder / "labels.csv"
    if not labels.is_file():
        raise DataError(f"{labels} is missing: write one with the header image,identity,<attribute>...")
    table = _read_table(labels)
    names = [name.strip() for name in table.columns.pop("image")]
    identities = [name.strip() for name in table.columns.pop("identity")]
    _check_filled(table, names, identities)
    return FaceSource(
        title=str(labels),
        key=key_over([hashlib.sha256(labels.read_bytes()).hexdigest(), *_file_states(folder, names, table)]),
        identities=Categorical.of(identities),
        columns={name: Categorical.of(cells) for name, cells in table.columns.items()},
        places=table.place,
        images=ImageFiles(str(folder.absolute()), names),
    )


def _read_table(path: Path) -> _Table:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            _check_header(path, header)
            rows: list[list[str]] = []
            lines: list[int] = []
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    raise DataError(
                        f"{path} line {reader.line_num}: {len(cells)} cells, "
                        f"but the header names {len(header)} columns"
                    )
                rows.append(cells)
                lines.append(reader.line_num)
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a CSV file in UTF-8 ({error}): save it as one") from error
    if not rows:
        raise DataError(f"{path} holds no rows: write one line per image below the header")
    return _Table(path, dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)), lines)


def _check_header(path: Path, header: Sequence[str]) -> None:
    if not any(header):
        raise DataError(f"{path} is empty: its first line must be image,identity,<attribute>...")
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise DataError(
            f"{path} has no column {' or '.join(missing)}: its columns are {', '.join(header)}, "
            f"it needs image,identity,<attribute>..."
        )
    check_named_once(path, header)


def _check_filled(table: _Table, names: Sequence[str], identities: Sequence[str]) -> None:
    first_row: dict[str, int] = {}
    for row, (name, identity) in enumerate(zip(names, identities, strict=True)):
        if not name or not identity:
            empty = "identity" if name else "image"
            raise DataError(f"{table.place(row)}: '{empty}' is empty, every row needs one")
        earlier = first_row.setdefault(os.path.normpath(name), row)
        if earlier != row:
            raise DataError(
                f"{table.place(row)}: image '{name}' is listed before, on line {table.lines[earlier]}: "
                f"remove one of the two"
            )


def _file_states(folder: Path, names: Sequence[str], table: _Table) -> Iterator[tuple[str, int, int]]:
    for row, name in enumerate(names):
        try:
            state = os.stat(folder / name)
        except OSError as error:
            raise DataError(
                f"{table.place(row)}: there is no image file {folder / name}: add it or remove the line"
            ) from error
        yield name, state.st_size, state.st_mtime_ns
