"""A reproduction read from its study's directory, and the tables made of it."""

import duckdb
import pandas as pd
import polars as pl
import pytest

from analysis.errors import AnalysisError
from analysis.paper.claims import check_claims
from analysis.paper.run import AIA, ORIGINAL, RANDOM, SPLIT, Design, read_paper_run
from analysis.paper.tables import METHODS, PUBLISHED, claims_table, figure_2, table_1
from analysis.tables.reader import open_tables
from tests.analysis.paper.paper_runs import run_of, write_run

FIGURE = f"in_loop_adversary_accuracy_{SPLIT}"


def rows() -> list[dict]:
    aia = {"alpha": 0.5, "beta": 0.5}
    original = {"phase": "baseline", "method": "original"}
    return [
        {**aia, "seed": 0, FIGURE: 0.6},
        {**aia, "seed": 1, FIGURE: 0.7, f"majority_share_{SPLIT}": 0.8},
        {**original, "seed": 0, FIGURE: 0.9},
        {**original, "seed": 1, "status": "failed"},
        # Search trials and confirmations are no part of the reproduction.
        {**aia, "optuna_number": 3, "seed": 0, FIGURE: 0.1},
        {**aia, "phase": "confirm", "seed": 9, FIGURE: 0.1},
    ]


def test_designs_are_averaged_over_their_complete_seeds(trials, study_directory) -> None:
    run = read_paper_run(open_tables(write_run(study_directory, trials(rows()))))
    assert (run.planned_count, run.trials.height, run.seeds) == (4, 3, (0, 1))
    assert list(run.designs()) == [AIA, ORIGINAL]
    assert run.over_seeds(AIA, "in_loop_adversary_accuracy")[0] == pytest.approx(0.65)
    assert run.over_seeds(ORIGINAL, "in_loop_adversary_accuracy")[0] == pytest.approx(0.9)
    assert run.rows_of(RANDOM).is_empty()


def test_the_fresh_matcher_is_chosen_on_validation(trials, study_directory) -> None:
    run = read_paper_run(open_tables(write_run(study_directory, trials(rows()))))
    assert set(run.trials["matching_accuracy"]) == {0.65}


def test_table_1_says_what_is_known_of_each_method(trials, study_directory) -> None:
    run = read_paper_run(open_tables(write_run(study_directory, trials(rows()))))
    table = table_1(run)
    found = {(row["method"], row["figure"]): row for row in table.iter_rows(named=True)}
    aia = found["AIA", "in_loop_adversary_accuracy"]
    assert (aia["seeds"], aia["paper_celeba"], aia["paper_vgg"]) == (2, 0.6496, 0.6813)
    assert aia["interval"] == "people and seeds"
    assert aia["low"] < aia["high"]
    share = found["AIA", "majority_share"]
    assert (share["value"], share["low"], share["high"], share["interval"]) == (
        0.8,
        0.8,
        0.8,
        "range of seeds",
    )
    assert found["Random", "attacker_auc"]["value"] is None
    assert found["Original", "attacker_auc"]["paper_celeba"] is None
    assert table["value"].is_nan().any() is False
    utility = table.filter(figure="in_loop_matcher_accuracy")
    assert dict(utility.select("method", "paper_vgg").iter_rows()) == {m: PUBLISHED[m][1][1] for m in METHODS}


def test_figure_2_has_both_panels_with_their_baselines() -> None:
    designs = [
        AIA,
        Design("aia", 0.0, 0.5),
        Design("aia", 0.5, 1.0),
        Design("aia", 0.3, 0.3),
        ORIGINAL,
        RANDOM,
    ]
    curves = figure_2(run_of({design: {"attacker_auc": 0.7} for design in designs}))
    fresh = curves.filter(figure="attacker_auc")
    points = {
        panel: sorted(fresh.filter(panel=panel, method="AIA").select("alpha", "beta").rows())
        for panel in "ab"
    }
    assert points == {"a": [(0.5, 0.5), (0.5, 1.0)], "b": [(0.0, 0.5), (0.5, 0.5)]}
    for panel in "ab":
        baselines = fresh.filter(pl.col("panel") == panel, pl.col("method") != "AIA")
        assert sorted(baselines["method"]) == ["Original", "Random"]
        assert baselines["alpha"].null_count() == 2
    assert set(curves["figure"]) == {
        "in_loop_adversary_auc", "in_loop_matcher_auc", "attacker_auc", "matching_auc",
    }  # fmt: skip


def test_other_tools_read_what_is_written(tmp_path) -> None:
    run = run_of({AIA: {"attacker_auc": 0.7}})
    tables = {"table1": table_1(run), "figure2": figure_2(run), "claims": claims_table(check_claims(run))}
    for name, table in tables.items():
        path = tmp_path / f"{name}.parquet"
        table.write_parquet(path)
        assert duckdb.sql(f"select count(*) from '{path}'").fetchall() == [(table.height,)]
        assert list(pd.read_parquet(path).columns) == table.columns


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_run_without_a_complete_trial_is_an_error(trials, study_directory, status) -> None:
    directory = write_run(study_directory, trials([{"status": status}]))
    with pytest.raises(AnalysisError, match="none of 1 trials is complete"):
        read_paper_run(open_tables(directory))


def test_a_trial_without_its_resamples_is_named(trials, study_directory) -> None:
    directory = write_run(study_directory, trials(rows()))
    (directory / "resamples" / "t0000.parquet").unlink()
    with pytest.raises(AnalysisError, match=r"t0000\.parquet cannot be read"):
        read_paper_run(open_tables(directory))
