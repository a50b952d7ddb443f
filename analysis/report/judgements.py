"""What each fresh attacker and matcher reached on a report's designs, means over their seeds."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from analysis.tables.reader import StudyTables, read_attacks, read_matches

DIGITS = 4
Judgements = Mapping[str, list[dict[str, Any]]]


def attacks_by_design(study: StudyTables, members: pl.DataFrame) -> Judgements:
    """Return per design its attackers, the strongest on validation first: `name`, `validation` and `test`, folded
    ROC AUCs or None. Of an attacker with a learning curve the one with all images counts.

    `members` says which trials are averaged (`Designs.members`).
    """
    attacks = read_attacks(study)
    key = ["attribute", "attacker", "vantage", "releases"]
    most = pl.col("train_images").max().over("trial_id", "split", *key)
    with_all_images = attacks.filter(pl.col("train_images") == most).with_columns(
        name=_attacker(several_attributes=attacks["attribute"].n_unique() > 1)
    )
    return _by_design(with_all_images, "folded_auc", members)


def matches_by_design(study: StudyTables, members: pl.DataFrame) -> Judgements:
    """Return per design its matchers, the best on validation first, like `attacks_by_design`."""
    same_gender = pl.col("negatives") == "same_gender"
    pairs = pl.when(same_gender).then(pl.lit(", same-gender pairs")).otherwise(pl.lit(""))
    named = read_matches(study).with_columns(name=_words("matcher") + pairs)
    return _by_design(named, "auc", members)


def _by_design(judged: pl.DataFrame, figure: str, members: pl.DataFrame) -> Judgements:
    means = {
        split: pl.col(figure).filter(pl.col("split") == split).mean().round(DIGITS)
        for split in ("validation", "test")
    }
    rows = (
        judged.join(members, on="trial_id")
        .group_by("design", "name")
        .agg(**means)
        .sort("validation", "name", descending=[True, False], nulls_last=True)
    )
    return {
        design: of_one.drop("design").to_dicts()
        for (design,), of_one in rows.group_by("design", maintain_order=True)
    }


def _attacker(*, several_attributes: bool) -> pl.Expr:
    """In words, what an attacker is, reads and learned from."""
    about = pl.lit(" of ") + _words("attribute") if several_attributes else pl.lit("")
    releases = pl.col("releases").fill_null(1)
    mean = pl.lit(", mean of ") + releases.cast(pl.String) + pl.lit(" releases")
    repeated = pl.when(releases > 1).then(mean).otherwise(pl.lit(""))
    insider = pl.when(pl.col("vantage") == "train").then(pl.lit(", from train people")).otherwise(pl.lit(""))
    return _words("attacker") + about + repeated + insider


def _words(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all("_", " ", literal=True)
