"""Compares other rules of early stopping with the project's, by replay of a recorded study.

| rule | after | which trials continue |
|---|---|---|
| `every rung` | all powers of the factor before the last epoch | the best by rank, then by hypervolume |
| `first rung` | the first rung | the same, compared once: the project's rule with grace 1 and factor 3 |
| `dominators` | the first rung | those that the fewest others dominate |
| `oracle` | the first rung | those that will be on the front of final figures so far |

Rank is the non-dominated rank; no real rule can know what `oracle` knows. For each sampler and rule the
output states the joint epochs to the mean final hypervolume of 100 full-fidelity random trials (A) and TPE
trials (B), divided by those of the 100 trials. A run that has not reached it after as many epochs is censored
and counts as 1, so a mean with censored runs is too low.

    python benchmarks/experiments/stopping_rules.py    # 10 seeds, factor 2; about 8 minutes on 2 cores
"""

import argparse
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from math import ceil
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import numpy as np
from replay import TABLE, Search, Trace, recorded, reference_epochs, trace_until
from shared.arguments import at_least

from study.replay.recording import Recording
from study.replay.replay import StoppingRule
from study.search.halving import Rungs

FIRST = (1,)
SAMPLERS = ("random", "tpe", "nsga2", "qmc")
RULES = ("none", "every rung", "first rung", "dominators", "oracle")
Task = tuple[Path, str, str, float, int]


class Dominators:
    """Of the trials so far the share goes on that the fewest others dominate; equals go on together."""

    def __init__(self, reduction_factor: float) -> None:
        self.epochs = frozenset(FIRST)
        self._reduction_factor = reduction_factor
        self._costs: list[np.ndarray] = []

    def promotes(self, epoch: int, costs: np.ndarray) -> bool:
        """Whether fewer trials than go on have fewer dominators."""
        self._costs.append(costs)
        all_costs = np.array(self._costs)
        no_worse = (all_costs[:, None] <= all_costs[None]).all(axis=2)
        dominators = (no_worse & ~no_worse.T).sum(axis=0)
        return bool((dominators < dominators[-1]).sum() < ceil(len(all_costs) / self._reduction_factor))


class Oracle:
    """Knows from a trial's first judged figures its final ones."""

    def __init__(self, recording: Recording) -> None:
        self.epochs = frozenset(FIRST)
        signs = np.array([objective.sign for objective in recording.spec.search_objectives])
        costs = (recording.objectives * signs).reshape(-1, *recording.objectives.shape[2:])
        self._final = {tuple(run[FIRST[0] - 1]): run[-1] for run in costs}
        self._seen: list[np.ndarray] = []

    def promotes(self, epoch: int, costs: np.ndarray) -> bool:
        """Whether no trial so far will be as good in every objective."""
        final = self._final[tuple(costs)]
        beaten = any((seen <= final).all() for seen in self._seen)
        self._seen.append(final)
        return not beaten


def stopping_rule(name: str, factor: float, recording: Recording) -> StoppingRule:
    """The rule of that name."""
    objectives = recording.spec.search_objectives
    reference = np.array([objective.worst_cost for objective in objectives])
    match name:
        case "none":
            return Rungs((), factor, reference)
        case "every rung":
            powers = [round(factor**power) for power in range(recording.objectives.shape[2])]
            return Rungs(
                [epoch for epoch in dict.fromkeys(powers) if epoch < recording.objectives.shape[2]],
                factor,
                reference,
            )
        case "first rung":
            return Rungs(FIRST, factor, reference)
        case "dominators":
            return Dominators(factor)
        case _:
            return Oracle(recording)


def traced(task: Task) -> Trace:
    """One search over as many epochs as a reference spends."""
    table, sampler, rule, factor, seed = task
    recording = recorded(table)
    own = stopping_rule(rule, factor, recording)
    return trace_until(reference_epochs(recording), recording, Search(sampler, "none"), seed, own)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, default=TABLE, help="a recorded study, as simulate takes it")
    parser.add_argument("--factor", type=float, default=2.0, help="one trial in this many goes on")
    parser.add_argument("--seeds", type=at_least(2), default=10)
    parser.add_argument("--processes", type=at_least(1), default=2)
    given = parser.parse_args()
    lines = list(product(SAMPLERS, RULES))
    tasks: list[Task] = [
        (given.table, *line, given.factor, seed) for line in lines for seed in range(given.seeds)
    ]
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        found = iter(list(pool.map(traced, tasks)))
    traces = {line: [next(found) for _ in range(given.seeds)] for line in lines}
    targets = [
        statistics.mean(t.hypervolume[-1] for t in traces[sampler, "none"]) for sampler in ("random", "tpe")
    ]
    epochs = reference_epochs(recorded(given.table))
    print(
        f"{recorded(given.table).evidence}; factor {given.factor:g}, {given.seeds} seeds; A {targets[0]:.4f},"
    )
    print(
        f"B {targets[1]:.4f}. sampler | rule | hypervolume after {epochs} epochs | to A: mean, median, censored | to B"
    )
    for (sampler, rule), own in traces.items():
        cells = [sampler, rule, f"{statistics.mean(t.hypervolume[-1] for t in own):.4f}"]
        for target in targets:
            reached = [trace.reach(target) for trace in own]
            ratios = [spent[0] / epochs if spent else 1.0 for spent in reached]
            cells.append(
                f"{statistics.mean(ratios):.2f}, {statistics.median(ratios):.2f}, {reached.count(None)}"
            )
        print(" | ".join(cells))


if __name__ == "__main__":
    main()
