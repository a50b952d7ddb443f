"""Splits that share no identity, and in which each identity stays when others are added."""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Int8

from aia_models.data.faces import UNKNOWN, FaceDataset
from aia_models.errors import DataError

SPLITS = ("train", "attack", "validation", "test")
_UPPER_BOUNDS = (0.50, 0.70, 0.85, 1.00)
_IDENTITIES_PER_VALUE = 2
_PAIRED_IDENTITIES = 2


def split_of(identity_name: str, split_seed: int) -> str:
    """Return the split of one identity: 50 % train, 20 % attack, 15 % validation, 15 % test.

    It depends only on the name and the seed (their sha256 read as a number in [0, 1)), never on other identities.
    """
    digest = hashlib.sha256(f"{split_seed}:{identity_name}".encode()).digest()
    # 53 bits: what a double holds exactly, so that the number stays below 1.
    uniform = (int.from_bytes(digest[:8], "big") >> 11) / 2**53
    return next(name for name, bound in zip(SPLITS, _UPPER_BOUNDS, strict=True) if uniform < bound)


@dataclass(frozen=True, eq=False)
class SplitFaces:
    """The faces of one study: four data sets without a common identity.

    `attributes` names the private attributes, one or more; `fingerprint` is a sha256 in hex over the contents,
    the attributes and the split seed.
    """

    train: FaceDataset
    attack: FaceDataset
    validation: FaceDataset
    test: FaceDataset
    attributes: tuple[str, ...]
    fingerprint: str

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image, `(1, side, side)`, or of one template, `(d,)`."""
        return self.train.input_shape


def split_faces(dataset: FaceDataset, attributes: tuple[str, ...], split_seed: int) -> SplitFaces:
    """Divide `dataset` by identity into the four splits.

    Raises DataError when an attribute is missing, or when a split cannot be judged: it needs 2 identities
    of either value of each attribute and 2 identities with 2 or more images.
    """
    check_splits(dataset, attributes, split_seed)
    parts = {split: dataset.subset(images) for split, images in split_masks(dataset, split_seed).items()}
    settings = f"{dataset.fingerprint}\n{','.join(attributes)}\n{split_seed}"
    digest = hashlib.sha256(settings.encode())
    return SplitFaces(**parts, attributes=attributes, fingerprint=digest.hexdigest())


def split_masks(dataset: FaceDataset, split_seed: int) -> dict[str, Bool[np.ndarray, " face"]]:
    """Return for each split a mask `[N]` of its images."""
    split_of_identity = np.array([split_of(name, split_seed) for name in dataset.identity_names])
    split_of_image = split_of_identity[dataset.identity]
    return {split: split_of_image == split for split in SPLITS}


def check_splits(dataset: FaceDataset, attributes: tuple[str, ...], split_seed: int) -> None:
    """Raise DataError where `split_faces` would, without reading an image."""
    for split, images in split_masks(dataset, split_seed).items():
        where = f"split '{split}' (split_seed {split_seed})"
        for name in attributes:
            values = dataset.attribute(name)[images]
            check_judgeable(dataset.identity[images], values, name, where, splits=1)


@dataclass(frozen=True)
class SplitCount:
    """Numbers of images and identities in one split, and of images by the value of an attribute."""

    split: str
    images: int
    identities: int
    ones: int
    zeros: int
    unknown: int


def count_splits(dataset: FaceDataset, attribute: str, split_seed: int) -> list[SplitCount]:
    """Return the counts of the four splits, in the order of `SPLITS`."""
    counts = []
    for split, images in split_masks(dataset, split_seed).items():
        values = dataset.attribute(attribute)[images]
        ones, zeros, unknown = (int((values == value).sum()) for value in (1, 0, UNKNOWN))
        identities = np.unique(dataset.identity[images]).size
        counts.append(SplitCount(split, values.size, identities, ones, zeros, unknown))
    return counts


def check_judgeable(
    identity: Int[np.ndarray, " face"],
    values: Int8[np.ndarray, " face"],
    attribute: str,
    where: str,
    *,
    splits: int = len(SPLITS),
) -> None:
    """Raise DataError when the faces are too few for `splits` splits that can be judged.

    `identity` is int `[N]`, `values` is int8 `[N]` of the attribute; the message begins with `where`.
    """
    needed = _IDENTITIES_PER_VALUE * splits
    ones, zeros = (np.unique(identity[values == value]).size for value in (1, 0))
    if min(ones, zeros) < needed:
        raise DataError(
            f"{where}: {ones} identities have {attribute} = 1 and {zeros} have {attribute} = 0, "
            f"but at least {needed} of each are needed: add identities{_other_seed(splits)}"
        )
    needed = _PAIRED_IDENTITIES * splits
    paired = int((np.unique(identity, return_counts=True)[1] >= 2).sum())
    if paired < needed:
        raise DataError(
            f"{where}: {paired} identities have 2 or more images, but at least {needed} are needed to form "
            f"matching pairs: add images of the same people{_other_seed(splits)}"
        )


def _other_seed(splits: int) -> str:
    return " or choose another split_seed" if splits == 1 else ""
