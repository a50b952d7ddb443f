"""Fresh attackers: scikit-learn classifiers of a private attribute on frozen released representations.

They read released representations standardised by `feature_scaler`, or the leading principal components of the
representations without standardisation: where a channel adds the same noise to every coordinate, standardising blows
up the coordinates that hold only noise. Attackers that read images or maps do not standardise coordinates either.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int64
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight

from aia_models.judging.released import Representations
from aia_models.measures.metrics import auc
from aia_models.measures.whitening import Whitening

Features = Float[np.ndarray, "n k"]
Positive = Bool[np.ndarray, " n"]
Setting = TypeVar("Setting")

EXACT_SVM_IMAGES = 5000  # an exact kernel machine's time grows with the square: beyond this, Nystroem
NYSTROEM_COMPONENTS = 600
MLP_EPOCHS = 30
TREE_LEAVES, TREE_BINS = 15, 63
TREE_FEATURES = 0.2  # of the coordinates that each split of a tree may choose from


@dataclass(frozen=True)
class Examples:
    """Representations as released, and as features: each coordinate standardised by the attacker's own scaler."""

    released: Representations
    features: Features

    def __len__(self) -> int:
        return len(self.released)

    def at(self, rows: Int64[np.ndarray, " row"] | Positive) -> "Examples":
        """Return the examples at `rows`."""
        return Examples(self.released[rows], self.features[rows])

    def mean_of(self, releases: int) -> "Examples":
        """Return means over the releases of each image; the examples hold one release of all images after another."""
        return Examples(
            *(rows.reshape(releases, -1, rows.shape[1]).mean(0) for rows in (self.released, self.features))
        )


Scorer = Callable[[Examples], np.ndarray]  # above 0 means attribute 1


class Attacker(ABC, Generic[Setting]):
    """A method to learn a private attribute: `choose` picks one of `settings`, and `usual` is the default."""

    settings: tuple[Setting, ...]
    usual: Setting

    @abstractmethod
    def fit(self, examples: Examples, positive: Positive, setting: Setting, seed: int) -> Scorer:
        """Learn from examples and return the function that scores other examples."""

    def choose(
        self,
        own: Examples,
        positive: Positive,
        held_back: Examples,
        truth: Bool[np.ndarray, " held"],
        seed: int,
    ) -> Setting:
        """Return the setting with the largest AUC on the held-back examples when fitted on `own`."""
        if len(self.settings) == 1:
            return self.settings[0]
        scores = [self.fit(own, positive, setting, seed)(held_back) for setting in self.settings]
        aucs = [auc(score.astype(np.float64), truth) for score in scores]
        return self.settings[int(np.argmax(aucs))]


Estimator = LogisticRegression | SVC | MLPClassifier | Pipeline | HistGradientBoostingClassifier


class ScikitSetting(NamedTuple):
    """Setting of a scikit-learn attacker.

    `value` is the regularisation's strength, or the number of trees. `components` is the number of whitened principal
    components that it reads (None: the standardised features); the leading ones carry less of the channel's noise.
    """

    value: int | float
    components: int | None = None


class ScikitAttacker(Attacker[ScikitSetting]):
    """An attacker by a classifier of scikit-learn, which `make(images, value, seed)` builds."""

    def __init__(
        self,
        make: Callable[[int, int | float, int], Estimator],
        settings: tuple[ScikitSetting, ...],
        usual: ScikitSetting,
    ) -> None:
        self.make = make
        self.settings = settings
        self.usual = usual

    def fit(self, examples: Examples, positive: Positive, setting: ScikitSetting, seed: int) -> Scorer:
        """Fit the classifier; see `Attacker.fit`."""
        estimator = self.make(len(examples), setting.value, seed)
        read = reading(examples, setting.components)
        features = read(examples)
        if isinstance(estimator, MLPClassifier):
            weight = compute_sample_weight("balanced", positive)
            with warnings.catch_warnings():  # the number of epochs is fixed on purpose
                warnings.simplefilter("ignore", ConvergenceWarning)
                estimator.fit(features, positive, sample_weight=weight)
            return lambda others: np.asarray(estimator.predict_proba(read(others)))[:, 1] - 0.5
        estimator.fit(features, positive)
        decide = estimator.decision_function
        return lambda others: decide(read(others))


def reading(examples: Examples, components: int | None) -> Callable[[Examples], Features]:
    """Return the function from examples to a classifier's input.

    The input is the standardised features, or with `components` that many whitened principal components of the released
    representations, fitted on `examples` (the features again where these do not vary).
    """
    whiten = None if components is None else Whitening(examples.released, components)
    if whiten is None or not whiten.components:
        return lambda others: others.features
    return lambda others: whiten(others.released)


def feature_scaler(released: Representations) -> StandardScaler:
    """Fit the standardisation of an attacker's training representations."""
    return StandardScaler().fit(released)


def examples_of(released: Representations, scaler: StandardScaler) -> Examples:
    """Return representations together with their features under an attacker's standardisation."""
    return Examples(released, np.asarray(scaler.transform(released)))


def logistic_regression(images: int, inverse_penalty: int | float, seed: int) -> LogisticRegression:
    """Return a class-balanced logistic regression."""
    return LogisticRegression(C=inverse_penalty, class_weight="balanced", max_iter=500)


def _scaled_rbf(
    features: Float[np.ndarray, "others k"], fitted: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "others n"]:
    """Return the RBF kernel with scikit-learn's `scale` width; matrix products are several times as fast as libsvm."""
    variance = float(fitted.var()) or 1.0  # scikit-learn's value where nothing varies
    return rbf_kernel(features, fitted, gamma=1 / (fitted.shape[1] * variance))


def rbf_svm(images: int, inverse_penalty: int | float, seed: int) -> SVC | Pipeline:
    """Return a class-balanced SVM with an RBF kernel of scikit-learn's `scale` width; above `EXACT_SVM_IMAGES` training
    images logistic regression on its Nystroem approximation."""
    if images <= EXACT_SVM_IMAGES:
        kernel: Any = _scaled_rbf  # scikit-learn's stub knows only names
        return SVC(C=inverse_penalty, kernel=kernel, class_weight="balanced")
    return make_pipeline(
        Nystroem(n_components=NYSTROEM_COMPONENTS, gamma=None, random_state=seed),
        LogisticRegression(C=inverse_penalty / 3, class_weight="balanced", max_iter=500),
    )


def mlp(images: int, weight_decay: int | float, seed: int) -> MLPClassifier:
    """Return a perceptron with one hidden layer, regularised by weight decay instead of early stopping."""
    batch: Any = min(128, images)  # scikit-learn's stub knows only "auto"
    return MLPClassifier((64,), alpha=weight_decay, batch_size=batch, max_iter=MLP_EPOCHS, random_state=seed)


def gradient_boosting(images: int, trees: int | float, seed: int) -> HistGradientBoostingClassifier:
    """Return class-balanced gradient-boosted trees on histograms."""
    never: Any = False  # scikit-learn's stub knows only "auto"
    return HistGradientBoostingClassifier(
        max_iter=int(trees), max_leaf_nodes=TREE_LEAVES, max_features=TREE_FEATURES,
        max_bins=TREE_BINS, class_weight="balanced", early_stopping=never, random_state=seed,
    )  # fmt: skip


# The usual settings infer most from encoders without protection, with erasure and noise, and trained against kernel
# adversaries, on real faces (docs/judging.md).
_of = ScikitSetting
SCIKIT_ATTACKERS = {
    "logistic_regression": ScikitAttacker(logistic_regression, (_of(0.001), _of(0.01), _of(0.1)), _of(0.01)),
    "rbf_svm": ScikitAttacker(
        rbf_svm, (_of(3.0), _of(3.0, 25), _of(3.0, 50), _of(10.0, 50), _of(3.0, 100)), _of(3.0, 50)
    ),
    "mlp": ScikitAttacker(mlp, (_of(10.0), _of(1.0, 50)), _of(1.0, 50)),
    "gradient_boosting": ScikitAttacker(gradient_boosting, (_of(120), _of(120, 50)), _of(120)),
}
