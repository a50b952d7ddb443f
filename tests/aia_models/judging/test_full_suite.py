"""The full suite: attackers and vantages, learning curves, repeated releases, a leak that only some find."""

from dataclasses import replace

import numpy as np
import pytest

from aia_models.judging import matches
from aia_models.judging.attack_data import some_people
from aia_models.judging.attacks import CHEAP
from aia_models.judging.judge import Judgement, judge
from aia_models.judging.released import ReleasedFaces
from aia_models.judging.sklearn_attackers import Attacker, Examples
from tests.aia_models.released_people import MAP, released_split


@pytest.fixture(autouse=True)
def fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matches, "SIAMESE_STEPS", {"cheap": 20, "full": 20})


EVERY = (*CHEAP, "gradient_boosting", "templates", "cnn", "cnn_decoded")


def decode(given: np.ndarray) -> np.ndarray:
    """Return images of side 4, in which each coordinate is a block of two pixels."""
    return np.repeat(given, 2, axis=1).reshape(-1, 1, 4, 4)


def full_split(seed: int, leak: float) -> ReleasedFaces:
    """Return a split with three noisy releases and the mean of ten."""
    clean = released_split(seed, people=24, images=4, leak=leak)
    rng = np.random.default_rng(seed + 100)
    ten = clean.representations + rng.normal(0, 0.5, (10, *clean.representations.shape))
    return replace(clean, releases=ten[:3].astype(np.float32), mean_of_10=ten.mean(0).astype(np.float32))


@pytest.fixture(scope="module")
def full() -> Judgement:
    faces = {
        split: full_split(seed, leak=0.6)
        for seed, split in enumerate(("train", "attack", "validation", "test"))
    }
    return judge(faces, MAP, "full", 0, decode)


def test_full_suite_attacks_from_both_vantages(full: Judgement) -> None:
    found = {(a.split, a.vantage, a.attacker) for a in full.attacks}
    assert found == {
        (split, vantage, name)
        for split in ("validation", "test")
        for vantage in ("attack", "train")
        for name in EVERY
    }
    assert {(a.suite, a.releases, a.train_images) for a in full.attacks} == {("full", 1, 96)}
    assert set(full.attack_bootstrap_samples) == {a.key for a in full.attacks}
    strongest = full.strongest_attack("validation")
    assert strongest.folded_auc > 0.6
    assert strongest.folded_auc == max(a.folded_auc for a in full.attacks if a.split == "validation")


def test_learning_curve_has_three_sizes_of_the_cheap_suite_and_the_strongest(full: Judgement) -> None:
    curve = [a for a in full.further_attacks if a.releases == 1]
    strongest = full.strongest_attack("validation")
    assert {a.attacker for a in curve} == {*CHEAP, strongest.attacker}
    for name in CHEAP:
        own = [a.train_images for a in curve if (a.attacker, a.vantage, a.split) == (name, "attack", "test")]
        assert own == [24, 48]
        settings = {a.setting for a in curve if (a.attacker, a.vantage) == (name, "attack")}
        settings |= {a.setting for a in full.attacks if (a.attacker, a.vantage) == (name, "attack")}
        assert len(settings) == 1, "what it chose with all people"
    assert full.still_improving in ({"gender": True}, {"gender": False})


def test_means_of_ten_releases_are_attacked_apart(full: Judgement) -> None:
    repeated = [a for a in full.further_attacks if a.releases == 10]
    strongest = full.strongest_attack("validation")
    wanted = {
        (vantage, name) for vantage in ("attack", "train") for name in ("logistic_regression", "rbf_svm")
    }
    assert {(a.split, a.vantage, a.attacker) for a in repeated} == {
        (split, *who)
        for split in ("validation", "test")
        for who in wanted | {(strongest.vantage, strongest.attacker)}
    }
    best = full.strongest_repeated("test")
    assert best is not None
    single = next(
        a
        for a in full.attacks
        if (a.split, a.vantage, a.attacker) == ("test", "attack", "logistic_regression")
    )
    assert best.folded_auc > single.folded_auc + 0.05, "ten releases tell more than one"


def test_without_decoder_and_noise_there_is_less_to_do() -> None:
    faces = {
        split: released_split(seed, people=16, images=3, leak=0.6)
        for seed, split in enumerate(("train", "attack", "validation", "test"))
    }
    judgement = judge(faces, MAP, "full", 0)
    assert {a.attacker for a in judgement.attacks} == set(EVERY) - {"cnn_decoded"}
    assert judgement.strongest_repeated("test") is None


def parity_split(seed: int, people: int, telling: bool = True) -> ReleasedFaces:
    """Return two representations of 8 coordinates per person.

    The attribute is the parity of the signs of two coordinates, or independent of all if not `telling`.
    """
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(people, dtype=np.int32), 2)
    gender = (identity % 2 == 0).astype(np.int8)
    values = rng.normal(0, 1, (len(identity), 8))
    if telling:
        values[:, 5] = np.abs(values[:, 5]) * np.where(gender == 1, 1, -1) * np.sign(values[:, 2])
    return ReleasedFaces(values.astype(np.float32)[None], identity, {"gender": gender})


@pytest.mark.parametrize("telling", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_leak_in_a_parity_is_found_by_all_but_the_linear_attacker(telling: bool) -> None:
    faces = {
        split: parity_split(seed, 600 if split in ("train", "attack") else 1500, telling)
        for seed, split in enumerate(("train", "attack", "validation", "test"))
    }
    judgement = judge(faces, (8, 1, 1), "full", 0)
    # The AUC of uninformative scores has a variance of (p + n + 1) / (12 p n), with p = n = 750 people.
    error = np.sqrt(1501 / (12 * 750 * 750))
    for found in judgement.attacks:
        if found.attacker == "logistic_regression" or not telling:
            assert found.folded_auc - 0.5 < 4 * error, found.attacker
        else:
            assert found.folded_auc > 0.8, found.attacker
    strongest = judgement.strongest_attack("validation")
    assert (strongest.folded_auc > 0.95) == telling


@pytest.mark.parametrize(
    ("people", "improving"), [(120, True), pytest.param(600, False, marks=pytest.mark.slow)]
)
def test_an_attacker_that_needs_more_people_is_still_improving(people: int, improving: bool) -> None:
    faces = {
        split: parity_split(seed, people if split in ("train", "attack") else 400)
        for seed, split in enumerate(("train", "attack", "validation", "test"))
    }
    faces = {split: replace(part, mean_of_10=part.representations) for split, part in faces.items()}
    judgement = judge(faces, (8, 1, 1), "full", 0)
    strongest = judgement.strongest_attack("validation")
    assert (strongest.attacker, strongest.folded_auc > 0.95) == ("gradient_boosting", True)
    assert judgement.still_improving == {"gender": improving}
    repeated = {(a.vantage, a.attacker) for a in judgement.further_attacks if a.releases == 10}
    assert (strongest.vantage, "gradient_boosting") in repeated, "not among those that always read means"


def test_settings_are_chosen_on_the_first_release_of_people_held_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faces = {
        split: full_split(seed, leak=0.6)
        for seed, split in enumerate(("train", "attack", "validation", "test"))
    }
    person_of = {
        row.tobytes(): (split, person)
        for split in ("train", "attack")
        for release in faces[split].releases
        for row, person in zip(release, faces[split].identity, strict=True)
    }
    first = {row.tobytes() for split in ("train", "attack") for row in faces[split].representations}
    seen = 0

    def watched(attacker, own: Examples, positive, held_back: Examples, truth, seed):
        nonlocal seen
        learnt_from = {person_of[row.tobytes()] for row in own.released}
        chosen_on = {person_of[row.tobytes()] for row in held_back.released}
        assert not learnt_from & chosen_on
        assert len({split for split, _ in learnt_from | chosen_on}) == 1
        assert len(learnt_from | chosen_on) == 24
        assert len(chosen_on) == 6
        assert len(own) == 18 * 4 * 3, "every release of the others"
        assert {row.tobytes() for row in held_back.released} <= first
        seen += 1
        return attacker.usual

    monkeypatch.setattr(Attacker, "choose", watched)
    judge({split: replace(part, mean_of_10=None) for split, part in faces.items()}, MAP, "full", 0)
    assert seen == 2 * 5, "all but the convolutions, which choose in their own way, at both vantages"


def test_some_people_have_both_values_among_their_images() -> None:
    """No first image has the attribute, and only a few later images have it."""
    identity = np.repeat(np.arange(40, dtype=np.int32), 3)
    glasses = np.zeros(120, np.int8)
    glasses[[5, 62]] = 1
    for seed in range(20):
        found = some_people(identity, glasses, 0.25, seed)
        assert 10 <= len(found) <= 11
        assert set(glasses[np.isin(identity, found)]) == {0, 1}
        assert set(glasses[np.isin(identity, some_people(identity, 1 - glasses, 0.25, seed))]) == {0, 1}
