"""Fresh matchers on representations that distinguish people and on representations that do not."""

import numpy as np
import pytest
import torch

from aia_models.judging import matchers
from aia_models.judging.matchers import MATCHERS
from aia_models.measures.metrics import auc
from aia_models.measures.pairs import evaluation_pairs

MAP = (2, 4, 4)
STEPS = 80


def people(count: int, images: int, seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return representations around a random point in [0, 1]^32 for each person, and their identities."""
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(count, dtype=np.int32), images)
    own = rng.random((count, 32))
    return (own[identity] + rng.normal(0, spread, (len(identity), 32))).astype(np.float32), identity


def judged_auc(name: str, spread: float, seed: int = 0) -> float:
    embed = MATCHERS[name](*people(60, 5, 1, spread), MAP, seed, STEPS)
    released, identity = people(40, 5, 2, spread)
    embedded = embed(released)
    pairs = evaluation_pairs(identity, np.zeros(len(identity), np.int8), "test")
    distance = np.linalg.norm(embedded[pairs.left] - embedded[pairs.right], axis=1)
    return auc(-distance, ~pairs.different)


@pytest.mark.parametrize("name", MATCHERS)
def test_people_are_told_apart(name: str) -> None:
    assert judged_auc(name, spread=0.1) > (0.95 if name == "whitened_cosine" else 0.9)


@pytest.mark.parametrize("name", MATCHERS)
def test_nobody_is_told_apart_where_nothing_tells(name: str) -> None:
    # There are 400 pairs of each kind; if they were independent, three standard deviations would be 0.06.
    assert judged_auc(name, spread=100.0) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", MATCHERS)
def test_same_seed_same_embedding(name: str) -> None:
    released, identity = people(20, 4, 0, 0.1)
    torch.manual_seed(1)
    first = MATCHERS[name](released, identity, MAP, 3, STEPS)(released)
    torch.manual_seed(2)
    assert np.array_equal(first, MATCHERS[name](released, identity, MAP, 3, STEPS)(released))


def test_siamese_depends_on_its_seed_and_learns_from_identities() -> None:
    released, identity = people(20, 4, 0, 0.1)
    fit = MATCHERS["siamese"]
    first = fit(released, identity, MAP, 3, STEPS)(released)
    assert not np.allclose(first, fit(released, identity, MAP, 4, STEPS)(released), atol=1e-3)
    assert not np.allclose(
        first, fit(released, identity[::-1].copy() // 2, MAP, 3, STEPS)(released), atol=1e-3
    )


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

    embed = MATCHERS["siamese"](*released(60, 1), (16, 4, 4), 0, STEPS)
    others, identity = released(40, 2)
    embedded = embed(others)
    pairs = evaluation_pairs(identity, np.zeros(len(identity), np.int8), "test")
    distance = np.linalg.norm(embedded[pairs.left] - embedded[pairs.right], axis=1)
    assert auc(-distance, ~pairs.different) > 0.8


def test_siamese_is_trained_for_the_given_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[int, int]] = []
    original = matchers.all_pairs_contrastive_loss

    def watched(embedded, identity, image, margin):
        steps.append((len(np.unique(identity)), len(np.unique(image))))
        return original(embedded, identity, image, margin)

    monkeypatch.setattr(matchers, "all_pairs_contrastive_loss", watched)
    MATCHERS["siamese"](*people(70, 5, 0, 0.1), MAP, 0, STEPS)
    assert steps == [(16, 64)] * STEPS, "16 people with 4 different images of each"


def test_siamese_learns_from_few_people_with_few_images() -> None:
    """There are fewer people than a batch holds, some with two images and one with a single image."""
    released, identity = people(10, 3, 0, 0.1)
    kept = np.r_[0, 3:5, 6:30]
    embedded = MATCHERS["siamese"](released[kept], identity[kept], MAP, 0, STEPS)(released[kept])
    assert np.isfinite(embedded).all()
    assert np.ptp(embedded, axis=0).max() > 0.1


def test_siamese_undoes_shift_and_scale() -> None:
    """The results agree up to rounding, which longer training would amplify into another network."""
    released, identity = people(20, 4, 0, 0.1)
    fit = MATCHERS["siamese"]
    first = fit(released, identity, MAP, 3, 3)(released)
    moved = 0.5 * released + 3
    np.testing.assert_allclose(fit(moved, identity, MAP, 3, 3)(moved), first, atol=1e-4)


def test_whitened_representations() -> None:
    """Vectors have length 1, and before that uncorrelated coordinates of variance 1.

    Their distances therefore order pairs as their cosines do.
    """
    released, identity = people(100, 4, 0, 0.1)
    mixed = (released @ np.random.default_rng(0).normal(0, 1, (32, 32))).astype(np.float32)
    embedded = MATCHERS["whitened_cosine"](mixed, identity, MAP, 0, STEPS)(mixed)
    assert np.linalg.norm(embedded, axis=1) == pytest.approx(1)
    centred = mixed.astype(np.float64) - mixed.mean(0, dtype=np.float64)
    precision = np.linalg.inv(np.cov(centred.T))
    inner = centred @ precision @ centred.T
    lengths = np.sqrt(np.diag(inner))
    np.testing.assert_allclose(embedded @ embedded.T, inner / np.outer(lengths, lengths), atol=1e-6)


def test_dead_coordinates_do_no_harm() -> None:
    released, identity = people(60, 5, 1, 0.1)
    others, _ = people(40, 5, 2, 0.1)
    fit = MATCHERS["whitened_cosine"]
    dead = [np.concatenate([values, np.full_like(values, 0.3)], axis=1) for values in (released, others)]
    expected = fit(released, identity, MAP, 0, STEPS)(others)
    found = fit(dead[0], identity, (4, 4, 4), 0, STEPS)(dead[1])
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning:sklearn")
def test_representations_that_are_all_alike() -> None:
    released, identity = people(20, 5, 1, 0.1)
    embed = MATCHERS["whitened_cosine"](np.full_like(released, 0.25), identity, MAP, 0, STEPS)
    assert np.ptp(embed(np.full((4, 32), 0.25, np.float32)), axis=0).sum() == 0
