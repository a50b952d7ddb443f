"""Outcomes of trials at the rungs of early stopping."""

import polars as pl

from analysis.summaries.rungs import CONTINUED, ENDED, STOPPED, judgements_by_epoch, rung_counts
from analysis.tables.schema import SCHEMAS

EPOCHS = pl.DataFrame(SCHEMAS["epochs"].empty_table()).schema
JUDGED = {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}


def epochs(trial: str, stage1: int, joint: int, judged: tuple[int, ...]) -> list[dict]:
    rows = [{"trial_id": trial, "epoch": number, "stage": "heads"} for number in range(1, stage1 + 1)]
    for number in range(1, joint + 1):
        row = {"trial_id": trial, "epoch": stage1 + number, "stage": "joint"}
        rows.append(row | JUDGED if number in judged else row)
    return rows


def test_a_trial_goes_on_until_it_is_stopped_or_ends(trials) -> None:
    statuses = ("complete", "stopped_early", "stopped_early", "failed", "complete")
    frame = trials([{"status": status} for status in statuses] + [{"phase": "baseline"}])
    table = pl.DataFrame(
        epochs("t0000", 2, 6, (2, 4, 6))
        + epochs("t0001", 3, 4, (2, 4))
        + epochs("t0002", 2, 2, (2,))
        + epochs("t0003", 2, 3, (2,))
        + epochs("t0004", 2, 6, (6,))
        + epochs("t0005", 2, 6, (2, 6)),
        schema=EPOCHS,
    )
    found = judgements_by_epoch(frame, table)
    outcomes = {}
    for trial, epoch, outcome in found.select("trial_id", "joint_epoch", "outcome").iter_rows():
        outcomes.setdefault(trial, {})[epoch] = outcome
    assert outcomes == {
        "t0000": {2: CONTINUED, 4: CONTINUED, 6: ENDED},
        "t0001": {2: CONTINUED, 4: STOPPED},
        "t0002": {2: STOPPED},
        "t0003": {2: CONTINUED},
        "t0004": {6: ENDED},
    }
    assert rung_counts(found).rows() == [(2, 4, 3), (4, 2, 1)]


def test_without_early_stopping_there_are_no_rungs(trials) -> None:
    table = pl.DataFrame(epochs("t0000", 1, 3, (3,)), schema=EPOCHS)
    assert rung_counts(judgements_by_epoch(trials([{}]), table)).is_empty()
