"""The linear discriminant solves Fisher's problem and tells people apart where whitening cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from aia_models.measures.discriminant import Scatters
from aia_models.measures.metrics import auc
from aia_models.measures.pairs import evaluation_pairs
from aia_models.measures.whitening import Whitening, unit_length


def people(
    count: int, images: int, seed: int, between: np.ndarray, within: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return images of people with standard deviations between and within people in each coordinate."""
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(count, dtype=np.int32), images)
    own = rng.normal(0, between, (count, len(between)))
    return own[identity] + rng.normal(0, within, (len(identity), len(within))), identity


@given(st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_with_balanced_people_and_no_shrinkage_directions_are_scikit_learns(seed: int) -> None:
    """With fewer people than coordinates, both span the space of the people's differences behind S_w^-1."""
    values, identity = people(4, 30, seed, np.full(6, 3.0), np.linspace(0.5, 2, 6))
    found = Scatters(values, identity).discriminant(0.0)(values)
    expected = LinearDiscriminantAnalysis(solver="eigen").fit(values, identity).transform(values)
    assert found.shape == expected.shape == (120, 3)
    angles = subspace_angles(found - found.mean(0), expected - expected.mean(0))
    assert np.abs(angles).max() < 1e-6
    for column in range(3):
        # scipy orders the directions by rising, scikit-learn by falling strength.
        correlation = np.corrcoef(found[:, 2 - column], expected[:, column])[0, 1]
        assert abs(correlation) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("shrinkage", [0.0, 0.1, 0.5])
def test_directions_solve_the_generalised_problem(shrinkage: float) -> None:
    """People have different numbers of images; the scatters are computed one person after the other."""
    values, identity = people(40, 6, 0, np.array([2, 1, 1, 0.5]), np.array([1, 2, 0.5, 1]))
    kept = np.random.default_rng(1).random(len(values)) < 0.6
    values, identity = values[kept], identity[kept]
    groups = [values[identity == person] for person in np.unique(identity)]
    within = sum((own - own.mean(0)).T @ (own - own.mean(0)) for own in groups) / (len(values) - len(groups))
    noise = np.mean([1 / len(own) for own in groups])
    between = np.cov(np.stack([own.mean(0) for own in groups]).T, ddof=0) - noise * within
    ridged = within + shrinkage * np.trace(within) / 4 * np.eye(4)
    for direction in Scatters(values, identity).discriminant(shrinkage).directions.T:
        scaled = direction @ ridged @ direction
        strength = direction @ between @ direction / scaled
        np.testing.assert_allclose(between @ direction, strength * ridged @ direction, atol=1e-8)
        assert np.sqrt(scaled) == pytest.approx(strength / (1 + strength)), "telling directions weigh most"


def test_people_are_told_apart_where_whitening_cannot() -> None:
    """Two of thirty coordinates tell people apart; whitened, they weigh as much as each of the others."""
    between, within = np.r_[1.0, 1.0, np.zeros(28)], np.r_[0.2, 0.2, np.ones(28)]
    values, identity = people(80, 5, 1, between, within)
    others, people_asked = people(200, 5, 2, between, within)
    pairs = evaluation_pairs(people_asked, np.zeros(len(others), np.int8), "test")
    found = {}
    for name, embed in (
        ("discriminant", Scatters(values, identity).discriminant(0.1)),
        ("whitened", Whitening(values, 30)),
    ):
        embedded = unit_length(embed(others))
        similarity = (embedded[pairs.left] * embedded[pairs.right]).sum(1)
        found[name] = auc(similarity, ~pairs.different)
    assert found["discriminant"] > 0.9
    assert found["whitened"] < 0.75


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning:sklearn")
def test_representations_that_are_all_alike_have_no_discriminants() -> None:
    values, identity = np.full((20, 5), 0.25), np.repeat(np.arange(5, dtype=np.int32), 4)
    assert Scatters(values, identity).discriminant(0.1)(values).shape == (20, 0)


@pytest.mark.parametrize("images", [1, 2])
def test_people_whose_images_are_all_alike_or_single_do_no_harm(images: int) -> None:
    """Nothing varies within people."""
    own = np.random.default_rng(0).normal(0, 1, (12, 5))
    scatters = Scatters(np.repeat(own, images, axis=0), np.repeat(np.arange(12, dtype=np.int32), images))
    embedded = scatters.discriminant(0.1)(own)
    assert np.isfinite(embedded).all()
    assert embedded.shape[1] > 0


def test_the_order_of_images_and_the_numbers_of_people_do_not_matter() -> None:
    values, identity = people(20, 4, 0, np.ones(4), np.ones(4))
    order = np.random.default_rng(0).permutation(len(values))
    found = Scatters(values, identity).discriminant(0.1)(values)
    again = Scatters(values[order], 7 * (19 - identity[order])).discriminant(0.1)(values)
    np.testing.assert_allclose(found @ found.T, again @ again.T, atol=1e-8)
