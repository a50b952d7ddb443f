"""Judging: who is fitted on whom, what is recorded, and which figure counts."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from aia_models import judging, matchers
from aia_models.attackers import SUITES
from aia_models.judging import Attack, Judgement, Match, ReleasedFaces, judge
from aia_models.matchers import MATCHERS
from aia_models.metrics import best_threshold, equal_error_rate
from aia_models.pairs import evaluation_pairs

MAP = (2, 2, 2)
Released = dict[str, ReleasedFaces]


def released_split(seed: int, people: int = 40, images: int = 5, leak: float = 0.0) -> ReleasedFaces:
    """Representations `[n, 8]` in which people differ and the attribute moves the first coordinate by `leak`."""
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(people, dtype=np.int32), images)
    gender = (identity % 2 == 0).astype(np.int8)
    values = rng.normal(0.5, 0.2, (people, 8))[identity] + rng.normal(0, 0.1, (len(identity), 8))
    values[:, 0] += leak * gender
    return ReleasedFaces(values.astype(np.float32), identity, gender)


def released(leak: float = 0.3) -> Released:
    return {
        split: released_split(seed, leak=leak) for seed, split in enumerate(("attack", "validation", "test"))
    }


@pytest.fixture(autouse=True)
def fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matchers, "SIAMESE_STEPS", 20)


def test_what_is_recorded() -> None:
    judgement = judge(released(), MAP, "cheap", 0)
    attacks = {(attack.split, attack.attacker) for attack in judgement.attacks}
    assert attacks == {(split, name) for split in ("validation", "test") for name in SUITES["cheap"]}
    assert len(judgement.attacks) == 6
    matches = {(match.split, match.matcher, match.negatives) for match in judgement.matches}
    kinds = [(name, negatives) for name in MATCHERS for negatives in ("any", "same_gender")]
    assert matches == {(split, *kind) for split in ("validation", "test") for kind in kinds}
    assert len(judgement.matches) == 8
    assert {(attack.suite, attack.vantage, attack.train_images) for attack in judgement.attacks} == {
        ("cheap", "attack", 200)
    }
    assert all(attack.fit_seconds > 0 for attack in judgement.attacks)
    assert set(judgement.attack_draws) == attacks
    assert set(judgement.match_draws) == {key[:2] for key in matches}


@pytest.mark.parametrize("leak", [0.3, 2.0])
def test_attacks_are_judged_on_their_split(leak: float, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = released(leak)
    scores: dict[str, list[np.ndarray]] = {}
    fit = judging.fit_attacker
    own = faces["attack"].representations.astype(np.float64)
    standardised = (own - own.mean(0)) / own.std(0)

    def watched(make, given, positive, seed):
        np.testing.assert_allclose(given, standardised, atol=1e-5)
        assert np.array_equal(positive, faces["attack"].attribute == 1)
        score = fit(make, given, positive, seed)
        name = make.__name__
        return lambda others: scores.setdefault(name, []).append(score(others)) or scores[name][-1]

    monkeypatch.setattr(judging, "fit_attacker", watched)
    for attack in judge(faces, MAP, "cheap", 0).attacks:
        given = scores[attack.attacker][["validation", "test"].index(attack.split)]
        gender = faces[attack.split].attribute
        assert attack.auc == pytest.approx(roc_auc_score(gender, given))
        assert attack.accuracy == pytest.approx(((given > 0) == gender).mean())
        assert attack.balanced_accuracy == pytest.approx(balanced_accuracy_score(gender, given > 0))
        assert attack.majority_share == 0.5
        assert attack.low <= max(attack.auc, 1 - attack.auc) <= attack.high
        if leak == 2.0:
            assert attack.auc > 0.95


def test_matches_are_judged_on_their_splits_pairs() -> None:
    faces = released()
    for match in judge(faces, MAP, "cheap", 0).matches:
        if match.matcher != "whitened_cosine":
            continue
        own = faces["attack"]
        embed = MATCHERS[match.matcher](own.representations, own.identity, MAP, 0)
        similarity, same = {}, {}
        for split in ("validation", "test"):
            judged = faces[split]
            pairs = evaluation_pairs(judged.identity, judged.attribute, split, match.negatives)
            embedded = embed(judged.representations)
            similarity[split] = (embedded[pairs.left] * embedded[pairs.right]).sum(1)
            same[split] = ~pairs.different
        threshold = best_threshold(similarity["validation"], same["validation"])
        accepted = similarity[match.split] >= threshold
        assert match.auc == pytest.approx(roc_auc_score(same[match.split], similarity[match.split]))
        assert match.eer == pytest.approx(equal_error_rate(similarity[match.split], same[match.split]))
        assert match.accuracy == pytest.approx((accepted == same[match.split]).mean(), abs=1 / match.pairs)
        assert match.low <= match.auc <= match.high
        assert match.pairs == 2 * 40 * 10
        assert match.tar_far_1e_2 is None, "400 negatives are too few for one in a hundred"
        assert match.auc > 0.9


def figures(judgement: Judgement, split: str) -> list[Attack | Match]:
    attacks = [replace(a, fit_seconds=0.0) for a in judgement.attacks if a.split == split]
    return [*attacks, *(m for m in judgement.matches if m.split == split)]


def test_judged_labels_have_no_part_in_the_fit() -> None:
    """Other labels and people on validation leave all figures on test as they are, but for the threshold."""
    faces = released()
    rng = np.random.default_rng(9)
    validation = faces["validation"]
    poisoned = replace(validation, attribute=rng.permutation(validation.attribute))
    first = judge(faces, MAP, "cheap", 0)
    second = judge({**faces, "validation": poisoned}, MAP, "cheap", 0)
    assert figures(first, "test")[:3] == figures(second, "test")[:3]
    assert figures(first, "validation")[:3] != figures(second, "validation")[:3]
    aucs = [[match.auc for match in judged.matches if match.split == "test"] for judged in (first, second)]
    assert aucs[0] == aucs[1]


def test_attack_labels_decide_the_fit() -> None:
    faces = released(leak=2.0)
    turned = replace(faces["attack"], attribute=(1 - faces["attack"].attribute).astype(np.int8))
    judgement = judge({**faces, "attack": turned}, MAP, "cheap", 0)
    assert all(attack.auc < 0.05 for attack in judgement.attacks), "recorded as it is, not folded"
    assert all(attack.high >= attack.low > 0.9 for attack in judgement.attacks), "the interval is folded"
    strongest = judgement.strongest_attack("test")
    assert strongest.auc == min(attack.auc for attack in judgement.attacks if attack.split == "test")


def test_same_seed_same_judgement() -> None:
    first, again, other = (judge(released(), MAP, "cheap", seed) for seed in (0, 0, 1))
    for split in ("validation", "test"):
        assert figures(first, split) == figures(again, split)
        assert figures(first, split) != figures(other, split)
    for key, draws in first.attack_draws.items():
        assert np.array_equal(draws, again.attack_draws[key])


def test_unknown_attributes_are_left_out_of_attacks_and_their_people_stay_in_matches() -> None:
    faces = released()
    known = {
        split: replace(
            part,
            representations=part.representations[part.identity >= 10],
            identity=part.identity[part.identity >= 10],
            attribute=part.attribute[part.identity >= 10],
        )
        for split, part in faces.items()
    }
    unknown = {
        split: replace(part, attribute=np.where(part.identity < 10, np.int8(-1), part.attribute))
        for split, part in faces.items()
    }
    expected, found = (judge(given, MAP, "cheap", 0) for given in (known, unknown))
    assert [a.train_images for a in found.attacks] == [150] * 6
    assert [replace(a, fit_seconds=0.0) for a in found.attacks] == [
        replace(a, fit_seconds=0.0) for a in expected.attacks
    ]
    pairs = {match.negatives: match.pairs for match in found.matches}
    assert pairs == {"any": 2 * 400, "same_gender": 400 + 300}


def test_draws_are_those_of_the_judged_scores() -> None:
    """Paired: two encoders judged on the same faces differ, resample by resample, by what they differ."""
    weak, strong = (judge(released(leak), MAP, "cheap", 0) for leak in (0.1, 0.3))
    for key, draws in strong.attack_draws.items():
        attack = next(a for a in strong.attacks if (a.split, a.attacker) == key)
        assert np.nanpercentile(draws, [2.5, 97.5]) == pytest.approx([attack.low, attack.high])
    for key, draws in strong.match_draws.items():
        match = next(m for m in strong.matches if (m.split, m.matcher, m.negatives) == (*key, "any"))
        assert np.nanpercentile(draws, [2.5, 97.5]) == pytest.approx([match.low, match.high])
    key = ("test", "logistic_regression")
    paired = strong.attack_draws[key] - weak.attack_draws[key]
    assert paired.std() < 0.9 * np.hypot(strong.attack_draws[key].std(), weak.attack_draws[key].std())


def attack(split: str, name: str, auc: float) -> Attack:
    return Attack(split, name, "cheap", "attack", 9, auc, 0.5, 0.5, 0.5, 0.4, 0.9, 0.1)


def match(split: str, name: str, auc: float, negatives: str = "any") -> Match:
    return Match(split, name, negatives, auc, 0.4, 0.9, 0.5, 0.5, None, 9)


def test_strongest_attack_has_the_largest_folded_auc() -> None:
    attacks = [
        attack("validation", "a", 0.7), attack("validation", "b", 0.2), attack("validation", "c", 0.55),
        attack("test", "a", 0.6), attack("test", "b", 0.45), attack("test", "c", 0.99),
    ]  # fmt: skip
    judgement = Judgement(tuple(attacks), (), {}, {})
    assert judgement.strongest_attack("validation").attacker == "b"
    assert judgement.strongest_attack("test").attacker == "c"


def test_best_match_is_chosen_on_validation_by_any_negatives() -> None:
    matches = [
        match("validation", "x", 0.8), match("validation", "y", 0.7),
        match("validation", "x", 0.6, "same_gender"), match("validation", "y", 0.9, "same_gender"),
        match("test", "x", 0.51), match("test", "y", 0.99),
        match("test", "x", 0.52, "same_gender"), match("test", "y", 0.98, "same_gender"),
    ]  # fmt: skip
    judgement = Judgement((), tuple(matches), {}, {})
    assert judgement.best_match("validation").auc == 0.8
    assert judgement.best_match("validation", "same_gender").auc == 0.6
    assert judgement.best_match("test").auc == 0.51
    assert judgement.best_match("test", "same_gender").auc == 0.52
