"""`examples.png` of a checkpoint: some faces, and the decoder's reconstructions from their released representations."""

import io

import numpy as np
import torch
from PIL import Image

from aia_models.data.faces import FaceDataset
from aia_models.release.anonymizer import Anonymizer

PEOPLE = 6


def examples_png(anonymizer: Anonymizer, faces: FaceDataset) -> bytes:
    """Return a grey PNG image of two rows: one image of each of the first six people of `faces`, and its reconstruction
    from one release.

    The people are the same for every trial on these faces, so that designs can be compared by eye. The noise of the
    release has no seed here either.
    """
    # Importing torchvision takes two seconds where no training has imported most of it already.
    from torchvision.utils import make_grid

    first = np.unique(faces.identity, return_index=True)[1][:PEOPLE]
    images = np.asarray(faces.inputs[first])
    rebuilt = anonymizer.reconstruct(anonymizer.encode(images)).cpu()
    tiles = torch.cat([torch.from_numpy(images), (rebuilt * 255).round().to(torch.uint8)])
    grid = make_grid(tiles, nrow=len(images), padding=0)[0]  # three equal channels for grey images
    content = io.BytesIO()
    Image.fromarray(grid.numpy()).save(content, "png", optimize=True)
    return content.getvalue()
