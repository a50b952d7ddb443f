"""What attackers of one attribute learn from at one vantage point, and whom they are judged on."""

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
    """Whom attackers are judged on: examples with their labels, and weights in each resample of people."""

    examples: Examples
    positive: Bool[np.ndarray, " n"]
    weights: Float[np.ndarray, "draw n"]


@dataclass(frozen=True)
class AttackData:
    """What attackers of one attribute learn from at one vantage, and whom they are judged on."""

    attribute: str
    vantage: str
    releases: int
    images: int
    examples: Examples
    positive: Bool[np.ndarray, " row"]
    identity: Int32[np.ndarray, " row"]
    judged: Mapping[str, Judged]


def attack_field(
    released: Mapping[str, ReleasedFaces],
    attribute: str,
    vantage: str,
    *,
    mean: bool = False,
    share: float = 1.0,
    seed: int = 0,
) -> AttackData:
    """The known images of the vantage's people (`share` of them), every release a row; the judged by their first."""
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
        there = faces.known(attribute)
        read = faces.mean_of_10 if mean and faces.mean_of_10 is not None else faces.representations
        judged[split] = Judged(
            examples_of(read[there], scaler),
            faces.attributes[attribute][there] == 1,
            identity_weights(faces.identity[there]),
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
    """About `share` of the people of either value, a person's being its first known one, and further ones as needed
    for both values to be among their images."""
    rng = np.random.default_rng(stream_seed(seed, "attackers", "people"))
    known = values >= 0
    people, first = np.unique(identity[known], return_index=True)
    value = values[known][first]
    chosen = []
    for side in (0, 1):
        own = rng.permutation(people[value == side])
        chosen.append(own[: max(round(share * len(own)), 1)])
    found = np.concatenate(chosen)
    for side in (0, 1):
        if not (np.isin(identity, found) & (values == side)).any():
            found = np.append(found, rng.permutation(np.unique(identity[values == side]))[:1])
    return found
