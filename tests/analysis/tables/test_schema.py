"""The four schemas and the rows that they allow."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from analysis.tables.objectives import SEARCH_OBJECTIVES
from analysis.tables.schema import SCHEMA_VERSION, SCHEMAS, TRIALS_SCHEMA, checked, to_table
from search_spaces.hyperparameters import HYPERPARAMETERS

TRIAL = {
    "trial_id": "t1",
    "design_id": "d",
    "phase": "search",
    "method": "aia",
    "seed": 0,
    "split_seed": 0,
    "status": "complete",
}


def test_hyperparameters_are_columns_of_their_own_types():
    arrow = {float: pa.float64(), int: pa.int64(), str: pa.string(), bool: pa.bool_()}
    for name, domain in HYPERPARAMETERS.items():
        assert TRIALS_SCHEMA.field(name).type == arrow[domain.value_type]
        assert TRIALS_SCHEMA.field(name).nullable
    start = TRIALS_SCHEMA.get_field_index("status") + 1
    assert TRIALS_SCHEMA.names[start : start + len(HYPERPARAMETERS)] == list(HYPERPARAMETERS)


def test_objectives_are_nullable_figures_of_trials():
    for objective in SEARCH_OBJECTIVES:
        assert TRIALS_SCHEMA.field(objective.column) == pa.field(objective.column, pa.float64())


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_carries_its_version_and_every_meaning(name):
    schema = SCHEMAS[name]
    assert schema.metadata[b"aia_study_schema_version"] == str(SCHEMA_VERSION).encode()
    assert len(set(schema.names)) == len(schema.names)
    assert schema.names[0] == "trial_id"
    for field in schema:
        assert field.metadata[b"about"].decode().endswith("."), field.name
        assert not pa.types.is_null(field.type)
        if field.name.endswith("_seconds"):
            assert b"Seconds" in field.metadata[b"about"]


def test_a_row_keeps_its_values_and_what_is_absent_is_null():
    row = {**TRIAL, "alpha": 0.1, "erasure": False, "quantise_bits": 3, "error": "é\n"}
    table = to_table([row], TRIALS_SCHEMA)
    assert table.schema.equals(TRIALS_SCHEMA, check_metadata=True)
    assert {name: value for name, value in table.to_pylist()[0].items() if value is not None} == row


def test_a_table_without_rows_has_the_full_schema():
    for schema in SCHEMAS.values():
        assert to_table([], schema).schema.equals(schema, check_metadata=True)


def test_numpy_scalars_and_whole_floats_are_taken():
    figures = {"alpha": np.float64(0.1), "wall_seconds": 3, "epochs": np.int64(2), "weak_adversary": np.True_}
    (row,) = checked([{**TRIAL, **figures}], TRIALS_SCHEMA)
    assert [(row[name], type(row[name])) for name in figures] == [
        (0.1, float),
        (3.0, float),
        (2, int),
        (True, bool),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": 1.0}, "may not hold loss"),
        ({"trial_id": None}, "trial_id is missing"),
        ({"attacker_auc_validation": float("nan")}, "finite numbers or null"),
        ({"matching_auc_test": float("inf")}, "finite numbers or null"),
        ({"alpha": np.float32("nan")}, "finite numbers or null"),
        ({"alpha": "1"}, "alpha = '1' is no float"),
        ({"alpha": True}, "alpha = True is no float"),
        ({"epochs": 2.0}, "epochs = 2.0 is no int"),
        ({"epochs": True}, "epochs = True is no int"),
        ({"erasure": 1}, "erasure = 1 is no bool"),
        ({"error": 3}, "error = 3 is no str"),
        ({"status": "done"}, "status = 'done' is none of complete, stopped_early, failed, diverged"),
        ({"phase": "late"}, "none of search, confirm, baseline"),
        ({"certificate_method": "guess"}, "none of hoeffding, clopper_pearson"),
    ],
)
def test_a_wrong_row_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        to_table([TRIAL, {**TRIAL, **change}], TRIALS_SCHEMA)


def test_a_required_column_may_not_be_left_out():
    with pytest.raises(ValueError, match="status is missing"):
        to_table([{name: value for name, value in TRIAL.items() if name != "status"}], TRIALS_SCHEMA)


def test_the_schema_stays_cheap_to_import():
    code = "import sys, analysis.tables.schema; print(*({'torch', 'ray', 'optuna', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
