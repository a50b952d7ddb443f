"""Collects the AUCs of all fresh attackers and matchers on the designs of a report, as means over seeds."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from analysis.tables.reader import StudyTables, read_attacks, read_matches

DIGITS = 4
# What an attacker reads and the people it was fitted on, as its name ends.
READS = {
    "single_release": "",
    "mean_of_ten": ", mean of 10 releases",
    "person_scores": ", scores of a person's images",
    "person_representations": ", a person's images together",
    "gallery": ", with a gallery",
    "decoded_image": ", decoded images",
}
VANTAGES = {
    "attack": "",
    "train": ", from train people",
    "both": ", from both splits' people",
    "other": ", from another data set",
}
Judgements = Mapping[str, list[dict[str, Any]]]


def attacks_by_design(study: StudyTables, members: pl.DataFrame) -> Judgements:
    """Return the attackers of each design, by the design's `trial_id`, the strongest on validation first.

    An entry has the attacker's `name` and its folded ROC AUCs on `validation` and `test`, None if missing. Each
    attacker counts as fitted on the most images. `members` says which trials each design averages, as
    `Designs.members` does.
    """
    attacks = read_attacks(study)
    key = ["attribute", "attacker", "vantage", "reads"]
    most = pl.col("train_images").max().over("trial_id", "split", *key)
    with_all_images = attacks.filter(pl.col("train_images") == most).with_columns(
        name=_attacker(several_attributes=attacks["attribute"].n_unique() > 1)
    )
    return _by_design(with_all_images, "folded_auc", members)


def matches_by_design(study: StudyTables, members: pl.DataFrame) -> Judgements:
    """Return the matchers of each design, the best on validation first, in the form of `attacks_by_design`."""
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
    """Return an attacker's name in words: its kind, the attribute, what it reads, the people it was fitted on."""
    about = pl.lit(" of ") + _words("attribute") if several_attributes else pl.lit("")
    reads = pl.col("reads").replace_strict(READS, return_dtype=pl.String)
    people = pl.col("vantage").replace_strict(VANTAGES, return_dtype=pl.String)
    return _words("attacker") + about + reads + people


def _words(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all("_", " ", literal=True)
