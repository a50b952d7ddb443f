"""Specs as TOML, those that ship and those of users, and specs with changed values."""

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from analysis.tables.location import Location, location
from search_spaces.hyperparameters import HYPERPARAMETERS
from study.errors import SpecError
from study.spec.messages import validation_message
from study.spec.settings import parse_settings
from study.spec.spec import StudySpec

OF_TEMPLATES = {
    "stem": "linear",
    "augmentation": "none",
    "decoder_width": HYPERPARAMETERS["decoder_width"].default,
}


def shipped_specs() -> tuple[str, ...]:
    """Return the names of the specs that ship with the package, in alphabetical order."""
    files = resources.files("study.spec").joinpath("shipped").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def load_spec(name_or_path: str) -> StudySpec:
    """Return the shipped spec of that name, or the spec in the TOML file at that path or URI.

    A file that sets no `name` gets its own file name without the suffix. Raises SpecError if there is neither a
    shipped spec nor a file, or if the file is not a spec.
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


def with_values(spec: StudySpec, values: Mapping[str, Any]) -> StudySpec:
    """Return the spec with some of its keys changed to `values`; keys within tables are dotted, as `fixed.channel`.

    All values are validated together, and fixed hyperparameters of the spec that lose their effect by them are left
    out: those of convolutions where the stem becomes linear, as it does where the data set becomes one of templates.
    Raises SpecError with one line that names the key, its value and what would be right.
    """
    content = spec.model_dump()
    for key in sorted(values, key=lambda key: key.count(".")):  # a table comes before the keys within it
        *tables, last = key.split(".")
        target: dict[str, Any] = content
        for table in tables:
            inner = target.get(table)
            # An unknown table becomes an empty one, so that validation names the unknown key in it.
            target[table] = dict(inner) if isinstance(inner, Mapping) else {}
            target = target[table]
        target[last] = values[key]
    if isinstance(content["fixed"], Mapping):
        given = values.get("fixed", {})
        named = {key.removeprefix("fixed.") for key in values} | set(
            given if isinstance(given, Mapping) else ()
        )
        content["fixed"] = _adapted(content["fixed"], named, str(content["dataset"]))
    return _validated(content)


def _adapted(fixed: Mapping[str, Any], named: set[str], dataset: str) -> dict[str, Any]:
    """Return fixed hyperparameters without those that lose their effect, except those that a user `named`.

    A spec such as `code` fixes the sizes of convolutions for the trials that have them. Templates have no images to
    convolve, to mirror or to decode, so their stem becomes linear.
    """
    adapted = dict(fixed)
    if dataset.startswith("templates:"):
        own = named | ({"stem"} & set(fixed))
        adapted |= {name: value for name, value in OF_TEMPLATES.items() if name not in own}
    for name in list(adapted):
        when = HYPERPARAMETERS[name].when if name in HYPERPARAMETERS else None
        contradicted = when and when.parameter in adapted and adapted[when.parameter] not in when.values
        if contradicted and name not in named:
            del adapted[name]
    return adapted


def with_settings(spec: StudySpec, settings: Sequence[str]) -> StudySpec:
    """Return the spec with the keys changed that a user's `KEY=VALUE` texts set; raises SpecError as `with_values`."""
    return with_values(spec, parse_settings(settings))


def to_toml(spec: StudySpec) -> str:
    """Return the complete spec as TOML, with defaults written out and without the keys that are None."""
    return tomli_w.dumps(spec.model_dump(exclude_none=True))


def from_toml(text: str, source: str) -> StudySpec:
    """Return the spec that `to_toml` wrote; raises SpecError, which begins with `source`, for any other text."""
    return _parsed(text, Path(source))


def _parsed(text: str, path: Location) -> StudySpec:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not TOML: {error}") from error
    return _validated({"name": path.stem, **content}, f"{path}: ")


def _validated(content: dict[str, Any], prefix: str = "") -> StudySpec:
    try:
        return StudySpec.model_validate(content)
    except ValidationError as error:
        # A value may hold a line break, but the message is one line.
        raise SpecError(" ".join(f"{prefix}{validation_message(error, StudySpec)}".split())) from error
