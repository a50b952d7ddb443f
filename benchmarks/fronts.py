"""Compares three times in one run: our front of many rows, moocore's front, and sorting one column.

    python benchmarks/fronts.py                  # 10 million rows: about a minute on 2 cores

The rows resemble a study's figures: the attacker's AUC lies around 0.65, the matcher's grows with it, both
with noise. On the RESULT line `vs_moocore` and `vs_sort` are the median seconds of moocore and of the sort
over ours.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import moocore
import numpy as np
import polars as pl
from shared.arguments import at_least

from analysis.fronts.pareto import costs_of, is_nondominated
from analysis.tables.objectives import ATTACKER, MATCHING

REPEATS = 5


def figures(rows: int) -> pl.DataFrame:
    """A frame of both objectives' figures."""
    rng = np.random.default_rng(0)
    attacker = np.clip(rng.normal(0.65, 0.07, rows), 0.5, 1.0)
    matching = np.clip(0.5 + 0.6 * (attacker - 0.5) + rng.normal(0, 0.03, rows), 0.5, 1.0)
    return pl.DataFrame({ATTACKER.column: attacker, MATCHING.column: matching})


def seconds(action: Callable[[], object]) -> list[float]:
    """Wall seconds of each of `REPEATS` runs, after one that does not count."""
    found = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        action()
        found.append(time.perf_counter() - started)
    return found[1:]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=at_least(2), default=10_000_000)
    given = parser.parse_args()
    frame = figures(given.rows)
    costs = costs_of(frame)
    front = is_nondominated(costs)
    if not np.array_equal(front, moocore.is_nondominated(costs, keep_weakly=True)):
        parser.exit(1, "moocore finds another front: no ratio\n")
    times = {
        "ours": seconds(lambda: is_nondominated(costs_of(frame))),
        "moocore": seconds(lambda: moocore.is_nondominated(costs, keep_weakly=True)),
        "one column sorted": seconds(lambda: frame.sort(ATTACKER.column)),
    }
    print(
        f"{given.rows:,} rows, {int(front.sum())} on the front; {platform.machine()}, moocore {moocore.__version__}, "
        f"polars {pl.__version__}; seconds: median of {REPEATS} (lowest, highest)"
    )
    for name, found in times.items():
        print(f"{name:18} {statistics.median(found):8.3f} ({min(found):.3f}, {max(found):.3f})")
    ours, other, ordered = (statistics.median(found) for found in times.values())
    print(f"RESULT vs_moocore={other / ours:.2f} vs_sort={ordered / ours:.2f}")


if __name__ == "__main__":
    main()
