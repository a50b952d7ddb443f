import numpy as np
import pytest

from aia_models.data.sources.attributes import parse_attribute, parse_attributes
from aia_models.data.sources.categorical import Categorical
from aia_models.errors import DataError


def parse(texts: list[str], positive: str | None = None) -> list[int]:
    return parse_attribute("gender", Categorical.of(texts), lambda row: f"row {row}", positive).tolist()


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "0", "1"], [1, 0, 1]),
        (["1", "-1", "-1"], [1, 0, 0]),
        (["male", "female"], [1, 0]),
        (["m", "f"], [1, 0]),
        ([" Male ", "FEMALE", "M", "f"], [1, 0, 1, 0]),
        (["male", "", "  "], [1, -1, -1]),
    ],
)
def test_ways_of_writing(texts: list[str], values: list[int]) -> None:
    assert parse(texts) == values


@pytest.mark.parametrize(
    ("texts", "positive", "values"),
    [
        (["glasses", "none", ""], "glasses", [1, 0, -1]),
        (["male", "female"], "female", [0, 1]),
        (["Beard ", "no"], " beard", [1, 0]),
        (["1", "2", "3"], "2", [0, 1, 0]),
    ],
)
def test_positive_decides(texts: list[str], positive: str, values: list[int]) -> None:
    assert parse(texts, positive) == values


def test_unknown_value_names_place_and_remedy() -> None:
    with pytest.raises(
        DataError, match=r"^row 1: 'gender' is 'x', expected 1/0, .* say positive = \"\.\.\.\"$"
    ):
        parse(["male", " x "])


def test_mixed_writing_is_refused() -> None:
    # With both 0 and -1 in a column it is undecided which of the two means unknown.
    with pytest.raises(DataError, match="'gender' mixes '-1', '0', '1'"):
        parse(["1", "0", "-1"])


def test_positive_that_never_occurs_is_refused() -> None:
    with pytest.raises(DataError, match=r"positive = 'men': there are 'female', 'male'$"):
        parse(["male", "female"], "men")


def test_categories_that_do_not_occur_count_for_nothing() -> None:
    column = Categorical.of(["m", "x", "f", "1"]).taken(np.array([2, 0, 0]))
    assert parse_attribute("gender", column, str, None).tolist() == [0, 1, 1]
    with pytest.raises(DataError, match="no value of 'gender' is positive = 'x'"):
        parse_attribute("gender", column, str, "x")


def test_columns_nobody_asked_for_are_left_out_where_they_do_not_parse() -> None:
    texts = {"age": ["31", "40"], "gender": ["m", "f"], "young": ["0", "1"]}
    columns = {name: Categorical.of(column) for name, column in texts.items()}
    parsed = parse_attributes(columns, str, ("gender",), None)
    assert {name: values.tolist() for name, values in parsed.items()} == {"gender": [1, 0], "young": [0, 1]}
    assert all(values.dtype == np.int8 for values in parsed.values())
    # `positive` applies to the requested column only.
    parsed = parse_attributes(columns, str, ("age",), "40")
    assert parsed["age"].tolist() == [0, 1]
    assert parsed["young"].tolist() == [0, 1]
