"""The file of a trial's resamples holds all figures and is never partial."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from aia_models.judging.in_loop import InLoopFigure, InLoopFigures
from aia_models.judging.judge import Judgement
from analysis.tables.schema import RESAMPLES_SCHEMA, SCHEMA_VERSION
from study.trial.resamples import write_resamples
from tests.judged import some_attack, some_match

SPLITS = ("validation", "test")


def judgement() -> Judgement:
    """Return a judgement whose strongest attacker and best matcher differ between validation and test."""
    aucs = {
        ("validation", "one"): 0.7,
        ("validation", "two"): 0.6,
        ("test", "one"): 0.6,
        ("test", "two"): 0.9,
    }
    attacks = tuple(some_attack(split, name, auc) for (split, name), auc in aucs.items())
    return Judgement(
        attacks,
        tuple(some_match(split, name, auc) for (split, name), auc in aucs.items()),
        {one.key: np.array([one.folded_auc, np.nan]) for one in attacks},
        {key: np.array([auc, auc + 0.05]) for key, auc in aucs.items()},
    )


def in_loop() -> dict[str, InLoopFigures]:
    return {
        split: InLoopFigures(*(InLoopFigure(0.5, np.array([base + n, 0.0])) for n in range(5)))
        for base, split in ((10, "validation"), (20, "test"))
    }


def test_each_figure_has_its_own_draws_and_a_missing_one_is_null(tmp_path: Path):
    path = tmp_path / "resamples" / "t.parquet"
    # The second file replaces the first, as when a trial is run again.
    for _ in range(2):
        write_resamples(path, "t", judgement(), in_loop())
    assert [found.name for found in path.parent.iterdir()] == ["t.parquet"]
    table = pq.read_table(path)
    assert table.schema.equals(RESAMPLES_SCHEMA, check_metadata=True)
    assert table.schema.metadata[b"aia_study_schema_version"] == str(SCHEMA_VERSION).encode()
    values = {(r["split"], r["figure"], r["resample"]): r["value"] for r in table.to_pylist()}
    assert len(values) == table.num_rows == 2 * 7 * 2
    assert values["validation", "attacker_auc", 0] == 0.7
    assert values["test", "attacker_auc", 0] == 0.9
    assert values["test", "attacker_auc", 1] is None
    assert values["test", "matching_auc", 0] == 0.6, "the matcher that is best on validation"
    assert values["test", "in_loop_adversary_accuracy", 0] == 21
    assert values["validation", "in_loop_matcher_accuracy", 0] == 14
    assert {key[0] for key in values} == set(SPLITS)
