import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aia_models.data.sources.categorical import Categorical

TEXTS = st.lists(st.sampled_from(["", "a", "A", "b", " b"]), max_size=12)


@given(texts=TEXTS, data=st.data())
def test_texts_come_back_and_categories_differ(texts: list[str], data: st.DataObject) -> None:
    column = Categorical.of(texts)
    assert [column[row] for row in range(len(column))] == texts
    assert sorted(column.categories) == sorted(set(texts))
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1))) if texts else []
    taken = column.taken(np.array(rows, dtype=np.int64))
    assert list(taken) == [texts[row] for row in rows]
    assert {taken.categories[category] for category in taken.present()} == set(taken)
