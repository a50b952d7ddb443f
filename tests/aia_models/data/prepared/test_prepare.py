import json
import os
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from aia_models.data.prepared import blocks
from aia_models.data.prepared.blocks import Block, BlockReport, in_threads, prepare_images
from aia_models.data.prepared.prepare import PREPARATION_VERSION, open_prepared, prepare
from aia_models.data.sources import image_files
from aia_models.data.sources.source import Unreadable
from aia_models.errors import DataError

MakeFaces = Callable[..., Path]
# The fingerprint of `make_faces()` at 16 pixels from the first version of the preparation.
FINGERPRINT = "5afcbbf8e25c47833947370de355633bfe269878025d4808d9d3c302e25ada98"


def prepared(folder: Path, **settings: Any) -> Path:
    asked = {"image_side": 16, "attributes": ("gender",), "positive": None, "cache": folder.parent / "cache"}
    return prepare(f"folder:{folder}", **(asked | settings))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the path of each image that is decoded."""
    paths: list[str] = []
    real = image_files._decode

    def decode(path: str, mode: image_files.Mode) -> torch.Tensor | Unreadable:
        paths.append(path)
        return real(path, mode)

    monkeypatch.setattr(image_files, "_decode", decode)
    return paths


@pytest.mark.parametrize("source", ["celebrities:somewhere", "", "faces"])
def test_unknown_kind_lists_the_kinds(source: str, tmp_path: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"unknown kind .* give one of synthetic, folder, celeba, vggface, templates as KIND:PATH",
    ):
        prepare(source, image_side=32, attributes=("gender",), positive=None, cache=tmp_path)


@pytest.mark.parametrize("side", [0, 12, 30, -32])
def test_image_side_is_checked(side: int, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"image_side is {side}: give a multiple of 4 and at least 16"):
        prepare("synthetic", image_side=side, attributes=("gender",), positive=None, cache=tmp_path)


def test_synthetic_takes_no_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="takes no path"):
        prepare("synthetic:x", image_side=32, attributes=("gender",), positive=None, cache=tmp_path)


def test_copy_is_memory_mapped(make_faces: MakeFaces) -> None:
    faces = open_prepared(prepared(make_faces()))
    assert isinstance(faces.inputs, np.memmap)
    assert faces.inputs.shape == (48, 1, 16, 16)
    assert faces.identity.dtype == np.int32
    assert faces.identity.tolist() == [person for person in range(24) for _ in range(2)]


def test_manifest(make_faces: MakeFaces) -> None:
    folder = prepared(make_faces())
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["kind"] == "folder"
    assert (manifest["images"], manifest["identities"], manifest["attributes"]) == (48, 24, ["gender"])
    assert manifest["settings"]["image_side"] == 16
    assert manifest["settings"]["version"] == PREPARATION_VERSION
    assert manifest["fingerprint"] == open_prepared(folder).fingerprint


def test_second_call_decodes_nothing(make_faces: MakeFaces, decoded: list[str]) -> None:
    folder = make_faces()
    first = prepared(folder)
    assert len(decoded) == 48
    assert prepared(folder) == first
    assert len(decoded) == 48


def test_labels_are_checked_before_any_image_is_decoded(make_faces: MakeFaces, decoded: list[str]) -> None:
    with pytest.raises(DataError):
        prepared(make_faces(gender=lambda person: "male"))
    assert decoded == []


def test_changed_image_makes_a_new_copy(make_faces: MakeFaces) -> None:
    folder = make_faces()
    first = prepared(folder)
    Image.fromarray(np.zeros((20, 18), np.uint8)).save(folder / "000-0.png")
    second = prepared(folder)
    assert second != first
    assert open_prepared(second).inputs[0].max() == 0
    assert open_prepared(second).fingerprint != open_prepared(first).fingerprint
    state = (folder / "000-0.png").stat()
    os.utime(folder / "000-0.png", ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    third = prepared(folder)
    assert third != second
    assert open_prepared(third).fingerprint == open_prepared(second).fingerprint


def test_changed_label_makes_a_new_copy(make_faces: MakeFaces) -> None:
    folder = make_faces()
    first = prepared(folder)
    labels = folder / "labels.csv"
    labels.write_text(labels.read_text().replace("023-1.png,person-023,female", "023-1.png,person-023,"))
    second = prepared(folder)
    assert second != first
    assert open_prepared(second).attribute("gender")[-2:].tolist() == [0, -1]
    assert open_prepared(second).fingerprint != open_prepared(first).fingerprint


def test_copy_depends_on_settings_but_not_on_the_attribute_asked_for(make_faces: MakeFaces) -> None:
    folder = make_faces()
    labels = folder / "labels.csv"
    lines = labels.read_text().splitlines()
    ages = ["young", *("01"[row // 2 % 2] for row in range(48))]
    labels.write_text("\n".join(f"{line},{age}" for line, age in zip(lines, ages, strict=True)))
    plain = prepared(folder)
    assert prepared(folder, attributes=("young",)) == plain
    assert list(open_prepared(plain).attributes) == ["gender", "young"]
    assert len({plain, prepared(folder, positive="female"), prepared(folder, image_side=20)}) == 3


def test_same_contents_elsewhere_have_the_same_fingerprint(make_faces: MakeFaces) -> None:
    one, other = (open_prepared(prepared(make_faces(name))) for name in ("one", "other"))
    assert one.fingerprint == other.fingerprint


def test_interrupted_preparation_goes_on_where_it_was(
    make_faces: MakeFaces, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_faces()
    monkeypatch.setattr(blocks, "BLOCK_IMAGES", 10)

    def interrupted(asked: Sequence[Block]) -> Generator[BlockReport, None, None]:
        yield from in_threads(asked[:3])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepared(folder, execute=interrupted)
    assert len(decoded) == 30
    again = prepared(folder)
    assert len(decoded) == 48
    assert [*again.parent.iterdir()] == [again]
    undisturbed = prepared(folder, cache=folder.parent / "other")
    assert (again / "inputs.npy").read_bytes() == (undisturbed / "inputs.npy").read_bytes()
    assert open_prepared(again).fingerprint == open_prepared(undisturbed).fingerprint


def test_damaged_block_is_made_again(make_faces: MakeFaces, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_faces()
    monkeypatch.setattr(blocks, "BLOCK_IMAGES", 10)

    def interrupted(asked: Sequence[Block]) -> Generator[BlockReport, None, None]:
        yield from in_threads(asked)
        Path(asked[0].path).write_bytes(Path(asked[0].path).read_bytes()[:-1])
        Path(asked[1].path).write_bytes(b"")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepared(folder, execute=interrupted)
    assert len(open_prepared(prepared(folder))) == 48


def test_whoever_is_second_uses_the_first_copy(make_faces: MakeFaces) -> None:
    folder = make_faces()
    rivals: list[tuple[Path, int]] = []

    def while_a_rival_finishes(asked: Sequence[Block]) -> Generator[BlockReport, None, None]:
        rival = prepared(folder)
        rivals.append((rival, rival.stat().st_ino))
        yield from in_threads(asked)

    target = prepared(folder, execute=while_a_rival_finishes)
    assert rivals == [(target, target.stat().st_ino)]
    assert [*target.parent.iterdir()] == [target]


def test_rival_that_finishes_before_the_copy_is_put_together(
    make_faces: MakeFaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, replace = make_faces(), os.replace

    def after_a_rival(aside: Path, target: Path) -> None:
        if target.suffix != ".safetensors":
            monkeypatch.setattr(os, "replace", replace)
            assert prepared(folder) == target
        replace(aside, target)

    monkeypatch.setattr(os, "replace", after_a_rival)
    target = prepared(folder)
    assert len(open_prepared(target)) == 48
    assert [*target.parent.iterdir()] == [target]


def test_contents_have_the_fingerprint_they_always_had(make_faces: MakeFaces) -> None:
    assert open_prepared(prepared(make_faces())).fingerprint == FINGERPRINT


@pytest.mark.parametrize("damage", ["missing", "short", "version", "garbage"])
def test_damaged_copy_is_refused(make_faces: MakeFaces, damage: str) -> None:
    folder = prepared(make_faces())
    images, manifest = folder / "inputs.npy", folder / "manifest.json"
    if damage == "missing":
        manifest.unlink()
    elif damage == "short":
        images.write_bytes(images.read_bytes()[:-1])
    elif damage == "version":
        manifest.write_text(manifest.read_text().replace(f'"version": {PREPARATION_VERSION}', '"version": 0'))
    else:
        manifest.write_text("{")
    with pytest.raises(DataError, match=f"{folder} .*prepare"):
        open_prepared(folder)


def test_cache_that_cannot_be_written(make_faces: MakeFaces) -> None:
    folder = make_faces()
    occupied = folder / "labels.csv"
    with pytest.raises(DataError, match="cannot write the prepared faces to"):
        prepared(folder, cache=occupied)


def test_images_are_the_centred_square_resized(make_faces: MakeFaces) -> None:
    folder = make_faces()
    faces = open_prepared(prepared(folder))
    with Image.open(folder / "005-1.png") as file:
        oracle = file.crop((0, 1, 18, 19)).resize((16, 16), Image.Resampling.BILINEAR)
    difference = np.abs(faces.inputs[11, 0].astype(int) - np.asarray(oracle).astype(int))
    assert difference.max() <= 1


def test_halving_is_an_average_over_the_area() -> None:
    # On a smooth picture the antialiased triangle filter and the box average agree closely.
    y, x = np.mgrid[0:64, 0:64] / 64
    smooth = np.rint(127 + 80 * np.sin(3 * x) * np.cos(2 * y)).astype(np.uint8)
    box = smooth.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    small = prepare_images([torch.from_numpy(smooth)[None]], 32)[0, 0].numpy()
    assert np.abs(small - box).max() <= 2.0


@pytest.mark.parametrize("size", [(40, 16), (16, 40), (7, 7), (300, 200)])
def test_constant_image_stays_constant(size: tuple[int, int]) -> None:
    prepared_image = prepare_images([torch.full((1, *size), 93, dtype=torch.uint8)], 16)
    assert prepared_image.shape == (1, 1, 16, 16)
    assert prepared_image.unique().tolist() == [93]


def test_colour_jpeg_and_sixteen_bit_png_become_grey(make_faces: MakeFaces) -> None:
    folder = make_faces()
    Image.new("RGB", (18, 18), (200, 100, 50)).save(folder / "000-0.png", "JPEG", quality=95)
    Image.fromarray(np.full((18, 18), 0x8080, dtype=np.uint16)).save(folder / "000-1.png")
    faces = open_prepared(prepared(folder))
    luma = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    assert np.abs(faces.inputs[0].astype(float) - luma).max() <= 2
    assert faces.inputs[1].tolist() == np.full((1, 16, 16), 0x80).tolist()


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (("nose",), "has no attribute 'nose': its attributes are gender, hair"),
        (("hair",), "line 2: 'hair' is 'brown', expected 1/0"),
    ],
)
def test_every_private_attribute_has_to_be_there_and_readable(
    tmp_path: Path, further: tuple[str, ...], message: str
) -> None:
    rows = [
        f"{n}.png,p{n // 2},{('male', 'female')[n // 2 % 2]},{('brown', 'black')[n % 3 % 2]}"
        for n in range(48)
    ]
    (tmp_path / "labels.csv").write_text("\n".join(["image,identity,gender,hair", *rows]))
    for n in range(48):
        Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / f"{n}.png")
    source = f"folder:{tmp_path}"
    with pytest.raises(DataError, match=message):
        prepare(
            source, image_side=16, attributes=("gender", *further), positive=None, cache=tmp_path / "cache",
        )  # fmt: skip
    prepare(source, image_side=16, attributes=("gender",), positive=None, cache=tmp_path / "cache")
