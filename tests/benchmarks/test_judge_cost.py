"""The cost of a judgement is printed with its RESULT line, and the compact code is released as encoders are."""

import re
import sys
from pathlib import Path

import judge_cost
import numpy as np
import pytest
from shared.linear_code import fit_linear_code

from aia_models.config import BudgetConfig, DecoderConfig, TrainingConfig
from aia_models.judging.released import check_released
from aia_models.measures.metrics import auc
from tests.aia_models.random_faces import random_faces


def test_an_even_number_of_runs_is_refused(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["judge_cost.py", "--repeats", "2"])
    with pytest.raises(SystemExit):
        judge_cost.main()
    assert "give an odd number" in capsys.readouterr().err


def test_the_code_is_released_twice_to_learn_from_and_once_to_judge() -> None:
    code = fit_linear_code(random_faces(people=40, images=6), 5, 0)
    released = code.release(0.4, 0)
    check_released(released)
    assert {split: len(faces.releases) for split, faces in released.items()} == {
        "train": 2, "attack": 2, "validation": 1, "test": 1,
    }  # fmt: skip
    assert code.map_shape == (5, 1, 1)
    train = released["train"]
    assert np.std(train.releases[0] - train.releases[1]) == pytest.approx(0.4 * 2**0.5, rel=0.1)
    assert np.array_equal(train.representations, code.release(0.4, 0)["train"].representations)
    assert not np.array_equal(train.representations, code.release(0.4, 1)["train"].representations)


def test_the_code_has_no_linear_trace_of_the_attribute() -> None:
    code = fit_linear_code(random_faces(people=40, images=6), 5, 0)
    values = code.codes["train"]
    (name,) = code.attributes
    positive = code.faces["train"].attribute(name) == 1
    np.testing.assert_allclose(values[positive].mean(0), values[~positive].mean(0), atol=1e-9)
    assert auc(values @ np.ones(5), positive) == pytest.approx(0.5, abs=0.2)


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
    assert config.encoder.channels == (8, 12)
