"""Blocks of templates hold what can be read, name the rest, and are not made again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aia_models.data.sources.readers import read_source
from aia_models.data.sources.source import FaceSource, Unreadable
from aia_models.embedding import template_blocks
from aia_models.embedding.template_blocks import cut_into_template_blocks
from aia_models.errors import DataError

SIDE = 16


@dataclass
class Means:
    """A network whose template is the mean of each channel, and of the whole crop."""

    channels: int = 3
    change: Callable[[np.ndarray], np.ndarray] = lambda templates: templates
    crops: int = 0
    side: int = SIDE
    title: str = "means.onnx"
    key: str = "key"

    @property
    def values(self) -> int:
        return self.channels + 1

    def embed(self, crops: np.ndarray) -> np.ndarray:
        assert crops.shape[1:] == (self.channels, self.side, self.side)
        self.crops += len(crops)
        means = crops.mean((2, 3))
        return self.change(np.c_[means, means.mean(1)].astype(np.float32))


@pytest.fixture
def colours(tmp_path: Path) -> FaceSource:
    """Return 10 crops of one colour each, of which 3 is truncated and 7 is grey."""
    folder = tmp_path / "colours"
    folder.mkdir()
    for number in range(10):
        image = (
            Image.new("RGB", (SIDE, SIDE), (number, 50, 200))
            if number != 7
            else Image.new("L", (SIDE, SIDE), 90)
        )
        image.save(folder / f"{number}.png")
    (folder / "3.png").write_bytes((folder / "3.png").read_bytes()[:40])
    lines = [f"{number}.png,p{number}" for number in range(10)]
    (folder / "labels.csv").write_text("\n".join(["image,identity", *lines]))
    return read_source(f"folder:{folder}")[1]


def test_blocks_hold_the_templates_of_what_can_be_read(
    colours: FaceSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_blocks, "BLOCK_IMAGES", 4)
    monkeypatch.setattr(template_blocks, "BATCH_IMAGES", 3)
    blocks, network = cut_into_template_blocks(colours, tmp_path), Means()
    reports = [block.run(network) for block in blocks]
    assert [(report.images, report.decoded) for report in reports] == [(4, 4), (4, 4), (2, 2)]
    path = str(tmp_path / "colours" / "3.png")
    assert [report.unreadable for report in reports] == [
        ((3, Unreadable(path, "cannot be read as an image")),),
        (),
        (),
    ]
    rows, templates = (
        np.concatenate(parts) for parts in zip(*[block.read() for block in blocks], strict=True)
    )
    assert rows.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    expected = [[90, 90, 90] if row == 7 else [row, 50, 200] for row in rows]
    np.testing.assert_array_equal(templates[:, :3], np.array(expected, np.float32))
    again = [block.run(network) for block in blocks]
    assert [(report.images, report.decoded) for report in again] == [(4, 0), (4, 0), (2, 0)]
    assert [report.unreadable for report in again] == [report.unreadable for report in reports]
    assert network.crops == len(rows)


def test_a_damaged_file_is_made_again(colours: FaceSource, tmp_path: Path) -> None:
    (block,) = cut_into_template_blocks(colours, tmp_path)
    block.run(Means())
    block.path.write_bytes(block.path.read_bytes()[:30])
    assert block.run(Means()).decoded == 10
    assert len(block.read()[0]) == 9


def test_networks_of_one_channel_get_grey(colours: FaceSource, tmp_path: Path) -> None:
    (block,) = cut_into_template_blocks(colours, tmp_path)
    block.run(Means(channels=1))
    rows, templates = block.read()
    assert templates[list(rows).index(7), 0] == 90
    assert templates[0, 0] == pytest.approx(0.587 * 50 + 0.114 * 200, abs=1)


def test_drawn_faces_are_repeated_as_each_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_blocks, "BLOCK_IMAGES", 6)
    block = cut_into_template_blocks(read_source("synthetic")[1], tmp_path)[1]
    block.run(Means())
    rows, templates = block.read()
    assert rows.tolist() == [*range(6, 12)]
    assert (templates[:, :3] == templates[:, :1]).all()
    assert len({*templates[:, 0].tolist()}) == 6


@pytest.mark.parametrize(
    ("value", "message"), [(np.nan, "NaN or infinite values"), (np.inf, "infinite"), (0.0, "zeros only")]
)
def test_a_template_without_direction_names_the_image(
    colours: FaceSource, tmp_path: Path, value: float, message: str
) -> None:
    def spoil(templates: np.ndarray) -> np.ndarray:
        templates[4] = value  # of the image in row 5: row 3 cannot be read
        return templates

    (block,) = cut_into_template_blocks(colours, tmp_path)
    with pytest.raises(
        DataError, match=rf"means\.onnx makes of .*/5\.png holds {message}" if value == 0 else message
    ):
        block.run(Means(change=spoil))
    assert not block.path.exists()


def test_templates_are_no_images(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", identity=np.array(["a", "b"]), template=np.ones((2, 3), np.float32))
    with pytest.raises(DataError, match=r"t\.npz holds templates already: give a data set of images"):
        cut_into_template_blocks(read_source(f"templates:{tmp_path / 't.npz'}")[1], tmp_path)
