"""The certificate of released words covers the people whom the encoder has not seen."""

from dataclasses import replace

import numpy as np
import pytest

from aia_models.judging.certified import certify_released
from aia_models.judging.released import ReleasedFaces, Words
from aia_models.measures.certificate import hoeffding_bound
from tests.aia_models.released_people import released_splits


def with_words(leaks: bool) -> dict[str, ReleasedFaces]:
    """Return people whose word, of two, is their attribute, or who all have the same one."""
    return {
        split: replace(faces, words=Words(np.where(leaks, faces.attributes["gender"], 0).astype(np.int64), 2))
        for split, faces in released_splits(400, 1).items()
    }


def test_what_has_no_alphabet_has_no_certificate() -> None:
    released = released_splits(10, 2)
    assert certify_released(released) is None
    some = replace(released["test"], words=Words(np.zeros(20, np.int64), 2))
    assert certify_released({**released, "test": some}) is None


def test_all_people_but_those_of_train_are_counted_once() -> None:
    """Numbers of people start anew in each split."""
    found = certify_released(with_words(leaks=False))
    assert found is not None
    assert found.people == 3 * 400
    assert found.words == 2
    counts = np.array([600, 0])
    assert found.bound <= hoeffding_bound(counts, counts, 0.025) < 0.6


def test_words_of_train_have_no_part() -> None:
    released = with_words(leaks=False)
    assert certify_released({**released, "train": with_words(leaks=True)["train"]}) == certify_released(
        released
    )


def test_the_attribute_that_leaks_most_is_certified() -> None:
    released = {
        split: replace(
            faces,
            attributes={
                "young": (faces.identity // 2 % 2).astype(np.int8),
                "gender": faces.attributes["gender"],
            },
        )
        for split, faces in with_words(leaks=True).items()
    }
    found = certify_released(released)
    assert found is not None
    assert found.bound == pytest.approx(1, abs=0.01)
