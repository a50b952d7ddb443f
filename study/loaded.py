"""The encoder of a checkpoint, wherever it lies."""

from aia_models import checkpoint
from aia_models.anonymizer import Anonymizer
from aia_models.errors import CheckpointError
from analysis.locations import Location, here


def load_anonymizer(folder: Location, device: str = "cpu") -> Anonymizer:
    """The encoder of the checkpoint in `folder` on `device`, ready to encode.

    CheckpointError where it holds none, or a damaged one; OSError where object storage does not answer.
    """
    with here(folder) as there:
        try:
            return checkpoint.load(there, device)
        except CheckpointError as error:
            raise CheckpointError(str(error).replace(str(there), str(folder))) from error
