"""Judging: the identities that attackers are fitted on, the recorded figures, and the figure that counts."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from aia_models.errors import DataError
from aia_models.judging import matches
from aia_models.judging.attacks import CHEAP, Attack
from aia_models.judging.judge import Judgement, judge
from aia_models.judging.matchers import MATCHERS
from aia_models.judging.matches import Match
from aia_models.judging.released import ReleasedFaces
from aia_models.judging.sklearn_attackers import Examples, ScikitAttacker
from aia_models.measures.metrics import best_threshold, equal_error_rate
from aia_models.measures.pairs import evaluation_pairs
from tests.aia_models.released_people import MAP, released_split
from tests.judged import some_attack, some_match

Released = dict[str, ReleasedFaces]


def released(leak: float = 0.3) -> Released:
    return {
        split: released_split(seed, leak=leak) for seed, split in enumerate(("attack", "validation", "test"))
    }


@pytest.fixture(autouse=True)
def fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matches, "SIAMESE_STEPS", 20)


def test_what_is_recorded() -> None:
    judgement = judge(released(), MAP, 0)
    attacks = {(attack.split, attack.attacker) for attack in judgement.attacks}
    assert attacks == {(split, name) for split in ("validation", "test") for name in CHEAP}
    assert len(judgement.attacks) == 6
    matches = {(match.split, match.matcher, match.negatives) for match in judgement.matches}
    kinds = [(name, negatives) for name in MATCHERS for negatives in ("any", "same_gender")]
    assert matches == {(split, *kind) for split in ("validation", "test") for kind in kinds}
    assert len(judgement.matches) == 8
    assert {(attack.reads, attack.vantage, attack.train_images) for attack in judgement.attacks} == {
        ("single_release", "attack", 200)
    }
    assert all(attack.fit_seconds > 0 for attack in judgement.attacks)
    assert {(key.split, key.attacker) for key in judgement.attack_bootstrap_samples} == attacks
    assert {(attack.attribute, attack.releases) for attack in judgement.attacks} == {("gender", 1)}
    assert judgement.further_attacks == ()
    assert judgement.still_improving == {"gender": None}
    assert judgement.strongest_beside("test", "10_releases") is None
    assert set(judgement.match_bootstrap_samples) == {key[:2] for key in matches}


@pytest.mark.parametrize("leak", [0.3, 2.0])
def test_attacks_are_judged_on_their_split(leak: float, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = released(leak)
    scores: dict[str, list[np.ndarray]] = {}
    original = ScikitAttacker.fit
    own = faces["attack"].representations.astype(np.float64)
    standardised = (own - own.mean(0)) / own.std(0)

    def watched(attacker, examples: Examples, positive, setting, seed):
        np.testing.assert_allclose(examples.features, standardised, atol=1e-5)
        assert np.array_equal(positive, faces["attack"].attributes["gender"] == 1)
        assert setting == attacker.usual
        score = original(attacker, examples, positive, setting, seed)
        name = attacker.make.__name__
        return lambda others: scores.setdefault(name, []).append(score(others)) or scores[name][-1]

    monkeypatch.setattr(ScikitAttacker, "fit", watched)
    for attack in judge(faces, MAP, 0).attacks:
        given = scores[attack.attacker][["validation", "test"].index(attack.split)]
        gender = faces[attack.split].attributes["gender"]
        auc = roc_auc_score(gender, given)
        assert attack.folded_auc == pytest.approx(max(auc, 1 - auc))
        assert attack.accuracy == pytest.approx(((given > 0) == gender).mean())
        assert attack.balanced_accuracy == pytest.approx(balanced_accuracy_score(gender, given > 0))
        assert attack.majority_share == 0.5
        assert attack.folded_auc_low <= attack.folded_auc <= attack.folded_auc_high
        assert attack.accuracy_low <= attack.accuracy <= attack.accuracy_high
        assert attack.balanced_accuracy_low <= attack.balanced_accuracy <= attack.balanced_accuracy_high
        if leak == 2.0:
            assert auc > 0.95


def test_matches_are_judged_on_their_splits_pairs() -> None:
    faces = released()
    for match in judge(faces, MAP, 0).matches:
        if match.matcher != "whitened_cosine":
            continue
        own = faces["attack"]
        embed = MATCHERS[match.matcher](own.representations, own.identity, MAP, 0, 20)
        similarity, same = {}, {}
        for split in ("validation", "test"):
            judged = faces[split]
            pairs = evaluation_pairs(judged.identity, judged.attributes["gender"], split, match.negatives)
            embedded = embed(judged.representations)
            similarity[split] = (embedded[pairs.left] * embedded[pairs.right]).sum(1)
            same[split] = ~pairs.different
        threshold = best_threshold(similarity["validation"], same["validation"])
        accepted = similarity[match.split] >= threshold
        assert match.auc == pytest.approx(roc_auc_score(same[match.split], similarity[match.split]))
        assert match.eer == pytest.approx(equal_error_rate(similarity[match.split], same[match.split]))
        assert match.accuracy == pytest.approx((accepted == same[match.split]).mean(), abs=1 / match.pairs)
        assert match.auc_low <= match.auc <= match.auc_high
        assert match.accuracy_low <= match.accuracy <= match.accuracy_high
        assert match.eer_low <= match.eer <= match.eer_high
        assert match.pairs == 2 * 40 * 10
        assert match.tar_far_1e_2 is None, "400 negatives are too few for one in a hundred"
        assert match.auc > 0.9


def figures(judgement: Judgement, split: str) -> list[Attack | Match]:
    attacks = [replace(a, fit_seconds=0.0) for a in judgement.attacks if a.split == split]
    return [*attacks, *(m for m in judgement.matches if m.split == split)]


def test_judged_labels_have_no_part_in_the_fit() -> None:
    """Permuted validation labels change no figure on test but those that use validation's threshold."""
    faces = released()
    rng = np.random.default_rng(9)
    validation = faces["validation"]
    poisoned = replace(validation, attributes={"gender": rng.permutation(validation.attributes["gender"])})
    first = judge(faces, MAP, 0)
    second = judge({**faces, "validation": poisoned}, MAP, 0)
    assert figures(first, "test")[:3] == figures(second, "test")[:3]
    assert figures(first, "validation")[:3] != figures(second, "validation")[:3]
    aucs = [[match.auc for match in judged.matches if match.split == "test"] for judged in (first, second)]
    assert aucs[0] == aucs[1]


def test_attack_labels_decide_the_fit() -> None:
    faces = released(leak=2.0)
    gender = (1 - faces["attack"].attributes["gender"]).astype(np.int8)
    turned = replace(faces["attack"], attributes={"gender": gender})
    judgement = judge({**faces, "attack": turned}, MAP, 0)
    for attack in judgement.attacks:
        assert attack.folded_auc > 0.95, "an attacker that is always wrong knows the attribute"
        assert attack.folded_auc_high >= attack.folded_auc_low > 0.9
    strongest = judgement.strongest_attack("test")
    assert strongest.folded_auc == max(
        attack.folded_auc for attack in judgement.attacks if attack.split == "test"
    )


def test_same_seed_same_judgement() -> None:
    first, again, other = (judge(released(), MAP, seed) for seed in (0, 0, 1))
    for split in ("validation", "test"):
        assert figures(first, split) == figures(again, split)
        assert figures(first, split) != figures(other, split)
    for key, bootstrap_samples in first.attack_bootstrap_samples.items():
        assert np.array_equal(bootstrap_samples, again.attack_bootstrap_samples[key])


def test_unknown_attributes_are_left_out_of_attacks_and_their_people_stay_in_matches() -> None:
    faces = released()
    known = {
        split: replace(
            part,
            releases=part.releases[:, part.identity >= 10],
            identity=part.identity[part.identity >= 10],
            attributes={"gender": part.attributes["gender"][part.identity >= 10]},
        )
        for split, part in faces.items()
    }
    unknown = {
        split: replace(
            part,
            attributes={"gender": np.where(part.identity < 10, np.int8(-1), part.attributes["gender"])},
        )
        for split, part in faces.items()
    }
    expected, found = (judge(given, MAP, 0) for given in (known, unknown))
    assert [a.train_images for a in found.attacks] == [150] * 6
    assert [replace(a, fit_seconds=0.0) for a in found.attacks] == [
        replace(a, fit_seconds=0.0) for a in expected.attacks
    ]
    pairs = {match.negatives: match.pairs for match in found.matches}
    assert pairs == {"any": 2 * 400, "same_gender": 400 + 300}


def test_draws_are_those_of_the_judged_scores() -> None:
    """Resamples are paired: the difference of two encoders varies less than with independent resamples."""
    weak, strong = (judge(released(leak), MAP, 0) for leak in (0.1, 0.3))
    for key, bootstrap_samples in strong.attack_bootstrap_samples.items():
        attack = next(a for a in strong.attacks if a.key == key)
        assert np.nanpercentile(bootstrap_samples, [2.5, 97.5]) == pytest.approx(
            [attack.folded_auc_low, attack.folded_auc_high]
        )
    for key, bootstrap_samples in strong.match_bootstrap_samples.items():
        match = next(m for m in strong.matches if (m.split, m.matcher, m.negatives) == (*key, "any"))
        assert np.nanpercentile(bootstrap_samples, [2.5, 97.5]) == pytest.approx(
            [match.auc_low, match.auc_high]
        )
    key = next(
        key for key in strong.attack_bootstrap_samples if key[0] == "test" and key[3] == "logistic_regression"
    )
    paired = strong.attack_bootstrap_samples[key] - weak.attack_bootstrap_samples[key]
    assert paired.std() < 0.9 * np.hypot(
        strong.attack_bootstrap_samples[key].std(), weak.attack_bootstrap_samples[key].std()
    )


def test_strongest_attack_has_the_largest_folded_auc() -> None:
    attacks = [
        some_attack("validation", "a", 0.7), some_attack("validation", "b", 0.8), some_attack("validation", "c", 0.55),
        some_attack("test", "a", 0.6), some_attack("test", "b", 0.55), some_attack("test", "c", 0.99),
    ]  # fmt: skip
    judgement = Judgement(tuple(attacks), (), {}, {})
    assert judgement.strongest_attack("validation").attacker == "b"
    assert judgement.strongest_attack("test").attacker == "c"


def test_the_strongest_is_over_attributes_or_of_one_and_repeated_releases_do_not_count() -> None:
    attacks = (
        some_attack("test", "a", 0.7),
        some_attack("test", "b", 0.8, "young"),
        some_attack("test", "c", 0.6, "young"),
    )
    repeated = (some_attack("test", "d", 0.8, reads="mean_of_ten"), some_attack("test", "e", 0.99))
    judgement = Judgement(attacks, (), {}, {}, repeated)
    assert judgement.strongest_attack("test").attacker == "b"
    assert judgement.strongest_attack("test", "gender").attacker == "a"
    found = judgement.strongest_beside("test", "10_releases")
    assert found is not None
    assert found.attacker == "d"


def test_best_match_is_chosen_on_validation_by_any_negatives() -> None:
    matches = [
        some_match("validation", "x", 0.8), some_match("validation", "y", 0.7),
        some_match("validation", "x", 0.6, "same_gender"), some_match("validation", "y", 0.9, "same_gender"),
        some_match("test", "x", 0.51), some_match("test", "y", 0.99),
        some_match("test", "x", 0.52, "same_gender"), some_match("test", "y", 0.98, "same_gender"),
    ]  # fmt: skip
    judgement = Judgement((), tuple(matches), {}, {})
    assert judgement.best_match("validation").auc == 0.8
    assert judgement.best_same_gender_match("validation").auc == 0.6  # pyright: ignore[reportOptionalMemberAccess]
    assert judgement.best_match("test").auc == 0.51
    assert judgement.best_same_gender_match("test").auc == 0.52  # pyright: ignore[reportOptionalMemberAccess]


def test_every_attribute_is_attacked() -> None:
    faces = {
        split: replace(part, attributes={**part.attributes, "young": (part.identity % 4 < 2).astype(np.int8)})
        for split, part in released(leak=1.0).items()
    }
    alone = judge(released(leak=1.0), MAP, 0)
    both = judge(faces, MAP, 0)
    assert [replace(a, fit_seconds=0.0) for a in both.attacks if a.attribute == "gender"] == [
        replace(a, fit_seconds=0.0) for a in alone.attacks
    ]
    assert both.strongest_attack("test").attribute == "gender"
    hidden = both.strongest_attack("test", "young")
    assert hidden.folded_auc < 0.75
    assert both.matches == alone.matches


def test_what_cannot_be_judged_is_named_in_one_line() -> None:
    faces = released()
    broken = faces["test"].releases.copy()
    broken[0, 7, 2], broken[0, 9, 0] = np.nan, np.inf
    with pytest.raises(DataError, match=r"split 'test': 2 of 200 images hold NaN or .* the first is image 7"):
        judge({**faces, "test": replace(faces["test"], releases=broken)}, MAP, 0)
    men = replace(faces["validation"], attributes={"gender": np.ones(200, np.int8)})
    with pytest.raises(
        DataError, match="split 'validation': 200 images have gender = 1 and 0 have gender = 0"
    ):
        judge({**faces, "validation": men}, MAP, 0)


def test_without_same_gender_pairs_on_both_splits_there_are_no_such_matches() -> None:
    faces = released()
    lonely = faces["test"].identity
    faces["test"] = replace(
        faces["test"], attributes={"gender": np.where(lonely < 2, 1 - lonely, -1).astype(np.int8)}
    )
    judgement = judge(faces, MAP, 0)
    assert {match.negatives for match in judgement.matches} == {"any"}
    assert judgement.best_same_gender_match("validation") is None
    assert np.isfinite([match.auc for match in judgement.matches]).all()
