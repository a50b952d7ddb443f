"""Validation errors of a spec as one line that names the key, its value and what would be right."""

from difflib import get_close_matches

from pydantic import BaseModel, ValidationError

from search_spaces.hyperparameters import HYPERPARAMETERS


def validation_message(error: ValidationError, model: type[BaseModel]) -> str:
    """Return a line about the first mistake in a spec, or in another `model` whose fields have descriptions."""
    keys = _keys(model)
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"]]
    # pydantic adds members of unions and indices to the location: the key is the longest part of it that is known.
    beginnings = (".".join(location[:length]) for length in range(len(location), 0, -1))
    key = next((beginning for beginning in beginnings if beginning in keys), "")
    if first["type"] == "extra_forbidden":
        line = _unknown_key(".".join(location), keys)
    elif first["type"] == "missing":
        line = f"{key} is missing: {keys[key]}"
    elif first["type"] == "value_error":
        value = f"{key} = {first['input']!r}: " if key and key != "fixed" else ""
        line = value + first["msg"].removeprefix("Value error, ")
    else:
        line = f"{key} = {first['input']!r} is wrong: {keys[key]}"
    return line


def _keys(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Return the description of every key of `model`; keys within tables are dotted."""
    keys: dict[str, str] = {}
    for name, field in model.model_fields.items():
        keys[prefix + name] = field.description or ""
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys |= _keys(field.annotation, f"{prefix}{name}.")
    return keys


def _unknown_key(key: str, keys: dict[str, str]) -> str:
    """Return a line about an unknown key that names the most similar known key of any table."""
    candidates = {known.rpartition(".")[2]: known for known in keys}
    candidates |= {name: f"fixed.{name}" for name in HYPERPARAMETERS}
    close = get_close_matches(key.rpartition(".")[2], candidates, n=1, cutoff=0.5)
    hint = f"did you mean {candidates[close[0]]!r}?" if close else "known keys are " + ", ".join(keys)
    return f"unknown key {key!r}: {hint}"
