"""Attackers depend on their seed and on the people that they may learn from, and on nothing else."""

import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from aia_models.judging.attack_data import AttackData, build_attack_data, some_people
from aia_models.judging.attackers import ATTACKERS, STRONGEST
from aia_models.judging.attackers.boosted_trees import boosted_trees
from aia_models.judging.attackers.examples import FOLDS, Examples, Reading
from aia_models.judging.attackers.nystroem import BLOCK, add_up, normal_equations, nystroem_features
from aia_models.judging.attackers.rank_ensemble import rank_ensemble
from aia_models.judging.attackers.templates import templates
from aia_models.judging.released import ReleasedFaces
from tests.aia_models.released_people import released_splits

VANTAGES = ("attack", "train", "both")
few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**31)


def data_of(released: Mapping[str, ReleasedFaces], vantages: tuple[str, ...] = VANTAGES) -> AttackData:
    return build_attack_data(released, "gender", vantages, 0, "cpu")


def relabelled(released: dict[str, ReleasedFaces], split: str) -> dict[str, ReleasedFaces]:
    """Return the same releases with the attribute of one split permuted."""
    gender = np.random.default_rng(5).permutation(released[split].attributes["gender"])
    return {**released, split: replace(released[split], attributes={"gender": gender})}


@pytest.fixture(scope="module")
def released() -> dict[str, ReleasedFaces]:
    return released_splits(20, 4, leak=0.3)


@pytest.fixture(scope="module")
def readings(released: dict[str, ReleasedFaces]) -> dict[str, dict[str, Reading]]:
    torch.manual_seed(1)
    return {name: attacker(data_of(released).examples, 3) for name, attacker in ATTACKERS.items()}


def test_the_strongest_are_among_all_attackers() -> None:
    assert set(STRONGEST) < set(ATTACKERS)


@pytest.mark.parametrize("name", ATTACKERS)
def test_same_seed_same_reading_whatever_the_global_generators(
    name: str, released: dict[str, ReleasedFaces], readings: dict[str, dict[str, Reading]]
) -> None:
    torch.manual_seed(2)
    before = torch.get_rng_state()
    again = ATTACKERS[name](data_of(released).examples, 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert list(again) == list(VANTAGES)
    for vantage, reading in readings[name].items():
        assert np.array_equal(reading.scores, again[vantage].scores)
        assert reading.setting == again[vantage].setting


@pytest.mark.parametrize(
    ("name", "vantage"),
    [
        ("templates", "attack"),
        ("boosted_trees", "attack"),
        ("boosted_trees", "train"),
    ],
)
def test_a_reading_does_not_depend_on_labels_of_people_outside_its_vantage(
    name: str, vantage: str, released: dict[str, ReleasedFaces], readings: dict[str, dict[str, Reading]]
) -> None:
    """From `train`, templates are left out: their setting is chosen by labels of `attack` from every vantage."""
    poisoned = relabelled(released, "train" if vantage == "attack" else "attack")
    found = ATTACKERS[name](data_of(poisoned).examples, 3)
    assert np.array_equal(found[vantage].scores, readings[name][vantage].scores)
    assert not np.array_equal(found["both"].scores, readings[name]["both"].scores)


def test_people_of_train_are_in_no_fold_and_others_in_one(released: dict[str, ReleasedFaces]) -> None:
    examples = data_of(released).examples
    identity = np.concatenate([released[split].identity for split in ("attack", "train")])
    cells = {person: set(examples.cell[:80][identity[:80] == person].tolist()) for person in range(20)}
    assert all(len(found) == 1 and max(found) < FOLDS for found in cells.values())
    assert set(examples.cell[80:].tolist()) == {FOLDS}
    assert examples.vantages["both"] == examples.vantages["attack"] | examples.vantages["train"]
    for fold in range(FOLDS):
        assert examples.held_back(fold).max() < 80


def test_settings_are_chosen_on_people_of_attack() -> None:
    """The labels of `train` are in two coordinates; those of `attack` tell which of them counts for others.

    One coordinate has most of the variance, so that only the scaled view shows it best.
    """
    views = {}
    for telling, coordinate in (("large", 0), ("small", 1)):
        released = {}
        for seed, (split, faces) in enumerate(released_splits(100, 2).items()):
            values = np.random.default_rng(seed).normal(0, [20, 1, 1, 1, 1, 1], (200, 6)).astype(np.float32)
            shown = values[:, coordinate] if split == "attack" else values[:, 0] / 20 + values[:, 1]
            gender = (shown > 0).astype(np.int8)
            released[split] = ReleasedFaces(values[None], faces.identity, {"gender": gender})
        views[telling] = templates(data_of(released).examples, 0)["train"].setting
    assert views["large"].startswith("scaled")
    assert views["small"].startswith("6 components")


def test_every_release_is_learnt_from_and_the_first_is_held_back_and_judged() -> None:
    faces = released_splits(12, 3)
    for split in ("attack", "train"):
        own = faces[split].releases
        faces[split] = replace(faces[split], releases=np.concatenate([own, own + 1]))
    data = data_of(faces)
    assert len(data.examples.rows) == 4 * 36
    assert data.examples.first.sum() == 2 * 36
    assert data.images == {"attack": 36, "train": 36, "both": 72}
    held = data.examples.rows[data.examples.held_back(0).numpy()]
    assert (held[:, None] == faces["attack"].releases[0]).all(2).any(1).all()
    judged = np.concatenate([faces[split].representations for split in ("validation", "test")])
    assert np.array_equal(data.examples.judged_rows, judged)


@pytest.mark.parametrize("name", STRONGEST)
def test_held_back_people_do_not_recognise_themselves(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's images are nearly the same and labels are random, so that only a person's own tell the label."""
    released = released_splits(60, 4)
    for seed, (split, faces) in enumerate(released.items()):
        rng = np.random.default_rng(seed)
        people = rng.normal(size=(60, 30))[faces.identity % 60]
        values = (people + rng.normal(0, 0.01, people.shape)).astype(np.float32)
        gender = rng.permutation(np.arange(60) % 2)[faces.identity % 60].astype(np.int8)
        released[split] = ReleasedFaces(values[None], faces.identity, {"gender": gender})
    aucs: list[float] = []
    original = Examples.held_back_auc

    def recorded(examples: Examples, scores: list[torch.Tensor]) -> float:
        aucs.append(original(examples, scores))
        return aucs[-1]

    monkeypatch.setattr(Examples, "held_back_auc", recorded)
    ATTACKERS[name](data_of(released).examples, 0)
    assert len(aucs) > 3
    assert max(aucs) < 0.8


def test_held_back_aucs_are_the_mean_over_folds_with_both_values() -> None:
    cell = np.repeat(np.arange(FOLDS), 4)
    positive = np.array([True, False] * 6 + [True] * 4)
    examples = Examples(
        np.zeros((16, 2), np.float32), np.zeros((2, 2), np.float32), positive, cell, np.ones(16, bool), {}
    )
    right = [torch.from_numpy(positive[cell == fold]).float() for fold in range(FOLDS)]
    assert examples.held_back_auc(right) == 1
    assert examples.held_back_auc([1 - right[0], *right[1:]]) == pytest.approx(2 / 3)
    assert examples.held_back_auc([]) == 0.5


@given(seeds, st.integers(2, 4))
@few
def test_normal_equations_add_up_to_those_of_the_union(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    features, targets = (torch.from_numpy(rng.normal(0, 1, shape)) for shape in ((6, 40), (40,)))
    weights = torch.from_numpy(rng.random(40))
    whole = normal_equations(features, targets, weights)
    part = torch.from_numpy(rng.permutation(np.arange(40) % parts))
    rows = [part == number for number in range(parts)]
    added = add_up([normal_equations(features[:, own], targets[own], weights[own]) for own in rows])
    torch.testing.assert_close(added.gram, whole.gram)
    torch.testing.assert_close(added.target, whole.target)
    assert added.weight == pytest.approx(whole.weight)
    ridge = 0.1 * weights.sum() * torch.eye(6, dtype=torch.float64)
    expected = torch.linalg.solve(
        features @ torch.diag(weights) @ features.T + ridge, features @ (weights * targets)
    )
    torch.testing.assert_close(added.solve(0.1), expected)


@pytest.mark.parametrize("landmarks", [1, BLOCK, BLOCK + 7, 3 * BLOCK])
def test_the_gram_matrix_is_whole_however_many_landmarks(landmarks: int) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand((landmarks, 20), generator=generator, dtype=torch.float64)
    weights = torch.rand(20, generator=generator, dtype=torch.float64)
    found = normal_equations(features, torch.ones(20, dtype=torch.float64), weights)
    torch.testing.assert_close(found.gram, features @ torch.diag(weights) @ features.T)


def test_the_kernel_machine_learns_from_second_releases_too() -> None:
    faces = released_splits(20, 4, leak=0.3)
    readings = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        twice = {
            split: replace(part, releases=np.concatenate([part.releases, _shuffled(part.releases, rng)]))
            if split in ("attack", "train")
            else part
            for split, part in faces.items()
        }
        examples = data_of(twice).examples
        readings.append({name: ATTACKERS[name](examples, 3)["both"].scores for name in ATTACKERS})
    assert not np.allclose(readings[0]["kernel_machine"], readings[1]["kernel_machine"], atol=1e-2)
    assert np.array_equal(readings[0]["boosted_trees"], readings[1]["boosted_trees"])


def _shuffled(releases: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the releases in another order: every view of all rows stays."""
    return releases[:, rng.permutation(releases.shape[1])]


def test_adding_up_leaves_the_parts_as_they_are() -> None:
    part = normal_equations(torch.rand(3, 5), torch.rand(5), torch.ones(5))
    before = part.gram.clone(), part.target.clone()
    add_up([part, part])
    assert torch.equal(part.gram, before[0])
    assert torch.equal(part.target, before[1])


@given(seeds, st.sampled_from([0.5, 1.5, 6.0]))
@few
def test_with_all_rows_as_landmarks_features_are_those_of_the_exact_kernel(
    seed: int, sharpness: float
) -> None:
    rows, asked = (np.random.default_rng(seed + side).normal(0, 1, (30, 4)) for side in (0, 1))
    learnt, other = nystroem_features(
        torch.from_numpy(rows.astype(np.float32)),
        [torch.from_numpy(values.astype(np.float32)) for values in (rows, asked)],
        sharpness,
        30,
        seed,
    )
    scale = sharpness / cdist(rows, rows, "sqeuclidean").mean()
    for features, values in ((learnt, rows), (other, asked)):
        kernel = np.exp(-scale * cdist(rows, values, "sqeuclidean"))
        np.testing.assert_allclose((learnt.T @ features).numpy(), kernel, atol=5e-3)


def test_of_many_rows_some_are_landmarks() -> None:
    rows = torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    first, again, other = (nystroem_features(rows, [rows], 1.0, 7, seed)[0] for seed in (0, 0, 1))
    assert first.shape == (7, 50)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@given(seeds)
@few
def test_the_rank_ensemble_is_blind_to_monotone_changes_that_keep_signs(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(0.3, 1, (2, 20))
    found = rank_ensemble([Reading(own, "") for own in scores])
    changed = rank_ensemble([Reading(scores[0] ** 3, ""), Reading(np.expm1(scores[1]), "")])
    np.testing.assert_allclose(found.scores, changed.scores)
    alone = rank_ensemble([Reading(scores[0], "")]).scores
    assert np.array_equal(alone > 0, scores[0] > 0)
    assert np.array_equal(np.argsort(alone), np.argsort(scores[0]))


def test_one_reader_among_guessers_decides_the_rank_ensemble() -> None:
    reader = Reading(np.array([-2.0, -1.0, 1.0, 2.0]), "")
    guesser = Reading(np.zeros(4), "")
    assert (rank_ensemble([reader, guesser, guesser]).scores > 0).tolist() == [False, False, True, True]


def test_trees_read_the_coordinates_that_differ_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for one coordinate, it is the one that leaks, also where only its spread does."""
    module = sys.modules["aia_models.judging.attackers.boosted_trees"]  # its function has the same name
    monkeypatch.setattr(module, "COORDINATES", 1)
    rng = np.random.default_rng(0)
    positive = np.arange(400) % 2 == 0
    rows = rng.normal(0, 1, (400, 20)).astype(np.float32)
    rows[positive, 7] *= 4
    asked = np.zeros((9, 20), np.float32)
    asked[:, 7] = np.linspace(-8, 8, 9)
    examples = Examples(
        rows, asked, positive, np.arange(400) % FOLDS, np.ones(400, bool), {"attack": frozenset(range(FOLDS))}
    )
    scores = boosted_trees(examples, 0)["attack"].scores
    assert scores[[0, 8]].min() > 0 > scores[4]


@pytest.mark.parametrize("name", ATTACKERS)
def test_scores_above_0_mean_attribute_1_and_classes_are_balanced(name: str) -> None:
    """With one positive in ten, an attacker without balanced classes would hardly ever predict it."""
    released = {}
    for seed, split in enumerate(("attack", "train", "validation", "test")):
        rng = np.random.default_rng(seed)
        gender = (np.arange(500) % 10 == 0).astype(np.int8)
        values = rng.normal(0, 1, (500, 4)) + 1.2 * gender[:, None]
        identity = np.arange(500, dtype=np.int32)
        released[split] = ReleasedFaces(values.astype(np.float32)[None], identity, {"gender": gender})
    data = data_of(released, ("both",))
    guessed = ATTACKERS[name](data.examples, 0)["both"].scores > 0
    assert guessed[data.positive].mean() > 0.4
    assert guessed[~data.positive].mean() < 0.35


def test_some_people_have_both_values() -> None:
    """People are drawn by their first image's value; a value that is then missing comes with a further person."""
    identity = np.repeat(np.arange(40, dtype=np.int32), 3)
    gender = (identity % 4 == 0).astype(np.int8)
    drawn = some_people(identity, gender, 0.5, 0)
    assert len(drawn) == 20
    assert (drawn % 4 == 0).sum() == 5
    rare = ((identity == 7) & (np.arange(120) % 3 == 1)).astype(np.int8)
    assert rare[np.isin(identity, some_people(identity, rare, 0.1, 0))].max() == 1
