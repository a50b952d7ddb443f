"""A trainable that ends in the way that its trial's number stands for; its workers import nothing that is slow."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

from ray import tune

RAISES, DIES, STOPS, DIES_ONCE = 2, 3, 4, 5


class Ending(tune.Trainable):
    """Returns the result in `results` for its trial's number, unless that number stands for another end."""

    def setup(self, config: dict[str, Any], folder: Path | None = None, results: Any = None) -> None:  # type: ignore[override]
        assert folder is not None
        self.folder, self.results, self.number = folder, results, number_of(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.number = number_of(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing, as in the real trainable."""

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
    """The number in the id of a search trial, wherever that id stands in the config."""
    found = re.search(r"trial-(\d{5})", json.dumps(config, default=str))
    assert found, config
    return int(found[1])
