"""Runs the trainings of a comparison two at a time and records each when it ends.

A benchmark that was interrupted continues with the runs that its output file lacks.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from aia_models.data.prepared.prepare import prepare

Task = TypeVar("Task")


@dataclass(frozen=True)
class Options:
    """What a comparison was asked for, and where its faces are prepared."""

    dataset: str
    full: bool
    output: Path
    cache: Path


def comparison_options(description: str | None, name: str, full: str) -> Options:
    """The command line of a comparison, its faces prepared; `full` says what --full does."""
    return prepared_options(comparison_parser(description, name, full).parse_args(), name)


def comparison_parser(description: str | None, name: str, full: str) -> argparse.ArgumentParser:
    """The arguments that all comparisons share, for those that take more."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="synthetic", metavar="KIND:PATH")
    parser.add_argument("--full", action="store_true", help=full)
    parser.add_argument(
        "--output", type=Path, help=f"default studies/{name}.jsonl, with --full {name}-full.jsonl"
    )
    return parser


def prepared_options(given: argparse.Namespace, name: str) -> Options:
    """The options of a parsed command line, their faces prepared."""
    output = given.output or Path("studies", f"{name}{'-full' if given.full else ''}.jsonl")
    output.parent.mkdir(parents=True, exist_ok=True)
    cache = output.parent / ".prepared"
    prepare(given.dataset, image_side=32, attributes=("gender",), positive=None, cache=cache)
    return Options(given.dataset, given.full, output, cache)


class RecordedRuns:
    """The rows of a JSON-lines file whose first line holds the settings that all of them share.

    SystemExit in one line where the file was begun with others.
    """

    def __init__(self, options: Options, **settings: Any) -> None:
        self._output = options.output
        self._settings = json.loads(
            json.dumps({"dataset": options.dataset, "full": options.full, **settings})
        )
        lines = options.output.read_text().splitlines() if options.output.exists() else []
        begun, *rows = [json.loads(line) for line in lines] or [{"settings": self._settings}]
        if begun.get("settings") != self._settings:
            raise SystemExit(
                f"{options.output} was begun with {begun.get('settings')}, not {self._settings}: give another --output"
            )
        if not lines:
            options.output.write_text(json.dumps(begun) + "\n")
        self.rows: list[dict[str, Any]] = rows

    def run(
        self, work: Callable[[Task], list[dict[str, Any]]], tasks: Sequence[Task], name: Callable[[Task], str]
    ) -> None:
        """Does the tasks, each in a process of its own kind, and records and tells each when it ends."""
        with (
            ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
            self._output.open("a") as output,
        ):
            for number, (task, rows) in enumerate(zip(tasks, pool.map(work, tasks), strict=True), start=1):
                self.rows += rows
                output.writelines(json.dumps(row) + "\n" for row in rows)
                output.flush()
                print(f"{number} of {len(tasks)} done: {name(task)}", flush=True)
