from collections import Counter
from fractions import Fraction
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aia_models.data.faces import FaceDataset
from aia_models.data.splits import (
    SPLITS,
    SplitCount,
    SplitFaces,
    check_splits,
    count_splits,
    split_faces,
    split_of,
)
from aia_models.errors import DataError


def dataset(identity: list[int], values: list[int], fingerprint: str = "f") -> FaceDataset:
    images = np.random.default_rng(0).integers(0, 256, (len(identity), 1, 16, 16), dtype=np.uint8)
    return FaceDataset(
        inputs=images,
        identity=np.array(identity, dtype=np.int32),
        identity_names=tuple(f"person-{i:03d}" for i in range(max(identity) + 1)),
        attributes={"gender": np.array(values, dtype=np.int8)},
        fingerprint=fingerprint,
    )


def paired_people(people: int) -> FaceDataset:
    identity = [i for i in range(people) for _ in range(2)]
    return dataset(identity, [i % 2 for i in identity])


def parts(split: SplitFaces) -> dict[str, FaceDataset]:
    return {name: getattr(split, name) for name in SPLITS}


def test_shares_are_50_20_15_15() -> None:
    counts = Counter(split_of(f"n{i:06d}", split_seed=3) for i in range(20_000))
    shares = [counts[name] / 20_000 for name in SPLITS]
    # The tolerance is about three standard deviations of a share, which are 0.01.
    assert shares == pytest.approx([0.50, 0.20, 0.15, 0.15], abs=0.011)


def test_split_of_stays_what_it_was() -> None:
    # These splits are recorded: another hash would silently move identities between training and judging.
    assert [split_of(f"person-{i}", 0) for i in range(8)] == [
        "validation",
        "train",
        "attack",
        "test",
        "attack",
        "test",
        "validation",
        "train",
    ]


@given(st.text(min_size=1), st.integers(0, 2**31))
def test_split_is_where_the_hash_falls_in_0_to_1(name: str, seed: int) -> None:
    fraction = Fraction(int(sha256(f"{seed}:{name}".encode()).hexdigest(), 16), 2**256)
    below = [fraction < Fraction(percent, 100) for percent in (50, 70, 85, 100)]
    assert split_of(name, seed) == SPLITS[below.index(True)]


def test_adding_identities_moves_nobody() -> None:
    def places(split: SplitFaces) -> dict[str, str]:
        return {name: split for split, part in parts(split).items() for name in part.identity_names}

    few, many = (places(split_faces(paired_people(people), ("gender",), 1)) for people in (100, 150))
    assert few.items() <= many.items()
    assert len(many) == 150


def test_splits_are_disjoint_and_whole() -> None:
    faces = paired_people(120)
    split = parts(split_faces(faces, ("gender",), 0))
    names = [name for part in split.values() for name in part.identity_names]
    assert sorted(names) == sorted(faces.identity_names)
    assert sum(len(part) for part in split.values()) == len(faces)


def test_parts_keep_each_image_with_its_labels() -> None:
    faces = paired_people(120)
    wanted = {
        image.tobytes(): (faces.identity_names[i], g)
        for image, i, g in zip(faces.inputs, faces.identity, faces.attribute("gender"), strict=True)
    }
    for part in parts(split_faces(faces, ("gender",), 0)).values():
        for image, i, g in zip(part.inputs, part.identity, part.attribute("gender"), strict=True):
            assert wanted[image.tobytes()] == (part.identity_names[i], g)


def test_split_seed_changes_split_and_fingerprint() -> None:
    one, other, again = (split_faces(paired_people(120), ("gender",), seed) for seed in (0, 1, 0))
    assert one.train.identity_names != other.train.identity_names
    assert one.train.identity_names == again.train.identity_names
    assert one.fingerprint == again.fingerprint != other.fingerprint


def test_fingerprint_covers_contents_and_attribute() -> None:
    faces = paired_people(120)
    values = faces.attributes["gender"]
    both = FaceDataset(
        faces.inputs, faces.identity, faces.identity_names, {"gender": values, "old": values}, "f"
    )
    other_contents = FaceDataset(faces.inputs, faces.identity, faces.identity_names, {"gender": values}, "g")
    prints = {
        split_faces(both, ("gender",), 0).fingerprint,
        split_faces(both, ("old",), 0).fingerprint,
        split_faces(other_contents, ("gender",), 0).fingerprint,
    }
    assert len(prints) == 3


def test_one_value_only_is_refused() -> None:
    identity = [i for i in range(120) for _ in range(2)]
    with pytest.raises(
        DataError, match=r"split 'train'.*0 identities have gender = 1 and \d+ have gender = 0"
    ) as e:
        split_faces(dataset(identity, [0] * 240), ("gender",), 0)
    assert "\n" not in str(e.value)


def test_a_split_with_one_identity_of_a_value_is_refused() -> None:
    faces = paired_people(120)
    values = faces.attributes["gender"].copy()
    men = [n for n in split_faces(faces, ("gender",), 0).test.identity_names if int(n[-3:]) % 2]
    for name in men[1:]:
        values[faces.identity == faces.identity_names.index(name)] = 0
    fewer = FaceDataset(faces.inputs, faces.identity, faces.identity_names, {"gender": values}, "f")
    with pytest.raises(DataError, match=r"split 'test'.* 1 identities have gender = 1.* at least 2 of each"):
        split_faces(fewer, ("gender",), 0)


def test_a_split_without_pairs_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"split 'train'.* 0 identities have 2 or more images, but at least 2"
    ):
        split_faces(dataset(list(range(200)), [i % 2 for i in range(200)]), ("gender",), 0)


def test_unknown_values_and_single_images_are_kept() -> None:
    identity = [*(i for i in range(120) for _ in range(2)), 120, 121]
    values = [i % 2 for i in identity[:-1]] + [-1]
    split = parts(split_faces(dataset(identity, values), ("gender",), 0))
    names = {name for part in split.values() for name in part.identity_names}
    assert {"person-120", "person-121"} <= names
    assert sum(int((part.attribute("gender") == -1).sum()) for part in split.values()) == 1


def test_missing_attribute_lists_those_there_are() -> None:
    with pytest.raises(DataError, match="no attribute 'Male': it has gender"):
        split_faces(paired_people(120), ("Male",), 0)


def test_subset_numbers_identities_anew() -> None:
    faces = paired_people(5)
    part = faces.subset(np.array([8, 2]))
    assert part.identity_names == ("person-001", "person-004")
    assert part.identity.tolist() == [1, 0]
    assert np.array_equal(part.inputs, faces.inputs[[8, 2]])
    assert part.fingerprint != faces.subset(np.array([2, 8])).fingerprint


def test_arrays_that_do_not_fit_are_refused() -> None:
    faces = paired_people(5)
    with pytest.raises(DataError, match="identity is int64"):
        FaceDataset(faces.inputs, faces.identity.astype(np.int64), faces.identity_names, {}, "f")
    with pytest.raises(DataError, match=r"uint8 \[N, 1, H, W\]"):
        FaceDataset(faces.inputs[:, 0], faces.identity, faces.identity_names, {}, "f")
    short = {"gender": faces.attributes["gender"][:9]}
    with pytest.raises(DataError, match=r"attribute 'gender' is int8 \(9,\)"):
        FaceDataset(faces.inputs, faces.identity, faces.identity_names, short, "f")


def test_counts_are_those_of_the_splits() -> None:
    faces = dataset([i for i in range(120) for _ in range(2)], [(0, 1, -1)[i % 3] for i in range(240)])
    split = split_faces(faces, ("gender",), 1)
    assert count_splits(faces, "gender", 1) == [
        SplitCount(
            split=name,
            images=len(part),
            identities=len(part.identity_names),
            **{
                key: int((part.attribute("gender") == value).sum())
                for key, value in {"ones": 1, "zeros": 0, "unknown": -1}.items()
            },
        )
        for name, part in parts(split).items()
    ]


def test_splits_are_checked_without_reading_an_image() -> None:
    faces = paired_people(100)
    check_splits(faces, ("gender",), 1)
    too_few = dataset([i for i in range(8) for _ in range(2)], [i // 2 % 2 for i in range(16)])
    for check in (check_splits, split_faces):
        with pytest.raises(DataError, match="choose another split_seed"):
            check(too_few, ("gender",), 1)
