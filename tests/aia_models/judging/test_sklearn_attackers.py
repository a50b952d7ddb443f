"""Fresh attackers on representations whose leak is known."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from aia_models.judging.cnn_attacker import CNNAttacker, maps_of
from aia_models.judging.sklearn_attackers import (
    SCIKIT_ATTACKERS,
    Attacker,
    Examples,
    ScikitSetting,
    examples_of,
    feature_scaler,
)
from aia_models.judging.template_attacker import TemplateAttacker, TemplateSetting
from aia_models.measures.metrics import auc

KINDS: dict[str, Attacker] = {**SCIKIT_ATTACKERS, "templates": TemplateAttacker(1)}
LINEAR = {"logistic_regression"}


def judged_auc(name: str, released: np.ndarray, positive: np.ndarray, seed: int = 0) -> float:
    """Return the AUC on the second half of an attacker that is fitted on the first half."""
    half = len(released) // 2
    score = fit(name, released[:half], positive[:half], seed)
    return auc(score(released[half:]).astype(np.float64), positive[half:])


def fit(name: str, released: np.ndarray, positive: np.ndarray, seed: int = 0) -> Callable:
    """Return a fitted attacker that scores raw representations after the same scaling as in the judge."""
    scaler, attacker = feature_scaler(released), KINDS[name]
    score = attacker.fit(examples_of(released, scaler), positive, attacker.usual, seed)
    return lambda others: score(examples_of(others, scaler))


def representations(n: int, k: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.5, 0.1, (n, k)).astype(np.float32)


@pytest.mark.parametrize("scale", [1.0, 1e-3], ids=["plain", "shrunk"])
@pytest.mark.parametrize("name", KINDS)
def test_one_telling_coordinate_is_found(name: str, scale: float) -> None:
    """The attackers find the coordinate also when its scale is smaller than that of the others."""
    released = representations(1000, 16)
    positive = np.random.default_rng(1).random(1000) < 0.4
    released[:, 3] = scale * (released[:, 3] + 0.4 * positive)
    assert judged_auc(name, released, positive) > 0.95


@pytest.mark.parametrize("name", KINDS)
def test_parity_is_found_by_those_that_are_not_linear(name: str) -> None:
    """The attribute is whether two of eight coordinates lie on the same side of their mean."""
    released = representations(6000, 8)
    positive = (released[:, 0] > 0.5) == (released[:, 5] > 0.5)
    found = judged_auc(name, released, positive)
    if name in LINEAR:
        assert found == pytest.approx(0.5, abs=0.05)
    else:
        assert found > 0.8


@pytest.mark.parametrize("name", ["rbf_svm", "mlp", "templates"])
def test_a_leak_is_found_among_many_coordinates_of_noise(name: str) -> None:
    """An encoder that uses only 8 of 400 coordinates leaves mere noise in the others after the channel."""
    rng = np.random.default_rng(0)
    telling = rng.normal(0, 1, (3000, 8))
    positive = (telling[:, 0] > 0) == (telling[:, 5] > 0)
    released = np.c_[telling, np.zeros((3000, 392))] + rng.normal(0, 0.1, (3000, 400))
    assert judged_auc(name, released.astype(np.float32), positive) > 0.65


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_found_where_nothing_is(name: str) -> None:
    released, positive = representations(1600, 16), np.random.default_rng(1).random(1600) < 0.5
    # The AUC of uninformative scores has a variance of (p + n + 1) / (12 p n).
    p, n = positive[800:].sum(), (~positive[800:]).sum()
    assert abs(judged_auc(name, released, positive) - 0.5) < 4 * np.sqrt((p + n + 1) / (12 * p * n))


@pytest.mark.parametrize("name", KINDS)
def test_scores_above_0_mean_attribute_1_and_classes_are_balanced(name: str) -> None:
    """With one positive in ten, an attacker without balanced classes would hardly ever predict it."""
    rng = np.random.default_rng(2)
    positive = rng.random(2000) < 0.1
    released = (rng.normal(0, 1, (2000, 4)) + 1.2 * positive[:, None]).astype(np.float32)
    score = fit(name, released[:1000], positive[:1000])
    guessed = score(released[1000:]) > 0
    # Gradient boosting overfits to the few positives.
    assert guessed[positive[1000:]].mean() > (0.5 if name == "gradient_boosting" else 0.7)
    assert guessed[~positive[1000:]].mean() < 0.3


@pytest.mark.parametrize("name", KINDS)
def test_representations_that_are_all_alike_tell_nothing(name: str) -> None:
    """An encoder that has collapsed releases constant representations."""
    released, positive = np.full((200, 8), 0.3, np.float32), np.random.default_rng(1).random(200) < 0.4
    assert judged_auc(name, released, positive) == 0.5


@pytest.mark.parametrize("name", KINDS)
def test_same_seed_same_scores(name: str) -> None:
    released, positive = representations(300, 8), np.random.default_rng(1).random(300) < 0.5
    scores = [fit(name, released, positive, 5)(released) for _ in range(2)]
    assert np.array_equal(scores[0], scores[1])


def test_the_svm_is_scikit_learns_with_its_kernel_of_scale_width() -> None:
    released = representations(300, 8)
    positive = np.random.default_rng(1).random(300) < 0.3 + 0.4 * (released[:, 0] > 0.5)
    scaled = StandardScaler().fit_transform(released[:200])
    others = StandardScaler().fit(released[:200]).transform(released[200:])
    expected = SVC(C=3.0, gamma="scale", class_weight="balanced").fit(scaled, positive[:200])
    attacker, scaler = SCIKIT_ATTACKERS["rbf_svm"], feature_scaler(released[:200])
    score = attacker.fit(examples_of(released[:200], scaler), positive[:200], ScikitSetting(3.0), 0)
    found = score(examples_of(released[200:], scaler))
    np.testing.assert_allclose(found, expected.decision_function(others), rtol=1e-3, atol=1e-3)


def test_many_images_are_met_by_an_approximated_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The approximated kernel is about as strong as the exact SVM on parity."""
    released = representations(3000, 8)
    positive = (released[:, 0] > 0.5) == (released[:, 5] > 0.5)
    exact = judged_auc("rbf_svm", released, positive)
    monkeypatch.setattr("aia_models.judging.sklearn_attackers.EXACT_SVM_IMAGES", 1499)
    approximated = judged_auc("rbf_svm", released, positive)
    assert approximated != exact
    assert approximated > exact - 0.05


def test_seed_decides_where_chance_has_a_part() -> None:
    released, positive = representations(300, 8), np.random.default_rng(1).random(300) < 0.5
    first, second = (fit("mlp", released, positive, seed)(released) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_templates_are_the_nearest_of_either_value() -> None:
    """The expected score uses unit vectors in a plane and the two nearest templates of each value."""
    angles = np.radians([0, 10, 20, 90, 100, 110])
    positive = np.array([True] * 3 + [False] * 3)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    score = TemplateAttacker(1).fit(Examples(points, points), positive, TemplateSetting(2, None), 0)
    asked = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    near = (np.cos(np.radians([0, 10])).mean(), np.cos(np.radians([70, 80])).mean())
    far = (np.cos(np.radians([90, 100])).mean(), np.cos(np.radians([0, 10])).mean())
    found = score(Examples(asked, asked))
    assert found[0] - found[1] == pytest.approx((near[0] - far[0]) - (near[1] - far[1]), abs=1e-5)
    assert found[0] > 0 > found[1]


@pytest.mark.parametrize("kind", ["map", "images"])
def test_convolutions_find_a_shape_wherever_it_lies(kind: str) -> None:
    """A bright bar stands or lies somewhere on the map, so that no single coordinate is informative."""
    rng = np.random.default_rng(0)
    maps = rng.normal(0, 0.3, (500, 1, 8, 8)).astype(np.float32)
    positive = rng.random(500) < 0.5
    for image, upright in zip(maps[:, 0], positive, strict=True):
        row, column = rng.integers(0, 5, 2)
        image[(slice(row, row + 4), column) if upright else (row, slice(column, column + 4))] += 2.0
    flat = maps.reshape(500, -1)
    as_map = (
        maps_of((1, 8, 8))
        if kind == "map"
        else lambda examples: torch.from_numpy(examples.released).unflatten(1, (1, 8, 8))
    )
    attacker = CNNAttacker(as_map, releases=1)
    examples = examples_of(flat, feature_scaler(flat[:350]))
    own, others = examples.at(np.arange(350)), examples.at(np.arange(350, 500))
    epochs = attacker.choose(own, positive[:350], others, positive[350:], 0)
    score = attacker.fit(own, positive[:350], epochs, 0)
    assert auc(score(others), positive[350:]) > 0.9
    again = attacker.fit(own, positive[:350], epochs, 0)
    assert np.array_equal(score(others), again(others)), "same seed, same scores"


@pytest.mark.parametrize(
    ("name", "telling"), [("rbf_svm", (3.0, None)), ("gradient_boosting", (120, 50)), ("mlp", (1.0, 50))]
)
def test_settings_are_chosen_by_what_they_do_on_others(name: str, telling: tuple, monkeypatch) -> None:
    attacker = KINDS[name]
    fitted: list[tuple] = []

    def fit(examples, positive, setting, seed):
        fitted.append(setting)
        sign = 1.0 if setting == telling else -1.0
        return lambda others: sign * others.released[:, 0]

    monkeypatch.setattr(attacker, "fit", fit)
    released = representations(100, 4)
    examples, positive = examples_of(released, feature_scaler(released)), released[:, 0] > 0.5
    assert attacker.choose(examples, positive, examples, positive, 0) == telling
    assert fitted == list(attacker.settings)


def test_templates_are_means_of_releases() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (40, 6)).astype(np.float32)
    noise = rng.normal(0, 1, (3, 40, 6)).astype(np.float32)
    positive = points[:, 0] > 0
    releases = points + noise - noise.mean(0)
    rows = releases.reshape(-1, 6)
    once = TemplateAttacker(1).fit(Examples(points, points), positive, TemplateSetting(5, 3), 0)
    thrice = TemplateAttacker(3).fit(Examples(rows, rows), np.tile(positive, 3), TemplateSetting(5, 3), 0)
    np.testing.assert_allclose(once(Examples(points, points)), thrice(Examples(points, points)), atol=1e-4)
