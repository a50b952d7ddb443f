"""Small random faces and networks of the right shapes."""

from dataclasses import replace

import numpy as np

from aia_models.config import (
    AdversaryConfig,
    BudgetConfig,
    ConvolutionalStem,
    DecoderConfig,
    EncoderConfig,
    TrainingConfig,
)
from aia_models.data.faces import FaceDataset
from aia_models.data.splits import SplitFaces

SMALL = TrainingConfig(
    encoder=EncoderConfig(ConvolutionalStem(channels=(4, 4))),
    decoder=DecoderConfig((8, 4)),
    adversary=AdversaryConfig(members=("linear", "mlp"), hidden=8),
    budget=BudgetConfig(autoencoder_epochs=1, heads_epochs=1, joint_epochs=1),
    batch_images=8,
)


def dataset(people: int, images: int, side: int, seed: int, signal: int = 0) -> FaceDataset:
    """Return `images` noisy copies of a random face of each of `people` people.

    People of even number have attribute 1, and their upper half is brighter by `signal` levels of 255.
    """
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(people, dtype=np.int32), images)
    gender = (identity % 2 == 0).astype(np.int8)
    own = rng.integers(40, 160, (people, 1, side, side))
    pixels = own[identity] + rng.integers(-30, 31, (len(identity), 1, side, side))
    pixels[gender == 1, :, : side // 2] += signal
    return FaceDataset(
        inputs=pixels.astype(np.uint8),
        identity=identity,
        identity_names=tuple(f"person-{seed}-{person}" for person in range(people)),
        attributes={"gender": gender},
        fingerprint=f"random-{seed}",
    )


def random_faces(
    people: int = 8, images: int = 4, side: int = 16, seed: int = 0, signal: int = 0
) -> SplitFaces:
    """Return four splits of `people` people each, without a person in two splits."""
    parts = [dataset(people, images, side, 4 * seed + part, signal) for part in range(4)]
    return SplitFaces(*parts, attributes=("gender",), fingerprint=f"random-{seed}")


def with_unknown(faces: FaceDataset, unknown: np.ndarray) -> FaceDataset:
    """Return `faces` with an unknown attribute where the mask `unknown` is true."""
    gender = np.where(unknown, np.int8(-1), faces.attributes["gender"])
    return replace(faces, attributes={"gender": gender})
