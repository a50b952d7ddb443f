"""`aia-study encode` of a labelled data set writes who is released beside the release."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
import torch

import aia_models
from aia_models.config import AdversaryConfig, CodeHead, EncoderConfig, LinearStem, TrainingConfig
from aia_models.data.splits import split_of
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer
from study.cli import run

ABOUT = {"attributes": ["gender"], "positive": None, "split_seed": 3}
SIDE, VALUES = 16, 6


def saved(folder: Path, shape: tuple[int, ...], about: dict[str, object] = ABOUT) -> Path:
    config = TrainingConfig()
    if len(shape) == 1:
        encoder = EncoderConfig(LinearStem(components=4), CodeHead(k=4, hidden=8))
        config = TrainingConfig(encoder=encoder, adversary=AdversaryConfig(("linear",)))
    anonymizer = Anonymizer(config, shape)
    if len(shape) == 1:
        with torch.no_grad():
            anonymizer.encoder.stem.directions.normal_(generator=torch.Generator().manual_seed(0))
    checkpoint.save(anonymizer, folder, about)
    return folder


def templates(file: Path, people: int = 20) -> Path:
    rng = np.random.default_rng(0)
    rows = people * 3
    gender = ["f" if row // 3 % 2 else "m" for row in range(rows)]
    gender[-1] = ""
    pl.DataFrame(
        {
            "identity": [f"p{row // 3}" for row in range(rows)],
            "gender": gender,
            "template": rng.normal(size=(rows, VALUES)).astype(np.float32),
        }
    ).write_parquet(file)
    return file


def test_templates_stand_beside_their_labels_and_split(tmp_path: Path) -> None:
    file, output = templates(tmp_path / "t.parquet"), tmp_path / "g.parquet"
    folder = saved(tmp_path / "checkpoint", (VALUES,))
    assert run(["encode", str(folder), f"templates:{file}", "-o", str(output)]) == 0
    given, found = pl.read_parquet(file), pl.read_parquet(output)
    assert found.columns == ["row", "identity", "gender", "split", "g"]
    assert found["row"].to_list() == list(range(len(given)))
    assert found["identity"].to_list() == given["identity"].to_list()
    assert found["gender"].to_list() == [*({"m": 1, "f": 0}[value] for value in given["gender"][:-1]), None]
    assert found["split"].to_list() == [split_of(name, 3) for name in given["identity"]]
    expected = aia_models.load(folder).encode(given["template"].to_numpy())
    np.testing.assert_allclose(found["g"].to_numpy(), expected, atol=1e-6)
    counts = duckdb.sql(f"select split, count(*) from '{output}' group by split").fetchall()
    assert sum(count for _, count in counts) == len(given)


def test_images_stand_under_their_names(tmp_path: Path, faces_folder: Path) -> None:
    output = tmp_path / "g.parquet"
    folder = saved(tmp_path / "checkpoint", (1, SIDE, SIDE))
    assert run(["encode", str(folder), f"folder:{faces_folder}", "-o", str(output)]) == 0
    labels = pl.read_csv(faces_folder / "labels.csv", infer_schema=False)
    found = pl.read_parquet(output)
    assert found.columns[:2] == ["image", "identity"]
    assert found.select("image", "identity").equals(labels.select("image", "identity"))


@pytest.mark.parametrize(
    ("shape", "dataset", "message"),
    [
        (
            (1, SIDE, SIDE),
            lambda path: f"templates:{templates(path / 't.parquet')}",
            "this checkpoint takes images",
        ),
        (
            (VALUES + 1,),
            lambda path: f"templates:{templates(path / 't.parquet')}",
            "takes templates of 7 values",
        ),
        ((VALUES,), lambda path: "synthetic", "holds images: this checkpoint takes templates of 6 values"),
        ((VALUES,), lambda path: f"templates:{path / 'none.parquet'}", "no file"),
        ((VALUES,), lambda path: f"folder:{path / 'none'}", "no folder"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, capsys, shape: tuple[int, ...], dataset: Callable[[Path], str], message: str
) -> None:
    folder = saved(tmp_path / "checkpoint", shape)
    output = tmp_path / "g.parquet"
    assert run(["encode", str(folder), dataset(tmp_path), "-o", str(output)]) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert not output.exists()


def test_images_are_refused_by_a_checkpoint_of_templates(tmp_path: Path, faces_folder: Path, capsys) -> None:
    folder = saved(tmp_path / "checkpoint", (VALUES,))
    assert run(["encode", str(folder), str(faces_folder), "-o", str(tmp_path / "g.parquet")]) == 2
    assert "this checkpoint takes templates" in capsys.readouterr().err.replace("\n", " ")


def test_a_checkpoint_of_no_study_is_refused(tmp_path: Path, capsys) -> None:
    folder = saved(tmp_path / "checkpoint", (VALUES,), {})
    file = templates(tmp_path / "t.parquet")
    assert run(["encode", str(folder), f"templates:{file}", "-o", str(tmp_path / "g.parquet")]) == 2
    assert "does not say attributes, positive, split_seed" in capsys.readouterr().err.replace("\n", " ")
