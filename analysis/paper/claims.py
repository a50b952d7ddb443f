"""What the paper claims, as statements that figures can agree with, disagree with, or leave open."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.paper.run import AIA, AIA_WITHOUT_T, ORIGINAL, RANDOM, Design, PaperRun
from analysis.uncertainty.resampled import Estimate, Resampled, estimate

Verdict = Literal["agree", "disagree", "cannot tell", "not measured"]
ROUNDING = 1e-9  # below this a figure is 0: slopes over equal figures are not, to the last digit
FIXED_WEIGHT = 0.5  # what Figure 2 holds one weight at while it varies the other


@dataclass(frozen=True)
class Reading:
    """Which figures stand for gender inference and for utility."""

    name: str
    inference: str
    utility: str


# Accuracy is the paper's; balanced accuracy is 0.5 by guessing, however unequal the classes are.
TABLE_1 = Reading("in-loop accuracy", "in_loop_adversary_accuracy", "in_loop_matcher_accuracy")
BALANCED = Reading(
    "in-loop balanced accuracy", "in_loop_adversary_balanced_accuracy", "in_loop_matcher_accuracy"
)
FIGURE_2 = Reading("in-loop AUC", "in_loop_adversary_auc", "in_loop_matcher_auc")
FRESH = Reading("fresh AUC", "attacker_auc", "matching_auc")


@dataclass(frozen=True)
class Claim:
    """A statement of the paper. `excess` is above 0 where figures agree with it, in `unit`; `in_loop` are the
    readings by the networks of the training loop, the paper's own first."""

    statement: str
    where: str
    in_loop: tuple[Reading, ...]
    unit: str
    excess: Callable[[PaperRun, Reading], Resampled]


@dataclass(frozen=True)
class CheckedClaim:
    """A claim against our figures in one reading."""

    claim: Claim
    reading: Reading
    excess: Estimate
    verdict: Verdict


def verdict(excess: Estimate) -> Verdict:
    """Agree above 0, disagree below, cannot tell where the interval reaches both sides or ends at 0 (to rounding)."""
    if np.isnan([excess.value, excess.low, excess.high]).any():
        return "not measured"
    if excess.low > ROUNDING:
        return "agree"
    return "disagree" if excess.high < -ROUNDING else "cannot tell"


def check_claims(run: PaperRun) -> list[CheckedClaim]:
    """Each claim in its in-loop readings, then by fresh attackers and matchers."""
    return [_checked(claim, run, reading) for claim in CLAIMS for reading in (*claim.in_loop, FRESH)]


def _checked(claim: Claim, run: PaperRun, reading: Reading) -> CheckedClaim:
    excess = estimate(claim.excess(run, reading))
    return CheckedClaim(claim, reading, excess, verdict(excess))


def _more_private(more: Design, less: Design) -> Callable[[PaperRun, Reading], Resampled]:
    return lambda run, by: run.over_seeds(less, by.inference) - run.over_seeds(more, by.inference)


def _more_useful(more: Design, less: Design) -> Callable[[PaperRun, Reading], Resampled]:
    return lambda run, by: run.over_seeds(more, by.utility) - run.over_seeds(less, by.utility)


def _varied(run: PaperRun, weight: str) -> list[Design]:
    """AIA's designs along one weight with the other held, in rising order."""
    held = "beta" if weight == "alpha" else "alpha"
    along = [design for design in run.designs() if getattr(design, held) == FIXED_WEIGHT]
    return sorted(along, key=lambda design: getattr(design, weight))


def _slope(run: PaperRun, weight: str, figure: str) -> Resampled:
    """Least-squares slope of a figure over the weight from 0 to 1; NaN with fewer than two designs."""
    designs = _varied(run, weight)
    if len(designs) < 2:
        return np.full(1 + len(run.seed_counts), np.nan)
    across = np.array([getattr(design, weight) for design in designs])
    centred = across - across.mean()
    figures = np.stack([run.over_seeds(design, figure) for design in designs])
    return (centred / (centred**2).sum()) @ figures


def _inference_falls_with_beta(run: PaperRun, by: Reading) -> Resampled:
    return -_slope(run, "beta", by.inference)


def _inference_rises_with_alpha(run: PaperRun, by: Reading) -> Resampled:
    return _slope(run, "alpha", by.inference)


def _utility_falls_past_alpha(run: PaperRun, by: Reading) -> Resampled:
    beyond = [design for design in _varied(run, "beta") if (design.beta or 0.0) > FIXED_WEIGHT]
    if not beyond:
        return np.full(1 + len(run.seed_counts), np.nan)
    there = np.mean([run.over_seeds(design, by.utility) for design in beyond], axis=0)
    return run.over_seeds(AIA, by.utility) - there


def _utility_costs_privacy(run: PaperRun, by: Reading) -> Resampled:
    """Covariance of inference and utility over the designs of Figure 2."""
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
