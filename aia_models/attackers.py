"""Fresh attackers: scikit-learn classifiers of the private attribute on frozen released representations.

All of a suite read the same features, released representations standardised once by `feature_scaler`.
"""

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Float32
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight

Suite = Literal["cheap"]
Released = Float32[np.ndarray, "n k"]
Features = Float[np.ndarray, "n k"]
Scorer = Callable[[Features], np.ndarray]

EXACT_SVM_IMAGES = 5000  # an exact kernel machine's time grows with the square: beyond this, Nystroem
NYSTROEM_COMPONENTS = 600
MLP_EPOCHS = 30


def feature_scaler(released: Released) -> StandardScaler:
    """The standardisation that an attacker fits on the representations of its own people."""
    return StandardScaler().fit(released)


def logistic_regression(images: int, seed: int) -> LogisticRegression:
    """Class-balanced logistic regression."""
    return LogisticRegression(C=0.01, class_weight="balanced", max_iter=500)


def _scaled_rbf(
    features: Float[np.ndarray, "others k"], fitted: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "others n"]:
    """The RBF kernel with scikit-learn's `scale` width, as matrix products: several times as fast as libsvm's own."""
    variance = float(fitted.var()) or 1.0  # as scikit-learn has it where nothing varies
    return rbf_kernel(features, fitted, gamma=1 / (fitted.shape[1] * variance))


def rbf_svm(images: int, seed: int) -> SVC | Pipeline:
    """Class-balanced SVM with an RBF kernel of scikit-learn's `scale` width; above `EXACT_SVM_IMAGES` training
    images logistic regression on its Nystroem approximation."""
    if images <= EXACT_SVM_IMAGES:
        kernel: Any = _scaled_rbf  # scikit-learn's stub knows only names
        return SVC(C=3.0, kernel=kernel, class_weight="balanced")
    return make_pipeline(
        Nystroem(n_components=NYSTROEM_COMPONENTS, gamma=None, random_state=seed),
        LogisticRegression(C=1.0, class_weight="balanced", max_iter=500),
    )


def mlp(images: int, seed: int) -> MLPClassifier:
    """Perceptron with one hidden layer, held back by weight decay rather than by stopping early.

    Settings of all three attackers are the best of a small grid under cross-validation over the `attack`
    identities of real faces (docs/decisions.md).
    """
    batch: Any = 128  # scikit-learn's stub knows only "auto"
    return MLPClassifier((64,), alpha=10.0, batch_size=batch, max_iter=MLP_EPOCHS, random_state=seed)


Attacker = LogisticRegression | SVC | MLPClassifier | Pipeline
SUITES: dict[Suite, dict[str, Callable[[int, int], Attacker]]] = {
    "cheap": {"logistic_regression": logistic_regression, "rbf_svm": rbf_svm, "mlp": mlp},
}


def fit_attacker(
    make: Callable[[int, int], Attacker], features: Features, positive: Bool[np.ndarray, " n"], seed: int
) -> Scorer:
    """Fits one attacker on standardised representations and returns its score of others: above 0 means
    attribute 1."""
    attacker = make(len(features), seed)
    if isinstance(attacker, MLPClassifier):
        weight = compute_sample_weight("balanced", positive)
        with warnings.catch_warnings():  # its number of epochs is fixed on purpose
            warnings.simplefilter("ignore", ConvergenceWarning)
            attacker.fit(features, positive, sample_weight=weight)
        return lambda others: np.asarray(attacker.predict_proba(others))[:, 1] - 0.5
    attacker.fit(features, positive)
    return attacker.decision_function
