"""The growth of a search's hypervolume over trials, epochs and seconds."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.fronts.hypervolume import hypervolume
from analysis.summaries.costs import with_costs
from analysis.summaries.history import history
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective
from analysis.tables.reader import open_tables, read_trials
from analysis.tables.schema import SCHEMAS

NO_EPOCHS = pl.DataFrame(SCHEMAS["epochs"].empty_table())
EPOCHS = NO_EPOCHS.schema

# The values are few, so that ties are common; some are missing, NaN, infinite or beyond the reference.
AUC = st.one_of(st.none(), st.sampled_from([float("nan"), float("inf"), 0.4, 0.55, 0.6, 0.7, 1.0, 1.2]))
ENDS = st.sampled_from(["complete", "complete", "stopped_early", "failed"])


def epochs_of(*rows: tuple[str, str]) -> pl.DataFrame:
    """Return an `epochs` frame with a row for each (trial, stage) pair."""
    filled = [
        {"trial_id": trial, "epoch": place, "stage": stage} for place, (trial, stage) in enumerate(rows, 1)
    ]
    return pl.DataFrame(filled, schema=EPOCHS)


@pytest.mark.parametrize("objectives", [2, 3])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_volume_after_each_trial_is_that_of_all_until_then(trials, data, objectives: int) -> None:
    third = Objective("matching_auc_test", "matching", "higher is more useful", "maximize", 0.5)
    searched = (*SEARCH_OBJECTIVES, third)[:objectives]
    row = st.fixed_dictionaries({"status": ENDS, **{one.column: AUC for one in searched}})
    frame = trials(data.draw(st.lists(row, max_size=12)))
    before = frame.clone()
    grown = history(frame, NO_EPOCHS, searched)
    assert grown["trials"].to_list() == list(range(1, frame.height + 1))
    for count, volume in grown.select("trials", "hypervolume").iter_rows():
        assert volume == pytest.approx(hypervolume(frame.head(count), searched))
    assert frame.equals(before, null_equal=True)


def test_a_stage_1_that_was_there_costs_no_epochs_and_waiting_no_seconds(trials) -> None:
    frame = trials(
        [
            {"wall_seconds": 10.0},
            {"wall_seconds": 9.0, "stage1_reused": True, "stage1_wait_seconds": 4.0},
            {"status": "failed"},
        ]
    )
    stages = ("autoencoder", "heads", "joint", "joint")
    epochs = epochs_of(*((trial, stage) for trial in ("t0000", "t0001") for stage in stages))
    costs = with_costs(frame, epochs)
    assert costs["trial_id"].to_list() == frame["trial_id"].to_list()
    assert costs["epochs_spent"].to_list() == [4, 2, 0]
    assert costs["seconds_spent"].to_list() == [10.0, 5.0, 0.0]
    grown = history(frame, epochs)
    assert grown["epochs"].to_list() == [4, 6, 6]
    assert grown["seconds"].to_list() == [10.0, 15.0, 15.0]


def test_only_search_trials_count(trials) -> None:
    judged = {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7, "wall_seconds": 5.0}
    rows = [{**judged, "phase": phase} for phase in ("baseline", "search", "confirm")]
    assert history(trials(rows), NO_EPOCHS).rows() == [(1, 0, 5.0, pytest.approx(0.4 * 0.2))]


def test_rows_come_in_the_order_of_the_parts(study_directory, searched) -> None:
    frame = searched(60)
    directory = study_directory(*(frame[place] for place in range(9)))
    assert read_trials(open_tables(directory))["trial_id"].to_list() == frame["trial_id"].to_list()[:9]
