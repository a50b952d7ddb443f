"""Checks the paper's claims against measured figures: the figures agree, disagree, or cannot tell."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.paper.run import AIA, AIA_WITHOUT_T, ORIGINAL, RANDOM, Design, PaperRun
from analysis.uncertainty.resampled import Estimate, Resampled, estimate

Verdict = Literal["agree", "disagree", "cannot tell", "not measured"]
ROUNDING = 1e-9  # smaller values count as 0: slopes over equal figures are 0 up to rounding only
FIXED_WEIGHT = 0.5  # the value of one weight while Figure 2 varies the other


@dataclass(frozen=True)
class Reading:
    """A way to measure a claim: the figures that stand for gender inference and for utility, and the pair's name."""

    name: str
    inference: str
    utility: str


# The paper measures accuracy. Balanced accuracy is 0.5 for guessing, however unequal the classes are.
TABLE_1 = Reading("in-loop accuracy", "in_loop_adversary_accuracy", "in_loop_matcher_accuracy")
BALANCED = Reading(
    "in-loop balanced accuracy", "in_loop_adversary_balanced_accuracy", "in_loop_matcher_accuracy"
)
FIGURE_2 = Reading("in-loop AUC", "in_loop_adversary_auc", "in_loop_matcher_auc")
FRESH = Reading("fresh AUC", "attacker_auc", "matching_auc")


@dataclass(frozen=True)
class Claim:
    """A statement of the paper, and its section and table or figure.

    `excess` computes a figure in `unit` that is above 0 if the run agrees with the statement. `in_loop` are the
    readings by the networks of the training loop, the paper's own first.
    """

    statement: str
    where: str
    in_loop: tuple[Reading, ...]
    unit: str
    excess: Callable[[PaperRun, Reading], Resampled]


@dataclass(frozen=True)
class CheckedClaim:
    """A claim checked in one reading: the measured excess with its interval, and the verdict."""

    claim: Claim
    reading: Reading
    excess: Estimate
    verdict: Verdict


def verdict(excess: Estimate) -> Verdict:
    """Return "agree" if the interval is above 0, "disagree" if it is below 0, "not measured" for NaN, else "cannot
    tell".

    Bounds within ROUNDING of 0 count as 0.
    """
    if np.isnan([excess.value, excess.low, excess.high]).any():
        return "not measured"
    if excess.low > ROUNDING:
        return "agree"
    return "disagree" if excess.high < -ROUNDING else "cannot tell"


def check_claims(run: PaperRun) -> list[CheckedClaim]:
    """Return every claim of CLAIMS checked against a run: in its in-loop readings, then with fresh networks."""
    return [_checked(claim, run, reading) for claim in CLAIMS for reading in (*claim.in_loop, FRESH)]


def _checked(claim: Claim, run: PaperRun, reading: Reading) -> CheckedClaim:
    excess = estimate(claim.excess(run, reading))
    return CheckedClaim(claim, reading, excess, verdict(excess))


def _more_private(more: Design, less: Design) -> Callable[[PaperRun, Reading], Resampled]:
    return lambda run, by: run.over_seeds(less, by.inference) - run.over_seeds(more, by.inference)


def _more_useful(more: Design, less: Design) -> Callable[[PaperRun, Reading], Resampled]:
    return lambda run, by: run.over_seeds(more, by.utility) - run.over_seeds(less, by.utility)


def _varied(run: PaperRun, weight: str) -> list[Design]:
    """Return AIA's designs in rising order of one weight ("alpha" or "beta"), with the other one at FIXED_WEIGHT."""
    fixed = "beta" if weight == "alpha" else "alpha"
    designs = [design for design in run.designs() if getattr(design, fixed) == FIXED_WEIGHT]
    return sorted(designs, key=lambda design: getattr(design, weight))


def _slope(run: PaperRun, weight: str, figure: str) -> Resampled:
    """Return the least-squares slope of a figure over a weight, per unit of the weight; NaN with fewer than two
    designs."""
    designs = _varied(run, weight)
    if len(designs) < 2:
        return np.full(1 + len(run.seed_counts), np.nan)
    weights = np.array([getattr(design, weight) for design in designs])
    centred = weights - weights.mean()
    figures = np.stack([run.over_seeds(design, figure) for design in designs])
    return (centred / (centred**2).sum()) @ figures


def _inference_falls_with_beta(run: PaperRun, by: Reading) -> Resampled:
    return -_slope(run, "beta", by.inference)


def _inference_rises_with_alpha(run: PaperRun, by: Reading) -> Resampled:
    return _slope(run, "alpha", by.inference)


def _utility_falls_past_alpha(run: PaperRun, by: Reading) -> Resampled:
    past_alpha = [design for design in _varied(run, "beta") if (design.beta or 0.0) > FIXED_WEIGHT]
    if not past_alpha:
        return np.full(1 + len(run.seed_counts), np.nan)
    utility = np.mean([run.over_seeds(design, by.utility) for design in past_alpha], axis=0)
    return run.over_seeds(AIA, by.utility) - utility


def _utility_costs_privacy(run: PaperRun, by: Reading) -> Resampled:
    """Return the covariance of gender inference and utility over the designs of Figure 2."""
    designs = {*_varied(run, "alpha"), *_varied(run, "beta")}
    if len(designs) < 2:
        return np.full(1 + len(run.seed_counts), np.nan)
    inference, utility = (
        np.stack([run.over_seeds(design, figure) for design in designs])
        for figure in (by.inference, by.utility)
    )
    return ((inference - inference.mean(0)) * (utility - utility.mean(0))).mean(0)


_Q1 = ("section 5.4, Q1, Table 1", (TABLE_1, BALANCED), "difference")
_Q2 = ("section 5.4, Q2, Table 1", (TABLE_1,), "difference")
_Q3 = ("section 5.4, Q3, Figure 2", (FIGURE_2,))

CLAIMS = (
    Claim("AIA hides gender better than Original", *_Q1, _more_private(AIA, ORIGINAL)),
    Claim("AIA\\T hides gender better than AIA", *_Q1, _more_private(AIA_WITHOUT_T, AIA)),
    Claim("Random hides gender better than AIA", *_Q1, _more_private(RANDOM, AIA)),
    Claim("Random hides gender better than AIA\\T", *_Q1, _more_private(RANDOM, AIA_WITHOUT_T)),
    Claim("AIA is more useful than AIA\\T", *_Q2, _more_useful(AIA, AIA_WITHOUT_T)),
    Claim("AIA is more useful than Random", *_Q2, _more_useful(AIA, RANDOM)),
    Claim("Original is more useful than AIA", *_Q2, _more_useful(ORIGINAL, AIA)),
    Claim("Random is the least useful: less than AIA\\T", *_Q2, _more_useful(AIA_WITHOUT_T, RANDOM)),
    Claim("Utility falls as β rises past α", *_Q3, "difference", _utility_falls_past_alpha),
    Claim("Gender inference falls as β rises", *_Q3, "per unit of β", _inference_falls_with_beta),
    Claim("Gender inference rises with α", *_Q3, "per unit of α", _inference_rises_with_alpha),
    Claim("More utility goes with less privacy", *_Q3, "covariance", _utility_costs_privacy),
)
