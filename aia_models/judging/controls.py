"""Controls of the judge: its figures on raw inputs (ceilings), and on data without any information (floors)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch

from aia_models.data.faces import FaceDataset
from aia_models.data.inputs import network_inputs
from aia_models.data.some_people import judged_rows, rows_of_some_people
from aia_models.data.splits import SPLITS, SplitFaces
from aia_models.errors import ControlError
from aia_models.judging.attacks import Attacks, attack_all
from aia_models.judging.matches import match_all
from aia_models.judging.released import ReleasedFaces
from aia_models.measures.metrics import auc
from aia_models.random_streams import stream_seed

MAX_STANDARD_ERRORS = 4
PERMUTATIONS = 200
CONSTANT_WIDTH = 8  # coordinates of the representation that is the same for everybody


@dataclass(frozen=True)
class Floor:
    """An attacker on data that hold no information: its unfolded AUC must lie within 4 standard errors of 0.5.

    `standard_error` is the standard deviation of the AUC when the judged people's values are permuted among them.
    """

    control: str
    split: str
    attribute: str
    vantage: str
    attacker: str
    auc: float
    standard_error: float

    @property
    def holds(self) -> bool:
        """Whether the AUC is within the bound: the attacker has inferred nothing."""
        return abs(self.auc - 0.5) <= MAX_STANDARD_ERRORS * self.standard_error + 1e-9


@dataclass(frozen=True)
class Ceiling:
    """Figures of raw inputs on one split: the strongest attacker's folded AUC and the best matcher's AUC."""

    split: str
    attribute: str
    attacker: str
    attacker_auc: float
    matching_auc: float


@dataclass(frozen=True)
class Controls:
    """All ceilings and floors of one data set."""

    ceilings: tuple[Ceiling, ...]
    floors: tuple[Floor, ...]

    def content(self) -> dict[str, object]:
        """Return the controls as JSON content."""
        return asdict(self)


def judge_controls(faces: SplitFaces, seed: int) -> Controls:
    """Judge raw images or templates (ceilings), and a constant representation and raw ones with shuffled attributes
    (floors).

    A shuffled attribute has one random value per person, the same in every split: an attacker can infer it only where
    splits share people. Raises ControlError, in one line, where a floor does not hold.
    """
    raw = _raw_inputs(faces, seed)
    attacks = attack_all(raw, seed, "cpu")
    matches = match_all(raw, _as_map(faces.input_shape), seed)
    ceilings = []
    for split in ("validation", "test"):
        best = max(match.auc for match in matches.rows if (match.split, match.negatives) == (split, "any"))
        for attribute in faces.attributes:
            own = [a for a in attacks.counted if (a.split, a.attribute) == (split, attribute)]
            strongest = max(own, key=lambda attack: attack.folded_auc)
            ceilings.append(Ceiling(split, attribute, strongest.attacker, strongest.folded_auc, best))
    shuffled = _shuffled(raw, faces, seed)
    constant = {
        split: ReleasedFaces(
            np.full((1, len(part.identity), CONSTANT_WIDTH), 0.5, np.float32), part.identity, part.attributes
        )
        for split, part in raw.items()
    }
    floors: list[Floor] = []
    for control, released in (("constant representation", constant), ("shuffled attribute", shuffled)):
        floors += _floors(control, attack_all(released, seed, "cpu"), released, seed)
    for floor in floors:
        if not floor.holds:
            raise ControlError(
                f"{floor.control}: {floor.attacker} (trained on {floor.vantage}) reads {floor.attribute} on"
                f" {floor.split} with an AUC of {floor.auc:.3f}, over {MAX_STANDARD_ERRORS} standard errors of"
                f" {floor.standard_error:.3f} from 0.5, where there is nothing to read: do two splits share people?"
            )
    return Controls(tuple(ceilings), tuple(floors))


def _as_map(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the shape of an image or a template as that of a map."""
    channels, height, width = (*shape, 1, 1)[:3]
    return channels, height, width


def _raw_inputs(faces: SplitFaces, seed: int) -> dict[str, ReleasedFaces]:
    released = {}
    for split in SPLITS:
        part: FaceDataset = getattr(faces, split)
        learnt_from = split in ("train", "attack")
        part = part.subset(
            rows_of_some_people(part.identity, seed) if learnt_from else judged_rows(part.identity)
        )
        flat = network_inputs(torch.from_numpy(np.array(part.inputs))).numpy().reshape(1, len(part), -1)
        columns = {name: part.attribute(name) for name in faces.attributes}
        released[split] = ReleasedFaces(flat, _numbers(part, faces), columns)
    return released


def _numbers(part: FaceDataset, faces: SplitFaces) -> np.ndarray:
    """Return the number of each image's person, the same in all splits."""
    names = sorted({name for split in SPLITS for name in getattr(faces, split).identity_names})
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[name] for name in part.identity_names], np.int32)[part.identity]


def _shuffled(raw: dict[str, ReleasedFaces], faces: SplitFaces, seed: int) -> dict[str, ReleasedFaces]:
    """Return the same inputs with each attribute shuffled among the people of whom it is known."""
    dealt = {name: _dealt(raw, name, seed) for name in faces.attributes}
    return {
        split: ReleasedFaces(
            part.releases,
            part.identity,
            {name: np.where(part.known(name), values[part.identity], -1) for name, values in dealt.items()},
        )
        for split, part in raw.items()
    }


def _floors(control: str, attacks: Attacks, released: dict[str, ReleasedFaces], seed: int) -> Iterator[Floor]:
    for attack in attacks.counted:
        judged = released[attack.split]
        known = judged.known(attack.attribute)
        scores, positive = attacks.scores[attack.key], judged.attributes[attack.attribute][known] == 1
        error = _permuted_deviation(scores, positive, judged.identity[known], seed)
        unfolded = auc(scores, positive)
        yield Floor(control, attack.split, attack.attribute, attack.vantage, attack.attacker, unfolded, error)


def _permuted_deviation(scores: np.ndarray, positive: np.ndarray, identity: np.ndarray, seed: int) -> float:
    """Return the standard deviation of the AUC when attribute values are permuted among people.

    The images of each person take the values of another person's images in turn, beginning with a random one.
    """
    order = np.argsort(identity, kind="stable")
    scores, values = scores[order], positive[order]
    _, first, index, images = np.unique(
        identity[order], return_index=True, return_inverse=True, return_counts=True
    )
    place = np.arange(len(values)) - first[index]
    rng = np.random.default_rng(stream_seed(seed, "controls", "permutations"))
    aucs = []
    for _ in range(PERMUTATIONS):
        other = rng.permutation(len(images))[index]
        turn = rng.integers(images)[other]
        dealt = values[first[other] + (place + turn) % images[other]]
        if 0 < dealt.sum() < len(dealt):
            aucs.append(auc(scores, dealt))
    return float(np.std(aucs))


def _dealt(raw: dict[str, ReleasedFaces], name: str, seed: int) -> np.ndarray:
    """Draw a value for each person: 0 or 1, or -1 where the attribute is unknown.

    In each split the share of 1 among its people is that among its images, with at least one person of each value. A
    person in two splits, which should not occur, keeps the value of the later split.
    """
    rng = np.random.default_rng(stream_seed(seed, "controls", "shuffled", name))
    values = np.full(1 + max(int(part.identity.max()) for part in raw.values()), -1, np.int8)
    for part in raw.values():
        known = part.known(name)
        people = np.unique(part.identity[known])
        ones = np.clip(round(part.attributes[name][known].mean() * len(people)), 1, len(people) - 1)
        values[people] = rng.permutation(np.arange(len(people)) < ones)
    return values
