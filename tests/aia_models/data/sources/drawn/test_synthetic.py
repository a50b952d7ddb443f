import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.sources.drawn import synthetic
from aia_models.data.sources.drawn.people import TRAITS, draw_person, draw_shot, normals
from aia_models.data.sources.drawn.synthetic import (
    IDENTITIES,
    IMAGES_PER_IDENTITY,
    draw_images,
    is_male,
    read_synthetic,
)
from aia_models.data.splits import split_faces

# This fingerprint is recorded: a change of the drawing must raise _DRAWING_VERSION, or else studies would
# keep their old prepared copies.
GOLDEN = "82ee02e4000c0c9fead45e3be6759aca26a2fafac5182d74ebf64a0eb12082ac"


@dataclass(frozen=True)
class Probed:
    """Pixels in [0, 1] and gender of the images that probes are fitted on and of those they are judged on.

    For the judged images the identity is kept too.
    """

    fit_pixels: np.ndarray
    fit_male: np.ndarray
    judged_pixels: np.ndarray
    judged_male: np.ndarray
    judged_identity: np.ndarray


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    return prepare("synthetic", image_side=32, attributes=("gender",), positive=None, cache=cache)


@pytest.fixture(scope="module")
def probed(prepared: Path) -> Probed:
    """Return train and attack identities to fit on, validation and test to judge on.

    Two splits together have more identities, which gives less variance.
    """
    split = split_faces(open_prepared(prepared), ("gender",), split_seed=0)

    def joined(*parts: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chosen = [getattr(split, part) for part in parts]
        names = np.concatenate([np.array(faces.identity_names)[faces.identity] for faces in chosen])
        pixels = np.concatenate([faces.inputs for faces in chosen]).reshape(len(names), -1) / 255.0
        return pixels, np.concatenate([faces.attribute("gender") for faces in chosen]), names

    fit_pixels, fit_male, _ = joined("train", "attack")
    return Probed(fit_pixels, fit_male, *joined("validation", "test"))


def test_size(prepared: Path) -> None:
    faces = open_prepared(prepared)
    assert faces.inputs.shape == (3000, 1, 32, 32)
    assert len(faces.identity_names) == IDENTITIES
    assert faces.identity_names[0] == "synthetic-0001"
    assert np.bincount(faces.identity).tolist() == [IMAGES_PER_IDENTITY] * IDENTITIES
    assert 0.45 < faces.attribute("gender").mean() < 0.55


def test_linear_probe_is_good_but_not_perfect(probed: Probed) -> None:
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=1e-2, max_iter=300))
    probe.fit(probed.fit_pixels, probed.fit_male)
    auc = roc_auc_score(probed.judged_male, probe.decision_function(probed.judged_pixels))
    assert 0.80 < auc < 0.95


def test_rbf_svm_reads_gender(probed: Probed) -> None:
    probe = make_pipeline(StandardScaler(), SVC(C=10)).fit(probed.fit_pixels, probed.fit_male)
    auc = roc_auc_score(probed.judged_male, probe.decision_function(probed.judged_pixels))
    assert 0.85 < auc < 0.97


def test_whitened_cosine_matches_faces(probed: Probed) -> None:
    whitened = PCA(100, whiten=True, random_state=0).fit(probed.fit_pixels).transform(probed.judged_pixels)
    whitened /= np.linalg.norm(whitened, axis=1, keepdims=True)
    left, right = np.triu_indices(len(whitened), 1)
    same = probed.judged_identity[left] == probed.judged_identity[right]
    auc = roc_auc_score(same, (whitened @ whitened.T)[left, right])
    assert 0.70 < auc < 0.90


def test_no_single_trait_decides_gender() -> None:
    people = [draw_person(np.random.default_rng([1, i])) for i in range(2000)]
    male = [is_male for is_male, _ in people]
    aucs = {
        name: roc_auc_score(male, values)
        for name, values in zip(TRAITS, np.array([traits for _, traits in people]).T, strict=True)
    }
    assert all(0.19 < auc < 0.81 for auc in aucs.values()), aucs
    assert sum(abs(auc - 0.5) > 0.1 for auc in aucs.values()) >= 10


def test_drawing_is_the_same_as_ever() -> None:
    assert hashlib.sha256(draw_images(range(24)).tobytes()).hexdigest() == GOLDEN


def test_an_image_does_not_depend_on_those_drawn_with_it() -> None:
    assert np.array_equal(draw_images(range(37, 40)), draw_images(range(30, 48))[7:10])


def test_first_people_stay_when_people_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    before, images = read_synthetic(""), draw_images(range(12))
    monkeypatch.setattr(synthetic, "IDENTITIES", IDENTITIES + 100)
    after = read_synthetic("")
    assert len(after) == len(before) + 600
    assert [*after.identities][: len(before)] == [*before.identities]
    assert [*after.columns["gender"]][: len(before)] == [*before.columns["gender"]]
    assert np.array_equal(draw_images(range(12)), images)
    assert after.key != before.key


def test_every_image_has_a_stream_of_its_own() -> None:
    streams = [synthetic._person_stream(0), synthetic._person_stream(1)]
    streams += [synthetic._image_stream(person, image) for person in range(2) for image in range(3)]
    assert len({stream.random() for stream in streams}) == len(streams)


def test_seed_changes_people(monkeypatch: pytest.MonkeyPatch) -> None:
    genders = [is_male(i) for i in range(64)]
    monkeypatch.setattr(synthetic, "_SEED", 1)
    assert [is_male(i) for i in range(64)] != genders


def test_pictures_of_one_person_differ_less_than_people() -> None:
    images = draw_images(range(240)).astype(float).reshape(40, 6, -1)
    assert len({image.tobytes() for image in images.reshape(240, -1)}) == 240
    means = images.mean(axis=1)
    between = means.var(axis=0).mean() - images.var(axis=1, ddof=1).mean() / 6
    assert between > 0.1 * images.var(axis=1, ddof=1).mean()


def test_circumstances_do_not_tell_gender_and_normals_are_bounded() -> None:
    z = normals(np.random.default_rng(0), 100_000)
    assert (z.mean(), z.std()) == pytest.approx((0.0, 1.0), abs=0.01)
    assert np.abs(z).max() <= 3.0
    assert np.array_equal(draw_shot(np.random.default_rng(5)), draw_shot(np.random.default_rng(5)))
