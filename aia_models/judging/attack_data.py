"""Training and evaluation data of the attackers of one attribute at one vantage point."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int32

from aia_models.judging.released import ReleasedFaces
from aia_models.judging.sklearn_attackers import Examples, examples_of, feature_scaler
from aia_models.measures.bootstrap import identity_weights
from aia_models.random_streams import stream_seed

JUDGED_SPLITS = ("validation", "test")


@dataclass(frozen=True)
class Judged:
    """Evaluation data of attackers: examples, their labels, and their weights in each resample of people."""

    examples: Examples
    positive: Bool[np.ndarray, " n"]
    weights: Float[np.ndarray, "resample n"]


@dataclass(frozen=True)
class AttackData:
    """Training data of the attackers of one attribute, and evaluation data by split.

    `vantage` is the split whose people the attackers learn from, and `images` counts its images with a known attribute.
    `examples` has one row for each of their releases. `releases` is 1, or 10 where attackers learn from and are judged
    on means of ten releases.
    """

    attribute: str
    vantage: str
    releases: int
    images: int
    examples: Examples
    positive: Bool[np.ndarray, " row"]
    identity: Int32[np.ndarray, " row"]
    judged: Mapping[str, Judged]


def build_attack_data(
    released: Mapping[str, ReleasedFaces],
    attribute: str,
    vantage: str,
    *,
    mean: bool = False,
    share: float = 1.0,
    seed: int = 0,
) -> AttackData:
    """Return the data of an attack on `attribute` from the split `vantage`.

    Attackers learn from every release of the images with a known attribute, and are judged on the first release of the
    others; with `mean` both are means of ten releases where the channel is random. `share` is the share of the split's
    people that they learn from, chosen by `seed`.
    """
    own = released[vantage]
    known = own.known(attribute)
    if share < 1:
        known &= np.isin(own.identity, some_people(own.identity, own.attributes[attribute], share, seed))
    values = own.mean_of_10[None] if mean and own.mean_of_10 is not None else own.releases
    count = len(values)
    rows = values[:, known].reshape(-1, values.shape[2])
    scaler = feature_scaler(rows)
    judged = {}
    for split in JUDGED_SPLITS:
        faces = released[split]
        judged_rows = faces.known(attribute)
        read = faces.mean_of_10 if mean and faces.mean_of_10 is not None else faces.representations
        judged[split] = Judged(
            examples_of(read[judged_rows], scaler),
            faces.attributes[attribute][judged_rows] == 1,
            identity_weights(faces.identity[judged_rows]),
        )
    return AttackData(
        attribute=attribute,
        vantage=vantage,
        releases=10 if mean else 1,
        images=int(known.sum()),
        examples=examples_of(rows, scaler),
        positive=np.tile(own.attributes[attribute][known] == 1, count),
        identity=np.tile(own.identity[known], count),
        judged=judged,
    )


def some_people(
    identity: Int32[np.ndarray, " n"], values: np.ndarray, share: float, seed: int
) -> Int32[np.ndarray, " person"]:
    """Draw about `share` of the people with each value of an attribute.

    A person has the value of its first image with a known one. Further people are added where the images of the drawn
    people lack one of the two values.
    """
    rng = np.random.default_rng(stream_seed(seed, "attackers", "people"))
    known = values >= 0
    people, first = np.unique(identity[known], return_index=True)
    value = values[known][first]
    chosen = []
    for side in (0, 1):
        own = rng.permutation(people[value == side])
        chosen.append(own[: max(round(share * len(own)), 1)])
    drawn = np.concatenate(chosen)
    for side in (0, 1):
        if not (np.isin(identity, drawn) & (values == side)).any():
            drawn = np.append(drawn, rng.permutation(np.unique(identity[values == side]))[:1])
    return drawn
