"""Certificate of a finite alphabet: an upper limit on the AUC of every attacker, from counts of people alone.

Let p and q be the probabilities of the released words among people with and without a binary attribute, and TV their
total variation distance. Every attacker's ROC curve lies below min(1, false positive rate + TV), so that its folded
AUC is at most 1 - (1 - TV)² / 2. The certificate bounds TV, and so holds for attackers that nobody has trained.

TV equals p(A) - q(A) for one set of words A that p and q alone determine. An upper limit on TV has to hold for this
set only, not for all 2^K sets at once; as A is unknown, the largest of all sets' limits is taken.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int8, Int32, Int64
from scipy.special import betainccinv, betaincinv

from aia_models.random_streams import stream_seed

MAX_WORDS = 4096
CONFIDENCE = 0.95

Counts = Int64[np.ndarray, " word"]


@dataclass(frozen=True)
class Certificate:
    """Limit that no attacker's folded AUC exceeds, at a confidence of `CONFIDENCE`.

    `method` names the tighter of the two bounds, `words` is the size of the alphabet and `people` the number of people
    counted.
    """

    bound: float
    method: Literal["hoeffding", "clopper_pearson"]
    words: int
    people: int


def certify(
    word: Int64[np.ndarray, " n"],
    identity: Int32[np.ndarray, " n"],
    attribute: Int8[np.ndarray, " n"],
    words: int,
    seed: int,
) -> Certificate:
    """Bound the folded AUC of every attacker that sees the word of one image of a person.

    Images of one person are not independent, so each person counts once, by an image drawn among those whose attribute
    is known (1 or 0, not -1). The alphabet of `words` codes from 0 is fixed before these people are seen, and the
    people are independent draws from those that the bound is about. Each of the two bounds fails with at most half of
    the probability that `CONFIDENCE` leaves, so that the smaller one holds. Without a person of one class the bound
    is 1.

    Raises ValueError for an alphabet of no or over `MAX_WORDS` words and for a code outside the alphabet.
    """
    if not 1 <= words <= MAX_WORDS:
        raise ValueError(f"an alphabet of {words} words cannot be certified, only one of 1 to {MAX_WORDS}")
    outside = word[(word < 0) | (word >= words)]
    if len(outside):
        raise ValueError(f"word {outside[0]} lies outside the alphabet of codes from 0 to {words - 1}")
    drawn = _image_of_each_person(identity, np.flatnonzero(attribute >= 0), seed)
    counts_1, counts_0 = (
        np.bincount(word[drawn][attribute[drawn] == value], minlength=words) for value in (1, 0)
    )
    delta = (1 - CONFIDENCE) / 2
    hoeffding = hoeffding_bound(counts_1, counts_0, delta)
    clopper_pearson = clopper_pearson_bound(counts_1, counts_0, delta)
    if hoeffding <= clopper_pearson:
        return Certificate(hoeffding, "hoeffding", words, len(drawn))
    return Certificate(clopper_pearson, "clopper_pearson", words, len(drawn))


def hoeffding_bound(counts_1: Counts, counts_0: Counts, delta: float) -> float:
    """Bound every attacker's folded AUC by the L1 distance between the two classes' word frequencies.

    With probability 1 - `delta`, TV <= ½ ‖p̂ - q̂‖₁ + √((1/n₁ + 1/n₀) ln(1/delta) / 2): the frequencies differ by at
    most the first term on the set A of the module's docstring, and Hoeffding's inequality gives the second for this one
    set. Weissman et al. (2003) bound the distance from both sides, for which they need all 2^K - 2 sets; the limit here
    is never above the one that follows from theirs.
    """
    people_1, people_0 = int(counts_1.sum()), int(counts_0.sum())
    if not people_1 or not people_0:
        return _attacker_auc_bound(1.0, len(counts_1))
    distance = np.abs(counts_1 / people_1 - counts_0 / people_0).sum() / 2
    deviation = math.sqrt((1 / people_1 + 1 / people_0) * math.log(1 / delta) / 2)
    return _attacker_auc_bound(float(distance) + deviation, len(counts_1))


def clopper_pearson_bound(counts_1: Counts, counts_0: Counts, delta: float) -> float:
    """Bound every attacker's folded AUC by the Clopper-Pearson limits of the probabilities of sets of words.

    With probability 1 - `delta`, the upper limit of p(A) and the lower limit of q(A), each at `delta` / 2, both hold
    for the set A of the module's docstring, so that TV is at most the largest difference of the two over all sets.
    FARE (Jovanović et al. 2023) takes limits of each single word instead, which share `delta` among 2K of them.
    """
    most_1 = _most_people_1(counts_1, counts_0)
    # Where `most_1` does not rise, fewer people of class 0 come with as many of class 1 and give a larger difference.
    inside_0 = np.flatnonzero(np.diff(most_1, prepend=-1))
    upper = _upper_limits(most_1[inside_0], int(counts_1.sum()), delta / 2)
    lower = _lower_limits(inside_0, int(counts_0.sum()), delta / 2)
    return _attacker_auc_bound(float((upper - lower).max()), len(counts_1))


def _attacker_auc_bound(total_variation: float, words: int) -> float:
    if words == 1:  # whoever always sees the same word learns nothing
        return 0.5
    return 1 - (1 - min(total_variation, 1.0)) ** 2 / 2


def _image_of_each_person(
    identity: Int32[np.ndarray, " n"], rows: Int64[np.ndarray, " known"], seed: int
) -> Int64[np.ndarray, " person"]:
    rng = np.random.default_rng(stream_seed(seed, "certificate", "images"))
    shuffled = rng.permutation(rows)
    return shuffled[np.unique(identity[shuffled], return_index=True)[1]]


def _most_people_1(counts_1: Counts, counts_0: Counts) -> Int64[np.ndarray, " people_0"]:
    """Return the most people of class 1 in any set of words that holds at most 0, 1, ... people of class 0.

    This is the knapsack problem, solved exactly by adding one word after the other.
    """
    most = np.zeros(counts_0.sum() + 1, np.int64)
    for people_1, people_0 in zip(counts_1, counts_0, strict=True):
        most[people_0:] = np.maximum(most[people_0:], most[: len(most) - people_0] + people_1)
    return most


def _upper_limits(inside: Int64[np.ndarray, " set"], people: int, delta: float) -> np.ndarray:
    limits = np.ones(len(inside))
    some_outside = inside < people
    limits[some_outside] = betainccinv(inside[some_outside] + 1, people - inside[some_outside], delta)
    return limits


def _lower_limits(inside: Int64[np.ndarray, " set"], people: int, delta: float) -> np.ndarray:
    limits = np.zeros(len(inside))
    some_inside = inside > 0
    limits[some_inside] = betaincinv(inside[some_inside], people - inside[some_inside] + 1, delta)
    return limits
