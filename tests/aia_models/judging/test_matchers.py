"""Fresh matchers on representations that distinguish people and on representations that do not."""

import numpy as np
import pytest
import torch

from aia_models.errors import DataError
from aia_models.judging import matchers, siamese
from aia_models.judging.matchers import MATCHERS
from aia_models.measures.metrics import auc
from aia_models.measures.pairs import evaluation_pairs

MAP = (2, 4, 4)


def people(count: int, images: int, seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return representations around a random point in [0, 1]^32 for each person, and their identities."""
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(count, dtype=np.int32), images)
    own = rng.random((count, 32))
    return (own[identity] + rng.normal(0, spread, (len(identity), 32))).astype(np.float32), identity


def judged_auc(name: str, spread: float, seed: int = 0) -> float:
    embed = MATCHERS[name](*people(60, 5, 1, spread), MAP, seed)
    released, identity = people(40, 5, 2, spread)
    embedded = embed(released)
    pairs = evaluation_pairs(identity, np.zeros(len(identity), np.int8), "test")
    distance = np.linalg.norm(embedded[pairs.left] - embedded[pairs.right], axis=1)
    return auc(-distance, ~pairs.different)


@pytest.mark.parametrize("name", MATCHERS)
def test_people_are_told_apart(name: str) -> None:
    assert judged_auc(name, spread=0.1) > (0.9 if name == "siamese" else 0.95)


@pytest.mark.parametrize("name", MATCHERS)
def test_nobody_is_told_apart_where_nothing_tells(name: str) -> None:
    # There are 400 pairs of each kind; if they were independent, three standard deviations would be 0.06.
    assert judged_auc(name, spread=100.0) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", MATCHERS)
def test_same_seed_same_embedding(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siamese, "MAX_STEPS", 20)
    released, identity = people(20, 4, 0, 0.1)
    torch.manual_seed(1)
    first = MATCHERS[name](released, identity, MAP, 3)(released)
    torch.manual_seed(2)
    assert np.array_equal(first, MATCHERS[name](released, identity, MAP, 3)(released))


def test_siamese_depends_on_its_seed_and_learns_from_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siamese, "MAX_STEPS", 20)
    released, identity = people(20, 4, 0, 0.1)
    fit = MATCHERS["siamese"]
    first = fit(released, identity, MAP, 3)(released)
    assert not np.allclose(first, fit(released, identity, MAP, 4)(released), atol=1e-3)
    assert not np.allclose(first, fit(released, identity[::-1].copy() // 2, MAP, 3)(released), atol=1e-3)


def test_siamese_hears_a_few_telling_coordinates_among_noise() -> None:
    """Four of 256 coordinates distinguish people and vary ten times as much as the others.

    Scaling each coordinate by itself would hide them in the noise.
    """

    def released(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        identity = np.repeat(np.arange(count, dtype=np.int32), 5)
        values = rng.normal(0, 0.1, (len(identity), 256))
        values[:, :4] = rng.normal(0, 1, (count, 4))[identity] + rng.normal(0, 0.3, (len(identity), 4))
        return values.astype(np.float32), identity

    embed = MATCHERS["siamese"](*released(60, 1), (16, 4, 4), 0)
    others, identity = released(40, 2)
    embedded = embed(others)
    pairs = evaluation_pairs(identity, np.zeros(len(identity), np.int8), "test")
    distance = np.linalg.norm(embedded[pairs.left] - embedded[pairs.right], axis=1)
    assert auc(-distance, ~pairs.different) > 0.8


def test_siamese_is_trained_for_the_given_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[int, int]] = []
    original = siamese.all_pairs_contrastive_loss

    def watched(embedded, identity, image, margin):
        steps.append((len(np.unique(identity)), len(np.unique(image))))
        return original(embedded, identity, image, margin)

    monkeypatch.setattr(siamese, "all_pairs_contrastive_loss", watched)
    MATCHERS["siamese"](*people(70, 5, 0, 0.1), MAP, 0)
    assert steps == [(16, 64)] * siamese.MAX_STEPS, "16 people with 4 different images of each"


def test_siamese_learns_from_few_people_with_few_images() -> None:
    """There are fewer people than a batch holds, some with two images and one with a single image."""
    released, identity = people(10, 3, 0, 0.1)
    kept = np.r_[0, 3:5, 6:30]
    embedded = MATCHERS["siamese"](released[kept], identity[kept], MAP, 0)(released[kept])
    assert np.isfinite(embedded).all()
    assert np.ptp(embedded, axis=0).max() > 0.1


def test_siamese_undoes_shift_and_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """The results agree up to rounding, which longer training would amplify into another network."""
    monkeypatch.setattr(siamese, "MAX_STEPS", 3)
    released, identity = people(20, 4, 0, 0.1)
    fit = MATCHERS["siamese"]
    first = fit(released, identity, MAP, 3)(released)
    moved = 0.5 * released + 3
    np.testing.assert_allclose(fit(moved, identity, MAP, 3)(moved), first, atol=1e-4)


def test_whitened_representations() -> None:
    """Vectors have length 1, and before that uncorrelated coordinates of variance 1."""
    released, identity = people(100, 4, 0, 0.1)
    mixed = (released @ np.random.default_rng(0).normal(0, 1, (32, 32))).astype(np.float32)
    embedded = MATCHERS["whitened_cosine"](mixed, identity, MAP, 0)(mixed)
    assert np.linalg.norm(embedded, axis=1) == pytest.approx(1)
    centred = mixed.astype(np.float64) - mixed.mean(0, dtype=np.float64)
    precision = np.linalg.inv(np.cov(centred.T))
    inner = centred @ precision @ centred.T
    lengths = np.sqrt(np.diag(inner))
    np.testing.assert_allclose(embedded @ embedded.T, inner / np.outer(lengths, lengths), atol=1e-6)


@pytest.mark.parametrize("name", ["cosine", "whitened_cosine", "linear_discriminant"])
def test_dead_coordinates_do_no_harm(name: str) -> None:
    released, identity = people(60, 5, 1, 0.1)
    others, _ = people(40, 5, 2, 0.1)
    fit = MATCHERS[name]
    fill = np.zeros_like if name == "cosine" else lambda values: np.full_like(values, 0.3)
    dead = [np.concatenate([values, fill(values)], axis=1) for values in (released, others)]
    expected = fit(released, identity, MAP, 0)(others)
    found = fit(dead[0], identity, (4, 4, 4), 0)(dead[1])
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning:sklearn")
@pytest.mark.parametrize("name", MATCHERS)
def test_representations_that_are_all_alike(name: str) -> None:
    released, identity = people(20, 5, 1, 0.1)
    embedded = MATCHERS[name](np.full_like(released, 0.25), identity, MAP, 0)(
        np.full((4, 32), 0.25, np.float32)
    )
    assert (embedded == embedded[0]).all()
    assert np.isfinite(embedded).all()


@pytest.mark.parametrize("name", ["cosine", "whitened_cosine", "linear_discriminant"])
def test_embeddings_have_length_1(name: str) -> None:
    """Matches compare by distances, which then order pairs as their cosines do."""
    released, identity = people(30, 4, 0, 0.1)
    assert np.linalg.norm(MATCHERS[name](released, identity, MAP, 0)(released), axis=1) == pytest.approx(1)


@pytest.mark.parametrize("name", ["cosine", "whitened_cosine"])
def test_some_matchers_learn_nothing_from_identities(name: str) -> None:
    released, identity = people(30, 4, 0, 0.1)
    mixed = np.random.default_rng(0).permutation(identity)
    fit = MATCHERS[name]
    assert np.array_equal(fit(released, identity, MAP, 0)(released), fit(released, mixed, MAP, 0)(released))


@pytest.mark.parametrize("shrinkages", [(1e-9, 0.5), (0.5, 1e-9)])
def test_the_discriminants_shrinkage_is_best_on_held_back_people(
    shrinkages: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any shrinkage, the scatter within fewer people than coordinates has directions without variance."""
    monkeypatch.setattr(matchers, "SHRINKAGES", shrinkages)
    released, identity = people(40, 2, 0, 0.3)
    assert matchers._shrinkage(released, identity, 0) == 0.5


def test_a_discriminant_of_too_few_people_to_hold_any_back() -> None:
    released, identity = people(2, 4, 0, 0.1)
    assert np.isfinite(MATCHERS["linear_discriminant"](released, identity, MAP, 0)(released)).all()


def test_siamese_needs_people_with_two_images() -> None:
    released, _ = people(8, 1, 0, 0.1)
    with pytest.raises(DataError, match="no pair to learn from"):
        MATCHERS["siamese"](released, np.arange(8, dtype=np.int32), MAP, 0)
