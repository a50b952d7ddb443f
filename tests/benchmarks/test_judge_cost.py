"""The cost of a judgement is printed with its RESULT line."""

import re
import sys
from pathlib import Path

import judge_cost
import pytest

from aia_models.config import BudgetConfig, DecoderConfig, EncoderConfig, TrainingConfig


def test_an_even_number_of_runs_is_refused(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["judge_cost.py", "--repeats", "2"])
    with pytest.raises(SystemExit):
        judge_cost.main()
    assert "give an odd number" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_prints_both_designs_and_the_share(faces_folder: Path, monkeypatch, capsys) -> None:
    config = TrainingConfig(decoder=DecoderConfig((8, 4)), budget=BudgetConfig(1, 0, 1))
    monkeypatch.setattr(judge_cost, "trial_config", lambda: config)
    arguments = ["--dataset", f"folder:{faces_folder}", "--side", "16", "--threads", "1", "--repeats", "1"]
    monkeypatch.setattr(sys, "argv", ["judge_cost.py", *arguments])
    judge_cost.main()
    *lines, result = capsys.readouterr().out.splitlines()
    assert sum("kernel_machine" in line and "all else" in line for line in lines) == 2
    found = re.fullmatch(r"RESULT full_seconds=(\S+) code_seconds=(\S+) search_share=(\S+)", result)
    assert found
    assert all(float(seconds) > 0 for seconds in found.groups()[:2])
    assert 0 < float(found[3]) < 1


def test_the_trial_is_that_of_the_spec() -> None:
    config = judge_cost.trial_config()
    assert config.budget == BudgetConfig(6, 3, 20)
    assert config.encoder == EncoderConfig()
