"""The command `prepare`, its Ray tasks and its progress lines."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ray
from rich.console import Console

from aia_models.data.prepared.blocks import Block, BlockReport, cut_into_blocks, in_threads
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.sources.image_files import ImageFiles
from study import image_progress
from study.cli import run
from study.lifecycle.study_directory import create_study
from study.spec.files import load_spec, with_settings
from study.spec.spec import with_defaults
from study.tune import preparation
from study.tune.preparation import on_ray, shown_on
from tests.aia_models.data.annotated_faces import CelebA, gender, person_name, write_vggface


@pytest.fixture(scope="module")
def celeba(tmp_path_factory: pytest.TempPathFactory) -> CelebA:
    tree = CelebA(tmp_path_factory.mktemp("faces") / "celeba", people=80)
    tree.write()
    return tree


def prepared_line(output: str) -> Path:
    return Path(output.splitlines()[-1].removeprefix("prepared: "))


def test_celeba_is_prepared_and_counted(capsys, tmp_path, celeba):
    (celeba.root / "img_align_celeba" / "extra.jpg").write_bytes(b"")
    command = ["prepare", f"celeba:{celeba.root}", "--storage", str(tmp_path), "--image-side", "16"]
    assert run(command) == 0
    out, err = capsys.readouterr()
    assert err == ""
    faces = open_prepared(prepared_line(out))
    assert len(faces) == 160
    header, *lines = out.splitlines()
    names = ["split", "images", "identities", "Male = 1", "Male = 0", "Male = unknown"]
    assert header.split() == " ".join(names).split()
    counts = {line.split()[0]: [int(cell) for cell in line.split()[1:]] for line in lines[:4]}
    assert list(counts) == ["train", "attack", "validation", "test"]
    totals = [sum(column) for column in zip(*counts.values(), strict=True)]
    assert totals == [160, 80, 80, 80, 0]
    assert all(
        images == 2 * identities == ones + zeros for images, identities, ones, zeros, _ in counts.values()
    )
    assert lines[4].startswith("1 images lack an identity or attributes")
    assert run(command) == 0
    assert capsys.readouterr().out == out


def test_launch_uses_the_prepared_copy(tmp_path, celeba, capsys):
    assert run(["prepare", f"celeba:{celeba.root}", "--storage", str(tmp_path), "--image-side", "16"]) == 0
    prepared = prepared_line(capsys.readouterr().out)
    spec = with_defaults(
        with_settings(load_spec("quick"), [f"dataset=celeba:{celeba.root}", "image_side=16"])
    )
    assert spec.attribute == "Male"

    def never(blocks):
        raise AssertionError(blocks)

    study = create_study(spec, tmp_path, never)
    assert study.prepared == prepared
    assert 'attribute = "Male"' in (study.path / "study.toml").read_text()


@pytest.mark.parametrize(
    ("settings", "attribute"),
    [
        (["dataset=celeba:faces"], "Male"),
        (["dataset=celeba:faces", "attribute=Young"], "Young"),
        (["dataset=folder:faces"], "gender"),
        (["dataset=vggface:faces"], "gender"),
    ],
)
def test_default_attribute(settings, attribute):
    assert with_defaults(with_settings(load_spec("quick"), settings)).attribute == attribute


def test_vggface_and_another_attribute(capsys, tmp_path):
    root = write_vggface(tmp_path / "vggface", people=80)
    rows = [f"{person_name(person)},{gender(person)},{'yn'[person // 2 % 2]}" for person in range(80)]
    (root / "people.csv").write_text("\n".join(["identity,gender,glasses", *rows]))
    command = ["prepare", f"vggface:{root}", "--storage", str(tmp_path), "--image-side", "16"]
    assert run([*command, "--attribute", "glasses", "--positive", "y"]) == 0
    faces = open_prepared(prepared_line(capsys.readouterr().out))
    assert faces.attribute("glasses")[:8].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["prepare"], "DATASET"),
        (["prepare", "celeba:nowhere"], "give celeba:PATH"),
        (["prepare", "vggface:nowhere"], "give vggface:PATH"),
        (["prepare", "webcam:0"], "celeba, vggface"),
        (["prepare", "synthetic", "--image-side", "30"], "image_side = 30"),
        (["prepare", "synthetic", "--storage", "ftp://bucket/x"], "ftp://bucket/x"),
    ],
)
def test_wrong_arguments(capsys, tmp_path, monkeypatch, arguments, named):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert named in err
    assert not [*tmp_path.iterdir()]


def test_attribute_that_is_constant_in_one_split(capsys, tmp_path):
    tree = CelebA(tmp_path / "celeba", people=20)
    tree.write()
    assert run(["prepare", f"celeba:{tree.root}", "--storage", str(tmp_path), "--image-side", "16"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "split '" in line
    assert "choose another split_seed" in line


def test_ray_tasks_make_what_threads_make(local_ray, celeba, tmp_path, monkeypatch):
    monkeypatch.setattr("aia_models.data.prepared.blocks.BLOCK_IMAGES", 16)
    source = f"celeba:{celeba.root}"
    ends = []
    for name, execute in (("threads", in_threads), ("ray", lambda blocks: on_ray(blocks, None))):
        settings = {"image_side": 16, "attributes": ("Male",), "positive": None, "cache": tmp_path / name}
        ends.append(prepare(source, **settings, execute=execute))
    threads, on_cluster = ends
    for file in ("inputs.npy", "identity.npy", "attributes.npy", "manifest.json"):
        assert (threads / file).read_bytes() == (on_cluster / file).read_bytes()
    assert [*on_cluster.parent.iterdir()] == [on_cluster]


def test_every_block_is_reported_once_by_other_processes(local_ray, celeba, tmp_path, monkeypatch):
    monkeypatch.setattr("aia_models.data.prepared.blocks.BLOCK_IMAGES", 7)
    monkeypatch.setattr(preparation, "BLOCKS_PER_CORE", 1)
    files = ImageFiles(str(celeba.root / "img_align_celeba"), celeba.names)
    blocks = cut_into_blocks(files, 160, 16, tmp_path)
    monkeypatch.setattr("aia_models.data.sources.image_files._decode", lambda *_: pytest.fail("decoded here"))
    assert sum(report.decoded for report in on_ray(blocks, None)) == 160
    assert len([*tmp_path.iterdir()]) == len(blocks) == 23
    assert sum(report.decoded for report in on_ray(blocks, None)) == 0


def test_only_as_many_blocks_wait_as_keep_the_cores_busy(local_ray, celeba, tmp_path, monkeypatch):
    monkeypatch.setattr("aia_models.data.prepared.blocks.BLOCK_IMAGES", 4)
    monkeypatch.setattr(preparation, "BLOCKS_PER_CORE", 3)
    taken = []

    class Counted(list):
        def __iter__(self):
            for block in super().__iter__():
                taken.append(block)
                yield block

    files = ImageFiles(str(celeba.root / "img_align_celeba"), celeba.names)
    reports = on_ray(Counted(cut_into_blocks(files, 160, 16, tmp_path)), None)
    for done, _ in enumerate(reports, 1):
        assert len(taken) <= done - 1 + 3 * ray.cluster_resources()["CPU"]
    assert len(taken) == done == 40


def test_a_node_that_cannot_write_is_one_line(local_ray, celeba, tmp_path):
    files = ImageFiles(str(celeba.root / "img_align_celeba"), celeba.names)
    blocks = cut_into_blocks(files, 160, 16, tmp_path / "not" / "shared")
    with pytest.raises(FileNotFoundError) as caught:
        list(on_ray(blocks, None))
    assert "\n" not in str(caught.value)


def test_only_many_images_go_to_ray(celeba, tmp_path, monkeypatch):
    asked = []

    def pretend(blocks, address):
        asked.append(address)
        yield from in_threads(blocks)

    monkeypatch.setattr(preparation, "on_ray", pretend)
    files = ImageFiles(str(celeba.root / "img_align_celeba"), celeba.names)
    execute = shown_on(Console(file=io.StringIO()), "ray://head:10001")
    list(execute(cut_into_blocks(files, 160, 16, tmp_path)))
    assert asked == []
    monkeypatch.setattr(preparation, "RAY_FROM_IMAGES", 160)
    list(execute(cut_into_blocks(files, 160, 16, tmp_path)))
    assert asked == ["ray://head:10001"]


def test_progress_counts_images_of_interrupted_runs_as_done(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(image_progress, "SECONDS_BETWEEN_LINES", 0.0)
    # The first report comes late, as when workers start, so its time does not count for the rate.
    monkeypatch.setattr(time, "monotonic", iter([0, 100, 110, 120]).__next__)
    reports = [BlockReport(500, 0, ()), BlockReport(500, 500, ()), BlockReport(500, 500, ())]
    blocks = [Block(0, 500, ImageFiles("", []), 16, "")] * 4
    monkeypatch.setattr(preparation, "in_threads", lambda _: iter(reports))
    assert list(shown_on(Console(file=written), None)(blocks)) == reports
    first, second = written.getvalue().splitlines()
    for line, words in (
        (first, ("1,000 of 2,000", "50 images/s", "20 s")),
        (second, ("1,500 of 2,000", "50 images/s", "10 s")),
    ):
        assert all(word in line for word in words), line


def test_bar_on_a_terminal(celeba, tmp_path):
    written = io.StringIO()
    files = ImageFiles(str(celeba.root / "img_align_celeba"), celeba.names)
    execute = shown_on(Console(file=written, force_terminal=True, width=120), None)
    list(execute(cut_into_blocks(files, 160, 16, tmp_path)))
    assert "160/160" in written.getvalue()
    assert "images/s" in written.getvalue()


def test_killed_preparation_goes_on_with_the_same_command(celeba, tmp_path):
    slow = f"""
import sys, time
from aia_models.data.prepared import blocks
from aia_models.data.sources import image_files
blocks.BLOCK_IMAGES = 20
decode = image_files._decode
image_files._decode = lambda *of: (time.sleep(0.02), decode(*of))[1]
from study.cli import run
sys.exit(run(["prepare", "celeba:{celeba.root}", "--storage", {str(tmp_path)!r}, "--image-side", "16"]))
"""
    process = subprocess.Popen([sys.executable, "-c", slow], stderr=subprocess.PIPE, text=True)
    while len([*tmp_path.glob(".prepared/.*.blocks/*.safetensors")]) < 2:
        assert process.poll() is None, "it ended before two blocks were written"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("aia-study: interrupted: prepared images are kept")
    (unfinished,) = tmp_path.glob(".prepared/.*.blocks")
    assert 2 <= len([*unfinished.iterdir()]) < 8
    assert run(["prepare", f"celeba:{celeba.root}", "--storage", str(tmp_path), "--image-side", "16"]) == 0
    (prepared,) = (tmp_path / ".prepared").iterdir()
    undisturbed = prepare(
        f"celeba:{celeba.root}", image_side=16, attributes=("Male",), positive=None, cache=tmp_path / "other"
    )
    assert (prepared / "manifest.json").read_bytes() == (undisturbed / "manifest.json").read_bytes()
