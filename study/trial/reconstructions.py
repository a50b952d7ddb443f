"""`examples.png` of a checkpoint: some faces, and what the decoder makes of what is released of them."""

import io

import numpy as np
from PIL import Image

from aia_models.data.faces import FaceDataset
from aia_models.release.anonymizer import Anonymizer

PEOPLE = 6


def examples_png(anonymizer: Anonymizer, faces: FaceDataset) -> bytes:
    """A grey PNG image of two rows: the first image of each of the first people of `faces`, and its reconstruction
    from one release.

    The people are the same for every trial on these faces, so that designs compare by eye; the noise of a release
    has no seed here either.
    """
    first = np.unique(faces.identity, return_index=True)[1][:PEOPLE]
    images = np.asarray(faces.images[first])
    rebuilt = anonymizer.reconstruct(anonymizer.encode(images)).cpu().numpy()
    rows = [images[:, 0], np.round(rebuilt[:, 0] * 255).astype(np.uint8)]
    content = io.BytesIO()
    Image.fromarray(np.concatenate([np.hstack(list(row)) for row in rows])).save(
        content, "png", optimize=True
    )
    return content.getvalue()
