"""Controls: attackers find nothing in data without a leak, and people in two splits are detected."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aia_models.data.faces import FaceDataset
from aia_models.data.splits import SplitFaces
from aia_models.errors import ControlError
from aia_models.judging import attacks, controls
from aia_models.judging.attackers import ATTACKERS
from aia_models.judging.attacks import ENSEMBLE, SPLIT_VANTAGES, Attacks
from aia_models.judging.controls import Controls, Floor, judge_controls
from aia_models.judging.released import ReleasedFaces
from tests.aia_models.random_faces import random_faces

FACES = random_faces(people=30, images=4, signal=60)


pytestmark = pytest.mark.usefixtures("few_siamese_steps")


@pytest.fixture(scope="module")
def found(few_siamese_steps: None) -> Controls:
    return judge_controls(FACES, 0)


@pytest.fixture
def few_attackers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge by the two fastest attackers, in tests that are about people and values."""
    fast = {name: ATTACKERS[name] for name in ("templates", "boosted_trees")}
    monkeypatch.setattr(attacks, "ATTACKERS", fast)


def test_ceiling_is_what_raw_pixels_give(found: Controls) -> None:
    assert {(ceiling.split, ceiling.attribute) for ceiling in found.ceilings} == {
        ("validation", "gender"),
        ("test", "gender"),
    }
    for ceiling in found.ceilings:
        assert ceiling.attacker_auc > 0.95, "the drawn signal is plain"
        assert ceiling.matching_auc > 0.95


def test_floors_hold_for_every_attacker_on_both_splits(found: Controls) -> None:
    assert {(floor.control, floor.split, floor.vantage, floor.attacker) for floor in found.floors} == {
        (control, split, vantage, name)
        for control in ("constant representation", "shuffled attribute")
        for split in ("validation", "test")
        for vantage in SPLIT_VANTAGES
        for name in (*ATTACKERS, ENSEMBLE)
    }
    for floor in found.floors:
        assert floor.holds
        if floor.control == "constant representation":
            assert floor.auc == 0.5
        else:
            # The Mann-Whitney standard deviation for 15 people against 15 with one score each is 0.107.
            assert 0.05 < floor.standard_error < 0.13


@pytest.mark.usefixtures("few_attackers")
@pytest.mark.parametrize("smiles", [lambda image: image == 3, lambda image: image % 2 == 0])
def test_an_attribute_that_varies_between_a_persons_images_has_its_floors(
    smiles: Callable[[np.ndarray], np.ndarray],
) -> None:
    """The last images of all people have the same value."""
    values = smiles(np.tile(np.arange(4), 30)).astype(np.int8)
    parts = [
        replace(part, attributes={"gender": values})
        for part in (FACES.train, FACES.attack, FACES.validation, FACES.test)
    ]
    found = judge_controls(SplitFaces(*parts, attributes=("gender",), fingerprint="smiles"), 0)
    for floor in found.floors:
        assert floor.holds
        assert floor.control == "constant representation" or 0.01 < floor.standard_error < 0.13


def test_people_change_places_with_any_of_anothers_images() -> None:
    """Only the last of a person's five images is positive; permutations also give it to people with one."""
    identity = np.r_[np.zeros(5, np.int32), np.arange(1, 5000, dtype=np.int32)]
    scores = np.random.default_rng(0).normal(0, 1, len(identity))
    deviation = controls._permuted_deviation(scores, np.arange(len(identity)) == 4, identity, 0)
    assert deviation == pytest.approx(12**-0.5, rel=0.3), "an even distribution's"


def with_people_of(target: FaceDataset, source: FaceDataset, people: int) -> FaceDataset:
    """Return `target` with the first people of `source`: their names, and their faces with new noise."""
    shared = target.identity < people
    images = target.inputs.copy()
    rng = np.random.default_rng(0)
    moved = source.inputs[shared].astype(int) + rng.integers(-10, 11, source.inputs[shared].shape)
    images[shared] = moved.clip(0, 255)
    names = (*source.identity_names[:people], *target.identity_names[people:])
    return replace(target, inputs=images, identity_names=names)


@pytest.mark.usefixtures("few_attackers")
def test_people_of_the_attackers_among_the_judged_fail_the_judgement() -> None:
    leaking: SplitFaces = replace(FACES, test=with_people_of(FACES.test, FACES.attack, 26))
    with pytest.raises(
        ControlError, match=r"shuffled attribute: \w+ \(trained on (attack|both)\) reads gender on test"
    ):
        judge_controls(leaking, 0)


@pytest.mark.parametrize(
    ("auc", "holds"), [(0.5, True), (0.69, True), (0.31, True), (0.71, False), (0.29, False)]
)
def test_a_floor_is_four_standard_errors_wide_in_both_directions(auc: float, holds: bool) -> None:
    assert Floor("constant", "test", "gender", "attack", "mlp", auc, 0.05).holds == holds


@pytest.mark.usefixtures("few_attackers")
def test_a_shuffled_attribute_is_one_for_each_person_whatever_the_split(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Shuffling changes the values of about half of the people and keeps the number of each value."""
    seen: list[dict[str, ReleasedFaces]] = []
    original = controls.attack_all

    def watched(released: dict[str, ReleasedFaces], *arguments: Any) -> Attacks:
        seen.append(dict(released))
        return original(released, *arguments)

    monkeypatch.setattr(controls, "attack_all", watched)
    shared = replace(FACES, test=with_people_of(FACES.test, FACES.attack, 3))
    judge_controls(shared, 0)
    pixels, _, shuffled = seen
    value_of: dict[str, set[int]] = {}
    before = after = changed = 0
    for split in ("train", "attack", "validation", "test"):
        faces = getattr(shared, split)
        values = shuffled[split].attributes["gender"]
        for person, name in enumerate(faces.identity_names):
            value_of.setdefault(name, set()).update(values[faces.identity == person].tolist())
        before += int(pixels[split].attributes["gender"].sum())
        after += int(values.sum())
        changed += int((values != pixels[split].attributes["gender"]).sum())
        assert np.array_equal(shuffled[split].releases, pixels[split].releases)
    assert {len(values) for values in value_of.values()} == {1}
    assert len(value_of) == 117, "three people are in two splits"
    assert abs(after - before) <= 12, "dealt out, not drawn: but for the images of those three"
    assert 150 < changed < 330
