"""Training and evaluation data of the attackers of one attribute."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int8, Int32

from aia_models.judging.attackers.examples import FOLDS, Examples, folds_of_people
from aia_models.judging.released import ReleasedFaces
from aia_models.random_streams import stream_seed

JUDGED_SPLITS = ("validation", "test")
VANTAGES: Mapping[str, tuple[str, ...]] = {
    "attack": ("attack",), "train": ("train",), "both": ("attack", "train"), "other": ("other",)
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class AttackData:
    """Examples of one attribute, and what the judged rows are: their splits, values and people.

    `images` counts the images with a known attribute at each vantage.
    """

    attribute: str
    examples: Examples
    images: Mapping[str, int]
    split: np.ndarray
    positive: Bool[np.ndarray, " n"]
    identity: Int32[np.ndarray, " n"]


def build_attack_data(
    released: Mapping[str, ReleasedFaces], attribute: str, vantages: tuple[str, ...], seed: int, device: str
) -> AttackData:
    """Return the data of an attack on `attribute` from `vantages`.

    Attackers learn from every release of the images with a known attribute, and are judged on the first release of the
    others. Settings are chosen on people of the splits "attack" and "other": an anonymizer has seen the people of
    `train`, so that what is inferred about them says little about others.
    """
    splits = sorted({split for vantage in vantages for split in VANTAGES[vantage]})
    rows, positive, cell, first = [], [], [], []
    cells, images = {}, {}
    for split in splits:
        faces = released[split]
        known = faces.known(attribute)
        own = faces.releases[:, known]
        groups = folds_of_people(faces.identity[known], seed)
        if split == "train":
            groups = np.full_like(groups, FOLDS)
        cells[split], images[split] = frozenset(np.unique(groups).tolist()), int(known.sum())
        for number, release in enumerate(own):
            rows.append(release)
            positive.append(faces.attributes[attribute][known] == 1)
            cell.append(groups)
            first.append(np.full(len(release), number == 0))
    judged = [(split, released[split], released[split].known(attribute)) for split in JUDGED_SPLITS]
    examples = Examples(
        np.concatenate(rows),
        np.concatenate([faces.representations[known] for _, faces, known in judged]),
        np.concatenate(positive),
        np.concatenate(cell),
        np.concatenate(first),
        {vantage: frozenset().union(*(cells[split] for split in VANTAGES[vantage])) for vantage in vantages},
        device,
    )
    return AttackData(
        attribute,
        examples,
        {vantage: sum(images[split] for split in VANTAGES[vantage]) for vantage in vantages},
        np.concatenate([np.full(int(known.sum()), split) for split, _, known in judged]),
        np.concatenate([faces.attributes[attribute][known] == 1 for _, faces, known in judged]),
        np.concatenate([faces.identity[known] for _, faces, known in judged]),
    )


def some_people(
    identity: Int32[np.ndarray, " n"], values: Int8[np.ndarray, " n"], share: float, seed: int
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
