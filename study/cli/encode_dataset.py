"""`aia-study encode` of a labelled data set: what is released beside who it is, for attacks with tools of one's own."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from torch import Tensor

from aia_models.data.faces import UNKNOWN
from aia_models.data.inputs import input_form
from aia_models.data.prepared.blocks import prepare_images
from aia_models.data.sources.image_files import ImageFiles
from aia_models.data.sources.label_encoding import Labels, encode_labels
from aia_models.data.sources.readers import read_source
from aia_models.data.sources.source import FaceSource, SourceTemplates
from aia_models.data.splits import split_of
from aia_models.release.anonymizer import Anonymizer
from study.console import stderr
from study.errors import StudyError

DECODED_IMAGES = 256  # at a time

ABOUT = ("attributes", "positive", "split_seed")  # what a study writes into its checkpoints

Rows = list[int]


class LabelledFaces:
    """The faces of a data set `KIND:PATH`, encoded by a checkpoint and labelled by its study's attributes and split.

    Raises DataError for a data set that cannot be read or lacks an attribute, and StudyError for images where the
    checkpoint takes templates, or the reverse, and for a checkpoint of no study.
    """

    def __init__(self, dataset: str, anonymizer: Anonymizer, about: Mapping[str, Any]) -> None:
        missing = [name for name in ABOUT if name not in about]
        if missing:
            raise StudyError(
                f"the checkpoint does not say {', '.join(missing)}: give a folder of images instead"
            )
        _, self._source = read_source(dataset)
        self._labels: Labels = encode_labels(self._source, tuple(about["attributes"]), about["positive"])
        self._anonymizer = anonymizer
        self._splits = [split_of(name, about["split_seed"]) for name in self._labels.identity_names]
        takes, has = input_form(anonymizer.input_shape), _form_of(self._source)
        if has != takes:
            raise StudyError(f"{dataset} holds {has}: this checkpoint takes {takes}")
        files = self._source.images
        self._names = files.names if isinstance(files, ImageFiles) else None

    def __len__(self) -> int:
        return len(self._source)

    @property
    def schema(self) -> pa.Schema:
        """Return the columns: `image`, or `row` where there are no files, `identity`, attributes, `split` and `g`."""
        first = pa.field("row", pa.int64()) if self._names is None else pa.field("image", pa.string())
        attributes = [pa.field(name, pa.int8()) for name in self._labels.attributes]
        g = pa.list_(pa.float32(), len(self._anonymizer.channel.low))
        text = pa.string()
        return pa.schema([first, ("identity", text), *attributes, ("split", text), ("g", g)])

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows that can be read, some at a time; a line on stderr names each image that cannot."""
        templates = isinstance(self._source.images, SourceTemplates)
        for rows, inputs in self._templates() if templates else self._images():
            if rows:
                yield self._table(np.array(rows), self._anonymizer.encode(inputs).cpu().numpy())

    def _templates(self) -> Iterator[tuple[Rows, np.ndarray]]:
        start, source = 0, self._source.images
        assert isinstance(source, SourceTemplates)
        for chunk in source.read():
            yield list(range(start, start + len(chunk))), chunk
            start += len(chunk)

    def _images(self) -> Iterator[tuple[Rows, np.ndarray]]:
        images, side = self._source.images, self._anonymizer.input_shape[-1]
        assert not isinstance(images, SourceTemplates)
        for start in range(0, len(self), DECODED_IMAGES):
            readable: dict[int, Tensor] = {}
            for row, image in enumerate(images[start : start + DECODED_IMAGES], start):
                if isinstance(image, Tensor):
                    readable[row] = image
                else:
                    stderr.print(f"left out: {image.path} {image.why}")
            yield [*readable], prepare_images([*readable.values()], side).numpy()

    def _table(self, rows: np.ndarray, g: np.ndarray) -> pa.Table:
        labels = self._labels
        people = labels.identity[rows]
        columns = [
            pa.array(rows) if self._names is None else pa.array([self._names[row] for row in rows]),
            pa.array([labels.identity_names[person] for person in people]),
            *(pa.array(values[rows], mask=values[rows] == UNKNOWN) for values in labels.attributes.values()),
            pa.array([self._splits[person] for person in people]),
            pa.FixedSizeListArray.from_arrays(pa.array(g.reshape(-1)), g.shape[1]),
        ]
        return pa.table(columns, schema=self.schema)


def _form_of(source: FaceSource) -> str:
    return input_form((source.images.values,)) if isinstance(source.images, SourceTemplates) else "images"
