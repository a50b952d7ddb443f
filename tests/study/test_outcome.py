"""What the driver and the worker say of a trial: flags, progress lines, keys."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from aia_models.config import AdversaryConfig, ChannelConfig, TrainingConfig
from study.objectives import ATTACKER, MATCHING
from study.outcome import weak_adversary
from study.progress import Progress
from study.trial import stage1_key


@pytest.mark.parametrize(
    ("in_loop", "fresh", "weak"),
    [(0.55, 0.90, True), (0.59, 0.70, True), (0.60, 0.90, False), (0.55, 0.64, False), (0.80, 0.95, False)],
)
def test_an_adversary_is_weak_near_chance_where_fresh_attackers_are_not(in_loop, fresh, weak):
    assert weak_adversary(in_loop, fresh) == weak


def test_progress_tells_every_end_and_counts_earlier_trials_in_the_front():
    def row(trial_id: str, phase: str = "search", status: str = "complete", **figures: float | None) -> dict:
        return {"trial_id": trial_id, "phase": phase, "status": status, **figures}

    console = Console(file=io.StringIO(), width=200)
    earlier = [row("a", **{ATTACKER.column: 0.6, MATCHING.column: 0.7}), row("b", status="failed")]
    progress = Progress(console, 5, earlier)
    progress.finished(row("c", **{ATTACKER.column: 0.55, MATCHING.column: 0.65}))
    progress.finished(row("d", **{ATTACKER.column: 0.5, MATCHING.column: None}))
    progress.finished(row("e", status="diverged", error="total_loss is nan"))
    progress.finished(row("f", "baseline", **{ATTACKER.column: 0.5, MATCHING.column: 0.9}))
    lines = console.file.getvalue().splitlines()
    assert lines[0].startswith("c: attacker 0.550, matching 0.650; 1 of 5 trials finished")
    assert lines[1].startswith("d: complete, but not judged")
    assert lines[2].startswith("e: diverged (total_loss is nan)")
    assert "4 of 5 trials finished, 2 not judged" in lines[3]
    assert "front so far (2 designs), attacker/matching AUC: 0.550/0.650  0.600/0.700" in str(
        progress._block()
    )


def test_the_key_of_stage_1_holds_what_it_depends_on_and_nothing_of_stage_2():
    config = TrainingConfig()
    key = stage1_key(config, "faces")
    noise = ChannelConfig("noise", noise_sd=0.1)
    later = replace(config, alpha=3.0, beta=0.0, channel=noise, adversary=AdversaryConfig(steps=3))
    assert stage1_key(later, "faces") == key
    others = [replace(config, seed=1), replace(config, batch_images=32), replace(config, learning_rate=0.1)]
    others += [replace(config, adversary=AdversaryConfig(("mlp",)))]
    assert len({key, stage1_key(config, "other"), *(stage1_key(other, "faces") for other in others)}) == 6
