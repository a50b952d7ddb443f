"""The agreement of two judgings: its designs, its figures, and a run that continues."""

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import judge_agreement
import numpy as np
import pytest


def row(first: tuple[float, float], second: tuple[float, float]) -> dict[str, Any]:
    judgings = []
    for attacker, matching in (first, second):
        own = {
            "attacker": "templates", "vantage": "both", "attacker_auc": attacker, "matcher": "cosine",
            "matching_auc": matching, "attackers": {"templates": attacker, "boosted_trees": attacker - 0.02},
        }  # fmt: skip
        judgings.append(dict.fromkeys(judge_agreement.JUDGED, own))
    return {"design": f"{first}", "family": "any", "judgings": judgings}


def test_at_least_40_designs_of_every_family_stand_once() -> None:
    names = [design.name for design in judge_agreement.DESIGNS]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
    families = Counter(design.family for design in judge_agreement.DESIGNS)
    assert set(families) == {
        "paper", "noise", "erasure + noise", "adversarial + erasure + noise", "quantised", "code without penalty",
        "code, kernel ridge", "code, adversary", "codebook", "closed form",
    }  # fmt: skip
    encoders = {design.encoder.name: design.encoder for design in judge_agreement.DESIGNS}
    assert all(design.encoder == encoders[design.encoder.name] for design in judge_agreement.DESIGNS)


def test_every_training_is_valid() -> None:
    for design in judge_agreement.DESIGNS:
        design.encoder.design.config(judge_agreement.SHORT_EPOCHS, 0)


@pytest.mark.parametrize("count", [2, 6, 1000])
def test_some_designs_are_distinct(count: int) -> None:
    designs = judge_agreement.some_designs(count)
    expected = min(count, len(judge_agreement.DESIGNS))
    assert len({design.name for design in designs}) == expected


def test_equal_judgings_agree_wholly() -> None:
    rows = [row(own, own) for own in ((0.6, 0.6), (0.7, 0.7), (0.8, 0.65))]
    found = judge_agreement.agreement(rows, "validation")
    assert (found.spearman, found.front_gap, found.hypervolume_ratio) == pytest.approx((1, 0, 1))
    assert found.front_designs == 2


def test_a_front_is_judged_by_the_second_figures() -> None:
    """The first judging has only (0.6, 0.7) on its front; by the second, the other design is better in both."""
    rows = [row((0.6, 0.7), (0.8, 0.6)), row((0.7, 0.6), (0.6, 0.7))]
    found = judge_agreement.agreement(rows, "validation")
    assert found.spearman == pytest.approx(-1)
    assert (found.front_gap, found.front_gap_max) == pytest.approx((0.2, 0.2))
    assert found.hypervolume_ratio == pytest.approx((0.2 * 0.1) / (0.4 * 0.2))


def test_a_figure_without_value_is_nan() -> None:
    found = judge_agreement.agreement([row((0.6, 0.5), (0.6, 0.5))], "test")
    assert np.isnan(found.spearman)
    assert np.isnan(found.hypervolume_ratio)


def test_the_auc_falls_only_without_the_strongest() -> None:
    falls = judge_agreement.without({"a": 0.7, "b": 0.66, "c": 0.6})
    assert falls == pytest.approx({"a": 0.04, "b": 0, "c": 0})


@pytest.mark.slow
def test_a_run_prints_its_result_and_continues(
    faces_folder: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    output = tmp_path / "agreement.jsonl"
    options = ["--dataset", f"folder:{faces_folder}", "--output", str(output), "--designs", "2"]
    monkeypatch.setattr(sys, "argv", ["judge_agreement.py", *options])
    judge_agreement.main()
    result = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(
        r"RESULT spearman=\S+ front_gap=\S+ front_gap_max=\S+ hypervolume_ratio=\S+ front_designs=\d designs=2",
        result,
    )
    assert len(output.read_text().splitlines()) == 3
    judge_agreement.main()
    again = capsys.readouterr().out
    assert "done" not in again
    assert again.splitlines()[-1] == result
