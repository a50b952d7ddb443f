"""The rows and columns of the heat map of attacks, and its AUCs."""

from pathlib import Path

import polars as pl
import pytest

from analysis.summaries.attackers import MAX_DESIGNS, attacker_aucs
from analysis.tables.reader import open_tables, read_attacks, read_trials
from analysis.tables.schema import SCHEMAS
from tests.analysis.made_up import FULL, METHODS, write_study

ATTACKS = pl.DataFrame(SCHEMAS["attacks"].empty_table()).schema
ATTACK = {
    "split": "validation", "attribute": "gender", "attacker": "mlp", "reads": "single_release", "vantage": "attack",
    "releases": 1, "train_images": 100, "setting": "usual",
}  # fmt: skip
GOOD, BETTER = (
    {"attacker_auc_validation": attacker, "matching_auc_validation": matching}
    for attacker, matching in ((0.7, 0.8), (0.6, 0.7))
)


def attacks(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame([{**ATTACK, **row} for row in rows], schema=ATTACKS)


def test_an_attack_counts_folded_on_one_release_and_the_most_images(trials) -> None:
    frame = trials([GOOD])
    found = attacker_aucs(
        frame,
        attacks(
            {"trial_id": "t0000", "folded_auc": 0.8},
            {"trial_id": "t0000", "folded_auc": 0.9, "train_images": 50},
            {"trial_id": "t0000", "folded_auc": 0.95, "reads": "mean_of_ten"},
            {"trial_id": "t0000", "folded_auc": 0.99, "split": "test"},
            {"trial_id": "t0000", "folded_auc": 0.97, "reads": "person_scores"},
            {"trial_id": "t0000", "folded_auc": 0.7, "vantage": "train"},
            {"trial_id": "t0000", "folded_auc": 0.65, "vantage": "both"},
            {"trial_id": "t0000", "folded_auc": 0.6, "vantage": "other"},
        ),
    )
    assert found.rows() == [
        ("t0000", "mlp", 0.8),
        ("t0000", "mlp (own)", 0.7),
        ("t0000", "mlp (both)", 0.65),
        ("t0000", "mlp (other)", 0.6),
    ]


def test_designs_come_most_private_first_then_baselines_and_attackers_strongest_first(trials) -> None:
    frame = trials([GOOD, BETTER, {**GOOD, "phase": "baseline", "method": "random"}])
    # The AUCs on a baseline (t0002) do not count for the order of attackers.
    aucs = {
        "t0000": (0.6, 0.8),
        "t0001": (0.6, 0.8),
        "t0002": (1.0, 0.5),
    }
    rows = [
        {"trial_id": name, "attacker": who, "folded_auc": auc}
        for name, both in aucs.items()
        for who, auc in zip(("a_b", "c"), both, strict=True)
    ]
    found = attacker_aucs(frame, attacks(*rows))
    assert found["design"].unique(maintain_order=True).to_list() == ["t0001", "t0000", "random"]
    assert found["attacker"].unique(maintain_order=True).to_list() == ["c", "a b"]


def test_attackers_of_several_attributes_have_different_names(trials) -> None:
    rows = [{"trial_id": "t0000", "folded_auc": 0.6, "attribute": name} for name in ("gender", "young")]
    assert set(attacker_aucs(trials([GOOD]), attacks(*rows))["attacker"]) == {"gender: mlp", "young: mlp"}


def test_confirmed_designs_show_their_means_over_seeds(tmp_path: Path) -> None:
    study = open_tables(write_study(tmp_path / "study"))
    trials, table = read_trials(study), read_attacks(study)
    found = attacker_aucs(trials, table)
    shown = found["design"].unique(maintain_order=True).to_list()
    assert shown[-len(METHODS) :] == sorted(METHODS)
    design = shown[0]
    own = trials.filter(pl.col("design_id") == design, pl.col("phase") == "confirm")["trial_id"].to_list()
    of_mlp = table.filter(
        pl.col("trial_id").is_in(own), pl.col("attacker") == "mlp", pl.col("vantage") == "attack"
    )
    assert len(own) == of_mlp.height == 3
    cell = found.filter(pl.col("design") == design, pl.col("attacker") == "mlp")
    assert cell["folded_auc"].to_list() == pytest.approx([of_mlp["folded_auc"].mean()])
    assert found.filter(pl.col("design") == design).height == 2 * len(FULL)


def test_of_a_long_front_both_ends_are_shown(trials) -> None:
    count = 3 * MAX_DESIGNS
    frame = trials(
        [
            {"attacker_auc_validation": 0.5 + place / 1000, "matching_auc_validation": 0.6 + place / 1000}
            for place in range(count)
        ]
    )
    rows = [{"trial_id": name, "folded_auc": 0.6} for name in frame["trial_id"]]
    shown = attacker_aucs(frame, attacks(*rows))["design"].to_list()
    assert len(shown) == MAX_DESIGNS
    assert (shown[0], shown[-1]) == ("t0000", f"t{count - 1:04d}")
