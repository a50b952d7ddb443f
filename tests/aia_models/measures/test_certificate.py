"""The certificate holds for the best attacker on drawn people, and is as tight as its formulas say."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from aia_models.measures.certificate import (
    CONFIDENCE,
    MAX_WORDS,
    Certificate,
    certify,
    clopper_pearson_bound,
    hoeffding_bound,
)
from aia_models.measures.metrics import weighted_aucs

DELTA = (1 - CONFIDENCE) / 2
Counts = tuple[np.ndarray, np.ndarray]
Bound = Callable[[np.ndarray, np.ndarray, float], float]
BOUNDS: list[Bound] = [hoeffding_bound, clopper_pearson_bound]
DRAWS = 1_000

few = settings(max_examples=60, deadline=None)
both_bounds = pytest.mark.parametrize("bound", BOUNDS)


@st.composite
def drawn_counts(draw: st.DrawFn, most_words: int = 6) -> Counts:
    """Return the counts of both classes over up to `most_words` words, with a person of each class."""
    words = draw(st.integers(2, most_words))
    counts = st.lists(st.integers(0, 40), min_size=words, max_size=words).filter(any)
    return np.array(draw(counts)), np.array(draw(counts))


def rows_of(counts_1: np.ndarray, counts_0: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return words, identities and attributes of one image of each counted person."""
    codes = np.arange(len(counts_1))
    word = np.r_[np.repeat(codes, counts_1), np.repeat(codes, counts_0)]
    attribute = np.repeat(np.array([1, 0], np.int8), [counts_1.sum(), counts_0.sum()])
    return word, np.arange(len(word), dtype=np.int32), attribute


def at_distance(total_variation: float) -> float:
    """Return the largest AUC at a total variation distance: the area under min(1, x + TV)."""
    return 0.5 + total_variation - total_variation**2 / 2


def distance(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.abs(p - q).sum() / 2)


def best_attacker_auc(p: np.ndarray, q: np.ndarray) -> float:
    """Return the AUC of the attacker that orders the words by likelihood ratio, which no other one exceeds."""
    ratio = p / (p + q)
    positive = np.repeat([True, False], len(p))
    return float(weighted_aucs(np.r_[ratio, ratio], positive, np.r_[p, q][None])[0])


def uniform(words: int) -> np.ndarray:
    return np.full(words, 1 / words)


def dirichlet(words: int, concentration: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(words, concentration)) * (1 - 1e-9) + 1e-9 / words


def only_one_class(share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return three words of which the outer two each occur in one class only: here the AUC is `at_distance(share)`."""
    return np.array([share, 1 - share, 0]), np.array([0, 1 - share, share])


# The probabilities p and q, then the people of class 1 and of class 0.
POPULATIONS: dict[str, tuple[np.ndarray, np.ndarray, int, int]] = {
    "equal, 16 words": (uniform(16), uniform(16), 52, 156),
    "equal, nearly one word": (np.array([0.001, 0.999]), np.array([0.001, 0.999]), 50, 100),
    "rare words": (*only_one_class(0.001), 100, 100),
    "words near the limit of none seen": (*only_one_class(0.043), 100, 100),
    "frequent words": (*only_one_class(0.3), 100, 100),
    "nearly separate": (np.array([0.999, 0.001]), np.array([0.001, 0.999]), 30, 60),
    "two words, class 0 well known": (np.array([0.6, 0.4]), np.array([0.4, 0.6]), 100, 2_000),
    "a word that class 0 lacks": (np.array([0.043, 0.957]), np.array([1e-9, 1 - 1e-9]), 100, 500),
    "few of class 1": (dirichlet(5, 1.0, 1), dirichlet(5, 1.0, 2), 5, 500),
    "64 words": (dirichlet(64, 0.3, 3), dirichlet(64, 0.3, 4), 100, 100),
}


def test_bounds_hold_for_the_best_attacker_on_drawn_people() -> None:
    """Each of 10,000 samples is drawn from a population whose best attacker's AUC is known exactly.

    A bound on TV that is too low often stays above the AUC, which mostly lies far below 1 - (1 - TV)² / 2. Failures are
    therefore counted against this larger number; against the AUC they are fewer.
    """
    below_best: list[np.ndarray] = []
    for name, (p, q, people_1, people_0) in POPULATIONS.items():
        rng = np.random.default_rng(0)
        samples = zip(rng.multinomial(people_1, p, DRAWS), rng.multinomial(people_0, q, DRAWS), strict=True)
        bounds = np.array(
            [
                [bound(counts_1, counts_0, DELTA) for bound in BOUNDS]
                + [at_distance(distance(counts_1 / people_1, counts_0 / people_0))]
                for counts_1, counts_0 in samples
            ]
        )
        best, largest = best_attacker_auc(p, q), at_distance(distance(p, q))
        assert best <= largest + 1e-12
        failures = (bounds[:, :2] < largest).mean(0)
        assert failures.max() <= DELTA, f"{name}: {failures}"
        assert (bounds[:, :2].min(1) < largest).mean() <= 1 - CONFIDENCE, name
        below_best.append(bounds < best - 1e-12)
    hoeffding, clopper_pearson, plug_in = np.concatenate(below_best).mean(0)
    assert hoeffding <= DELTA
    assert clopper_pearson <= DELTA
    assert plug_in > 1 - CONFIDENCE, "frequencies without a margin do fail, so that failures can be seen here"


@given(drawn_counts())
@few
def test_certificate_is_the_tighter_bound_at_half_of_the_error_each(
    counts: Counts,
) -> None:
    hoeffding, clopper_pearson = (bound(*counts, DELTA) for bound in BOUNDS)
    found = certify(*rows_of(*counts), words=len(counts[0]), seed=0)
    method = "hoeffding" if hoeffding <= clopper_pearson else "clopper_pearson"
    assert found == Certificate(
        min(hoeffding, clopper_pearson), method, len(counts[0]), int(sum(map(np.sum, counts)))
    )


def test_each_method_is_the_tighter_one_somewhere() -> None:
    spread, same = np.full(4, 100), np.array([400, 0, 0, 0])
    assert certify(*rows_of(spread, spread), words=4, seed=0).method == "hoeffding"
    assert certify(*rows_of(same, same), words=4, seed=0).method == "clopper_pearson"


def test_hoeffding_bound_by_hand() -> None:
    """Equal frequencies leave the margin alone: √((1/209 + 1/627) ln(1/0.025) / 2) = 0.1085, an AUC of 0.6026."""
    spread_1, spread_0 = np.full(11, 19), np.full(11, 57)
    assert hoeffding_bound(spread_1, spread_0, 0.025) == pytest.approx(0.6026, abs=5e-5)


def test_hoeffding_bound_of_835_people_that_release_nothing_is_about_0_7() -> None:
    """Frequencies of 16 words among 209 and 626 people differ by chance, by a distance of 0.12 on average."""
    rng = np.random.default_rng(0)
    samples = zip(rng.multinomial(209, uniform(16), 200), rng.multinomial(626, uniform(16), 200), strict=True)
    assert np.mean([hoeffding_bound(*counts, DELTA) for counts in samples]) == pytest.approx(0.70, abs=0.015)


@given(drawn_counts(4))
@example((np.array([3, 0]), np.array([30, 0])))  # the set of the word that nobody has is the worst
@settings(max_examples=25, deadline=None)
def test_clopper_pearson_bound_is_the_worst_of_all_sets_of_words(
    counts: Counts,
) -> None:
    """SciPy's exact binomial intervals and a loop over all sets replace the knapsack and the beta quantiles."""
    counts_1, counts_0 = counts
    limits = []
    for chosen in product([0, 1], repeat=len(counts_1)):
        inside_1, inside_0 = int(counts_1 @ chosen), int(counts_0 @ chosen)
        upper = binomtest(inside_1, int(counts_1.sum()), alternative="less").proportion_ci(1 - DELTA / 2)
        lower = binomtest(inside_0, int(counts_0.sum()), alternative="greater").proportion_ci(1 - DELTA / 2)
        limits.append(upper.high - lower.low)
    assert clopper_pearson_bound(*counts, DELTA) == pytest.approx(at_distance(max(limits)), abs=1e-8)


@both_bounds
@given(counts=drawn_counts(20), times=st.integers(2, 5), seed=st.integers(0, 2**32 - 1))
@few
def test_bounds_exceed_the_frequencies_and_fall_with_more_people(
    bound: Bound, counts: Counts, times: int, seed: int
) -> None:
    counts_1, counts_0 = counts
    found = bound(counts_1, counts_0, DELTA)
    plug_in = at_distance(distance(counts_1 / counts_1.sum(), counts_0 / counts_0.sum()))
    assert 0.5 <= plug_in < found < 1 or found == 1
    more = bound(counts_1 * times, counts_0 * times, DELTA)
    assert more < found or found == 1
    order = np.random.default_rng(seed).permutation(len(counts_1))
    assert bound(counts_1[order], counts_0[order], DELTA) == pytest.approx(found, abs=1e-12)
    assert bound(counts_0, counts_1, DELTA) == pytest.approx(found, abs=1e-12), "either class may be called 1"


@both_bounds
def test_without_a_person_of_a_class_nothing_is_certified(bound: Bound) -> None:
    some, none = np.array([5, 5]), np.array([0, 0])
    assert bound(some, none, DELTA) == bound(none, some, DELTA) == bound(none, none, DELTA) == 1


@both_bounds
def test_one_word_tells_nothing(bound: Bound) -> None:
    assert bound(np.array([3]), np.array([7]), DELTA) == 0.5


def test_words_that_nobody_has_belong_to_the_alphabet() -> None:
    """The one word seen may not be the only one, so that the bound lies above 0.5."""
    rows = rows_of(np.array([40]), np.array([40]))
    assert certify(*rows, words=1, seed=0).bound == 0.5
    assert 0.5 < certify(*rows, words=2, seed=0).bound < 1


def test_a_person_counts_once_by_an_image_drawn_at_random() -> None:
    """One image in four of the 100 people of class 1 shows word 1, and all other images show word 0."""
    identity = np.repeat(np.arange(400, dtype=np.int32), 4)
    attribute = (identity < 100).astype(np.int8)
    word = np.tile([0, 0, 0, 1], 400) * attribute
    order = np.random.default_rng(0).permutation(len(word))
    rows = word[order], identity[order], attribute[order]
    found = [certify(*rows, words=2, seed=seed) for seed in range(60)]
    assert {one.people for one in found} == {400}
    expected = min(bound(np.array([75, 25]), np.array([300, 0]), DELTA) for bound in BOUNDS)
    # Between the draws the share of word 1 has a deviation of 0.043, and their mean one of 0.0056.
    assert np.mean([one.bound for one in found]) == pytest.approx(expected, abs=0.015)
    assert len({one.bound for one in found}) > 1, "another seed draws other images"
    assert certify(*rows, words=2, seed=7) == found[7]


def test_further_images_of_the_same_people_add_no_confidence() -> None:
    rows = rows_of(np.array([30, 10]), np.array([10, 30]))
    many = [np.repeat(column, 5) for column in rows]
    assert certify(*many, words=2, seed=0) == certify(*rows, words=2, seed=0)


def test_the_class_of_a_person_is_that_of_the_drawn_image() -> None:
    """All 400 people have images of both classes, and the word tells which class an image belongs to."""
    identity = np.repeat(np.arange(400, dtype=np.int32), 4)
    attribute = np.tile(np.array([0, 0, 0, 1], np.int8), 400)
    assert certify(attribute.astype(np.int64), identity, attribute, words=2, seed=0).bound == 1


def test_images_of_unknown_attribute_are_left_out_before_the_draw() -> None:
    word, identity, attribute = rows_of(np.array([30, 10]), np.array([10, 30]))
    known = certify(word, identity, attribute, words=2, seed=0)
    unknown = np.full(len(word), -1, np.int8)
    twice = np.r_[word, 1 - word], np.r_[identity, identity], np.r_[attribute, unknown]
    assert certify(*twice, words=2, seed=0) == known
    nobody = certify(word, identity, unknown, words=2, seed=0)
    assert (nobody.bound, nobody.people) == (1, 0)


def test_codes_and_sizes_outside_the_alphabet_are_refused() -> None:
    word, identity, attribute = rows_of(np.array([2, 2]), np.array([2, 2]))
    for wrong in (-1, 2):
        with pytest.raises(ValueError, match=f"word {wrong} lies outside the alphabet of codes from 0 to 1"):
            certify(np.where(word == 1, wrong, word), identity, attribute, words=2, seed=0)
    for words in (0, MAX_WORDS + 1):
        with pytest.raises(ValueError, match=f"an alphabet of {words} words cannot be certified"):
            certify(word, identity, attribute, words=words, seed=0)
    assert certify(word, identity, attribute, words=MAX_WORDS, seed=0).words == MAX_WORDS
