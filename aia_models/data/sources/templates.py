"""Reader of `templates:FILE`: templates that a face network made of images, in Parquet or in NumPy's .npz."""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import Float32

from aia_models.data.sources.categorical import Categorical
from aia_models.data.sources.source import FaceSource, SourceTemplates, key_over
from aia_models.data.templates import check_templates
from aia_models.errors import DataError

CHUNK_ROWS = 8192
READ_BUFFER = 1 << 20  # bytes: Parquet's column chunks may hold gigabytes
UNKNOWN_TEXT = ""

Chunks = Iterator[Float32[np.ndarray, "n d"]]


@dataclass(frozen=True)
class _File:
    """A file of templates: its columns beside the templates as texts, the number of values of a template."""

    path: Path
    columns: Mapping[str, list[str]]
    values: int

    def place(self, row: int) -> str:
        return f"{self.path} row {row} (counted from 0)"

    def chunks(self) -> Chunks:
        """Yield the templates in order; raises DataError for one that is not `values` finite values, or all zeros."""
        start = 0
        for chunk in _parquet_chunks(self) if self.path.suffix == ".parquet" else _npz_chunks(self):
            first = start
            check_templates(chunk, lambda row, first=first: self.place(first + row))
            yield chunk
            start += len(chunk)


def read_templates(location: str) -> FaceSource:
    """List the faces of a file with the columns, or arrays, `identity`, `template` and any attributes.

    In Parquet a template is a list of numbers, in .npz a row of a two-dimensional array; all have one length. Templates
    themselves are not read yet. Raises DataError naming the file and the remedy.
    """
    path = Path(location).expanduser()
    if not location or not path.is_file():
        raise DataError(f"no file '{location}': give templates:FILE with a Parquet or .npz file")
    if path.suffix not in (".parquet", ".npz"):
        raise DataError(f"{path} is neither .parquet nor .npz: give templates in one of these formats")
    try:
        found = _open_parquet(path) if path.suffix == ".parquet" else _open_npz(path)
    except (ValueError, zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path} cannot be read as {path.suffix} ({_line(error)}): write it again") from error
    identities = found.columns["identity"]
    unnamed = next((row for row, name in enumerate(identities) if not name.strip()), None)
    if unnamed is not None:
        raise DataError(f"{found.place(unnamed)}: 'identity' is empty, every template needs one")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    attributes = {name: column for name, column in found.columns.items() if name != "identity"}
    return FaceSource(
        title=str(path),
        key=key_over([digest]),
        identities=Categorical.of(identities),
        columns={name: Categorical.of(column) for name, column in attributes.items()},
        places=found.place,
        images=SourceTemplates(found.values, found.chunks),
    )


def _open_parquet(path: Path) -> _File:
    # Imported here, because training and judging need no Parquet.
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, buffer_size=READ_BUFFER, pre_buffer=False) as file:
        schema = file.schema_arrow
        _check_columns(path, schema.names, file.metadata.num_rows)
        kind = schema.field("template").type
        is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        if not is_list or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
            raise DataError(f"{path}: column 'template' is {kind}, a list of numbers is needed")
        first = next(file.iter_batches(1, columns=["template"])).column(0)[0]
        names = [field.name for field in schema if not pa.types.is_nested(field.type)]
        table = file.read(columns=names)
    columns = {name: _texts(table[name].to_pylist()) for name in names}
    return _File(path, columns, len(first) if first.is_valid else 0)


def _parquet_chunks(found: _File) -> Chunks:
    import pyarrow.parquet as pq

    start = 0
    with pq.ParquetFile(found.path, buffer_size=READ_BUFFER, pre_buffer=False) as file:
        for batch in file.iter_batches(CHUNK_ROWS, columns=["template"]):
            column = batch.column(0)
            lengths = np.nan_to_num(column.value_lengths().to_numpy(zero_copy_only=False)).astype(int)
            other = np.flatnonzero(lengths != found.values)
            if len(other) and not lengths[other[0]]:
                raise DataError(
                    f"{found.place(start + int(other[0]))}: its template is empty: remove the row"
                )
            if len(other):
                raise DataError(
                    f"{found.place(start + int(other[0]))}: its template has {lengths[other[0]]} values, that of "
                    f"row 0 has {found.values}: all need one length"
                )
            values = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
            yield values.reshape(len(batch), found.values)
            start += len(batch)


def _open_npz(path: Path) -> _File:
    with np.load(path, allow_pickle=False) as arrays:
        names = list(arrays)
        with zipfile.ZipFile(path) as archive:
            shapes = {name: _read_header(archive, name)[0] for name in names}
        _check_columns(path, names, shapes.get("template", (0,))[0])
        shape = shapes["template"]
        if len(shape) != 2:
            raise DataError(f"{path}: array 'template' has shape {list(shape)}, [n, d] is needed")
        columns = {name: _texts(arrays[name].tolist()) for name in names if shapes[name] == shape[:1]}
    if "identity" not in columns:
        raise DataError(
            f"{path}: array 'identity' has shape {list(shapes['identity'])}, [{shape[0]}] is needed"
        )
    return _File(path, columns, shape[1])


def _npz_chunks(found: _File) -> Chunks:
    with zipfile.ZipFile(found.path) as archive:
        (rows, values), in_columns, dtype = _read_header(archive, "template")
        if in_columns or dtype.kind not in "fiu":
            raise DataError(
                f"{found.path}: array 'template' is {dtype}, rows of numbers in C order are needed"
            )
        with archive.open("template.npy") as file:
            _header_of(cast(zipfile.ZipExtFile, file))
            for start in range(0, rows, CHUNK_ROWS):
                count = min(CHUNK_ROWS, rows - start)
                content = file.read(count * values * dtype.itemsize)
                yield np.frombuffer(content, dtype).reshape(count, values).astype(np.float32)


def _read_header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    with archive.open(f"{name}.npy") as file:
        return _header_of(cast(zipfile.ZipExtFile, file))


def _header_of(file: zipfile.ZipExtFile) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return the shape of the array that begins here, whether it is in Fortran order, and its type."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)


def _check_columns(path: Path, names: Iterable[str], rows: int) -> None:
    present = list(names)
    missing = [name for name in ("identity", "template") if name not in present]
    if missing:
        raise DataError(
            f"{path} has no {' or '.join(missing)}: it has {', '.join(present) or 'nothing'}, and needs identity, "
            "template and attributes"
        )
    if not rows:
        raise DataError(f"{path} holds no templates: write one row per image")


def _texts(values: Iterable[object]) -> list[str]:
    """Return cells as texts: no value as the empty text, true as 1, and a whole number without decimals."""
    return [_text(value) for value in values]


def _text(value: object) -> str:
    if value is None or value != value:  # NaN
        return UNKNOWN_TEXT
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(int(value)) if isinstance(value, bool) else str(value)


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
