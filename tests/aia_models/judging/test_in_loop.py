"""The in-loop networks' figures on releases agree with scikit-learn and with explicit resampling."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from aia_models.judging import in_loop
from aia_models.judging.in_loop import judge_in_loop
from aia_models.judging.released import ReleasedFaces
from aia_models.measures.bootstrap import identity_weights
from aia_models.measures.metrics import best_threshold
from aia_models.measures.pairs import evaluation_pairs
from aia_models.networks.networks import Networks
from tests.aia_models.random_faces import SMALL

NETWORKS = Networks(SMALL, (1, 16, 16))
WIDTH = 4 * 4 * 4


def released_split(seed: int, unknown: int = 0) -> ReleasedFaces:
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(12, dtype=np.int32), 4)
    gender = (identity % 3 == 0).astype(np.int8)
    values = rng.random((12, WIDTH))[identity] + 0.2 * rng.random((48, WIDTH)) + 0.1 * gender[:, None]
    gender[:unknown] = -1
    return ReleasedFaces(values.astype(np.float32)[None], identity, {"gender": gender})


@pytest.fixture(params=[0, 5])
def released(request: pytest.FixtureRequest) -> dict[str, ReleasedFaces]:
    return {"validation": released_split(1), "test": released_split(2, unknown=request.param)}


def outputs(faces: ReleasedFaces) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        values = torch.from_numpy(faces.representations)
        return NETWORKS.adversaries[0](values).mean(1).numpy(), NETWORKS.matcher(values).numpy()


def similarity(faces: ReleasedFaces, split: str) -> tuple[np.ndarray, np.ndarray]:
    pairs = evaluation_pairs(faces.identity, faces.attributes["gender"], split)
    embedded = outputs(faces)[1]
    return -np.linalg.norm(embedded[pairs.left] - embedded[pairs.right], axis=1), ~pairs.different


def test_figures_are_scikit_learns(released: dict[str, ReleasedFaces]) -> None:
    figures = judge_in_loop(NETWORKS, released)
    threshold = best_threshold(*similarity(released["validation"], "validation"))
    for split, faces in released.items():
        known = faces.attributes["gender"] >= 0
        scores, gender = outputs(faces)[0][known], faces.attributes["gender"][known]
        found = figures[split]
        assert found.adversary_accuracy.value == pytest.approx(accuracy_score(gender, scores > 0))
        assert found.adversary_balanced_accuracy.value == pytest.approx(
            balanced_accuracy_score(gender, scores > 0)
        )
        area = roc_auc_score(gender, scores)
        assert found.adversary_auc.value == pytest.approx(max(area, 1 - area))
        score, same = similarity(faces, split)
        assert found.matcher_auc.value == pytest.approx(roc_auc_score(same, score), abs=1e-6)
        assert found.matcher_accuracy.value == pytest.approx(accuracy_score(same, score >= threshold - 1e-6))


def test_draws_are_the_figures_of_resampled_people(released: dict[str, ReleasedFaces]) -> None:
    found = judge_in_loop(NETWORKS, released)["test"]
    faces = released["test"]
    known = faces.attributes["gender"] >= 0
    scores, gender = outputs(faces)[0][known], faces.attributes["gender"][known]
    for resample, weights in enumerate(identity_weights(faces.identity[known])[:20]):
        drawn = np.repeat(np.arange(known.sum()), weights.astype(int))
        accuracy = accuracy_score(gender[drawn], scores[drawn] > 0)
        assert found.adversary_accuracy.bootstrap_samples[resample] == pytest.approx(accuracy)
        if len(set(gender[drawn])) == 2:
            balanced = balanced_accuracy_score(gender[drawn], scores[drawn] > 0)
            assert found.adversary_balanced_accuracy.bootstrap_samples[resample] == pytest.approx(balanced)
        else:
            assert np.isnan(found.adversary_balanced_accuracy.bootstrap_samples[resample])


def test_the_matchers_threshold_is_validations(released: dict[str, ReleasedFaces]) -> None:
    """Test faces that are farther apart than any validation faces all count as different people.

    The accuracy is then the share of pairs of two people.
    """
    test = released["test"]
    noise = np.random.default_rng(0).normal(0, 1, test.representations.shape).astype(np.float32)
    far = replace(test, releases=noise[None])
    validation = replace(released["validation"], releases=np.full((1, 48, WIDTH), 0.5, np.float32))
    figures = judge_in_loop(NETWORKS, {"validation": validation, "test": far})
    different = evaluation_pairs(test.identity, test.attributes["gender"], "test").different
    assert figures["test"].matcher_accuracy.value == pytest.approx(different.mean())


def test_what_is_standardised_together_is_bounded(
    released: dict[str, ReleasedFaces], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    hook = NETWORKS.adversaries[0].register_forward_hook(lambda _, given, out: sizes.append(len(given[0])))
    monkeypatch.setattr(in_loop, "TOGETHER_IMAGES", 20)
    judge_in_loop(NETWORKS, released)
    hook.remove()
    assert sizes == [16, 16, 16] * 2


def test_of_several_attributes_the_adversary_counts_that_reads_most() -> None:
    networks = Networks(replace(SMALL, betas=(*SMALL.betas, 0.1)), (1, 16, 16))
    faces = {split: released_split(seed) for seed, split in enumerate(("validation", "test"), 1)}
    for part in faces.values():
        part.attributes["glasses"] = (np.arange(48) % 2).astype(np.int8)
    found = judge_in_loop(networks, faces)
    for split, part in faces.items():
        values = torch.from_numpy(part.representations)
        areas = []
        for adversary, attribute in zip(networks.adversaries, part.attributes.values(), strict=True):
            with torch.no_grad():
                area = roc_auc_score(attribute, adversary(values).mean(1).numpy())
            areas.append(max(area, 1 - area))
        assert found[split].adversary_auc.value == pytest.approx(max(areas))
