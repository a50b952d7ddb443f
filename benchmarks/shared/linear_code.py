"""A compact code in closed form: few linear discriminants of the pixels, erased, released with noise."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32

from aia_models.data.faces import FaceDataset
from aia_models.data.inputs import network_inputs
from aia_models.data.some_people import rows_of_some_people
from aia_models.data.splits import SPLITS, SplitFaces
from aia_models.judging.released import MEAN_RELEASES, RELEASES, ReleasedFaces
from aia_models.measures.discriminant import Scatters
from aia_models.random_streams import stream_seed
from aia_models.release.eraser import fit_erasers

SHRINKAGE = 0.1
LEARNT = ("train", "attack")  # splits that attackers and matchers learn from


@dataclass(frozen=True)
class LinearCode:
    """The codes of all images, before noise, by split: one unit is the mean standard deviation of a coordinate."""

    faces: dict[str, FaceDataset]
    codes: dict[str, Float[np.ndarray, "n k"]]
    attributes: tuple[str, ...]

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """The code as a map of one pixel."""
        return self.codes["train"].shape[1], 1, 1

    def release(self, noise_sd: float, seed: int) -> dict[str, ReleasedFaces]:
        """Return what `release_faces` returns of an encoder with noise: two releases of the splits in `LEARNT`."""
        return {split: self._release_split(split, noise_sd, seed) for split in SPLITS}

    def _release_split(self, split: str, noise_sd: float, seed: int) -> ReleasedFaces:
        part, code = self.faces[split], self.codes[split]

        def release(number: int) -> Float32[np.ndarray, "n k"]:
            rng = np.random.default_rng(stream_seed(seed, "release", split, str(number)))
            return (code + noise_sd * rng.standard_normal(code.shape)).astype(np.float32)

        releases = [release(number) for number in range(MEAN_RELEASES)]
        kept = RELEASES if split in LEARNT else 1
        return ReleasedFaces(
            np.stack(releases[:kept]),
            part.identity,
            {name: part.attribute(name) for name in self.attributes},
            np.mean(releases, axis=0),
            _pixels(part) if split in LEARNT else None,
        )


def fit_linear_code(faces: SplitFaces, coordinates: int, seed: int) -> LinearCode:
    """Fit Fisher's discriminant on the `train` people, keep its leading coordinates and erase the attributes.

    The code has fewer coordinates where fewer directions tell these people apart.
    """
    parts: dict[str, FaceDataset] = {split: getattr(faces, split) for split in SPLITS}
    for split in LEARNT:
        parts[split] = parts[split].subset(rows_of_some_people(parts[split].identity, seed))
    train = parts["train"]
    discriminant = Scatters(_pixels(train), train.identity).discriminant(SHRINKAGE)
    codes = {split: discriminant(_pixels(part))[:, -coordinates:] for split, part in parts.items()}
    unit = codes["train"].std(0).mean()
    codes = {split: code / unit for split, code in codes.items()}
    for eraser in fit_erasers(codes["train"], train.attribute_columns(faces.attributes)):
        codes = {split: eraser(code) for split, code in codes.items()}
    return LinearCode(parts, codes, faces.attributes)


def _pixels(part: FaceDataset) -> Float32[np.ndarray, "n pixel"]:
    return network_inputs(torch.from_numpy(np.array(part.inputs))).flatten(1).numpy()
