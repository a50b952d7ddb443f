"""A trainable whose trial's number decides how it ends; its workers import no slow module."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

from ray import tune

RAISES, DIES, STOPS, DIES_ONCE = 2, 3, 4, 5


class Ending(tune.Trainable):
    """A trainable with its trial's result from `results`, or with the end that the trial's number means."""

    def setup(self, config: dict[str, Any], folder: Path | None = None, results: Any = None) -> None:  # type: ignore[override]
        assert folder is not None
        self.folder, self.results, self.number = folder, results, number_of(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.number = number_of(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save nothing, like the real trainable."""

    def step(self) -> dict[str, Any]:
        starts = self.folder / f"starts-{self.number}"
        with starts.open("a") as file:
            file.write("x")
        if self.number == RAISES:
            raise RuntimeError("lost")
        if self.number == DIES or (self.number == DIES_ONCE and starts.stat().st_size == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.number == STOPS:
            return {"epoch": 1, "stop_me": True}
        return {**self.results[self.number], "done": True}


def number_of(config: dict[str, Any]) -> int:
    """Return the number in the id of a search trial, wherever the config holds that id."""
    found = re.search(r"trial-(\d{5})", json.dumps(config, default=str))
    assert found, config
    return int(found[1])
