from pathlib import Path

import pytest

from aia_models.data.prepared.prepare import open_prepared, prepare, remarks_on
from aia_models.data.sources.vggface import read_vggface
from aia_models.errors import DataError
from tests.aia_models.data.annotated_faces import gender, person_name, write_jpeg, write_vggface

PEOPLE = range(20)
# The row of one person as VGGFace2's own file and copies of that file write it.
ROWS = {
    "published": '{id}, "Name_{id}", 319, 1, {gender}',
    "mangled": '{id}," ""14th_{id}""",424,0, {gender}',
    "unclosed": '{id},"Name_{id},424,0,{gender}',
    "plain": "{id},Name_{id},424,0,{gender}  ",
    "comma": '{id}, "Name, the {id}", 319, 1, {gender}',
}
HEADER = "Class_ID, Name, Sample_Num, Flag, Gender"


def prepared(root: Path) -> Path:
    cache = root.parent / "cache"
    return prepare(f"vggface:{root}", image_side=16, attributes=("gender",), positive=None, cache=cache)


def complaint(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        prepared(root)
    message = str(caught.value)
    assert "\n" not in message
    return message


def rows(form: str, people: range = PEOPLE) -> list[str]:
    return [form.format(id=person_name(person), gender=gender(person)) for person in people]


@pytest.fixture
def vggface(tmp_path: Path) -> Path:
    return write_vggface(tmp_path / "vggface")


def assert_genders(root: Path) -> None:
    faces = open_prepared(prepared(root))
    assert len(faces) == 40
    assert faces.identity_names == tuple(map(person_name, PEOPLE))
    assert faces.attribute("gender").tolist() == [int(gender(person) == "m") for person in faces.identity]
    assert list(faces.attributes) == ["gender"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("form", ROWS)
def test_identity_meta_in_every_variant(vggface: Path, form: str, header: bool, line_end: str) -> None:
    lines = [*([HEADER] if header else []), *rows(ROWS[form])]
    (vggface / "identity_meta.csv").write_bytes(line_end.join(lines).encode())
    assert_genders(vggface)


@pytest.mark.parametrize("header", ["identity,gender", "Identity, Gender", "class_id,gender", ""])
@pytest.mark.parametrize("form", ["{id},{gender}", '"{id}" , "{gender}"'])
def test_own_csv(vggface: Path, header: str, form: str) -> None:
    (vggface / "gender.csv").write_text("\n".join([header, *rows(form)]))
    assert_genders(vggface)


def test_layout_of_vggface2(tmp_path: Path) -> None:
    root = write_vggface(tmp_path / "vggface2", nested=True)
    (root / "meta").mkdir()
    (root / "meta" / "identity_meta.csv").write_text("\n".join([HEADER, *rows(ROWS["published"])]))
    faces = open_prepared(prepared(root))
    assert sorted(faces.identity_names) == [person_name(person) for person in PEOPLE]
    assert faces.attribute("gender").tolist() == [
        int(gender(int(faces.identity_names[person][1:]) - 1) == "m") for person in faces.identity
    ]


def write_lfw(base: Path, folder: str = "lfw_funneled") -> Path:
    """Write two images of each of 20 people in the layout that `torchvision.datasets.LFWPeople` reads."""
    for person in PEOPLE:
        name = f"Person_{person:02d}"
        for image in (1, 2):
            write_jpeg(base / folder / name / f"{name}_{image:04d}.jpg", 2 * person + image)
    return base / folder


def lfw_rows() -> str:
    return "\n".join(["identity,gender", *(f"Person_{person:02d},{gender(person)}" for person in PEOPLE)])


@pytest.mark.parametrize("folder", ["lfw", "lfw_funneled", "lfw-deepfunneled"])
def test_layout_of_torchvisions_lfw(tmp_path: Path, folder: str) -> None:
    root = tmp_path / "root"
    people = write_lfw(root / "lfw-py", folder)
    (root / "lfw-py" / "people.txt").write_text("10\n")
    (root / "lfw-py" / "gender.csv").write_text(lfw_rows())
    for location in (root, root / "lfw-py", people):
        faces = open_prepared(prepared(location))
        assert faces.identity_names == tuple(f"Person_{person:02d}" for person in PEOPLE)
        assert faces.attribute("gender").tolist() == [int(gender(person) == "m") for person in faces.identity]


@pytest.mark.parametrize("beside", [".", "lfw-py", "lfw-py/lfw"])
def test_genders_of_lfw_may_lie_in_any_folder_around_its_people(tmp_path: Path, beside: str) -> None:
    root = tmp_path / "root"
    write_lfw(root / "lfw-py", "lfw")
    (root / beside / "gender.csv").write_text(lfw_rows())
    assert len(open_prepared(prepared(root))) == 40


def test_several_image_folders_of_lfw(tmp_path: Path) -> None:
    root = tmp_path / "root"
    one, _ = write_lfw(root / "lfw-py", "lfw"), write_lfw(root / "lfw-py", "lfw_funneled")
    (root / "lfw-py" / "gender.csv").write_text(lfw_rows())
    for location in (root, root / "lfw-py"):
        expected = f"{root / 'lfw-py'} holds several image folders (lfw, lfw_funneled): give vggface:{one} or another"
        assert complaint(location) == expected
    assert len(open_prepared(prepared(one))) == 40


def test_lists_of_vggface_are_no_people(vggface: Path) -> None:
    (vggface / "files").mkdir()
    (vggface / "files" / "A.J._Buckley.txt").write_text("1 http://x/y.jpg 1 2 3 4 3.0 2.9 1\n")
    (vggface / "gender.csv").write_text("\n".join(["identity,gender", *rows("{id},{gender}")]))
    assert_genders(vggface)


def test_further_columns_become_attributes(vggface: Path) -> None:
    lines = [f"{row},{number % 3 // 2}" for number, row in enumerate(rows("{id},{gender}"))]
    (vggface / "gender.csv").write_text("\n".join(["identity,gender,glasses", *lines]))
    faces = open_prepared(prepared(vggface))
    assert list(faces.attributes) == ["gender", "glasses"]
    assert faces.attribute("glasses").tolist() == [person % 3 // 2 for person in faces.identity]


def test_people_on_one_side_only_are_told(vggface: Path) -> None:
    lines = rows("{id},{gender}", range(3, 22))
    (vggface / "gender.csv").write_text("\n".join(["identity,gender", *lines]))
    faces = open_prepared(prepared(vggface))
    assert faces.attribute("gender")[:8].tolist() == [-1, -1, -1, -1, -1, -1, 1, 1]
    assert remarks_on(prepared(vggface)) == [
        "3 people are not in gender.csv, the first: n000001",
        "2 people of gender.csv have no images, the first: n000021",
    ]


def test_truncated_image_of_a_person_without_row(vggface: Path) -> None:
    (vggface / "gender.csv").write_text("\n".join(rows("{id},{gender}", range(1, 20))))
    (vggface / "n000001" / "0000_01.jpg").write_bytes(b"\xff\xd8\xff")
    assert len(open_prepared(prepared(vggface))) == 39
    assert "(n000001: not in" in remarks_on(prepared(vggface))[-1]


def test_without_csv(vggface: Path) -> None:
    message = complaint(vggface)
    assert f"{vggface} needs a CSV file of identity and gender (there is none)" in message
    assert "write gender.csv with the header identity,gender" in message


@pytest.mark.parametrize("text", ["", "NAME_ID,X,Y,W,H\nn000001/0001_01,1,2,3,4\n", "n000001,x\n", "\n\n"])
def test_csv_of_something_else(vggface: Path, text: str) -> None:
    (vggface / "boxes.csv").write_text(text)
    assert "(boxes.csv is none)" in complaint(vggface)


def test_a_csv_file_of_something_else_may_be_in_any_encoding(vggface: Path) -> None:
    (vggface / "gender.csv").write_text("\n".join(["identity,gender", *rows("{id},{gender}")]))
    (vggface / "notes.csv").write_bytes("Bemerkung,Größe\n".encode("latin-1"))
    assert_genders(vggface)


def test_a_column_named_twice(vggface: Path) -> None:
    lines = [f"{row},f" for row in rows("{id},{gender}")]
    (vggface / "gender.csv").write_text("\n".join(["identity,gender,Gender", *lines]))
    assert (
        complaint(vggface) == f"{vggface / 'gender.csv'} names the column 'gender' twice: rename one of them"
    )


@pytest.mark.parametrize("part", ["train", "."])
def test_images_outside_of_peoples_folders_are_left_out_and_told(tmp_path: Path, part: str) -> None:
    root = write_vggface(tmp_path / "vggface2", nested=True)
    (root / "gender.csv").write_text("\n".join(rows("{id},{gender}")))
    write_jpeg(root / part / "cover.jpg")
    assert sorted(open_prepared(prepared(root)).identity_names) == [*map(person_name, PEOPLE)]
    first = (Path(part) / "cover.jpg").as_posix()
    assert remarks_on(prepared(root)) == [
        f"1 images lie in no person's folder and are left out, the first: {first}"
    ]


def test_two_csv_files(vggface: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (vggface / name).write_text("\n".join(rows("{id},{gender}")))
    assert f"{vggface / 'a.csv'} and {vggface / 'b.csv'} both map people to genders" in complaint(vggface)


def test_duplicate_person_names_both_lines(vggface: Path) -> None:
    path = vggface / "gender.csv"
    path.write_text("\n".join(["identity,gender", *rows("{id},{gender}"), "n000003,f"]))
    assert f"{path} line 22: n000003 is listed before, on line 4" in complaint(vggface)


@pytest.mark.parametrize(
    ("row", "what"), [("n000021", "1 cells, but 2 columns"), (",m", "identity is empty")]
)
def test_wrong_row(vggface: Path, row: str, what: str) -> None:
    path = vggface / "gender.csv"
    path.write_text("\n".join(["identity,gender", *rows("{id},{gender}"), row]))
    message = complaint(vggface)
    assert f"{path} line 22" in message
    assert what in message


def test_wrong_gender_names_its_line(vggface: Path) -> None:
    path = vggface / "gender.csv"
    path.write_text("\n".join(["identity,gender", *rows("{id},{gender}", range(19)), "n000020,x"]))
    assert f"{path} line 21: 'gender' is 'x', expected" in complaint(vggface)


def test_header_alone(vggface: Path) -> None:
    (vggface / "gender.csv").write_text("identity,gender\n")
    assert "gender.csv holds no rows" in complaint(vggface)


def test_names_that_are_no_folders(vggface: Path) -> None:
    (vggface / "gender.csv").write_text("A.J. Buckley,m\n")
    message = complaint(vggface)
    assert "none of 20 folders, the first n000001, is named in" in message


def test_no_images(tmp_path: Path) -> None:
    (tmp_path / "gender.csv").write_text("n000001,m\n")
    with pytest.raises(DataError, match="holds no images: they belong into one folder per person"):
        read_vggface(str(tmp_path))


@pytest.mark.parametrize("location", ["", "nowhere"])
def test_missing_folder(location: str) -> None:
    with pytest.raises(DataError, match=f"no folder '{location}': give vggface:PATH"):
        read_vggface(location)
