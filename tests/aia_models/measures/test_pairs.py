"""The pairs on which matchers are judged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aia_models.measures.pairs import PAIRS_PER_IDENTITY, Pairs, evaluation_pairs


def people(counts: list[int], unknown_every: int = 0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the identities and attribute of images in random order; people 0, 2, ... have attribute 1."""
    rng = np.random.default_rng(seed)
    identity = rng.permutation(np.repeat(np.arange(len(counts), dtype=np.int32), counts))
    attribute = (identity % 2 == 0).astype(np.int8)
    if unknown_every:
        attribute[identity % unknown_every == 0] = -1
    return identity, attribute


def as_rows(pairs: Pairs, different: bool) -> np.ndarray:
    chosen = pairs.different == different
    return np.stack([pairs.left[chosen], pairs.right[chosen]], axis=1)


many = st.lists(st.integers(1, 9), min_size=4, max_size=12)


@given(many, st.sampled_from(["any", "same_gender"]), st.integers(0, 3))
@settings(deadline=None, max_examples=50)
def test_pairs_are_what_they_are_said_to_be(counts: list[int], negatives: str, seed: int) -> None:
    identity, attribute = people(counts, seed=seed)
    pairs = evaluation_pairs(identity, attribute, "validation", negatives)
    assert (pairs.left != pairs.right).all()
    assert np.array_equal(identity[pairs.left] != identity[pairs.right], pairs.different)
    same = np.sort(as_rows(pairs, different=False), axis=1)
    assert len(np.unique(same, axis=0)) == len(same), "no same-person pair twice"
    expected = [min(count * (count - 1) // 2, PAIRS_PER_IDENTITY) for count in counts]
    assert np.array_equal(np.bincount(identity[same[:, 0]], minlength=len(counts)), expected)
    paired = [person for person, count in enumerate(counts) if count > 1]
    value = {
        person: attribute[identity == person][0] if negatives == "same_gender" else 0 for person in paired
    }
    others = [sum(value[other] == value[person] for other in paired) - 1 for person in identity[same[:, 0]]]
    assert pairs.different.sum() == np.count_nonzero(others), (
        "as many of either, where there is somebody else"
    )
    if negatives == "same_gender":
        assert np.array_equal(attribute[pairs.left], attribute[pairs.right])


def test_both_kinds_of_negatives_share_the_same_person_pairs() -> None:
    identity, attribute = people([6] * 8, unknown_every=3)
    any_pairs = evaluation_pairs(identity, attribute, "test", "any")
    same_gender = evaluation_pairs(identity, attribute, "test", "same_gender")
    assert np.array_equal(as_rows(any_pairs, different=False), as_rows(same_gender, different=False))
    mixed = as_rows(any_pairs, different=True)
    assert (attribute[mixed[:, 0]] != attribute[mixed[:, 1]]).any()


def test_same_gender_negatives_have_a_known_attribute() -> None:
    identity, attribute = people([4] * 9, unknown_every=3)
    negatives = as_rows(evaluation_pairs(identity, attribute, "test", "same_gender"), different=True)
    assert len(negatives) == 6 * 6
    assert (attribute[negatives] >= 0).all()
    assert np.array_equal(attribute[negatives[:, 0]], attribute[negatives[:, 1]])


@pytest.mark.parametrize("negatives", ["any", "same_gender"])
def test_draw_depends_on_faces_and_split_alone(negatives: str) -> None:
    identity, attribute = people([5] * 10)
    first, again, other = (
        evaluation_pairs(identity, attribute, split, negatives) for split in ("test", "test", "validation")
    )
    assert np.array_equal(first.left, again.left)
    assert np.array_equal(first.right, again.right)
    assert not np.array_equal(first.right, other.right)


def test_strangers_are_drawn_from_everybody() -> None:
    identity, attribute = people([8] * 10)
    partners = as_rows(evaluation_pairs(identity, attribute, "test"), different=True)[:, 1]
    assert set(identity[partners]) == set(range(10))


@pytest.mark.parametrize("negatives", ["any", "same_gender"])
def test_people_with_one_image_are_in_no_pair(negatives: str) -> None:
    identity = np.r_[np.repeat(np.arange(10), 4), np.arange(10, 60)].astype(np.int32)
    attribute = (identity % 2).astype(np.int8)
    pairs = evaluation_pairs(identity, attribute, "validation", negatives)
    assert pairs.different.sum() > 0
    assert identity[np.r_[pairs.left, pairs.right]].max() < 10
