"""Check of templates: vectors that a face network made of images."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from aia_models.errors import DataError


def check_templates(values: Float32[np.ndarray, "n d"], places: Callable[[int], str]) -> None:
    """Raise DataError, in one line, where a template holds a value that is not finite, or zeros only.

    `places(row)` says where a template stands.
    """
    finite = np.isfinite(values).all(1)
    if not finite.all():
        where = places(int(np.argmin(finite)))
        raise DataError(f"{where} holds NaN or infinite values: give finite ones, or remove it")
    empty = ~values.any(1)
    if empty.any():
        where = places(int(np.argmax(empty)))
        raise DataError(f"{where} holds zeros only, so that it has no direction: remove it")
