"""Measures how optimistic a search was: the search's figures of each confirmed design beside those of fresh seeds on
test.

A front found by search is too good, because it keeps the designs whose noise was favourable (the winner's curse).
"""

import polars as pl

from analysis.fronts.candidates import candidates, is_judged
from analysis.tables.objectives import ATTACKER, MATCHING

ATTACKER_TEST, MATCHING_TEST = "attacker_auc_test", "matching_auc_test"


def optimism(trials: pl.DataFrame) -> pl.DataFrame:
    """Return one row per confirmed design of a `trials` frame whose search trial is also in it and judged.

    Rows are sorted by rising attacker AUC of the search. Columns: `design_id`, `seeds` (number of fresh seeds),
    `attacker_search` and `matching_search` (AUCs of the search trial on validation identities), `attacker_test` and
    `matching_test` (AUCs on test identities, means over the fresh seeds).
    """
    search = (
        trials.filter(is_judged(), pl.col("phase") == "search")
        .select("design_id", "trial_id", attacker_search=ATTACKER.column, matching_search=MATCHING.column)
        .sort("attacker_search", "trial_id")
        .unique("design_id", keep="first", maintain_order=True)
        .drop("trial_id")
    )
    confirmed = (
        candidates(trials)
        .filter(pl.col("source") == "confirm")
        .select("design_id", "seeds", attacker_test=ATTACKER_TEST, matching_test=MATCHING_TEST)
        .filter(pl.col("attacker_test").is_finite(), pl.col("matching_test").is_finite())
    )
    return search.join(confirmed, on="design_id", maintain_order="left")
