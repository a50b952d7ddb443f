"""The row types of the tables agree with the dataclasses of training and judging whose fields they record."""

from dataclasses import fields

import pytest

from aia_models.judging.attack import Attack
from aia_models.judging.judge import Judgement
from aia_models.judging.matches import Match
from aia_models.training.trainer import EpochRecord
from analysis.tables.objectives import attribute_column
from analysis.tables.rows import AttackRow, EpochRow, MatchRow
from analysis.tables.trial_row import TrialFigures
from search_spaces.hyperparameters import MAX_ATTRIBUTES
from study.trial.rows import epoch_figures
from tests.judged import some_attack, some_match


def names(row_type: type) -> set[str]:
    return {field.name for field in fields(row_type)}


@pytest.mark.parametrize(("recorded", "row_type"), [(Attack, AttackRow), (Match, MatchRow)])
def test_a_row_of_judging_has_the_fields_of_its_dataclass(recorded: type, row_type: type) -> None:
    assert names(row_type) == {"trial_id"} | names(recorded)


def test_a_row_of_an_epoch_has_the_fields_of_its_record_and_the_figures_of_judging() -> None:
    attacks = tuple(some_attack("validation", "a", 0.6, str(number)) for number in range(MAX_ATTRIBUTES))
    judgement = Judgement(attacks, (some_match("validation", "b", 0.7),), {}, {})
    judged = epoch_figures(judgement, 1.0).keys()
    assert not judged & names(EpochRecord)
    assert names(EpochRow) == {"trial_id"} | names(EpochRecord) | judged


@pytest.mark.parametrize(
    ("row_type", "splits"), [(TrialFigures, ("validation", "test")), (EpochRow, ("validation",))]
)
def test_every_private_attribute_has_its_columns(row_type: type, splits: tuple[str, ...]) -> None:
    written = {name for name in names(row_type) if name.startswith("attacker_auc_attribute_")}
    numbers = range(1, MAX_ATTRIBUTES + 1)
    assert written == {attribute_column(number, split) for number in numbers for split in splits}
