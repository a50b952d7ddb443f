import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aia_models.data.faces import FaceDataset
from aia_models.data.prepared.prepare import open_prepared, prepare, remarks_on
from aia_models.data.sources.annotations import read_annotation
from aia_models.data.sources.celeba import ATTRIBUTES, read_celeba
from aia_models.errors import DataError
from tests.aia_models.data.annotated_faces import CelebA, write_jpeg


def prepared(root: Path, attribute: str = "Male") -> Path:
    return prepare(
        f"celeba:{root}", image_side=16, attributes=(attribute,), positive=None, cache=root.parent / "cache"
    )


def manifest(root: Path) -> dict:
    return json.loads((prepared(root) / "manifest.json").read_text())


def complaint(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        prepared(root)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def celeba(tmp_path: Path) -> CelebA:
    faces = CelebA(tmp_path / "celeba")
    faces.write()
    return faces


def assert_is_the_tree(faces: FaceDataset, expected: CelebA) -> None:
    people = np.repeat(np.arange(expected.people), 2)
    assert faces.identity.tolist() == people.tolist()
    assert faces.identity_names == tuple(str(2880 + person) for person in range(expected.people))
    assert tuple(faces.attributes) == ATTRIBUTES
    assert faces.attribute("Male").tolist() == (people % 2).tolist()
    for number in (0, 7):
        written = [int(value == "1") for value in expected.values(number)]
        assert [values[number] for values in faces.attributes.values()] == written


@pytest.mark.parametrize(
    ("line_end", "header", "suffix", "trailing"),
    [*itertools.product(["\n", "\r\n"], [True, False], [".txt", ".csv"], ["", "  "])],
)
def test_every_variant_says_the_same(
    tmp_path: Path, line_end: str, header: bool, suffix: str, trailing: str
) -> None:
    tree = CelebA(
        tmp_path / "celeba", line_end=line_end, header=header, suffix=suffix, trailing=trailing
    )  # fmt: skip
    faces = open_prepared(prepared(tree.write()))
    assert_is_the_tree(faces, tree)
    assert manifest(tree.root)["partition"] == {"train": 14, "validation": 13, "test": 13}
    plain = CelebA(tmp_path / "plain")
    assert open_prepared(prepared(plain.write())).fingerprint == faces.fingerprint


@pytest.mark.parametrize("header", ["image identity", "img label", "40", ""])
def test_headers_of_copies_in_the_wild(celeba: CelebA, header: str) -> None:
    path = celeba.path("identity_CelebA")
    rows = path.read_text().splitlines()[1:]
    path.write_text("\n".join([header, *rows]))
    assert_is_the_tree(open_prepared(prepared(celeba.root)), celeba)


@pytest.mark.parametrize("folders", [("Anno", "Eval", "Img"), ("", "", "img_align_celeba")])
def test_folders_that_the_archives_unpack_to(tmp_path: Path, folders: tuple[str, str, str]) -> None:
    tree = CelebA(tmp_path / "celeba")
    tree.write()
    names = ["list_attr_celeba.txt", "list_eval_partition.txt"]
    for folder, name in zip(folders, names, strict=False):
        (tree.root / folder).mkdir(exist_ok=True)
        (tree.root / name).rename(tree.root / folder / name)
    (tree.root / "img_align_celeba").rename(tree.root / "images")
    (tree.root / folders[2]).mkdir()
    (tree.root / "images").rename(tree.root / folders[2] / "img_align_celeba")
    assert_is_the_tree(open_prepared(prepared(tree.root)), tree)


def test_layout_of_torchvisions_celeba(tmp_path: Path) -> None:
    tree = CelebA(tmp_path / "root" / "celeba")
    tree.write()
    (tmp_path / "root" / "celeba" / "list_bbox_celeba.txt").write_text("0\n")
    whole = open_prepared(prepared(tmp_path / "root"))
    assert_is_the_tree(whole, tree)
    assert open_prepared(prepared(tree.root)).fingerprint == whole.fingerprint


def test_missing_partition(tmp_path: Path) -> None:
    tree = CelebA(tmp_path / "celeba", with_partition=False)
    assert_is_the_tree(open_prepared(prepared(tree.write())), tree)
    assert manifest(tree.root)["partition"] == {}


def test_partition_of_some_images_changes_no_split(celeba: CelebA) -> None:
    whole = open_prepared(prepared(celeba.root))
    path = celeba.path("list_eval_partition")
    path.write_text("\n".join(path.read_text().splitlines()[:11]))
    assert manifest(celeba.root)["partition"] == {"train": 4, "validation": 3, "test": 3, "none": 30}
    assert open_prepared(prepared(celeba.root)).fingerprint == whole.fingerprint


def test_unknown_partition(celeba: CelebA) -> None:
    path = celeba.path("list_eval_partition")
    path.write_text(path.read_text().replace("000002.jpg 1", "000002.jpg 3"))
    assert "list_eval_partition.txt line 3: the partition is '3', expected 0, 1 or 2" in complaint(
        celeba.root
    )


def test_images_may_disagree_with_their_identity(celeba: CelebA) -> None:
    path = celeba.path("list_attr_celeba")
    lines = path.read_text().splitlines()
    cells = lines[2].split()
    cells[1 + ATTRIBUTES.index("Male")] = "1"
    path.write_text("\n".join([*lines[:2], " ".join(cells), *lines[3:]]))
    assert open_prepared(prepared(celeba.root)).attribute("Male")[:4].tolist() == [1, 0, 1, 1]


def test_subset_by_one_annotation(celeba: CelebA) -> None:
    for name in celeba.names[32:]:
        (celeba.root / "img_align_celeba" / name).unlink()
    celeba.write_identities(celeba.names[:32])
    faces = open_prepared(prepared(celeba.root))
    assert (len(faces), len(faces.identity_names)) == (32, 16)
    assert remarks_on(prepared(celeba.root)) == []


def test_images_without_annotation_are_left_out_and_told(celeba: CelebA) -> None:
    celeba.write_identities(celeba.names[:32])
    write_jpeg(celeba.root / "img_align_celeba" / "999999.jpg")
    assert len(open_prepared(prepared(celeba.root))) == 32
    (remark,) = remarks_on(prepared(celeba.root))
    assert remark.startswith("9 images lack an identity or attributes")
    assert remark.endswith("the first: 000033.jpg")


def test_few_missing_images_are_counted(celeba: CelebA) -> None:
    for name in celeba.names[4:8]:
        (celeba.root / "img_align_celeba" / name).unlink()
    faces = open_prepared(prepared(celeba.root))
    assert len(faces) == 36
    assert len(faces.identity_names) == 18
    identities = celeba.path("identity_CelebA")
    assert remarks_on(prepared(celeba.root)) == [
        f"4 listed images are missing, the first: 000005.jpg ({identities} line 6)"
    ]


def test_many_missing_images_fail(celeba: CelebA) -> None:
    for name in celeba.names[4:9]:
        (celeba.root / "img_align_celeba" / name).unlink()
    message = complaint(celeba.root)
    assert "5 of 40 listed images are missing" in message
    assert "the first 000005.jpg" in message
    assert "more than 10%: add them, or for a subset cut identity_CelebA.txt to its images" in message


def test_truncated_images_are_left_out_and_told(celeba: CelebA) -> None:
    whole = open_prepared(prepared(celeba.root)).inputs
    broken = [celeba.root / "img_align_celeba" / name for name in celeba.names[6:8]]
    broken[0].write_bytes(broken[0].read_bytes()[:-2])
    broken[1].write_bytes(broken[1].read_bytes()[:200])
    faces = open_prepared(prepared(celeba.root))
    assert len(faces) == 38
    assert len(faces.identity_names) == 19
    assert np.array_equal(faces.inputs, np.delete(whole, [6, 7], axis=0))
    assert faces.attribute("Male").tolist() == np.delete(np.repeat(np.arange(20), 2) % 2, [6, 7]).tolist()
    (remark,) = remarks_on(prepared(celeba.root))
    assert remark.startswith(f"2 images cannot be decoded, the first: {broken[0]} (")
    assert "list_attr_celeba.txt line 9) cannot be read as an image" in remark


def test_missing_and_truncated_images_share_one_limit(celeba: CelebA) -> None:
    for name in celeba.names[:3]:
        (celeba.root / "img_align_celeba" / name).unlink()
    for name in celeba.names[6:8]:
        (celeba.root / "img_align_celeba" / name).write_bytes(b"\xff\xd8\xff\xe0 cut")
    message = complaint(celeba.root)
    assert "2 images cannot be decoded and 3 are missing, more than 10% of 40" in message
    assert celeba.names[6] in message
    assert not [*(celeba.root.parent / "cache").iterdir()]


def test_what_truncated_images_leave_must_be_judgeable(tmp_path: Path) -> None:
    tree = CelebA(tmp_path / "celeba", people=17)
    tree.write()
    for name in tree.names[:2]:
        (tree.root / "img_align_celeba" / name).write_bytes(b"\xff\xd8\xff")
    assert len(open_prepared(prepared(tree.root))) == 32
    # Without the images of one more person 7 identities with Male = 1 remain, which are too few.
    for name in tree.names[2:4]:
        (tree.root / "img_align_celeba" / name).write_bytes(b"")
    tree.write_identities(tree.names[2:])
    for name in tree.names[4:]:
        assert (tree.root / "img_align_celeba" / name).exists()
    assert "7 identities have Male = 1" in complaint(tree.root)


@pytest.mark.parametrize("stem", ["list_attr_celeba", "identity_CelebA", "list_eval_partition"])
def test_duplicate_row_names_both_lines(celeba: CelebA, stem: str) -> None:
    path = celeba.path(stem)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[3]]))
    message = complaint(celeba.root)
    name = lines[3].split()[0]
    assert f"{path} line {len(lines) + 1}: {name} is listed before, on line 4" in message


@pytest.mark.parametrize("stem", ["list_attr_celeba", "identity_CelebA"])
def test_missing_annotation(celeba: CelebA, stem: str) -> None:
    celeba.path(stem).unlink()
    assert f"{celeba.path(stem)} is missing" in complaint(celeba.root)


def test_annotation_in_both_formats(celeba: CelebA) -> None:
    (celeba.root / "identity_CelebA.csv").write_text("image,identity\n")
    assert "identity_CelebA.csv are both there: remove one" in complaint(celeba.root)


def test_missing_images_folder(celeba: CelebA) -> None:
    (celeba.root / "img_align_celeba").rename(celeba.root / "elsewhere")
    assert "img_align_celeba is missing or holds no images" in complaint(celeba.root)


@pytest.mark.parametrize("location", ["", "nowhere"])
def test_missing_folder(location: str) -> None:
    with pytest.raises(DataError, match=f"no folder '{location}': give celeba:PATH"):
        read_celeba(location)


def test_annotations_of_two_copies(celeba: CelebA) -> None:
    path = celeba.path("identity_CelebA")
    path.write_text(path.read_text().replace(".jpg", ".png"))
    assert "have no image in common" in complaint(celeba.root)


def test_row_of_another_length(celeba: CelebA) -> None:
    path = celeba.path("list_attr_celeba")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:5], lines[5] + " 1", *lines[6:]]))
    assert f"{path} line 6: 41 values, but 40 on line 3" in complaint(celeba.root)


def test_attributes_cut_without_header(celeba: CelebA) -> None:
    path = celeba.path("list_attr_celeba")
    path.write_text("\n".join(" ".join(line.split()[:4]) for line in path.read_text().splitlines()[2:]))
    assert f"{path}: 3 values per image under a header of 0 names" in complaint(celeba.root)


def test_two_identities_per_image(celeba: CelebA) -> None:
    path = celeba.path("identity_CelebA")
    path.write_text("\n".join(f"{name} 1 2" for name in ["image identity", *celeba.names][1:]))
    assert f"{path}: 2 values per image" in complaint(celeba.root)


def test_line_that_names_no_image(celeba: CelebA) -> None:
    path = celeba.path("identity_CelebA")
    path.write_text(path.read_text() + "000041 7\n")
    assert f"{path} line 42: '000041' is no image name" in complaint(celeba.root)


def test_attribute_of_one_value(celeba: CelebA) -> None:
    path = celeba.path("list_attr_celeba")
    path.write_text(path.read_text().replace("-1", " 1"))
    assert "20 identities have Male = 1 and 0 have Male = 0" in complaint(celeba.root)


def test_unknown_attribute_lists_some(celeba: CelebA) -> None:
    with pytest.raises(DataError, match=r"no attribute 'gender': its attributes are 5_o_.* and 32 more"):
        prepared(celeba.root, "gender")


CELLS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    values=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5),
    line_end=st.sampled_from(["\n", "\r\n"]),
    separator=st.sampled_from([" ", "  ", "\t", ",", ", "]),
    heading=st.sampled_from(["", "count", "names", "names with image", "count and names"]),
    trailing=st.sampled_from(["", " ", "  "]),
    last_line_ends=st.booleans(),
    byte_order_mark=st.booleans(),
)
def test_any_way_of_writing_an_annotation_reads_the_same(
    tmp_path: Path,
    values: list[tuple[str, str]],
    line_end: str,
    separator: str,
    heading: str,
    trailing: str,
    last_line_ends: bool,
    byte_order_mark: bool,
) -> None:
    headings = {
        "": [],
        "count": [[str(len(values))]],
        "names": [["one", "other"]],
        "names with image": [["image", "one", "other"]],
        "count and names": [["5"], ["one", "other"]],
    }
    rows = [[f"{number:06d}.jpg", *cells] for number, cells in enumerate(values)]
    text = line_end.join(separator.join(cells) + trailing for cells in [*headings[heading], *rows])
    path = tmp_path / "list.txt"
    encoded = (text + (line_end if last_line_ends else "")).encode()
    path.write_bytes((b"\xef\xbb\xbf" if byte_order_mark else b"") + encoded)
    annotation = read_annotation(path, ["one", "other"])
    assert [*annotation.rows] == [row[0] for row in rows]
    assert {name: [*column] for name, column in annotation.columns.items()} == {
        "one": [one for one, _ in values],
        "other": [other for _, other in values],
    }
    assert annotation.place(rows[0][0]) == f"{path} line {len(headings[heading]) + 1}"


def test_an_image_without_identity_names_its_line(celeba: CelebA) -> None:
    celeba = replace(celeba, suffix=".csv")
    celeba.path("identity_CelebA").write_text(
        "image,identity\n"
        + "".join(f"{name},{'' if name == celeba.names[2] else '7'}\n" for name in celeba.names)
    )
    (celeba.root / "identity_CelebA.txt").unlink()
    assert complaint(celeba.root) == (
        f"{celeba.path('identity_CelebA')} line 4: the identity is empty, every row needs one"
    )


def test_a_link_to_nowhere_is_an_image_that_cannot_be_read(celeba: CelebA) -> None:
    image = celeba.root / "img_align_celeba" / celeba.names[2]
    image.unlink()
    image.symlink_to(celeba.root / "gone.jpg")
    assert len(open_prepared(prepared(celeba.root))) == 39
    (remark,) = remarks_on(prepared(celeba.root))
    assert celeba.names[2] in remark
