"""What pydantic found wrong with a spec, as one line: which key, and what would be right."""

from difflib import get_close_matches

from pydantic import BaseModel, ValidationError

from search_spaces.hyperparameters import HYPERPARAMETERS


def validation_message(error: ValidationError, model: type[BaseModel]) -> str:
    """The first mistake in words."""
    keys = _keys(model)
    first = error.errors(include_url=False)[0]
    # A union reports once per member and adds the member's name to the location: the field ends it for us.
    location = [str(part) for part in first["loc"]]
    key = next((known for n in range(len(location), 0, -1) if (known := ".".join(location[:n])) in keys), "")
    if first["type"] == "extra_forbidden":
        line = _unknown(".".join(location), keys)
    elif first["type"] == "missing":
        line = f"{key} is missing: {keys[key]}"
    elif first["type"] == "value_error":
        value = f"{key} = {first['input']!r}: " if key and key != "fixed" else ""
        line = value + first["msg"].removeprefix("Value error, ")
    else:
        line = f"{key} = {first['input']!r} is wrong: {keys[key]}"
    return line


def _keys(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Every key of the spec, dotted, with its description."""
    keys: dict[str, str] = {}
    for name, field in model.model_fields.items():
        keys[prefix + name] = field.description or ""
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys |= _keys(field.annotation, f"{prefix}{name}.")
    return keys


def _unknown(key: str, keys: dict[str, str]) -> str:
    """An unknown key with the closest known one, wherever in the spec that stands."""
    candidates = {known.rpartition(".")[2]: known for known in keys}
    candidates |= {name: f"fixed.{name}" for name in HYPERPARAMETERS}
    close = get_close_matches(key.rpartition(".")[2], candidates, n=1, cutoff=0.5)
    hint = f"did you mean {candidates[close[0]]!r}?" if close else "known keys are " + ", ".join(keys)
    return f"unknown key {key!r}: {hint}"
