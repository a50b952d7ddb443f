"""The figures that the comparison with the closed form computes from its runs."""

from typing import Any, NamedTuple

import closed_form
import numpy as np
import penalties
import pytest
from hypothesis import given
from hypothesis import strategies as st


def figures(attacker: float, matching: float, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "attacker_auc": attacker,
        "matching_auc": matching,
        "attacker_draws": (attacker + rng.normal(0, 0.01, 50)).tolist(),
        "matching_draws": (matching + rng.normal(0, 0.001, 50)).tolist(),
    }


def run(design: dict[str, Any], *line: dict[str, Any]) -> dict[str, Any]:
    return {
        "designs": {"mine": {"test": design}},
        "line": {str(noise): {"test": row} for noise, row in enumerate(line)},
    }


def test_the_line_is_read_at_the_designs_own_matching() -> None:
    found, bootstrap_samples = closed_form.difference(
        run(figures(0.6, 0.69), figures(0.72, 0.70), figures(0.66, 0.67)), "mine", "test"
    )
    assert found == pytest.approx(0.6 - 0.70)
    assert bootstrap_samples.mean() == pytest.approx(found, abs=0.01)


def test_resamples_are_paired() -> None:
    """A design that lies on the line has a difference of 0 in every resample."""
    own = figures(0.7, 0.68, seed=3)
    found, bootstrap_samples = closed_form.difference(
        run(own, own, figures(0.6, 0.60, seed=4)), "mine", "test"
    )
    assert found == pytest.approx(0)
    np.testing.assert_allclose(bootstrap_samples, 0, atol=1e-12)


@given(st.floats(0.6, 0.75), st.floats(0.5, 0.9), st.floats(-1, 1))
def test_the_line_is_straight_between_its_points(matching: float, start: float, slope: float) -> None:
    points = [(x, start + slope * (x - 0.6)) for x in (0.75, 0.6, 0.68)]
    assert closed_form._line_at(matching, points) == pytest.approx(start + slope * (matching - 0.6))


def test_beyond_its_points_the_line_ends_at_its_best_matching_and_at_chance() -> None:
    points = [(0.70, 0.8), (0.69, 0.6), (0.6, 0.58)]
    assert closed_form._line_at(0.75, points) == 0.8
    assert closed_form._line_at(0.55, points) == pytest.approx(0.54)


def test_the_line_is_judged_around_a_matching(monkeypatch: pytest.MonkeyPatch) -> None:
    class Level(NamedTuple):
        auc: float

        def best_match(self, split: str) -> "Level":
            return self

    monkeypatch.setattr(closed_form, "LINE", (0.01, 0.02, 0.04))
    cheap: Any = [Level(0.8), Level(0.7), Level(0.6)]
    for matching, expected in (
        (0.9, [0.01, 0.02]),
        (0.75, [0.01, 0.02]),
        (0.65, [0.02, 0.04]),
        (0.5, [0.02, 0.04]),
    ):
        assert closed_form._around(cheap, "test", matching) == expected


def test_the_report_pools_all_runs_and_those_the_designs_were_not_chosen_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(closed_form, "DESIGNS", [penalties.Design("mine", 0.01, 0.3, 0.3)])
    monkeypatch.setattr(closed_form, "JUDGED", ("test",))
    named = {"attacker": "mlp, train"}
    runs = [
        run(figures(attacker, matching) | named, figures(0.7, 0.7, seed=1), figures(0.6, 0.6, seed=2))
        | {"seed": seed, "split_seed": 0}
        for seed, attacker, matching in ((0, 0.55, 0.65), (1, 0.62, 0.65), (2, 0.70, 0.72))
    ]
    closed_form.report(runs)
    _, *rows, everything, unseen = capsys.readouterr().out.splitlines()
    assert [row.split(" | ")[-1] for row in rows] == ["-0.100", "-0.030", "+0.000"]
    assert everything.startswith("POOLED mine | test | -0.043 [")
    assert everything.endswith("runs from -0.100 to +0.000, n = 3, 1 beyond the line")
    assert unseen.startswith("POOLED without the run it was chosen on | test | -0.015 [")
    assert unseen.endswith("runs from -0.030 to +0.000, n = 2")


def test_the_screen_compares_within_the_line_only() -> None:
    line = [{"test": {"matching_auc": x, "attacker_auc": y}} for x, y in ((0.6, 0.55), (0.7, 0.65))]
    assert penalties.line_at(line, "test", 0.65) == pytest.approx(0.60)
    assert np.isnan(penalties.line_at(line, "test", 0.71))


@pytest.mark.parametrize("designs", [penalties.FULL, penalties.SHORT, closed_form.DESIGNS])
def test_every_design_makes_a_training_of_equal_length_and_stands_once(designs: list) -> None:
    lengths = set()
    for design in designs:
        budget = design.config(60, 0).budget
        lengths.add(budget.autoencoder_epochs + budget.heads_epochs + budget.joint_epochs)
        assert design.config(60, 0).channel.noise_sd == design.noise_sd
    assert lengths == {60}
    assert len({(d.name, d.noise_sd, d.alpha, d.beta) for d in designs}) == len(designs)
