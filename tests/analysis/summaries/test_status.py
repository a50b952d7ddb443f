import json

import pytest

from analysis.summaries.evidence import evidence
from analysis.summaries.status import status_summary
from analysis.tables.reader import open_tables


def test_summary_counts_judges_and_lists_errors(study_directory, trials) -> None:
    rows = [
        {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7, "checkpoint": "checkpoints/a"},
        {"attacker_auc_validation": 0.8, "matching_auc_validation": 0.75},
        {
            "attacker_auc_validation": 0.9,
            "matching_auc_validation": 0.74,
            "phase": "baseline",
            "method": "random",
        },
        {"status": "stopped_early", "attacker_auc_validation": 0.5, "matching_auc_validation": 0.9},
        {"status": "failed", "error": "out of memory"},
    ]
    summary = status_summary(open_tables(study_directory(trials(rows))))
    assert summary["trials"] == 5
    assert summary["phases"] == {
        "search": {"complete": 2, "stopped_early": 1, "failed": 1, "diverged": 0},
        "confirm": {"complete": 0, "stopped_early": 0, "failed": 0, "diverged": 0},
        "baseline": {"complete": 1, "stopped_early": 0, "failed": 0, "diverged": 0},
    }
    assert (summary["source"], summary["front"]) == ("search", 2)
    assert summary["hypervolume"] == pytest.approx(0.4 * 0.2 + 0.2 * 0.05)
    assert summary["best"] == {
        "attacker_auc_validation": {"value": 0.6, "trial_id": "t0000", "checkpoint": "checkpoints/a"},
        "matching_auc_validation": {"value": 0.75, "trial_id": "t0001", "checkpoint": None},
    }
    assert summary["errors"] == [
        {"trial_id": "t0004", "phase": "search", "status": "failed", "error": "out of memory"}
    ]
    assert json.loads(json.dumps(summary)) == summary


def test_a_study_of_failures_still_has_a_status(study_directory, trials) -> None:
    summary = status_summary(open_tables(study_directory(trials([{"status": "diverged", "error": "NaN"}]))))
    assert (summary["front"], summary["hypervolume"], summary["source"]) == (0, 0.0, None)
    assert summary["best"] == {"attacker_auc_validation": None, "matching_auc_validation": None}


def test_evidence_counts_search_trials_by_status_and_seeds(trials) -> None:
    rows = [{}, {}, {"status": "stopped_early"}, {"phase": "baseline", "seed": 7}]
    expected = "3 search trials: 2 complete, 1 stopped early; 1 seed; split: validation"
    assert evidence(trials(rows)) == expected


def test_evidence_names_confirmed_designs_and_their_seeds(trials) -> None:
    judged = {"phase": "confirm", "attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}
    rows = [{}, *({**judged, "design_id": design, "seed": seed} for design in "ab" for seed in (1, 2, 3))]
    expected = "1 search trial: 1 complete; 1 seed; 2 designs confirmed on 3 fresh seeds"
    assert evidence(trials(rows)) == f"{expected}; split: validation"


def test_evidence_of_nothing_makes_nothing_up(trials) -> None:
    assert evidence(trials([])) == "0 search trials; 0 seeds; split: validation"
