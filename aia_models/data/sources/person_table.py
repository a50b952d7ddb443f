"""The CSV file with each person's attributes: VGGFace2's identity_meta.csv or the user's own."""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aia_models.data.sources.annotations import check_named_once, decoded_lines
from aia_models.errors import DataError

_IDENTITY_NAMES = ("identity", "class_id")
_GENDER = "gender"
# Columns of identity_meta.csv that are no attributes of the person.
_IGNORED = ("name", "sample_num", "flag")
_HEADERS = (("identity", _GENDER), ("class_id", "name", "sample_num", "flag", _GENDER))
_GENDERS = ("m", "f", "male", "female")
_REMEDY = "write gender.csv with the header identity,gender and one line per person, as n000001,m"


@dataclass(frozen=True, eq=False)
class PersonTable:
    """Attributes by person: `columns` maps attribute -> person -> text, `rows` maps person -> line of the file.

    `digest` is a sha256 in hex over the file.
    """

    path: Path
    digest: str
    columns: Mapping[str, Mapping[str, str]]
    rows: Mapping[str, int]

    def place(self, person: str) -> str:
        """Return where a person's row stands, for messages."""
        return (
            f"{self.path} line {self.rows[person]}"
            if person in self.rows
            else f"{person}: not in {self.path}"
        )


def read_person_table(root: Path, *further: Path) -> PersonTable:
    """Read the only CSV file in `root`, `root/meta` or `further` folders that maps people to genders.

    The file may lack a header. Spaces and quotes around cells are dropped, also unbalanced quotes. Raises DataError
    naming the file, the line and the remedy.
    """
    folders = (root, root / "meta", *further)
    candidates = [path for folder in folders for path in sorted(folder.glob("*.csv"))]
    found = {path: header for path in candidates if (header := _header(_first_line(path)))}
    if not found:
        seen = f"{', '.join(path.name for path in candidates)} is none" if candidates else "there is none"
        raise DataError(f"{root} needs a CSV file of identity and gender ({seen}): {_REMEDY}")
    if len(found) > 1:
        one, other = [*found][:2]
        raise DataError(f"{one} and {other} both map people to genders: remove one of the two")
    ((path, header),) = found.items()
    return _read(path, header)


def _first_line(path: Path) -> str:
    """Return the first line that is not empty; unrelated CSV files may be in any encoding."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return next((line for line in file if line.strip()), "")


def _header(first: str) -> Sequence[str]:
    """Return the columns' names, given a file's first line; none where the file does not map people to genders."""
    for reading in _readings(first):
        cells = [cell.casefold() for cell in reading]
        if cells[0] in _IDENTITY_NAMES and _GENDER in cells:
            return cells
        header = next((header for header in _HEADERS if len(header) == len(cells)), ())
        if header and cells[-1] in _GENDERS:
            return header
    return ()


def _read(path: Path, header: Sequence[str]) -> PersonTable:
    check_named_once(path, header)
    rows: dict[str, int] = {}
    columns: dict[str, dict[str, str]] = {name: {} for name in header[1:] if name not in _IGNORED}
    for number, line in enumerate(decoded_lines(path), 1):
        if not line.strip():
            continue
        cells = _cells(line, len(header))
        if len(cells) != len(header):
            raise DataError(
                f"{path} line {number}: {len(cells)} cells, but {len(header)} columns: {','.join(header)}"
            )
        person = cells[0]
        if not rows and person.casefold() == header[0]:
            continue
        if not person:
            raise DataError(f"{path} line {number}: the identity is empty, every row needs one")
        if person in rows:
            raise DataError(
                f"{path} line {number}: {person} is listed before, on line {rows[person]}: remove one of the two"
            )
        rows[person] = number
        for name, cell in zip(header[1:], cells[1:], strict=True):
            if name in columns:
                columns[name][person] = cell
    if not rows:
        raise DataError(f"{path} holds no rows: {_REMEDY}")
    return PersonTable(path, hashlib.sha256(path.read_bytes()).hexdigest(), columns, rows)


def _cells(line: str, width: int) -> list[str]:
    quoted, plain = _readings(line)
    return quoted if len(quoted) == width else plain


def _readings(line: str) -> tuple[list[str], list[str]]:
    """Return a line's cells read as CSV, and split at every comma: an unclosed quote would swallow later commas."""
    quoted = next(csv.reader([line], skipinitialspace=True), [])
    quoted, plain = (
        [cell.strip().strip("\"'").strip() for cell in cells] for cells in (quoted, line.split(","))
    )
    return quoted or plain, plain
