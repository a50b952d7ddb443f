from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms.v2 import functional

from aia_models.data.prepared.blocks import Block, cut_into_blocks, in_threads, prepare_images
from aia_models.data.sources.image_files import ImageFiles
from aia_models.data.sources.source import Unreadable

SIZES = st.sampled_from([(20, 18), (18, 20), (33, 33), (17, 40)])


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(SIZES, max_size=11),
    seed=st.integers(0, 2**32 - 1),
    side=st.sampled_from([16, 20, 36]),
    channels=st.sampled_from([1, 3]),
)
def test_images_of_any_sizes_are_resized_as_each_by_itself(
    sizes: list[tuple[int, int]], seed: int, side: int, channels: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = [
        torch.randint(0, 256, (channels, *size), generator=generator, dtype=torch.uint8) for size in sizes
    ]
    together = prepare_images(images, side)
    assert together.shape == (len(images), channels if images else 1, side, side)
    for image, prepared in zip(images, together, strict=True):
        square = functional.center_crop(image, [min(image.shape[-2:])])
        assert torch.equal(prepared, functional.resize(square, [side, side], antialias=True))


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    """Return 40 image files, of which 3 (truncated), 17 (not an image) and 39 (missing) cannot be read."""
    stream = np.random.default_rng(1)
    for number in range(40):
        pixels = stream.integers(0, 256, (20, 20), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.jpg")
    (tmp_path / "3.jpg").write_bytes((tmp_path / "3.jpg").read_bytes()[:-2])
    (tmp_path / "17.jpg").write_bytes(b"GIF89a")
    (tmp_path / "39.jpg").unlink()
    return ImageFiles(str(tmp_path), [f"{number}.jpg" for number in range(40)])


def test_block_holds_what_can_be_read_and_names_the_rest(files: ImageFiles, tmp_path: Path) -> None:
    block = Block(0, 40, files, 16, str(tmp_path / "block"))
    report = block.run()
    assert (report.images, report.decoded) == (40, 40)
    assert report.unreadable == (
        (3, Unreadable(str(tmp_path / "3.jpg"), "cannot be read as an image")),
        (17, Unreadable(str(tmp_path / "17.jpg"), "is no PNG or JPEG image")),
        (39, Unreadable(str(tmp_path / "39.jpg"), "cannot be read (No such file or directory)")),
    )
    whole = [image for image in files if isinstance(image, torch.Tensor)]
    assert np.array_equal(block.pixels(), prepare_images(whole, 16).numpy())
    again = block.run()
    assert (again.images, again.decoded, again.unreadable) == (40, 0, report.unreadable)


def test_blocks_cover_the_images_in_order(
    files: ImageFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aia_models.data.prepared.blocks.BLOCK_IMAGES", 16)
    blocks = cut_into_blocks(files, 40, 16, tmp_path)
    assert [(block.start, block.count) for block in blocks] == [(0, 16), (16, 16), (32, 8)]
    reports = list(in_threads(blocks))
    assert [number for report in reports for number, _ in report.unreadable] == [3, 17, 39]
    (one,) = [Block(0, 40, files, 16, str(tmp_path / "one"))]
    one.run()
    assert np.array_equal(np.concatenate([block.pixels() for block in blocks]), one.pixels())


def test_block_without_a_readable_image(files: ImageFiles, tmp_path: Path) -> None:
    block = Block(39, 1, files[39:], 16, str(tmp_path / "block"))
    assert [number for number, _ in block.run().unreadable] == [39]
    assert block.pixels().shape == (0, 1, 16, 16)


def test_block_that_cannot_be_written_leaves_nothing(
    files: ImageFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocks").mkdir()
    block = Block(0, 4, files[:4], 16, str(tmp_path / "blocks" / "block"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        block.run()
    assert [*(tmp_path / "blocks").iterdir()] == []
