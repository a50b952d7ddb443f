"""If the journal is damaged, cut or missing, the search continues from the tables."""

import os
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from analysis.tables.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES
from search_spaces.spaces import SPACES
from study.search.journal import Journal
from study.search.proposals import Proposals
from study.spec.choices import SAMPLERS, Sampler
from study.storage import retry

SPACE = SPACES["architecture"]
ENDS = ("complete", "stopped_early", "failed", "complete", "diverged")
STATES = {"complete": TrialState.COMPLETE, "stopped_early": TrialState.PRUNED}


def proposals(directory: Path, sampler: Sampler = "random") -> Proposals:
    return Proposals(directory, "study", SPACE, sampler, 0, SEARCH_OBJECTIVES)


def rows_of(search: Proposals, trials: int) -> list[dict]:
    """Ask for `trials` designs, tell their ends, and return their rows of `trials`."""
    rows = []
    for step in range(trials):
        proposal, status = search.ask(), ENDS[step % len(ENDS)]
        judged = {ATTACKER.column: 0.5 + step / 100, MATCHING.column: 0.6 + step / 100}
        figures = judged if status in STATES else {}
        search.tell(proposal.optuna_number, status, figures)  # type: ignore[arg-type]
        names = dict.fromkeys(SPACE.parameters) | dict(proposal.values)
        rows.append({"optuna_number": proposal.optuna_number, "status": status, **names, **figures})
    return rows


def recorded(directory: Path) -> list[FrozenTrial]:
    storage = JournalStorage(JournalFileBackend(str(directory / "search.journal")))
    return optuna.load_study(study_name="study", storage=storage).trials


def alike(trial: FrozenTrial) -> tuple:
    return trial.number, trial.state, trial.params, trial.values


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("left", [0, 1, 5])
def test_trials_that_the_journal_lost_come_back_from_their_rows(tmp_path, sampler, left):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    rows = rows_of(proposals(whole, sampler), 8)
    rows_of(proposals(cut, sampler), left)
    search = proposals(cut, sampler)
    search.restore_lost_trials(rows)
    assert [alike(trial) for trial in recorded(cut)] == [alike(trial) for trial in recorded(whole)]
    assert search.running() == []
    assert search.ask() == proposals(whole, sampler).ask()
    search.restore_lost_trials(rows)
    assert len(recorded(cut)) == 9, "what is there is left alone"


def test_a_trial_that_neither_knows_keeps_its_place(tmp_path):
    (tmp_path / "whole").mkdir()
    rows = [row for row in rows_of(proposals(tmp_path / "whole"), 8) if row["optuna_number"] != 5]
    search = proposals(tmp_path)
    search.restore_lost_trials(reversed(rows))
    assert [trial.number for trial in recorded(tmp_path)] == list(range(8))
    assert recorded(tmp_path)[5].state == TrialState.FAIL
    assert search.ask().optuna_number == 8


@pytest.mark.parametrize("torn", [b'{"op_code": 4, "wor', b"\0\0\0", b'{"op_code"'])
def test_a_torn_last_line_is_cut_off(tmp_path, torn):
    rows_of(proposals(tmp_path), 3)
    path = tmp_path / "search.journal"
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    search = proposals(tmp_path)
    assert search.ask().optuna_number == 3
    assert path.read_bytes().startswith(whole)
    assert len(recorded(tmp_path)) == 4


def test_a_write_that_fails_half_way_leaves_no_torn_line(tmp_path, monkeypatch):
    monkeypatch.setattr(retry, "PATIENCE_SECONDS", 0.0)
    search = proposals(tmp_path)
    rows_of(search, 2)
    before = (tmp_path / "search.journal").read_bytes()
    with monkeypatch.context() as patch:

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            search.ask()
    assert (tmp_path / "search.journal").read_bytes() == before
    assert proposals(tmp_path).ask().optuna_number == 2


def test_it_waits_for_a_storage_that_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(retry, "POLL_SECONDS", 0.01)
    journal = Journal(tmp_path / "search.journal", "study", SEARCH_OBJECTIVES)
    fsync, failures = os.fsync, [OSError(5, "Input/output error")] * 3

    def away(descriptor: int) -> None:
        if failures:
            raise failures.pop()
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", away)
    journal.set_user_attr("key", "value")
    assert failures == []
    assert Journal(tmp_path / "search.journal", "study", SEARCH_OBJECTIVES).user_attrs == {"key": "value"}
