"""Attackers find leaks that are planted, on people that they have not seen, and nothing where nothing is planted."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from aia_models.judging.attack_data import build_attack_data
from aia_models.judging.attackers import ATTACKERS
from aia_models.judging.attacks import attack_all
from aia_models.judging.beside.linked import linked_attacks
from aia_models.judging.judge import Judgement
from aia_models.judging.released import ReleasedFaces
from aia_models.measures.metrics import auc, folded

Planted = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]
PEOPLE = {"attack": 500, "train": 500, "validation": 150, "test": 150}


def released_with(leak: Planted, images: int, share: float = 1.0) -> dict[str, ReleasedFaces]:
    """Return releases in which `leak` of a generator, the identities and the attribute plants what they show."""
    released = {}
    for seed, (split, people) in enumerate(PEOPLE.items()):
        rng = np.random.default_rng(seed)
        identity = np.repeat(np.arange(round(share * people), dtype=np.int32), images)
        positive = (rng.permutation(round(share * people)) % 2 == 0)[identity]
        values = leak(rng, identity, positive).astype(np.float32)
        released[split] = ReleasedFaces(values[None], identity, {"gender": positive.astype(np.int8)})
    return released


def read(released: dict[str, ReleasedFaces], attacker: str) -> float:
    """Return the AUC of an attacker from all people on all judged images."""
    data = build_attack_data(released, "gender", ("both",), 0, "cpu")
    return auc(ATTACKERS[attacker](data.examples, 0)["both"].scores, data.positive)


def conditional(
    draw: Callable[[], np.ndarray], shows: Callable[[np.ndarray], np.ndarray], positive: np.ndarray
) -> np.ndarray:
    """Draw numbers again until each shows the attribute of its image."""
    drawn = draw()
    while (wrong := shows(drawn) != positive).any():
        drawn[wrong] = draw()[wrong]
    return drawn


def parity(rng: np.random.Generator, identity: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Six noisy signs, of which the product of three is the attribute: any two of them are independent of it."""
    signs = rng.choice([-1.0, 1.0], (len(positive), 6))
    signs[:, 2] = signs[:, 0] * signs[:, 1] * np.where(positive, 1, -1)
    return signs + rng.normal(0, 0.3, signs.shape)


def periodic(rng: np.random.Generator, identity: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Three coordinates, of which one has the attribute in every second of stripes one standard deviation wide."""
    values = rng.normal(0, 1, (len(positive), 3))
    values[:, 1] = conditional(lambda: rng.normal(0, 1, len(positive)), lambda x: np.sin(3 * x) > 0, positive)
    return values


def magnitude(rng: np.random.Generator, identity: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """One of 768 coordinates has the attribute where its absolute value is above the median."""
    values = rng.normal(0, 1, (len(positive), 768))
    values[:, 300] = conditional(
        lambda: rng.normal(0, 1, len(positive)), lambda x: np.abs(x) > 0.6745, positive
    )
    return values


def together(rng: np.random.Generator, identity: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """A sign that all images of a person share if it has the attribute, and that alternates otherwise.

    The first image's sign is random, so that each single image of either kind has either sign.
    """
    values = rng.normal(0, 0.4, (len(positive), 5))
    turn = np.arange(len(positive)) - np.searchsorted(identity, identity)
    own = rng.choice([-1.0, 1.0], identity.max() + 1)[identity]
    values[:, 0] += own * np.where(positive, 1, (-1.0) ** turn)
    return values


def nothing(rng: np.random.Generator, identity: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """People who differ, whatever their attribute: it is dealt out among them."""
    return rng.normal(0, 1, (len(set(identity)), 6))[identity] + rng.normal(0, 0.3, (len(identity), 6))


@pytest.fixture(scope="module")
def parities() -> dict[str, ReleasedFaces]:
    return released_with(parity, 2)


@pytest.mark.parametrize(
    ("attacker", "least"),
    [("kernel_machine", 0.97), ("templates", 0.97), ("boosted_trees", 0.65)],
)
def test_parity_of_three_coordinates(parities: dict[str, ReleasedFaces], attacker: str, least: float) -> None:
    assert read(parities, attacker) > least


def test_parity_is_hidden_from_a_linear_attacker(parities: dict[str, ReleasedFaces]) -> None:
    """The tolerance is four Mann-Whitney standard deviations of 300 images of each value."""
    learnt, judged = (parities[split] for split in ("attack", "validation"))
    linear = LogisticRegression().fit(learnt.representations, learnt.attributes["gender"])
    found = roc_auc_score(judged.attributes["gender"], linear.decision_function(judged.representations))
    assert found == pytest.approx(0.5, abs=4 * (601 / (12 * 300**2)) ** 0.5)


@pytest.mark.parametrize(
    ("attacker", "least"),
    [("kernel_machine", 0.9), ("templates", 0.75), ("boosted_trees", 0.95)],
)
def test_a_periodic_leak(attacker: str, least: float) -> None:
    assert read(released_with(periodic, 3), attacker) > least


def test_one_magnitude_among_hundreds_of_coordinates() -> None:
    assert read(released_with(magnitude, 2), "boosted_trees") > 0.95


def test_what_only_images_together_show_is_read_by_linked_attacks_alone() -> None:
    released = released_with(together, 3, share=0.5)
    attacks = attack_all(released, 0, "cpu")
    judgement = Judgement(attacks.counted, (), {}, {}, tuple(linked_attacks(released, attacks, 0, "cpu")))
    for split in ("validation", "test"):
        linked = judgement.strongest_beside(split, "linked")
        assert linked is not None
        assert linked.reads == "person_representations"
        assert linked.folded_auc > 0.9
        # The largest of 12 attacks on 75 people of three images, whose scores depend little on one another.
        assert judgement.strongest_attack(split).folded_auc < 0.65


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_nothing_is_found_where_nothing_is_planted(attacker: str) -> None:
    """The tolerance is four Mann-Whitney standard deviations of 75 people of each value."""
    found = folded(read(released_with(nothing, 2, share=0.5), attacker))
    assert found < 0.5 + 4 * (151 / (12 * 75**2)) ** 0.5


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_what_is_the_same_for_everybody_tells_nothing(attacker: str) -> None:
    constant = released_with(lambda rng, identity, positive: np.full((len(identity), 8), 0.5), 2, share=0.2)
    assert read(constant, attacker) == 0.5


@pytest.mark.parametrize("attacker", ATTACKERS)
@pytest.mark.parametrize("scale", [1.0, 1e-3], ids=["plain", "shrunk"])
def test_one_telling_coordinate_is_found_whatever_its_scale(attacker: str, scale: float) -> None:
    def shifted(rng: np.random.Generator, identity: np.ndarray, positive: np.ndarray) -> np.ndarray:
        values = rng.normal(0, 1, (len(positive), 6))
        values[:, 3] = scale * (values[:, 3] + 4 * positive)
        return values

    assert read(released_with(shifted, 2, share=0.4), attacker) > 0.95
