"""Files of templates: what is read from them, in bounded memory, and what is refused in one line."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.errors import DataError

PEOPLE, IMAGES, VALUES = 16, 3, 5
ROWS = PEOPLE * IMAGES
TEMPLATES = np.random.default_rng(0).normal(size=(ROWS, VALUES)).astype(np.float32)
IDENTITY = [f"person-{row // IMAGES:02d}" for row in range(ROWS)]
GENDER = ["male" if row // IMAGES % 2 else "female" for row in range(ROWS)]


def prepared(file: Path) -> Path:
    settings = {"image_side": 32, "attributes": ("gender",), "positive": None, "cache": file.parent / "cache"}
    return prepare(f"templates:{file}", **settings)


def complaint(file: Path) -> str:
    with pytest.raises(DataError) as caught:
        prepared(file)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    cache = file.parent / "cache"
    assert not cache.exists() or not [*cache.iterdir()], "something half prepared was left"
    return str(caught.value)


def by_polars(file: Path, kind: pl.DataType) -> None:
    templates = pl.Series(TEMPLATES.tolist(), dtype=kind)
    pl.DataFrame({"identity": IDENTITY, "gender": GENDER, "template": templates}).write_parquet(file)


def by_pandas(file: Path) -> None:
    pd.DataFrame({"identity": IDENTITY, "gender": GENDER, "template": list(TEMPLATES)}).to_parquet(file)


def by_numpy(file: Path) -> None:
    np.savez(file, identity=np.array(IDENTITY), gender=np.array(GENDER), template=TEMPLATES)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("list.parquet", lambda file: by_polars(file, pl.List(pl.Float64))),
        ("array.parquet", lambda file: by_polars(file, pl.Array(pl.Float32, VALUES))),
        ("pandas.parquet", by_pandas),
        ("numpy.npz", by_numpy),
    ],
)
def test_what_other_tools_write_is_read(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    faces = open_prepared(prepared(tmp_path / name))
    assert faces.inputs.dtype == np.float32
    np.testing.assert_array_equal(faces.inputs, TEMPLATES)
    assert [faces.identity_names[number] for number in faces.identity] == IDENTITY
    assert faces.attribute("gender").tolist() == [int(value == "male") for value in GENDER]
    assert faces.input_shape == (VALUES,)


def test_labels_may_be_numbers_flags_and_empty(tmp_path: Path) -> None:
    gender = [float(row // IMAGES % 2) for row in range(ROWS)]
    gender[-1] = None
    table = pl.DataFrame(
        {"identity": [row // IMAGES for row in range(ROWS)], "gender": gender, "template": TEMPLATES.tolist()}
    )
    table.with_columns(old=pl.col("gender") == 1).write_parquet(tmp_path / "f.parquet")
    faces = open_prepared(prepared(tmp_path / "f.parquet"))
    assert faces.attribute("gender").tolist() == [*map(int, gender[:-1]), -1]
    assert faces.attribute("old").tolist() == faces.attribute("gender").tolist()
    assert len(faces.identity_names) == PEOPLE


def test_the_copy_is_made_anew_when_the_content_changes_at_the_same_size_and_time(tmp_path: Path) -> None:
    file = tmp_path / "f.npz"
    by_numpy(file)
    first = prepared(file)
    assert prepared(file) == first
    np.savez(file, identity=np.array(IDENTITY), gender=np.array(GENDER), template=-TEMPLATES)
    second = prepared(file)
    assert second != first
    assert open_prepared(second).fingerprint != open_prepared(first).fingerprint


def changed(file: Path, **columns: object) -> Path:
    table = {"identity": IDENTITY, "gender": GENDER, "template": TEMPLATES.tolist(), **columns}
    pq.write_table(pa.table({name: column for name, column in table.items() if column is not None}), file)
    return file


def with_row(row: int, template: list[float] | None) -> list[list[float] | None]:
    return [*TEMPLATES[:row].tolist(), template, *TEMPLATES[row + 1 :].tolist()]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"template": None}, "has no template"),
        ({"identity": None}, "has no identity"),
        ({"template": GENDER}, "column 'template' is string, a list of numbers is needed"),
        ({"template": with_row(7, [1.0, 2.0])}, r"row 7 .* has 2 values, that of row 0 has 5"),
        ({"template": with_row(7, None)}, r"row 7 .* template is empty"),
        ({"template": with_row(9, [1.0, 2.0, float("nan"), 1.0, 1.0])}, "row 9 .* holds NaN"),
        ({"template": with_row(9, [1.0, 2.0, float("inf"), 1.0, 1.0])}, "row 9 .* infinite"),
        ({"template": with_row(11, [0.0] * VALUES)}, "row 11 .* zeros only"),
        ({"identity": [*IDENTITY[:-1], ""]}, f"row {ROWS - 1} .*'identity' is empty"),
        ({"identity": [str(row) for row in range(ROWS)]}, "0 identities have 2 or more images"),
        ({"gender": None}, "has no attribute 'gender'"),
        ({"gender": [*GENDER[:-1], "unclear"]}, f"row {ROWS - 1} .*'gender' is 'unclear'"),
    ],
)
def test_wrong_tables_are_refused(tmp_path: Path, columns: dict[str, object], message: str) -> None:
    assert re.search(message, complaint(changed(tmp_path / "f.parquet", **columns)))


def test_no_rows_are_refused(tmp_path: Path) -> None:
    empty = pa.table(
        {"identity": pa.array([], pa.string()), "template": pa.array([], pa.list_(pa.float32()))}
    )
    pq.write_table(empty, tmp_path / "f.parquet")
    assert "holds no templates" in complaint(tmp_path / "f.parquet")


@pytest.mark.parametrize("name", ["f.parquet", "f.npz"])
def test_other_content_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("identity,gender\n")
    assert "cannot be read as" in complaint(tmp_path / name)


def test_other_files_are_refused(tmp_path: Path) -> None:
    assert "no file" in complaint(tmp_path / "missing.parquet")
    (tmp_path / "f.csv").write_text("identity\n")
    assert "neither .parquet nor .npz" in complaint(tmp_path / "f.csv")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"template": TEMPLATES[:, 0]}, r"has shape \[48\], \[n, d\] is needed"),
        ({"identity": np.array(IDENTITY[:-1])}, r"'identity' has shape \[47\], \[48\] is needed"),
        ({"template": np.asfortranarray(TEMPLATES)}, "C order"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    own = {"identity": np.array(IDENTITY), "gender": np.array(GENDER), "template": TEMPLATES, **arrays}
    np.savez(tmp_path / "f.npz", **own)
    assert re.search(message, complaint(tmp_path / "f.npz"))


MEMORY = """
import resource, sys
from pathlib import Path
from aia_models.data.prepared.prepare import prepare
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
source = f"templates:{sys.argv[1]}"
prepare(source, image_side=32, attributes=("gender",), positive=None, cache=Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("name", ["f.parquet", "f.npz"])
def test_a_large_file_is_prepared_without_holding_it(tmp_path: Path, name: str) -> None:
    rows, values = 40_000, 512  # 82 MB, in one row group
    templates = np.random.default_rng(0).normal(size=(rows, values)).astype(np.float32)
    identity, gender = np.arange(rows) // 4, np.arange(rows) // 4 % 2
    if name == "f.npz":
        np.savez(tmp_path / name, identity=identity, gender=gender, template=templates)
    else:
        cells = pa.FixedSizeListArray.from_arrays(templates.reshape(-1), values)
        table = pa.table({"identity": identity, "gender": gender, "template": cells})
        pq.write_table(table, tmp_path / name, row_group_size=rows)
    size = templates.nbytes
    del templates
    command = [sys.executable, "-c", MEMORY, str(tmp_path / name), str(tmp_path / "cache")]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(found.stdout) * 1024 < size / 2
