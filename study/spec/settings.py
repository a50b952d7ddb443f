"""The texts by which users set keys of a spec: `KEY=VALUE`, as `--set` takes them."""

import tomllib
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from study.errors import SpecError
from study.spec.spec import StudySpec


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Return the values that `KEY=VALUE` texts set, by dotted key as in `fixed.channel=none`.

    The last text counts where several set the same key. Raises SpecError for a text without `=`.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise SpecError(f"--set {setting}: needs key=value, as in trials=32 or fixed.channel=none")
        values[key.strip()] = parse_value(key.strip(), text)
    return values


def parse_value(key: str, text: str) -> Any:
    """Return the value that `text` stands for, given the type that the spec declares for the dotted `key`.

    Text that is valid TOML is read as TOML; any other text is a string. A key that takes a string gets one even where
    the text looks like a number, a truth value or a date.
    """
    value, accepted = _toml_value(text), _accepted_types(key)
    stays_text = str in accepted and not isinstance(value, str)
    return text if stays_text and not (isinstance(value, list) and tuple in accepted) else value


def _toml_value(text: str) -> Any:
    try:
        content = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    # A line break in the text could set further keys.
    return content["value"] if content.keys() == {"value"} else text


def _accepted_types(key: str) -> set[Any]:
    """Return the types that the spec declares for a dotted key; the set is empty for a key that it does not declare."""
    annotation: Any = StudySpec
    for name in key.split("."):
        is_table = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        if not is_table or name not in annotation.model_fields:
            return set()
        annotation = annotation.model_fields[name].annotation
    return set(_plain_types(annotation))


def _plain_types(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union one by one, each without its `Annotated` and its type arguments."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _plain_types(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _plain_types(member)
    else:
        yield origin or annotation
