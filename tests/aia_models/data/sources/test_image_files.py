"""Image files of every common form are decoded to grey or to RGB."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aia_models.data.sources.image_files import ImageFiles

RGB = np.random.default_rng(5).integers(0, 256, (9, 7, 3), dtype=np.uint8)


def decoded(image: Image.Image, path: Path, *, colour: bool) -> np.ndarray:
    image.save(path)
    (pixels,) = ImageFiles(str(path.parent), [path.name], colour)
    assert isinstance(pixels, torch.Tensor)
    return pixels.numpy()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colour_pngs_keep_their_colours(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(RGB)
    if mode == "P":
        image = image.quantize(8)
    found = decoded(image.convert(mode), tmp_path / "a.png", colour=True)
    np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")).transpose(2, 0, 1))


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_grey_images_are_repeated_as_each_channel(tmp_path: Path, suffix: str) -> None:
    image = Image.fromarray(RGB[..., 0])
    found = decoded(image, tmp_path / f"a{suffix}", colour=True)
    grey = decoded(image, tmp_path / f"a{suffix}", colour=False)
    assert grey.shape == (1, 9, 7)
    np.testing.assert_array_equal(found, np.repeat(grey, 3, axis=0))


def test_colour_jpegs_keep_their_colours(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 16), (200, 40, 90))
    found = decoded(image, tmp_path / "a.jpg", colour=True)
    assert found.shape == (3, 16, 16)
    assert np.abs(found.mean((1, 2)) - [200, 40, 90]).max() < 4


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    image = Image.fromarray((RGB[..., 0].astype(np.uint16) << 8) + 17)
    found = decoded(image, tmp_path / "a.png", colour=True)
    np.testing.assert_array_equal(found, np.repeat(RGB[None, ..., 0], 3, axis=0))


def test_a_slice_decodes_as_the_whole(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    files = ImageFiles(str(tmp_path), ["a.png", "a.png"], colour=True)
    (part,), (first, _) = files[1:], files
    assert isinstance(part, torch.Tensor)
    assert isinstance(first, torch.Tensor)
    assert torch.equal(part, first)
