"""What all tests share: one thread, checked shapes, small faces, one local Ray and one S3 server per test process."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jaxtyping import install_import_hook

os.environ.setdefault("OMP_NUM_THREADS", "1")
# Ray runs its workers at niceness 15: beside other busy programs the tests would wait for them for minutes.
os.environ.setdefault("RAY_worker_niceness", "0")
# Before any module of the package is imported: shapes in signatures are checked as the tests run.
install_import_hook("aia_models", "beartype.beartype")

from tests.small_faces import GENDERS, SETTINGS, as_options, write_faces  # noqa: E402

# The longest first: test processes that take a file each then end at about the same time.
LONGEST = ("tests/cluster", "tests/faults", "tests/study/tune", "tests/study/paper", "tests/study/trial")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the folders of `LONGEST` before all others; pytest's order stays otherwise."""

    def rank(item: pytest.Item) -> int:
        places = [place for place, folder in enumerate(LONGEST) if item.nodeid.startswith(folder)]
        return places[0] if places else len(LONGEST)

    items.sort(key=rank)


@pytest.fixture(scope="session")
def faces_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder data set of 60 people with four images each."""
    return write_faces(tmp_path_factory.mktemp("faces"), GENDERS)


@pytest.fixture(scope="session")
def tiny_settings(faces_folder: Path) -> list[str]:
    """Options of `launch quick` for a study of seconds."""
    return ["--dataset", f"folder:{faces_folder}", *as_options(SETTINGS)]


@pytest.fixture(scope="session")
def prepared_faces(tmp_path_factory: pytest.TempPathFactory, faces_folder: Path) -> Path:
    """The `.prepared` folder of a storage with a study of `tiny_settings`: its faces and the judge's controls."""
    from study.lifecycle.study_directory import create_study
    from study.spec.files import load_spec, with_settings
    from study.spec.spec import with_defaults

    storage = tmp_path_factory.mktemp("prepared")
    settings = [*SETTINGS, f"dataset=folder:{faces_folder}", "name=prepared"]
    create_study(with_defaults(with_settings(load_spec("quick"), settings)), storage)
    return storage / ".prepared"


@pytest.fixture
def storage(tmp_path: Path, prepared_faces: Path) -> Path:
    """The test's own folder as a storage of studies that finds the small faces prepared."""
    shutil.copytree(prepared_faces, tmp_path / ".prepared")
    return tmp_path


@pytest.fixture(scope="module")
def module_storage(tmp_path_factory: pytest.TempPathFactory, prepared_faces: Path) -> Path:
    """A storage as `storage` is, for all tests of a module."""
    folder = tmp_path_factory.mktemp("storage")
    shutil.copytree(prepared_faces, folder / ".prepared")
    return folder


@pytest.fixture(scope="module")
def local_ray() -> None:
    """A local Ray of one core that this test process keeps: commands that run in it join that one.

    One core, because a worker takes longer to start than a small trial to train. Modules with a cluster of their own
    call `ray.shutdown` first; the next module that asks for this fixture starts it again.
    """
    import ray

    from study.tune.cluster import OBJECT_STORE_BYTES, RAY_SETTINGS
    from tests.cluster.object_server import CREDENTIALS

    os.environ.update(RAY_SETTINGS)
    if not ray.is_initialized():
        with pytest.MonkeyPatch.context() as patch:
            for name, value in CREDENTIALS.items():  # workers have what Ray starts with
                patch.setenv(name, value)
            ray.init(
                "local",
                num_cpus=1,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level="ERROR",
            )


@pytest.fixture(scope="module")
def object_server() -> Iterator[Any]:
    """A local S3 server, and credentials for it in the environment."""
    from tests.cluster.object_server import CREDENTIALS, ObjectServer

    before = dict(os.environ)
    os.environ.update(CREDENTIALS)
    server = ObjectServer()
    yield server
    server.close()
    os.environ.clear()
    os.environ.update(before)
