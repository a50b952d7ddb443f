"""How optimistic a search was: what it read of each confirmed design, and what fresh seeds and test identities say."""

import polars as pl

from analysis.fronts.candidates import candidates, judged
from analysis.tables.objectives import ATTACKER, MATCHING

ATTACKER_TEST, MATCHING_TEST = "attacker_auc_test", "matching_auc_test"


def optimism(trials: pl.DataFrame) -> pl.DataFrame:
    """Return a row per confirmed design of which the search row is there, by rising attacker AUC of the search.

    Columns: `design_id`, `seeds` (how many fresh ones), `attacker_search` and `matching_search` (AUCs that the search
    read, on validation), `attacker_test` and `matching_test` (means of the fresh seeds, on test).
    """
    search = (
        trials.filter(judged(), pl.col("phase") == "search")
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
