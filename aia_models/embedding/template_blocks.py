"""Blocks of templates: the embedding's unit of work, each made by a face network and kept in a file of its own."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from aia_models.data.prepared.block_files import read_array, read_unreadable, write_block
from aia_models.data.prepared.blocks import BlockReport, decode_and_prepare
from aia_models.data.sources.image_files import ImageFiles
from aia_models.data.sources.source import FaceSource, SourceImages, SourceTemplates
from aia_models.data.templates import check_templates
from aia_models.embedding.face_network import FaceNetwork
from aia_models.errors import DataError

BLOCK_IMAGES = 128
BATCH_IMAGES = 64  # that a network takes at a time


@dataclass(frozen=True)
class TemplateBlock:
    """The templates of `count` images from row `start` of a data set on, and the `path` of the file that keeps them."""

    start: int
    count: int
    source: FaceSource
    path: Path

    def run(self, network: FaceNetwork) -> BlockReport:
        """Embed the block's images and write the file atomically; a complete file of an earlier run is reused.

        Raises DataError, which names the image, for a template with values that are not finite or zeros only,
        EmbeddingError where the network fails, and OSError where the file cannot be written.
        """
        unreadable = read_unreadable(self.path)
        if unreadable is not None:
            return BlockReport(self.count, 0, unreadable)
        images = _images(self.source, network.channels)[self.start : self.start + self.count]
        crops, unreadable = decode_and_prepare(images, self.start, network.side, network.channels)
        parts = [
            network.embed(crops[first : first + BATCH_IMAGES]) for first in range(0, len(crops), BATCH_IMAGES)
        ]
        templates = np.concatenate([np.empty((0, network.values), np.float32), *parts])
        rows = self._rows([row for row, _ in unreadable])
        check_templates(
            templates,
            lambda place: (
                f"the template that {network.title} makes of {_name(self.source, int(rows[place]))}"
            ),
        )
        write_block(self.path, templates, unreadable)
        return BlockReport(self.count, self.count, unreadable)

    def read(self) -> tuple[Int64[np.ndarray, " row"], Float32[np.ndarray, "row d"]]:
        """Return the rows of the images that can be read, and their templates.

        Raises OSError or SafetensorError where the file is missing or damaged.
        """
        unreadable = read_unreadable(self.path) or ()
        return self._rows([row for row, _ in unreadable]), read_array(self.path)

    def _rows(self, unreadable: list[int]) -> Int64[np.ndarray, " row"]:
        return np.setdiff1d(np.arange(self.start, self.start + self.count, dtype=np.int64), unreadable)


def cut_into_template_blocks(source: FaceSource, folder: Path) -> list[TemplateBlock]:
    """Return blocks of up to 128 of the source's images each, with their files in `folder`.

    Raises DataError for a source that holds templates.
    """
    if isinstance(source.images, SourceTemplates):
        raise DataError(f"{source.title} holds templates already: give a data set of images")
    blocks = []
    for start in range(0, len(source), BLOCK_IMAGES):
        stop = min(start + BLOCK_IMAGES, len(source))
        path = folder / f"{start:09d}-{stop:09d}.safetensors"
        blocks.append(TemplateBlock(start, stop - start, source, path))
    return blocks


def _images(source: FaceSource, channels: int) -> SourceImages:
    """Return the source's images, decoded to RGB where a network takes colour; drawn faces stay grey."""
    images = source.images
    assert not isinstance(images, SourceTemplates)
    return replace(images, colour=channels == 3) if isinstance(images, ImageFiles) else images


def _name(source: FaceSource, row: int) -> str:
    images = source.images
    return (
        os.path.join(images.folder, images.names[row])
        if isinstance(images, ImageFiles)
        else source.places(row)
    )
