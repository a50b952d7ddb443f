"""Judging: the identities that attackers are fitted on, the recorded figures, and the figure that counts."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from aia_models.errors import DataError
from aia_models.judging.attack import Attack
from aia_models.judging.attackers import ATTACKERS, STRONGEST
from aia_models.judging.attacks import ENSEMBLE, SPLIT_VANTAGES, Attacks, attack_all
from aia_models.judging.beside.further_attacks import CURVE_SHARES
from aia_models.judging.judge import BESIDE, Judgement, judge
from aia_models.judging.matchers import MATCHERS
from aia_models.judging.matches import Matches, match_all
from aia_models.judging.released import ReleasedFaces, Words, check_released
from aia_models.measures.metrics import best_threshold, equal_error_rate
from aia_models.measures.pairs import evaluation_pairs
from tests.aia_models.released_people import MAP, SPLITS, released_split, released_splits
from tests.judged import some_attack, some_match

pytestmark = pytest.mark.usefixtures("few_siamese_steps")

JUDGED = ("validation", "test")
EVERY_ATTACKER = (*ATTACKERS, ENSEMBLE)
Released = dict[str, ReleasedFaces]


@pytest.fixture(scope="module")
def released() -> Released:
    return released_splits(24, 5, leak=0.5)


@pytest.fixture(scope="module")
def attacks(released: Released) -> Attacks:
    return attack_all(released, 0, "cpu")


@pytest.fixture(scope="module")
def matches(released: Released, few_siamese_steps: None) -> Matches:
    return match_all(released, MAP, 0)


@pytest.fixture(scope="module")
def judged(released: Released, few_siamese_steps: None) -> Judgement:
    return judge(released, MAP, 0)


def untimed(attacks: tuple[Attack, ...], split: str | None = None, attribute: str = "gender") -> list[Attack]:
    """Return the attacks on a split and an attribute without the time that they took."""
    return [
        replace(a, fit_seconds=0.0) for a in attacks if split in (None, a.split) and a.attribute == attribute
    ]


def with_gender(faces: ReleasedFaces, gender: np.ndarray) -> ReleasedFaces:
    return replace(faces, attributes={"gender": gender.astype(np.int8)})


def test_what_is_recorded(judged: Judgement) -> None:
    keys = [(attack.split, attack.attacker, attack.vantage) for attack in judged.attacks]
    every = {
        (split, name, vantage) for split in JUDGED for name in EVERY_ATTACKER for vantage in SPLIT_VANTAGES
    }
    assert set(keys) == every
    assert len(keys) == len(every)
    assert {tuple(key) for key in judged.attack_bootstrap_samples} == {
        (split, "gender", vantage, name) for split, name, vantage in every
    }
    assert {(attack.reads, attack.releases, attack.attribute) for attack in judged.attacks} == {
        ("single_release", 1, "gender")
    }
    assert {(a.vantage, a.train_images) for a in judged.attacks} == {
        ("attack", 120), ("train", 120), ("both", 240)
    }  # fmt: skip
    assert all(attack.fit_seconds > 0 and attack.setting for attack in judged.attacks)
    kinds = [(m.split, m.matcher, m.negatives) for m in judged.matches]
    assert sorted(kinds) == sorted(
        (split, name, negatives)
        for split in JUDGED
        for name in MATCHERS
        for negatives in ("any", "same_gender")
    )
    assert set(judged.match_bootstrap_samples) == {(split, name) for split in JUDGED for name in MATCHERS}


def test_without_chance_other_people_and_images_there_is_nothing_of_theirs_beside(judged: Judgement) -> None:
    """The attacks beside are on linked images, on a gallery, and by fewer people."""
    beside = {(a.reads, a.vantage) for a in judged.further_attacks if a.reads != "person_scores"}
    assert beside == {
        ("person_representations", "both"), ("gallery", "attack"), ("single_release", "both")
    }  # fmt: skip
    for kind in ("10_releases", "decoded", "other"):
        assert judged.strongest_beside("test", kind) is None
    for kind in ("linked", "gallery"):
        assert judged.strongest_beside("test", kind) is not None
    assert judged.certificate is None
    curve = [a for a in judged.further_attacks if a.reads == "single_release"]
    assert {a.attacker for a in curve} == {"templates"}
    assert sorted({a.train_images for a in curve}) == [round(share * 240) for share in CURVE_SHARES]
    assert judged.still_improving is not None
    assert set(judged.still_improving) == {"gender"}


def test_everything_there_is_is_judged_beside(few_siamese_steps: None) -> None:
    """With releases by chance, other people, images and words, each kind of attack beside has a strongest one."""
    rng = np.random.default_rng(0)
    faces: Released = {}
    for split, own in {**released_splits(20, 4, 0.3), "other": released_split(9, 20, 4, 0.3)}.items():
        clean = own.representations
        noisy = clean + rng.normal(0, 0.1, (2 if split in ("attack", "train", "other") else 1, *clean.shape))
        faces[split] = replace(
            own,
            releases=noisy.astype(np.float32),
            mean_of_10=clean,
            inputs=np.tile(clean, 3) if split in ("attack", "train") else None,
            words=Words((own.identity % 4).astype(np.int64), 4),
        )
    judgement = judge(faces, MAP, 0)
    for kind, belongs in BESIDE.items():
        for split in JUDGED:
            strongest = judgement.strongest_beside(split, kind)
            own = [a.folded_auc for a in judgement.further_attacks if a.split == split and belongs(a)]
            assert strongest is not None
            assert strongest.folded_auc == max(own)
    by_reads = {(a.reads, a.attacker) for a in judgement.further_attacks}
    for reads in ("mean_of_ten", "decoded_image", "person_representations"):
        assert {name for found, name in by_reads if found == reads} == {*STRONGEST, ENSEMBLE}
    assert {a.train_images for a in judgement.further_attacks if a.vantage == "other"} == {80}
    assert {a.releases for a in judgement.further_attacks if a.reads == "mean_of_ten"} == {10}
    assert {a.train_images for a in judgement.attacks} == {80, 160}, "images, not releases, are counted"
    assert judgement.certificate is not None
    assert judgement.certificate.people == 60


@pytest.mark.parametrize("attacker", EVERY_ATTACKER)
def test_attacks_are_judged_on_their_split(released: Released, attacks: Attacks, attacker: str) -> None:
    own = [attack for attack in attacks.counted if attack.attacker == attacker]
    assert len(own) == 6
    for attack in own:
        scores, gender = attacks.scores[attack.key], released[attack.split].attributes["gender"]
        area = roc_auc_score(gender, scores)
        assert attack.folded_auc == pytest.approx(max(area, 1 - area))
        assert area > 0.7, "the leak is 2.5 standard deviations between people"
        assert attack.accuracy == pytest.approx(((scores > 0) == gender).mean())
        assert attack.balanced_accuracy == pytest.approx(balanced_accuracy_score(gender, scores > 0))
        assert attack.balanced_accuracy > 0.55, "a score above 0 says that the attribute is 1"
        assert attack.majority_share == 0.5
        assert attack.folded_auc_low <= attack.folded_auc <= attack.folded_auc_high
        assert attack.accuracy_low <= attack.accuracy <= attack.accuracy_high
        assert attack.balanced_accuracy_low <= attack.balanced_accuracy <= attack.balanced_accuracy_high


@pytest.mark.parametrize("negatives", ["any", "same_gender"])
def test_matches_are_judged_on_their_splits_pairs(
    released: Released, matches: Matches, negatives: str
) -> None:
    own = released["attack"]
    embed = MATCHERS["whitened_cosine"](own.representations, own.identity, MAP, 0)
    similarity, same = {}, {}
    for split in JUDGED:
        faces = released[split]
        pairs = evaluation_pairs(faces.identity, faces.attributes["gender"], split, negatives)
        embedded = embed(faces.representations)
        similarity[split] = (embedded[pairs.left] * embedded[pairs.right]).sum(1)
        same[split] = ~pairs.different
    threshold = best_threshold(similarity["validation"], same["validation"])
    for split in JUDGED:
        match = next(
            m for m in matches.rows
            if (m.split, m.matcher, m.negatives) == (split, "whitened_cosine", negatives)
        )  # fmt: skip
        assert match.auc == pytest.approx(roc_auc_score(same[split], similarity[split]))
        assert match.eer == pytest.approx(equal_error_rate(similarity[split], same[split]))
        accepted = similarity[split] >= threshold
        assert match.accuracy == pytest.approx((accepted == same[split]).mean(), abs=1 / match.pairs)
        assert match.auc_low <= match.auc <= match.auc_high
        assert match.accuracy_low <= match.accuracy <= match.accuracy_high
        assert match.eer_low <= match.eer <= match.eer_high
        assert match.pairs == 2 * 24 * 10
        assert match.tar_far_1e_2 is None, "240 negatives are too few for one in a hundred"
        assert match.auc > 0.9


def test_judged_labels_have_no_part_in_the_fit(released: Released, judged: Judgement) -> None:
    """Permuted validation labels change no figure on test but those that use validation's threshold."""
    gender = np.random.default_rng(9).permutation(released["validation"].attributes["gender"])
    poisoned = judge({**released, "validation": with_gender(released["validation"], gender)}, MAP, 0)
    assert untimed(judged.attacks, "test") == untimed(poisoned.attacks, "test")
    assert untimed(judged.further_attacks, "test") == untimed(poisoned.further_attacks, "test")
    assert untimed(judged.attacks, "validation") != untimed(poisoned.attacks, "validation")
    aucs = [[match.auc for match in found.matches if match.split == "test"] for found in (judged, poisoned)]
    assert aucs[0] == aucs[1]


def test_attack_labels_decide_the_fit() -> None:
    """Attackers that have learnt the wrong value are always wrong, and their folded AUC tells."""
    faces = released_splits(20, 4, leak=2.0)
    for split in ("attack", "train"):
        faces[split] = with_gender(faces[split], 1 - faces[split].attributes["gender"])
    for attack in attack_all(faces, 0, "cpu").counted:
        assert attack.folded_auc > 0.8, "an attacker that is always wrong knows the attribute"
        assert attack.accuracy < 0.4


def test_same_seed_same_judgement(released: Released, judged: Judgement) -> None:
    again = judge(released, MAP, 0)
    assert untimed(judged.attacks) == untimed(again.attacks)
    assert untimed(judged.further_attacks) == untimed(again.further_attacks)
    assert judged.matches == again.matches
    assert judged.still_improving == again.still_improving
    for key, bootstrap_samples in judged.attack_bootstrap_samples.items():
        assert np.array_equal(bootstrap_samples, again.attack_bootstrap_samples[key])


def test_the_seed_decides(released: Released, attacks: Attacks, matches: Matches) -> None:
    other = attack_all(released, 1, "cpu")
    moved = {
        key.attacker for key in attacks.scores if not np.array_equal(attacks.scores[key], other.scores[key])
    }
    assert {"kernel_machine", "boosted_trees"} <= moved
    figures, others = (
        [match.auc for match in found.rows if match.matcher == "siamese"]
        for found in (matches, match_all(released, MAP, 1))
    )
    assert figures != others


def test_unknown_attributes_are_left_out_of_attacks_and_their_people_stay_in_matches(
    released: Released,
) -> None:
    kept = {
        split: ReleasedFaces(
            part.releases[:, part.identity >= 10],
            part.identity[part.identity >= 10],
            {"gender": part.attributes["gender"][part.identity >= 10]},
        )
        for split, part in released.items()
    }
    unknown = {
        split: with_gender(part, np.where(part.identity < 10, -1, part.attributes["gender"]))
        for split, part in released.items()
    }
    expected, found = (attack_all(given, 0, "cpu").counted for given in (kept, unknown))
    assert {a.train_images for a in found} == {70, 140}
    assert untimed(found) == untimed(expected)
    pairs = {match.negatives: match.pairs for match in match_all(unknown, MAP, 0).rows}
    assert pairs == {"any": 2 * 240, "same_gender": 240 + 140}


def test_draws_are_those_of_the_judged_scores(
    released: Released, attacks: Attacks, judged: Judgement
) -> None:
    """Resamples are paired: the difference of two encoders varies less than with independent resamples."""
    for key, bootstrap_samples in judged.attack_bootstrap_samples.items():
        attack = next(a for a in judged.attacks if a.key == key)
        assert np.nanpercentile(bootstrap_samples, [2.5, 97.5]) == pytest.approx(
            [attack.folded_auc_low, attack.folded_auc_high]
        )
    for key, bootstrap_samples in judged.match_bootstrap_samples.items():
        match = next(m for m in judged.matches if (m.split, m.matcher, m.negatives) == (*key, "any"))
        assert np.nanpercentile(bootstrap_samples, [2.5, 97.5]) == pytest.approx(
            [match.auc_low, match.auc_high]
        )
    weak = attack_all(released_splits(24, 5, leak=0.4), 0, "cpu")
    for key in attacks.scores:
        if key.split == "test" and key.attacker == "kernel_machine":
            some, others = attacks.bootstrap_samples[key], weak.bootstrap_samples[key]
            assert (some - others).std() < 0.9 * np.hypot(some.std(), others.std())


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


def test_every_attribute_is_attacked(released: Released, attacks: Attacks, matches: Matches) -> None:
    faces = {
        split: replace(part, attributes={**part.attributes, "young": (part.identity % 4 < 2).astype(np.int8)})
        for split, part in released.items()
    }
    both = attack_all(faces, 0, "cpu")
    assert untimed(both.counted) == untimed(attacks.counted)
    judgement = Judgement(both.counted, (), {}, {})
    assert judgement.strongest_attack("test").attribute == "gender"
    assert judgement.strongest_attack("test", "young").folded_auc < 0.75
    assert match_all(faces, MAP, 0).rows == matches.rows


def test_an_attribute_that_few_images_of_each_person_have_can_be_judged(few_siamese_steps: None) -> None:
    """Most images of every person have the value 0, so that people themselves have one value."""
    faces = {
        split: with_gender(part, np.arange(len(part.identity)) % 4 == 0)
        for split, part in released_splits(20, 4).items()
    }
    judgement = judge(faces, MAP, 0)
    assert judgement.strongest_beside("test", "linked") is None
    assert all(np.isfinite(a.folded_auc) for a in (*judgement.attacks, *judgement.further_attacks))


@pytest.mark.parametrize("split", SPLITS)
def test_what_cannot_be_judged_is_named_in_one_line(released: Released, split: str) -> None:
    """Nothing is fitted before all splits are checked."""
    broken = released[split].releases.copy()
    broken[0, 7, 2], broken[0, 9, 0] = np.nan, np.inf
    unfinite = {**released, split: replace(released[split], releases=broken)}
    expected = rf"split '{split}': 2 of 120 images hold NaN or .* the first is image 7"
    with pytest.raises(DataError, match=expected):
        check_released(unfinite)
    with pytest.raises(DataError, match=expected):
        judge(unfinite, MAP, 0)
    men = {**released, split: with_gender(released[split], np.ones(120))}
    with pytest.raises(DataError, match=f"split '{split}': 120 images have gender = 1 and 0 have gender = 0"):
        check_released(men)


def test_a_later_release_is_checked_too(released: Released) -> None:
    releases = np.repeat(released["attack"].releases, 2, axis=0)
    releases[1, 3, 0] = np.nan
    with pytest.raises(DataError, match=r"split 'attack': 1 of 120 images .* the first is image 3"):
        check_released({**released, "attack": replace(released["attack"], releases=releases)})


def test_without_same_gender_pairs_on_both_splits_there_are_no_such_matches(released: Released) -> None:
    identity = released["test"].identity
    lonely = with_gender(released["test"], np.where(identity < 2, 1 - identity, -1))
    found = match_all({**released, "test": lonely}, MAP, 0)
    judgement = Judgement((), found.rows, {}, found.bootstrap_samples)
    assert {match.negatives for match in judgement.matches} == {"any"}
    assert judgement.best_same_gender_match("validation") is None
    assert np.isfinite([match.auc for match in judgement.matches]).all()
