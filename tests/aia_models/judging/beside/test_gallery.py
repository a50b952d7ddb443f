"""A gallery of labelled images of the judged people: which images it holds, and what it reads."""

from collections.abc import Mapping

import numpy as np
import pytest

from aia_models.judging.attack import Attack
from aia_models.judging.beside.gallery import _divide, gallery_attacks
from aia_models.judging.matchers import fit_linear_discriminant
from aia_models.judging.released import ReleasedFaces
from tests.aia_models.released_people import released_splits


def attacked(released: Mapping[str, ReleasedFaces]) -> list[Attack]:
    discriminant = fit_linear_discriminant(*released["attack"].all_releases(), None, 0)
    return list(gallery_attacks(released, discriminant, 0))


def test_no_image_is_in_both_parts() -> None:
    rng = np.random.default_rng(0)
    identity = rng.permutation(np.repeat(np.arange(20, dtype=np.int32), np.arange(20) % 5 + 1))
    known = rng.random(len(identity)) < 0.8
    gallery, judged = _divide(identity, known, 0)
    both = np.r_[gallery, judged]
    assert len(set(both.tolist())) == len(both)
    assert known[both].all()
    for person in range(20):
        images = int((known & (identity == person)).sum())
        assert (identity[gallery] == person).sum() == (images // 2 if images > 1 else 0)
        assert (identity[judged] == person).sum() == (images - images // 2 if images > 1 else 0)
    again = _divide(identity, known, 0)
    assert np.array_equal(gallery, again[0])
    assert not np.array_equal(np.sort(gallery), np.sort(_divide(identity, known, 1)[0]))


def test_people_who_are_recognised_have_the_value_of_their_gallery() -> None:
    """The attribute leaves no trace but the person: attackers without a gallery would find nothing."""
    attacks = attacked(released_splits(20, 4))
    assert [attack.split for attack in attacks] == ["validation", "test"]
    for attack in attacks:
        assert attack.folded_auc > 0.85
        assert attack.train_images == 40


def test_who_cannot_be_recognised_is_not_read() -> None:
    rng = np.random.default_rng(0)
    released = {
        split: ReleasedFaces(
            rng.normal(0, 1, (1, 300, 8)).astype(np.float32),
            np.repeat(np.arange(75, dtype=np.int32), 4),
            {"gender": np.repeat(np.arange(75) % 2, 4).astype(np.int8)},
        )
        for split in ("attack", "validation", "test")
    }
    for attack in attacked(released):
        # The tolerance is four Mann-Whitney standard deviations of 75 images of each value.
        assert attack.folded_auc == pytest.approx(0.5, abs=4 * (151 / (12 * 75**2)) ** 0.5)


def test_without_two_images_of_somebody_of_each_value_there_is_no_gallery() -> None:
    released = released_splits(20, 4)
    faces = released["test"]
    alone = np.where(faces.identity % 2 == 0, 1, np.where(np.arange(80) % 4 == 0, 0, -1)).astype(np.int8)
    released["test"] = ReleasedFaces(faces.releases, faces.identity, {"gender": alone})
    assert [attack.split for attack in attacked(released)] == ["validation"]
