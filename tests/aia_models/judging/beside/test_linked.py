"""Linked releases are put together by person."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from aia_models.judging.attackers import STRONGEST
from aia_models.judging.attacks import ENSEMBLE, attack_all
from aia_models.judging.beside.linked import linked_attacks, put_together
from aia_models.judging.released import ReleasedFaces
from tests.aia_models.released_people import released_splits


def some_faces() -> ReleasedFaces:
    """Return two releases of people with one to five images, of whom some have unknown or both values."""
    rng = np.random.default_rng(0)
    identity = rng.permutation(np.repeat(np.arange(12, dtype=np.int32) * 3, np.arange(12) % 5 + 1))
    values = rng.normal(0, 1, (2, len(identity), 4)).astype(np.float32)
    return ReleasedFaces(values, identity, {"gender": rng.integers(-1, 2, len(identity)).astype(np.int8)})


def test_people_have_the_means_and_deviations_of_their_known_images() -> None:
    faces = some_faces()
    together = put_together(faces, "gender")
    known = faces.known("gender")
    for release, found in zip(faces.releases, together.releases, strict=True):
        groups = pd.DataFrame(release[known].astype(np.float64)).groupby(faces.identity[known])
        np.testing.assert_allclose(found[:, :4], groups.mean().to_numpy(), atol=1e-6)
        np.testing.assert_allclose(found[:, 4:], groups.std(ddof=0).to_numpy(), atol=1e-6)
    assert np.array_equal(together.identity, np.unique(faces.identity[known]))
    shares = pd.Series(faces.attributes["gender"][known]).groupby(faces.identity[known]).mean()
    assert np.array_equal(together.attributes["gender"], (shares >= 0.5).to_numpy())


def test_a_single_image_and_equal_images_have_no_deviation() -> None:
    values = np.array([[[0.1, 0.7]] * 3], np.float32)
    gender = np.ones(3, np.int8)
    together = put_together(
        ReleasedFaces(values, np.array([4, 9, 9], np.int32), {"gender": gender}), "gender"
    )
    np.testing.assert_allclose(together.releases[0], [[0.1, 0.7, 0, 0]] * 2, atol=1e-7)


def test_person_scores_are_averages() -> None:
    released = released_splits(16, 3, leak=0.4)
    attacks = attack_all(released, 0, "cpu")
    linked = list(linked_attacks(released, attacks, 0, "cpu"))
    by_scores = [attack for attack in linked if attack.reads == "person_scores"]
    assert len(by_scores) == len(attacks.counted)
    for whole, attack in zip(attacks.counted, by_scores, strict=True):
        faces = released[attack.split]
        averaged = pd.Series(attacks.scores[whole.key]).groupby(faces.identity).mean()
        gender = pd.Series(faces.attributes["gender"]).groupby(faces.identity).first()
        area = roc_auc_score(gender, averaged)
        assert attack.folded_auc == pytest.approx(max(area, 1 - area))
        assert attack.accuracy == pytest.approx(((averaged > 0) == gender).mean())
        assert (attack.attacker, attack.vantage, attack.setting, attack.train_images) == (
            whole.attacker, whole.vantage, whole.setting, whole.train_images
        )  # fmt: skip
    others = [attack for attack in linked if attack.reads == "person_representations"]
    assert {(a.attacker, a.vantage, a.train_images) for a in others} == {
        (name, "both", 96) for name in (*STRONGEST, ENSEMBLE)
    }
