"""PNG and JPEG files, decoded on iteration."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import torch
from torch import Tensor

from aia_models.data.sources.source import Unreadable

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
# Share of the images of a large annotated collection that may be missing or damaged.
TOLERATED_SHARE = 0.10
Mode = Literal["GRAY", "RGB"]
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


@dataclass(frozen=True)
class ImageFiles:
    """Image files, as names relative to a folder, decoded to grey or, with `colour`, to RGB (uint8 `[3, h, w]`)."""

    folder: str
    names: Sequence[str]
    colour: bool = False

    def __getitem__(self, rows: slice) -> "ImageFiles":
        return replace(self, names=self.names[rows])

    def __iter__(self) -> Iterator[Tensor | Unreadable]:
        mode: Mode = "RGB" if self.colour else "GRAY"
        return (_decode(os.path.join(self.folder, name), mode) for name in self.names)


def is_image(name: str) -> bool:
    """Return whether a file name has the suffix of a readable image format."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def files_below(folder: str | os.PathLike[str]) -> dict[str, tuple[int, int]]:
    """Map each image file of a folder to its size in bytes and modification time in ns; a broken link to zeros."""
    with os.scandir(folder) as entries:
        return {entry.name: _state(entry) for entry in entries if is_image(entry.name)}


def _state(entry: os.DirEntry[str]) -> tuple[int, int]:
    try:
        state = entry.stat()
    except FileNotFoundError:  # reported as unreadable when the image is decoded
        return 0, 0
    return state.st_size, state.st_mtime_ns


def _decode(path: str, mode: Mode) -> Tensor | Unreadable:
    # Imported here, so that drawn faces can be prepared where no decoder is installed.
    from torchcodec.decoders import (
        decode_jpeg,  # pyright: ignore[reportPrivateImportUsage]
        decode_png,  # pyright: ignore[reportPrivateImportUsage]
    )

    try:
        with open(path, "rb", buffering=0) as file:
            encoded = file.read()
        if encoded.startswith(_JPEG):
            return cast(Tensor, decode_jpeg(encoded, mode=mode))
        if not encoded.startswith(_PNG):
            return Unreadable(path, "is no PNG or JPEG image")
        image = decode_png(encoded, mode=mode, output_dtype="auto")
    except OSError as error:
        return Unreadable(path, f"cannot be read ({error.strerror})")
    except RuntimeError:
        return Unreadable(path, "cannot be read as an image")
    # Images of 16 bits per pixel are uint16, which few operations support.
    return image if image.dtype == torch.uint8 else (image.int() >> 8).to(torch.uint8)
