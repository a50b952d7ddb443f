import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aia_models.config import ComputeConfig
from tests.aia_models.training.golden_losses import CONFIGS, GOLDEN, JOINT_STEPS, LOSSES, joint_losses


@pytest.mark.parametrize("layout", ["channels_last", "contiguous"])
@pytest.mark.parametrize("name", CONFIGS)
def test_losses_are_the_recorded_ones(name: str, layout: Any) -> None:
    recorded = json.loads(GOLDEN.read_text())[name]
    found = joint_losses(CONFIGS[name], ComputeConfig(memory_format=layout))
    for loss in LOSSES:
        assert len(recorded[loss]) == JOINT_STEPS
        np.testing.assert_allclose(found[loss], recorded[loss], rtol=1e-4, err_msg=loss)


def test_a_small_change_shows() -> None:
    """A learning rate that is 5 % larger moves the losses beyond the tolerance within the 20 steps."""
    name = "noise, linear and MLP adversary"
    recorded = json.loads(GOLDEN.read_text())[name]
    config = CONFIGS[name]
    found = joint_losses(replace(config, learning_rate=1.05 * config.learning_rate), ComputeConfig())
    assert not np.allclose(found["matcher_loss"], recorded["matcher_loss"], rtol=1e-4)
