"""Fresh attackers on representations whose leak is known."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from aia_models import attackers
from aia_models.attackers import SUITES, feature_scaler, fit_attacker
from aia_models.metrics import auc

CHEAP = SUITES["cheap"]


def judged_auc(name: str, released: np.ndarray, positive: np.ndarray, seed: int = 0) -> float:
    """AUC of an attacker that is fitted on the first half, on the second."""
    half = len(released) // 2
    score = fit(name, released[:half], positive[:half], seed)
    return auc(score(released[half:]).astype(np.float64), positive[half:])


def fit(name: str, released: np.ndarray, positive: np.ndarray, seed: int = 0) -> Callable:
    """Scores of raw representations, standardised as the judge does it."""
    scaler = feature_scaler(released)
    score = fit_attacker(CHEAP[name], scaler.transform(released), positive, seed)
    return lambda others: score(scaler.transform(others))


def representations(n: int, k: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.5, 0.1, (n, k)).astype(np.float32)


def test_cheap_suite() -> None:
    assert list(CHEAP) == ["logistic_regression", "rbf_svm", "mlp"]


@pytest.mark.parametrize("scale", [1.0, 1e-3], ids=["plain", "shrunk"])
@pytest.mark.parametrize("name", CHEAP)
def test_one_telling_coordinate_is_found(name: str, scale: float) -> None:
    """Also when it is shrunk against the others, which hides nothing."""
    released = representations(1000, 16)
    positive = np.random.default_rng(1).random(1000) < 0.4
    released[:, 3] = scale * (released[:, 3] + 0.4 * positive)
    assert judged_auc(name, released, positive) > 0.95


@pytest.mark.parametrize("name", CHEAP)
def test_parity_is_found_by_those_that_are_not_linear(name: str) -> None:
    """Whether two of eight coordinates lie on one side of their mean: nothing linear."""
    released = representations(6000, 8)
    positive = (released[:, 0] > 0.5) == (released[:, 5] > 0.5)
    found = judged_auc(name, released, positive)
    if name == "logistic_regression":
        assert found == pytest.approx(0.5, abs=0.05)
    else:
        assert found > 0.8


@pytest.mark.parametrize("name", CHEAP)
def test_nothing_is_found_where_nothing_is(name: str) -> None:
    released, positive = representations(1600, 16), np.random.default_rng(1).random(1600) < 0.5
    # The AUC of scores that know nothing has a variance of (p + n + 1) / (12 p n).
    p, n = positive[800:].sum(), (~positive[800:]).sum()
    assert abs(judged_auc(name, released, positive) - 0.5) < 4 * np.sqrt((p + n + 1) / (12 * p * n))


@pytest.mark.parametrize("name", CHEAP)
def test_scores_above_0_mean_attribute_1_and_classes_are_balanced(name: str) -> None:
    """With one in ten positive, an attacker that is not balanced would hardly ever say so."""
    rng = np.random.default_rng(2)
    positive = rng.random(2000) < 0.1
    released = (rng.normal(0, 1, (2000, 4)) + 1.2 * positive[:, None]).astype(np.float32)
    score = fit(name, released[:1000], positive[:1000])
    guessed = score(released[1000:]) > 0
    assert guessed[positive[1000:]].mean() > 0.7
    assert guessed[~positive[1000:]].mean() < 0.3


@pytest.mark.parametrize("name", CHEAP)
def test_representations_that_are_all_alike_tell_nothing(name: str) -> None:
    """What an encoder that has collapsed releases."""
    released, positive = np.full((200, 8), 0.3, np.float32), np.random.default_rng(1).random(200) < 0.4
    assert judged_auc(name, released, positive) == 0.5


@pytest.mark.parametrize("name", CHEAP)
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
    found = fit("rbf_svm", released[:200], positive[:200])(released[200:])
    np.testing.assert_allclose(found, expected.decision_function(others), rtol=1e-3, atol=1e-3)


def test_many_images_are_met_by_an_approximated_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As strong as the exact SVM on parity, up to a little."""
    released = representations(3000, 8)
    positive = (released[:, 0] > 0.5) == (released[:, 5] > 0.5)
    exact = judged_auc("rbf_svm", released, positive)
    monkeypatch.setattr(attackers, "EXACT_SVM_IMAGES", 1499)
    approximated = judged_auc("rbf_svm", released, positive)
    assert approximated != exact
    assert approximated > exact - 0.05


def test_seed_decides_where_chance_has_a_part() -> None:
    released, positive = representations(300, 8), np.random.default_rng(1).random(300) < 0.5
    first, second = (fit("mlp", released, positive, seed)(released) for seed in (0, 1))
    assert not np.array_equal(first, second)
