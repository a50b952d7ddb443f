"""Released representations of one split: what fresh attackers and matchers see."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int32, Int64

from aia_models.errors import DataError
from aia_models.random_streams import stream_seed

Released = Float32[np.ndarray, "n k"]

MOST_LEARNT_IMAGES = 10_000  # of a split that attackers and matchers learn from


@dataclass(frozen=True)
class ReleasedFaces:
    """Representations of a split's images with their identities and private attributes (1, 0, -1 unknown).

    `releases` are independent releases of all images, one where the channel draws nothing; `mean_of_10` is the mean of
    ten of them, None where it is not asked for or where they are all alike.
    """

    releases: Float32[np.ndarray, "release n k"]
    identity: Int32[np.ndarray, " n"]
    attributes: Mapping[str, Int8[np.ndarray, " n"]]
    mean_of_10: Released | None = None

    @property
    def representations(self) -> Released:
        """The first release: the one on which attackers and matchers are judged."""
        return self.releases[0]

    def known(self, attribute: str) -> Bool[np.ndarray, " n"]:
        """Which images have a known value of `attribute`."""
        return self.attributes[attribute] >= 0


def images_of_some_people(identity: Int32[np.ndarray, " n"], seed: int) -> Int64[np.ndarray, " row"]:
    """Rows of all images, or of `MOST_LEARNT_IMAGES` of them, of people drawn at random, where there are more."""
    rng = np.random.default_rng(stream_seed(seed, "release", "people"))
    place = rng.permutation(int(identity.max()) + 1)[identity]
    return np.sort(np.argsort(place, kind="stable")[:MOST_LEARNT_IMAGES])


def check_released(released: Mapping[str, ReleasedFaces]) -> None:
    """Raises DataError, in one line, where a split holds values that are not finite, or an attribute of one value."""
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
