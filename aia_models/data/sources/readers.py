"""The readers of all kinds of data sets: `KIND:PATH` to the faces that are listed there."""

from collections.abc import Callable, Mapping

from aia_models.data.sources.celeba import read_celeba
from aia_models.data.sources.drawn.synthetic import read_synthetic
from aia_models.data.sources.folder import read_folder
from aia_models.data.sources.source import FaceSource
from aia_models.data.sources.templates import read_templates
from aia_models.data.sources.vggface import read_vggface
from aia_models.errors import DataError

READERS: Mapping[str, Callable[[str], FaceSource]] = {
    "synthetic": read_synthetic,
    "folder": read_folder,
    "celeba": read_celeba,
    "vggface": read_vggface,
    "templates": read_templates,
}


def read_source(source: str) -> tuple[str, FaceSource]:
    """Return the kind and the faces of a data set; raises DataError, which lists the kinds for an unknown one."""
    kind, _, location = source.partition(":")
    if kind not in READERS:
        raise DataError(
            f"unknown kind '{kind}' in dataset '{source}': give one of {', '.join(READERS)} as KIND:PATH"
        )
    return kind, READERS[kind](location)
