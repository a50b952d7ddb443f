"""`aia-study encode` writes a checkpoint's releases of a folder of images for other tools."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

import aia_models
from aia_models.config import ChannelConfig, TrainingConfig
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer
from study.cli import encode, run

SIDE, IMAGES = 16, 7


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Write images of several sizes, some of them in a subfolder, and return their folder."""
    rng = np.random.default_rng(0)
    for number in range(IMAGES):
        path = tmp_path / "images" / ("within" if number % 2 else "") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (SIDE, SIDE) if number else (40, 30, 3)
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(path)
    return tmp_path / "images"


def saved(tmp_path: Path, channel: ChannelConfig | None = None) -> Path:
    folder = tmp_path / "checkpoint"
    checkpoint.save(
        Anonymizer(TrainingConfig(channel=channel or ChannelConfig()), (1, SIDE, SIDE)), folder, {}
    )
    return folder


def encoded(folder: Path, images: Path, output: Path) -> pl.DataFrame:
    assert run(["encode", str(folder), str(images), "-o", str(output)]) == 0
    return pl.read_parquet(output)


@pytest.mark.parametrize("batch", [1024, 3])
def test_each_image_has_what_the_checkpoint_releases_of_it(tmp_path, images, monkeypatch, batch):
    monkeypatch.setattr(encode, "BATCH_IMAGES", batch)
    folder = saved(tmp_path)
    frame = encoded(folder, images, tmp_path / "g.parquet")
    names = sorted(path.relative_to(images).as_posix() for path in images.rglob("*.png"))
    assert frame["image"].to_list() == names
    pixels = np.stack([np.asarray(Image.open(images / name)) for name in names if name != "0.png"])
    expected = aia_models.load(folder).encode(pixels[:, None]).numpy()
    np.testing.assert_allclose(frame.filter(pl.col("image") != "0.png")["g"].to_numpy(), expected, atol=1e-6)


def test_one_image_may_be_given(tmp_path, images):
    frame = encoded(saved(tmp_path), images / "2.png", tmp_path / "g.parquet")
    assert frame["image"].to_list() == ["2.png"]


def test_noise_is_new_at_each_call(tmp_path, images):
    folder = saved(tmp_path, ChannelConfig("noise", noise_sd=0.1))
    first, second = (encoded(folder, images, tmp_path / name)["g"].to_numpy() for name in ("a", "b"))
    assert (first != second).all()


def test_other_tools_read_the_file(tmp_path, images):
    output = tmp_path / "new" / "g.parquet"
    frame = encoded(saved(tmp_path), images, output)
    by_duckdb = duckdb.connect().sql(f"select image, g from '{output}'").fetchall()
    assert [(name, list(g)) for name, g in by_duckdb] == [(n, list(g)) for n, g in frame.rows()]
    assert len(pd.read_parquet(output)) == IMAGES


def test_what_cannot_be_read_is_left_out_and_told(tmp_path, images, capsys):
    (images / "1-torn.jpg").write_bytes(b"no image")
    frame = encoded(saved(tmp_path), images, tmp_path / "g.parquet")
    assert len(frame) == IMAGES
    said = capsys.readouterr()
    assert f"{IMAGES} of {IMAGES + 1} images encoded" in said.out
    assert "1-torn.jpg is no PNG or JPEG image" in said.err.replace("\n", " ")


@pytest.mark.parametrize(
    "wrong", ["no checkpoint", "no folder", "no images", "none readable", "there already"]
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(tmp_path, images, capsys, wrong):
    folder, output = saved(tmp_path), tmp_path / "g.parquet"
    empty = tmp_path / "empty"
    empty.mkdir()
    expected = {
        "no checkpoint": f"{empty}",
        "no folder": "is no folder",
        "no images": "holds no image",
        "none readable": "none of 1 images can be read",
        "there already": "exists already",
    }[wrong]
    match wrong:
        case "no checkpoint":
            folder = empty
        case "no folder":
            images = tmp_path / "nowhere"
        case "no images":
            images = empty
        case "none readable":
            images = empty
            (empty / "a.png").write_bytes(b"")
        case _:
            output.write_text("mine")
    assert run(["encode", str(folder), str(images), "-o", str(output)]) == 2
    assert expected in capsys.readouterr().err.replace("\n", " ")
    assert [path.read_text() for path in tmp_path.glob("*.parquet*")] == (["mine"] if output.exists() else [])
