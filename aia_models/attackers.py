"""Fresh attackers: scikit-learn classifiers of the private attribute on frozen released representations."""

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float32
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight

Suite = Literal["cheap"]
Released = Float32[np.ndarray, "n k"]
Scorer = Callable[[Released], np.ndarray]

EXACT_SVM_IMAGES = 5000  # an exact kernel machine's time grows with the square: beyond this, Nystroem
NYSTROEM_COMPONENTS = 600
MLP_EPOCHS = 30


def logistic_regression(images: int, seed: int) -> Pipeline:
    """Class-balanced logistic regression on standardised representations."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=500))


def rbf_svm(images: int, seed: int) -> Pipeline:
    """Class-balanced SVM with an RBF kernel of scikit-learn's `scale` width; above `EXACT_SVM_IMAGES` training
    images logistic regression on its Nystroem approximation."""
    if images <= EXACT_SVM_IMAGES:
        return make_pipeline(StandardScaler(), SVC(C=3.0, gamma="scale", class_weight="balanced"))
    return make_pipeline(
        StandardScaler(),
        Nystroem(n_components=NYSTROEM_COMPONENTS, gamma=None, random_state=seed),
        LogisticRegression(C=1.0, class_weight="balanced", max_iter=500),
    )


def mlp(images: int, seed: int) -> Pipeline:
    """Perceptron with one hidden layer, held back by weight decay rather than by stopping early.

    Settings of all three attackers are the best of a small grid under cross-validation over the `attack`
    identities of real faces (docs/decisions.md).
    """
    batch: Any = 128  # scikit-learn's stub knows only "auto"
    classifier = MLPClassifier((64,), alpha=10.0, batch_size=batch, max_iter=MLP_EPOCHS, random_state=seed)
    return make_pipeline(StandardScaler(), classifier)


SUITES: dict[Suite, dict[str, Callable[[int, int], Pipeline]]] = {
    "cheap": {"logistic_regression": logistic_regression, "rbf_svm": rbf_svm, "mlp": mlp},
}


def fit_attacker(
    make: Callable[[int, int], Pipeline], released: Released, positive: Bool[np.ndarray, " n"], seed: int
) -> Scorer:
    """Fits one attacker on released representations and returns its score of others: above 0 means attribute 1."""
    pipeline = make(len(released), seed)
    if isinstance(pipeline[-1], MLPClassifier):
        weight = compute_sample_weight("balanced", positive)
        with warnings.catch_warnings():  # its number of epochs is fixed on purpose
            warnings.simplefilter("ignore", ConvergenceWarning)
            pipeline.fit(released, positive, mlpclassifier__sample_weight=weight)
        return lambda others: pipeline.predict_proba(others)[:, 1] - 0.5
    pipeline.fit(released, positive)
    return pipeline.decision_function
