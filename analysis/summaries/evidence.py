"""States the evidence behind figures: the number of trials by status, the number of seeds, and the split."""

import polars as pl

from analysis.fronts.candidates import is_judged

STATUSES = ("complete", "stopped_early", "failed", "diverged")


def status_counts(frame: pl.DataFrame) -> dict[str, int]:
    """Return the number of trials of a `trials` frame in each status of STATUSES, 0 where there is none."""
    counts = dict(frame.group_by("status").len().iter_rows())
    return {status: counts.get(status, 0) for status in STATUSES}


def evidence(frame: pl.DataFrame) -> str:
    """Return one line that states what the figures of a `trials` frame rest on.

    For example "24 search trials: 20 complete, 4 failed; 1 seed; split: validation". Confirmed designs are counted
    after the search trials, with their seeds.
    """
    search = frame.filter(pl.col("phase") == "search")
    counts = ", ".join(
        f"{count} {status.replace('_', ' ')}" for status, count in status_counts(search).items() if count
    )
    parts = [f"{_number(search.height, 'search trial')}{f': {counts}' if counts else ''}", _seeds(search)]
    confirmed = frame.filter(is_judged(), pl.col("phase") == "confirm")
    if not confirmed.is_empty():
        designs = _number(confirmed["design_id"].n_unique(), "design")
        parts.append(f"{designs} confirmed on {_number(confirmed['seed'].n_unique(), 'fresh seed')}")
    return "; ".join([*parts, "split: validation"])


def _seeds(frame: pl.DataFrame) -> str:
    return _number(frame["seed"].n_unique(), "seed")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
