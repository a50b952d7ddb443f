import pytest

from analysis.errors import AnalysisError
from analysis.fronts.pareto import pareto_front
from analysis.summaries.front_table import front_rows, leading_columns
from analysis.tables.reader import open_tables
from search_spaces.hyperparameters import HYPERPARAMETERS


def test_rows_are_the_front_with_what_matters_first(study_directory, searched) -> None:
    frame = searched(30)
    rows = front_rows(open_tables(study_directory(frame)))
    assert rows["trial_id"].to_list() == pareto_front(frame)["trial_id"].to_list()
    assert set(rows.columns) == {*frame.columns, "source", "seeds", "hypervolume_contribution"}
    assert rows.columns[:6] == [
        "optuna_number",
        "trial_id",
        "design_id",
        "source",
        "seeds",
        "attacker_auc_validation",
    ]


def test_leading_columns_name_the_hyperparameters_in_effect_only(searched) -> None:
    leading = leading_columns(pareto_front(searched(30)))
    assert [name for name in leading if name in HYPERPARAMETERS] == ["alpha"]
    assert leading[-1] == "checkpoint"


def test_a_study_without_a_front_names_its_directory(study_directory, trials) -> None:
    directory = study_directory(trials([{"status": "failed"}]))
    with pytest.raises(AnalysisError, match=f"^{directory}: none of 1 trials is complete"):
        front_rows(open_tables(directory))
