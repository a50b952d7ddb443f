"""Released representations of the splits: the input of fresh attackers and matchers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int8, Int32, Int64
from torch import Tensor

from aia_models.data.faces import FaceDataset
from aia_models.data.inputs import network_inputs
from aia_models.data.some_people import judged_rows, rows_of_some_people
from aia_models.data.splits import SPLITS, SplitFaces
from aia_models.errors import DataError
from aia_models.measures.certificate import MAX_WORDS
from aia_models.random_streams import stream
from aia_models.release.anonymizer import Anonymizer

Representations = Float32[np.ndarray, "n k"]

RANDOM_CHANNELS = ("noise", "random_replacement")
RELEASES = 2  # number per image that attackers and matchers learn from
MEAN_RELEASES = 10


@dataclass(frozen=True)
class Words:
    """Released words by their codes, from 0 to below `alphabet`, the number of words that the channel can release."""

    codes: Int64[np.ndarray, " n"]
    alphabet: int


@dataclass(frozen=True)
class ReleasedFaces:
    """Representations of a split's images with their identities and private attributes (1, 0, -1 unknown).

    `releases` holds independent releases of all images, only one where the channel is not random. `mean_of_10` is the
    mean of ten releases, None where the channel is not random. `inputs` are the flattened images or the templates
    themselves, which an attacker has of the people that it learns from; None elsewhere. `words` are the first release
    as words of a small finite alphabet; None where the channel has no such alphabet.
    """

    releases: Float32[np.ndarray, "release n k"]
    identity: Int32[np.ndarray, " n"]
    attributes: Mapping[str, Int8[np.ndarray, " n"]]
    mean_of_10: Representations | None = None
    inputs: Float32[np.ndarray, "n value"] | None = None
    words: Words | None = None

    @property
    def representations(self) -> Representations:
        """The first release, on which attackers and matchers are judged."""
        return self.releases[0]

    def all_releases(self) -> tuple[Representations, Int32[np.ndarray, " row"]]:
        """Return the releases of all images one after the other, and the identity of each."""
        return self.releases.reshape(-1, self.releases.shape[2]), np.tile(self.identity, len(self.releases))

    def known(self, attribute: str) -> Bool[np.ndarray, " n"]:
        """Return a mask of the images with a known value of `attribute`."""
        return self.attributes[attribute] >= 0


def check_released(released: Mapping[str, ReleasedFaces]) -> None:
    """Raise DataError, in one line, where a split holds non-finite values, or only one value of an attribute."""
    for split, faces in released.items():
        finite = np.asarray(np.isfinite(faces.releases).all(axis=(0, 2)))
        if not finite.all():
            raise DataError(
                f"released representations of split '{split}': {int((~finite).sum())} of {len(finite)} images hold "
                f"NaN or infinite values, the first is image {int(np.argmin(finite))}; attackers need finite ones"
            )
        for name, values in faces.attributes.items():
            counts = [int((values == value).sum()) for value in (1, 0)]
            if min(counts) == 0:
                raise DataError(
                    f"split '{split}': {counts[0]} images have {name} = 1 and {counts[1]} have {name} = 0; an attack "
                    "needs both"
                )


def release_faces(
    anonymizer: Anonymizer, faces: SplitFaces, seed: int, other: FaceDataset | None = None
) -> Mapping[str, ReleasedFaces]:
    """Return the released representations of every split, and under "other" those of the people in `other`.

    Noise comes from a stream of `seed` for each split and release. Splits that attackers learn from (`attack`, `train`,
    "other") are released twice where the channel is random, and limited to 10,000 images, of people drawn at random.
    `validation` and `test` are limited to 20,000 images, of the same people whatever the seed.
    """
    parts = {split: getattr(faces, split) for split in SPLITS}
    if other is not None:
        parts["other"] = other
    return {
        split: _release_split(anonymizer, part, split, faces.attributes, seed)
        for split, part in parts.items()
    }


def _release_split(
    anonymizer: Anonymizer, part: FaceDataset, split: str, attributes: tuple[str, ...], seed: int
) -> ReleasedFaces:
    learnt_from = split in ("attack", "train", "other")
    part = part.subset(
        rows_of_some_people(part.identity, seed) if learnt_from else judged_rows(part.identity)
    )
    clean, device = anonymizer.clean(part.inputs), anonymizer.channel.low.device

    def release(number: int) -> Float[Tensor, "n k"]:
        name = (str(number),) if number else ()
        return anonymizer.channel(clean, stream(seed, "release", split, *name, device=device)).cpu()

    random = anonymizer.config.channel.kind in RANDOM_CHANNELS
    with torch.no_grad():
        releases = [release(number) for number in range(RELEASES if random and learnt_from else 1)]
        mean = None
        if random:
            total = releases[0].clone()
            for number in range(1, MEAN_RELEASES):
                total += releases[number] if number < len(releases) else release(number)
            mean = (total / MEAN_RELEASES).numpy()
    columns = {name: part.attribute(name) for name in attributes}
    inputs = None
    if split in ("attack", "train"):
        inputs = network_inputs(torch.from_numpy(np.array(part.inputs))).flatten(1).numpy()
    alphabet = anonymizer.channel.alphabet
    words = None
    if alphabet is not None and alphabet <= MAX_WORDS:
        words = Words(anonymizer.channel.word_codes(releases[0].to(device)).cpu().numpy(), alphabet)
    return ReleasedFaces(torch.stack(releases).numpy(), part.identity, columns, mean, inputs, words)
