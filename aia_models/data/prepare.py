"""One prepared copy of a data set: decoded, cropped and resized once, then memory-mapped by every trial."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms

from aia_models.data.attributes import parse_attributes
from aia_models.data.faces import FaceDataset
from aia_models.data.folder import read_folder
from aia_models.data.source import FaceSource, key_over
from aia_models.data.splits import check_judgeable
from aia_models.data.synthetic import read_synthetic
from aia_models.errors import DataError

PREPARATION_VERSION = 1
_READERS: Mapping[str, Callable[[str], FaceSource]] = {"synthetic": read_synthetic, "folder": read_folder}
_BLOCK_IMAGES = 64
# The encoder halves the image twice.
_SIDE_MULTIPLE = 4
_SMALLEST_SIDE = 16


@dataclass(frozen=True)
class _Labels:
    """What is known of the images: int32 `[N]` into the names, and int8 `[N]` per attribute."""

    identity: np.ndarray
    identity_names: list[str]
    attributes: Mapping[str, np.ndarray]


def prepare(source: str, *, image_side: int, attribute: str, positive: str | None, cache: Path) -> Path:
    """Returns the folder under `cache` that holds `source` ("KIND:PATH") prepared, made unless it is there.

    `image_side` is in pixels. The folder depends on labels, image files and settings; on `attribute` only
    through `positive`. Raises DataError, before any image is decoded where the labels are to blame.
    """
    if image_side < _SMALLEST_SIDE or image_side % _SIDE_MULTIPLE:
        raise DataError(
            f"image_side is {image_side}: give a multiple of {_SIDE_MULTIPLE} and at least {_SMALLEST_SIDE}"
        )
    kind, found = _read(source)
    labels = _parse_labels(found, attribute, positive)
    check_judgeable(labels.identity, labels.attributes[attribute], attribute, found.title)
    settings: dict[str, Any] = {
        "image_side": image_side,
        "crop": "largest centred square",
        "resize": "bilinear, antialiased",
        "positive": None if positive is None else {attribute: positive},
        "version": PREPARATION_VERSION,
    }
    key = key_over([kind, found.key, json.dumps(settings, sort_keys=True)])
    target = cache / f"{kind}-{image_side}px-{key[:16]}"
    if not target.is_dir():
        try:
            _make(target, found, labels, settings, kind)
        except OSError as error:
            raise DataError(f"cannot write the prepared images to {target}: {error}") from error
    return target


def open_prepared(folder: Path) -> FaceDataset:
    """Opens a prepared folder; its images stay on disk, memory-mapped and read-only.

    Raises DataError when the folder is not a whole prepared copy of this version.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        version = manifest["settings"]["version"]
        if version != PREPARATION_VERSION:
            raise DataError(
                f"{folder} has preparation version {version}, not {PREPARATION_VERSION}: prepare it again"
            )
        attributes = np.load(folder / "attributes.npy", allow_pickle=False)
        return FaceDataset(
            images=np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False),
            identity=np.load(folder / "identity.npy", allow_pickle=False),
            identity_names=tuple(json.loads((folder / "identity_names.json").read_text(encoding="utf-8"))),
            attributes=dict(zip(manifest["attributes"], attributes, strict=True)),
            fingerprint=manifest["fingerprint"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{folder} is not a whole prepared data set: remove it and prepare again") from error


def _read(source: str) -> tuple[str, FaceSource]:
    kind, _, location = source.partition(":")
    if kind not in _READERS:
        raise DataError(
            f"unknown kind '{kind}' in dataset '{source}': give one of {', '.join(_READERS)} as KIND:PATH"
        )
    return kind, _READERS[kind](location)


def _parse_labels(found: FaceSource, attribute: str, positive: str | None) -> _Labels:
    if attribute not in found.columns:
        there = ", ".join(found.columns) or "none"
        raise DataError(f"{found.title} has no attribute '{attribute}': its attributes are {there}")
    names, identity = np.unique(np.array(found.identities), return_inverse=True)
    attributes = parse_attributes(found.columns, found.places, attribute, positive)
    return _Labels(identity.astype(np.int32), names.tolist(), attributes)


def _make(target: Path, found: FaceSource, labels: _Labels, settings: Mapping[str, Any], kind: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: the folder gets its name when everything is in it.
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        _write_images(aside, found, settings["image_side"], digest.update)
        _write_labels(aside, labels, digest.update)
        manifest = {
            "kind": kind,
            "settings": settings,
            "images": len(found),
            "identities": len(labels.identity_names),
            "attributes": [*labels.attributes],
            "fingerprint": digest.hexdigest(),
        }
        (aside / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        # mkdtemp lets nobody else read; other users of a shared cache may.
        aside.chmod(0o755)
        _publish(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


# Both hand what they write to `feed`, so that the fingerprint covers it.
def _write_images(folder: Path, found: FaceSource, side: int, feed: Callable[[bytes], None]) -> None:
    with (folder / "images.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(found), 1, side, side)}
        np.lib.format.write_array_header_1_0(file, header)
        for block in _prepared_blocks(found, side):
            file.write(block)
            feed(block)


def _write_labels(folder: Path, labels: _Labels, feed: Callable[[bytes], None]) -> None:
    names = json.dumps(labels.identity_names)
    attributes = np.stack([*labels.attributes.values()])
    np.save(folder / "identity.npy", labels.identity)
    np.save(folder / "attributes.npy", attributes)
    (folder / "identity_names.json").write_text(names, encoding="utf-8")
    feed(labels.identity.astype("<i4").tobytes())
    feed(f"\n{names}\n{json.dumps([*labels.attributes])}\n".encode())
    feed(attributes.tobytes())


def _prepared_blocks(found: FaceSource, side: int) -> Iterator[bytes]:
    def block(start: int) -> bytes:
        rows = range(start, min(start + _BLOCK_IMAGES, len(found)))
        return torch.stack([prepare_image(image, side) for image in found.load(rows)]).numpy().tobytes()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(block, range(0, len(found), _BLOCK_IMAGES))


def prepare_image(image: Tensor, side: int) -> Tensor:
    """One grey image uint8 `[1, h, w]`: its largest centred square, resized to uint8 `[1, side, side]`."""
    square = transforms.center_crop(image, [min(image.shape[-2:])])
    return transforms.resize(square, [side, side], antialias=True)


def _publish(aside: Path, target: Path) -> None:
    try:
        os.replace(aside, target)
    except OSError:
        # Another process prepared the same data meanwhile: its copy is as good as this one.
        if not target.is_dir():
            raise
