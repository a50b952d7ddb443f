"""Blocks of images: the preparation's unit of work, each decoded, cropped and resized into a file of its own."""

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from aia_models.data.prepared.block_files import NumberedUnreadable, read_array, read_unreadable, write_block
from aia_models.data.sources.source import SourceImages, Unreadable

BLOCK_IMAGES = 256
# Number of decoded images held in memory at a time.
_CHUNK_IMAGES = 16
# The resizing kernel works on up to four channels at once.
_CHANNELS = 4


@dataclass(frozen=True)
class BlockReport:
    """Result of one block: its number of images, how many were decoded in this run, and which are unreadable.

    `unreadable` pairs each image that could not be decoded with its row in the data set.
    """

    images: int
    decoded: int
    unreadable: NumberedUnreadable


@dataclass(frozen=True)
class Block:
    """The `count` images from row `start` of a data set on, and the `path` of the file that stores them prepared.

    `side` is the height and width of prepared images in pixels.
    """

    start: int
    count: int
    images: SourceImages
    side: int
    path: str

    def run(self) -> BlockReport:
        """Prepare the block atomically; a complete file from an earlier run is reused.

        Raises OSError where the file cannot be written.
        """
        path = Path(self.path)
        unreadable = read_unreadable(path)
        if unreadable is not None:
            return BlockReport(self.count, 0, unreadable)
        pixels, unreadable = decode_and_prepare(self.images, self.start, self.side)
        write_block(path, pixels, unreadable)
        return BlockReport(self.count, self.count, unreadable)

    def pixels(self) -> UInt8[np.ndarray, "face 1 side side"]:
        """Return the prepared images of the file, unreadable ones left out.

        Raises OSError or SafetensorError where the file is missing or damaged.
        """
        return read_array(Path(self.path))


Execute = Callable[[Sequence[Block]], Generator[BlockReport, None, None]]


def cut_into_blocks(images: SourceImages, count: int, side: int, folder: Path) -> list[Block]:
    """Return blocks of up to 256 of `count` images each, with their files in `folder`."""
    blocks = []
    for start in range(0, count, BLOCK_IMAGES):
        stop = min(start + BLOCK_IMAGES, count)
        path = folder / f"{start:09d}-{stop:09d}.safetensors"
        blocks.append(Block(start, stop - start, images[start:stop], side, str(path)))
    return blocks


def in_threads(blocks: Sequence[Block]) -> Generator[BlockReport, None, None]:
    """Run blocks on one thread per core of this process; decoding and resizing release Python's lock."""
    # One thread of PyTorch each: the blocks' threads already use all cores.
    threads_before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(Block.run, blocks)
    finally:
        torch.set_num_threads(threads_before)


def decode_and_prepare(
    images: SourceImages, start: int, side: int, channels: int = 1
) -> tuple[UInt8[np.ndarray, "face channel side side"], NumberedUnreadable]:
    """Return the prepared images, and the unreadable ones with their rows, of which the first is `start`.

    Images that are decoded to grey are repeated as each of `channels` channels.
    """
    decoded = enumerate(images, start)
    unreadable: list[tuple[int, Unreadable]] = []
    parts = [np.empty((0, channels, side, side), np.uint8)]
    while chunk := list(islice(decoded, _CHUNK_IMAGES)):
        unreadable += [(row, image) for row, image in chunk if isinstance(image, Unreadable)]
        readable = [image for _, image in chunk if isinstance(image, Tensor)]
        parts.append(prepare_images(readable, side).expand(-1, channels, -1, -1).numpy())
    return np.concatenate(parts), tuple(unreadable)


def prepare_images(images: Sequence[Tensor], side: int) -> Tensor:
    """Return the largest centred square of each image (uint8 `[c, h, w]`), resized, as uint8 `[N, c, side, side]`.

    All images have the same number of channels c; of no images c is 1. Resizing is bilinear and antialiased. Planes of
    one size are resized as the channels of one image, which takes a quarter of the time for grey images and gives the
    same pixels.
    """
    # Importing torchvision takes two seconds, which only processes that prepare images need to pay.
    from torchvision.transforms.v2.functional import center_crop, resize

    squares = [center_crop(image, [min(image.shape[-2:])]) for image in images]
    rows_by_side: dict[int, list[int]] = {}
    for row, square in enumerate(squares):
        rows_by_side.setdefault(square.shape[-1], []).append(row)
    planes = squares[0].shape[0] if squares else 1
    prepared = torch.empty(len(images), planes, side, side, dtype=torch.uint8)
    for rows in rows_by_side.values():
        alike = torch.cat([squares[row] for row in rows])
        whole = len(alike) - len(alike) % _CHANNELS
        several, rest = alike[:whole].unflatten(0, (-1, _CHANNELS)), alike[whole:].unsqueeze(0)
        resized = [resize(channels, [side, side]).flatten(0, 1) for channels in (several, rest)]
        prepared[rows] = torch.cat(resized).unflatten(0, (-1, planes))
    return prepared
