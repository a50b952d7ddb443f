"""Loading an anonymizer from a checkpoint on disk or in object storage."""

from collections.abc import Mapping
from typing import Any

from aia_models.errors import CheckpointError
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer
from analysis.tables.location import Location, local_copy


def load_anonymizer(folder: Location, device: str = "cpu") -> Anonymizer:
    """Return the anonymizer of the checkpoint in `folder`, on `device` and ready to encode.

    Raises CheckpointError for a folder without a checkpoint or with a damaged one, and OSError if object storage does
    not answer.
    """
    with local_copy(folder) as path:
        try:
            return checkpoint.load(path, device)
        except CheckpointError as error:
            raise CheckpointError(str(error).replace(str(path), str(folder))) from error


def read_about(folder: Location) -> Mapping[str, Any]:
    """Return what the checkpoint in `folder` says about its training, study and data."""
    with local_copy(folder) as path:
        return checkpoint.read_about(path)
