"""Importance of hyperparameters for made-up objectives that depend on known hyperparameters."""

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from analysis.tables.objectives import SEARCH_OBJECTIVES
from analysis.tables.schema import IMPORTANCE_SCHEMA, MIN_IMPORTANCE_TRIALS, SCHEMAS, to_table
from search_spaces.hyperparameters import resolve
from search_spaces.spaces import SPACES
from search_spaces.unit_cube import from_point
from study.search.importance import importance_rows, write_importance
from study.spec.files import load_spec, to_toml
from study.spec.spec import searched_space, with_defaults
from tests.table_version import TABLE_VERSION

SPACE = SPACES["alpha-beta"]


def searched(count: int, searched_space=SPACE, **more) -> pl.DataFrame:
    """Return random trials whose attacker AUC depends on log β alone and matching AUC on log α alone."""
    rows = []
    for number, point in enumerate(
        np.random.default_rng(0).random((count, len(searched_space.parameters))).tolist()
    ):
        values = from_point(searched_space, point)
        row = {
            "trial_id": f"trial-{number:05d}", "design_id": f"d{number}", "optuna_number": number, "phase": "search",
            "method": "aia", "seed": 0, "split_seed": 0, "status": "complete", **resolve(values, {}),
            "attacker_auc_validation": 0.8 - 0.03 * float(np.log(values["beta"])),
            "matching_auc_validation": 0.7 + 0.03 * float(np.log(values["alpha"])),
        }  # fmt: skip
        rows.append(row | more)
    return pl.DataFrame(pl.from_arrow(to_table(rows, SCHEMAS["trials"])))


def shares(rows: list[dict], target: str) -> dict[str, float]:
    return {row["hyperparameter"]: row["importance"] for row in rows if row["target"] == target}


def test_an_objective_is_explained_by_what_it_depends_on() -> None:
    rows = importance_rows(searched(80), SPACE, SEARCH_OBJECTIVES)
    for target, name in (("attacker_auc_validation", "beta"), ("matching_auc_validation", "alpha")):
        found = shares(rows, target)
        assert found[name] > 0.8
        assert all(share < 0.1 for other, share in found.items() if other != name)
        assert sum(share for other, share in found.items() if other not in CONDITIONAL) <= 1 + 1e-9


CONDITIONAL = {name for name, domain in SPACE.parameters.items() if domain.when is not None}


def test_the_front_is_explained_by_all_hyperparameters() -> None:
    rows = importance_rows(searched(80), SPACE, SEARCH_OBJECTIVES)
    on_front = shares(rows, "front")
    assert set(on_front) == set(SPACE.parameters)
    assert sum(on_front.values()) == pytest.approx(1)
    assert {max(on_front, key=on_front.__getitem__)} <= {"alpha", "beta"}
    assert {row["trials"] for row in rows if row["hyperparameter"] not in CONDITIONAL} == {80}
    assert to_table(rows, IMPORTANCE_SCHEMA).num_rows == len(rows)


def test_what_exists_under_a_condition_is_judged_where_it_does() -> None:
    frame = searched(80)
    noise = np.log(frame["noise_sd"].cast(pl.Float64).fill_null(1.0).to_numpy())
    frame = frame.with_columns(matching_auc_validation=pl.col("matching_auc_validation") / 10 - 0.1 * noise)
    rows = importance_rows(frame, SPACE, SEARCH_OBJECTIVES)
    having = {
        row["hyperparameter"]: row["trials"] for row in rows if row["target"] == "matching_auc_validation"
    }
    assert set(having) == set(SPACE.parameters)
    assert {name: having[name] for name in CONDITIONAL} == {name: frame[name].count() for name in CONDITIONAL}
    assert shares(rows, "matching_auc_validation")["noise_sd"] > 0.8
    few = frame.filter(pl.col("noise_sd").is_null()).vstack(
        frame.filter(pl.col("noise_sd").is_not_null()).head(MIN_IMPORTANCE_TRIALS - 1)
    )
    assert "noise_sd" not in shares(importance_rows(few, SPACE, SEARCH_OBJECTIVES), "matching_auc_validation")


def test_the_same_trials_say_the_same_in_any_order() -> None:
    frame = searched(30)
    rows = importance_rows(frame, SPACE, SEARCH_OBJECTIVES)
    assert importance_rows(frame.reverse(), SPACE, SEARCH_OBJECTIVES) == rows


def test_trials_that_did_not_end_or_lie_outside_the_space_do_not_count() -> None:
    frame = searched(MIN_IMPORTANCE_TRIALS)
    assert importance_rows(frame, SPACE, SEARCH_OBJECTIVES)
    last = pl.col("optuna_number") == MIN_IMPORTANCE_TRIALS - 1
    for column, value in (("status", "stopped_early"), ("phase", "confirm"), ("alpha", 0.0), ("beta", None)):
        spoilt = frame.with_columns(pl.when(last).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))
        assert importance_rows(spoilt, SPACE, SEARCH_OBJECTIVES) == []


def test_what_does_not_differ_is_not_explained() -> None:
    frame = searched(20, matching_auc_validation=0.7)
    assert {row["target"] for row in importance_rows(frame, SPACE, SEARCH_OBJECTIVES)} == {
        "attacker_auc_validation",
        "front",
    }
    alike = frame.with_columns(attacker_auc_validation=0.6)
    assert importance_rows(alike, SPACE, SEARCH_OBJECTIVES) == []


def test_a_hyperparameter_that_does_not_vary_explains_nothing() -> None:
    frame = searched(40).with_columns(pl.lit(1.0).alias("alpha"), noise_sd=pl.col("noise_sd") * 0 + 0.1)
    found = shares(importance_rows(frame, SPACE, SEARCH_OBJECTIVES), "attacker_auc_validation")
    assert "beta" in found
    assert not {"alpha", "noise_sd"} & set(found)


def test_the_file_is_whole_typed_and_replaced(tmp_path: Path) -> None:
    spec = with_defaults(load_spec("alpha-beta").model_copy(update={"name": "s"}))
    (tmp_path / "study.toml").write_text(to_toml(spec))
    parts = tmp_path / "results" / "trials"
    parts.mkdir(parents=True)
    for count in (5, 20):
        searched(count, searched_space(spec)).write_parquet(
            parts / "part-000001.parquet", metadata=TABLE_VERSION
        )
        write_importance(tmp_path)
        table = pq.read_table(tmp_path / "importance.parquet")
        assert table.schema.equals(IMPORTANCE_SCHEMA, check_metadata=True)
        assert set(table["trials"].to_pylist()) == (set() if count == 5 else {20})
    assert [path.name for path in tmp_path.glob("*importance*")] == ["importance.parquet"]
