"""The small faces of the study's tests."""

from tests.study.conftest import faces_folder

__all__ = ["faces_folder"]
