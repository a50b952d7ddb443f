"""Specs as TOML: those that ship, those of users, and settings on top of either."""

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from analysis.tables.location import Location, location
from study.errors import SpecError
from study.spec.messages import validation_message
from study.spec.spec import StudySpec


def shipped_specs() -> tuple[str, ...]:
    """Names of the specs that ship with the package."""
    files = resources.files("study.spec").joinpath("shipped").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def load_spec(name_or_path: str) -> StudySpec:
    """The shipped spec of that name, or the TOML file at that path or URI; a file without a name takes its own.

    SpecError where neither exists, or where the file is not a spec.
    """
    if name_or_path in shipped_specs():
        text = resources.files("study.spec").joinpath("shipped", f"{name_or_path}.toml").read_text("utf-8")
        return _parsed(text, Path(f"{name_or_path}.toml"))
    path = location(name_or_path)
    if not path.is_file():
        raise SpecError(
            f"no spec {name_or_path!r}: needs a TOML file or one that ships: {', '.join(shipped_specs())}"
        )
    try:
        return _parsed(path.read_text("utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} cannot be read: {error}") from error


def with_settings(spec: StudySpec, settings: Sequence[str]) -> StudySpec:
    """The spec with `key=value` settings on top; keys of tables are dotted, as in `fixed.channel=none`.

    A value is read as TOML where it is some, else as a string. SpecError says which key is wrong.
    """
    content = spec.model_dump()
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise SpecError(f"--set {setting}: needs key=value, as in trials=32 or fixed.channel=none")
        *tables, last = key.strip().split(".")
        target: dict[str, Any] = content
        for table in tables:
            inner = target.get(table)
            # An unknown table is kept as one, so that the model names it like any unknown key.
            target[table] = dict(inner) if isinstance(inner, Mapping) else {}
            target = target[table]
        target[last] = text if key.strip() in _TEXT_KEYS else _toml_value(text)
    return _validated(content, " ".join(f"--set {setting}" for setting in settings))


def to_toml(spec: StudySpec) -> str:
    """The complete spec as TOML, defaults written out; keys that are None are left out."""
    return tomli_w.dumps(spec.model_dump(exclude_none=True))


def from_toml(text: str, where: str) -> StudySpec:
    """The spec that `to_toml` wrote; SpecError, which begins with `where`, for anything else."""
    return _parsed(text, Path(where))


_TEXT_KEYS = frozenset(
    name for name, field in StudySpec.model_fields.items() if field.annotation in (str, str | None)
)


def _toml_value(text: str) -> Any:
    try:
        content = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return content["value"] if content.keys() == {"value"} else text


def _parsed(text: str, path: Location) -> StudySpec:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not TOML: {error}") from error
    return _validated({"name": path.stem, **content}, str(path))


def _validated(content: dict[str, Any], where: str) -> StudySpec:
    try:
        return StudySpec.model_validate(content)
    except ValidationError as error:
        # A setting may hold a line break; the message is one line all the same.
        raise SpecError(" ".join(f"{where}: {validation_message(error, StudySpec)}".split())) from error
