"""Settings and fixtures of all tests: one thread, checked shapes, small faces, local Ray, S3 server."""

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
# The hook that checks shapes in signatures must be installed before any module of the package is imported.
install_import_hook("aia_models", "beartype.beartype")

from tests.small_faces import GENDERS, SETTINGS, as_options, write_faces  # noqa: E402

# The longest tests run first, so that test processes, which take a file each, end at about the same time.
LONGEST = ("tests/cluster", "tests/faults", "tests/study/tune", "tests/study/paper", "tests/study/trial")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the folders of `LONGEST` before all others and keep pytest's order otherwise."""

    def rank(item: pytest.Item) -> int:
        places = [place for place, folder in enumerate(LONGEST) if item.nodeid.startswith(folder)]
        return places[0] if places else len(LONGEST)

    items.sort(key=rank)


@pytest.fixture(scope="session")
def faces_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a folder data set of 60 people with four images each."""
    return write_faces(tmp_path_factory.mktemp("faces"), GENDERS)


@pytest.fixture(scope="session")
def tiny_settings(faces_folder: Path) -> list[str]:
    """Return options of `launch quick` for a study that takes seconds."""
    return ["--dataset", f"folder:{faces_folder}", *as_options(SETTINGS)]


@pytest.fixture(scope="session")
def prepared_faces(tmp_path_factory: pytest.TempPathFactory, faces_folder: Path) -> Path:
    """Return a storage's `.prepared` folder with the faces and the judge's controls of `tiny_settings`."""
    from study.lifecycle.study_directory import create_study
    from study.spec.files import load_spec, with_settings
    from study.spec.spec import with_defaults

    storage = tmp_path_factory.mktemp("prepared")
    settings = [*SETTINGS, f"dataset=folder:{faces_folder}", "name=prepared"]
    create_study(with_defaults(with_settings(load_spec("quick"), settings)), storage)
    return storage / ".prepared"


@pytest.fixture
def storage(tmp_path: Path, prepared_faces: Path) -> Path:
    """Return the test's own folder as a storage of studies in which the small faces are prepared."""
    shutil.copytree(prepared_faces, tmp_path / ".prepared")
    return tmp_path


@pytest.fixture(scope="module")
def module_storage(tmp_path_factory: pytest.TempPathFactory, prepared_faces: Path) -> Path:
    """Return a storage like `storage` that all tests of a module share."""
    folder = tmp_path_factory.mktemp("storage")
    shutil.copytree(prepared_faces, folder / ".prepared")
    return folder


@pytest.fixture(scope="module")
def local_ray() -> None:
    """Start a local Ray of one core that this test process keeps; commands in the process join it.

    It has one core, because a worker takes longer to start than a small trial to train. Modules with a
    cluster of their own call `ray.shutdown` first; the next module that uses this fixture starts Ray again.
    """
    import ray

    from study.tune.cluster import OBJECT_STORE_BYTES, RAY_SETTINGS
    from tests.cluster.object_server import CREDENTIALS

    os.environ.update(RAY_SETTINGS)
    if not ray.is_initialized():
        with pytest.MonkeyPatch.context() as patch:
            # Workers inherit the environment in which Ray starts.
            for name, value in CREDENTIALS.items():
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
    """Start a local S3 server and put credentials for it into the environment."""
    from tests.cluster.object_server import CREDENTIALS, ObjectServer

    before = dict(os.environ)
    os.environ.update(CREDENTIALS)
    server = ObjectServer()
    yield server
    server.close()
    os.environ.clear()
    os.environ.update(before)
