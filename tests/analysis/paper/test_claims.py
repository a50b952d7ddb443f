"""Verdicts follow intervals; made-up runs make the paper's claims right, wrong or undecided."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.paper.claims import BALANCED, CLAIMS, FIGURE_2, FRESH, ROUNDING, TABLE_1, check_claims, verdict
from analysis.paper.run import AIA, AIA_WITHOUT_T, ORIGINAL, RANDOM, Design, PaperRun
from analysis.uncertainty.resampled import Estimate
from tests.analysis.paper.paper_runs import run_of

READINGS = (TABLE_1, BALANCED, FIGURE_2, FRESH)
NUMBERS = st.floats(-1, 1, allow_nan=False)


def figures(inference: float, utility: float) -> dict[str, float]:
    return {
        name: value
        for reading in READINGS
        for name, value in ((reading.inference, inference), (reading.utility, utility))
    }


def as_the_paper_says(sign: int = 1, seeds: int = 3) -> PaperRun:
    """Return a run in which every claim holds if `sign` is 1 and none holds if it is -1."""

    def of(inference: float, utility: float) -> dict[str, float]:
        return figures(0.65 + sign * (inference - 0.65), 0.75 + sign * (utility - 0.75))

    run = {
        ORIGINAL: of(0.80, 0.90),
        RANDOM: of(0.52, 0.55),
        AIA: of(0.65, 0.75),
        AIA_WITHOUT_T: of(0.62, 0.70),
    }
    run |= {
        Design("aia", 0.5, beta): of(0.65 - 0.1 * (beta - 0.5), 0.75 - 0.1 * (beta - 0.5)) for beta in (0, 1)
    }
    run |= {Design("aia", 1.0, 0.5): of(0.70, 0.78)}
    return run_of(run, seeds=seeds)


def verdicts(run: PaperRun) -> dict[str, set[str]]:
    found = {claim.statement: set() for claim in CLAIMS}
    for one in check_claims(run):
        found[one.claim.statement].add(one.verdict)
    return found


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_verdict_follows_the_interval_and_its_mirror_image_the_opposite(
    a: float, b: float, c: float
) -> None:
    low, value, high = sorted((a, b, c))
    opposite = {"agree": "disagree", "disagree": "agree", "cannot tell": "cannot tell"}
    found = verdict(Estimate(value, low, high))
    assert verdict(Estimate(-value, -high, -low)) == opposite[found]
    assert (found == "cannot tell") == (low <= ROUNDING and high >= -ROUNDING)
    assert (found == "agree") == (low > ROUNDING)


def test_figures_that_do_not_move_at_all_support_no_claim() -> None:
    further = [Design("aia", 0.5, beta) for beta in (0.0, 0.1, 0.25, 0.75, 1.0)]
    further += [Design("aia", alpha, 0.5) for alpha in (0.1, 0.25, 0.75, 1.0)]
    run = {design: figures(0.95, 1.0) for design in (ORIGINAL, RANDOM, AIA, AIA_WITHOUT_T, *further)}
    found = verdicts(run_of(run, seeds=1)).values()
    assert {one for verdicts_on_a_claim in found for one in verdicts_on_a_claim} == {"cannot tell"}


@given(NUMBERS, st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 1))
def test_a_larger_excess_never_agrees_less(value: float, below: float, above: float, more: float) -> None:
    order = ["disagree", "cannot tell", "agree"]
    one, other = (verdict(Estimate(v, v - below, v + above)) for v in (value, value + more))
    assert order.index(other) >= order.index(one)


def test_what_is_not_measured_has_no_verdict() -> None:
    assert verdict(Estimate(np.nan, np.nan, np.nan)) == "not measured"
    assert verdict(Estimate(0.1, np.nan, np.nan)) == "not measured"


@pytest.mark.parametrize("seeds", [1, 3])
def test_every_claim_agrees_where_the_paper_is_right(seeds: int) -> None:
    assert all(found == {"agree"} for found in verdicts(as_the_paper_says(seeds=seeds)).values())


def test_every_claim_but_the_trade_off_disagrees_the_other_way_round() -> None:
    found = verdicts(as_the_paper_says(sign=-1))
    trade_off = found.pop("More utility goes with less privacy")
    assert trade_off == {"agree"}, "both figures are turned round, so they still move together"
    assert all(kinds == {"disagree"} for kinds in found.values())


CLAIM = "AIA hides gender better than Original"


def test_seeds_that_contradict_each_other_leave_a_claim_open() -> None:
    """The mean agrees with the claim, but one of three seeds contradicts it."""
    original = {ORIGINAL: figures(0.8, 0.9)}
    differ = run_of({AIA: {FRESH.inference: [0.5, 0.7, 1.0]}, **original})
    assert "cannot tell" in verdicts(differ)[CLAIM]
    alike = run_of({AIA: {FRESH.inference: [0.5, 0.7, 0.79]}, **original})
    assert verdicts(alike)[CLAIM] == {"agree"}


def test_people_that_all_designs_share_cancel_out_of_differences() -> None:
    """A difference between designs is paired, so the variance among the judged people cancels out."""
    run = run_of({AIA: figures(0.6, 0.7), ORIGINAL: figures(0.8, 0.9)}, people=0.3)
    found = next(one for one in check_claims(run) if one.claim.statement == CLAIM)
    assert (found.excess.low, found.excess.high) == pytest.approx((0.2, 0.2))


def test_readings_are_the_papers_then_fresh() -> None:
    by_claim: dict[str, list[str]] = {}
    for one in check_claims(as_the_paper_says()):
        by_claim.setdefault(one.claim.statement, []).append(one.reading.name)
    assert by_claim["AIA hides gender better than Original"] == [TABLE_1.name, BALANCED.name, FRESH.name]
    assert by_claim["Utility falls as β rises past α"] == [FIGURE_2.name, FRESH.name]


def test_a_design_that_failed_leaves_its_claims_unmeasured() -> None:
    found = verdicts(run_of({AIA: figures(0.6, 0.7), ORIGINAL: figures(0.8, 0.9)}))
    assert found["Random hides gender better than AIA"] == {"not measured"}
    assert found["Gender inference falls as β rises"] == {"not measured"}
    assert found["Utility falls as β rises past α"] == {"not measured"}
    assert found["AIA hides gender better than Original"] == {"agree"}


def test_slopes_are_least_squares_over_the_weight() -> None:
    betas = np.array([0.0, 0.1, 0.5, 0.75, 1.0])
    inference = np.array([0.9, 0.7, 0.75, 0.6, 0.65])
    run = run_of({Design("aia", 0.5, b): figures(i, 0.7) for b, i in zip(betas, inference, strict=True)})
    found = next(c for c in check_claims(run) if c.claim.statement == "Gender inference falls as β rises")
    assert found.excess.value == pytest.approx(-np.polyfit(betas, inference, 1)[0])
