"""Fewer steps of the Siamese matcher, whose own tests say otherwise where they need more."""

from collections.abc import Iterator

import pytest

from aia_models.judging import siamese


@pytest.fixture(scope="module")
def few_siamese_steps() -> Iterator[None]:
    """Train the Siamese matcher for 10 steps throughout the module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(siamese, "MAX_STEPS", 10)
        yield
