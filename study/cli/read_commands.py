"""What `front`, `select`, `status` and `plot` print and write, from the tables alone."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from analysis.fronts.candidates import candidates
from analysis.fronts.selection import Selection, SelectionCriteria
from analysis.fronts.selection import select as select_trial
from analysis.plots.catalogue import PICTURES
from analysis.plots.elements.theme import save_png
from analysis.plots.pictures.comparison import plot_comparison
from analysis.summaries.front_table import front_rows
from analysis.summaries.status import status_summary
from analysis.summaries.wording import figure_text, value_text
from analysis.tables.location import Location, written
from analysis.tables.objectives import ATTACKER, MATCHING
from analysis.tables.reader import StudyTables, read_trials
from search_spaces.hyperparameters import HYPERPARAMETERS
from study.console import Format, PictureKind, print_rows, print_table, stderr, stdout
from study.lifecycle.example_study import is_example, picture_place
from study.open_readable import open_readable
from study.search.importance import write_importance
from study.spec.constraints import row_violation
from study.spec.files import load_spec
from study.spec.spec import searched_space
from study.storage.paths import CONTROLS, SPEC_FILE

INTERVAL_FIGURES = (
    ("attacker AUC", "attacker_auc_validation"),
    ("matching AUC", "matching_auc_validation"),
    ("test attacker", "attacker_auc_test"),
    ("test matching", "matching_auc_test"),
)


def any_judged(study: StudyTables) -> bool:
    """Whether a search trial was judged."""
    return not candidates(read_trials(study)).is_empty()


def front(directory: Location, form: Format = Format.TABLE) -> None:
    """Prints the front, the most private design first."""
    rows = front_rows(open_readable(directory, "trials"))
    _tell_beyond_constraints(directory, rows)
    if form is not Format.TABLE:
        print_rows(rows, form)
        return
    stdout.print(
        f"Pareto front of {directory} ({_source(rows.to_dicts())}; validation and test identities, 95 % intervals over"
        " identities; lower attacker AUC is more private, higher matching AUC more useful)"
    )
    stdout.print(_ceiling(directory))
    varied = _varied(directory)
    header = ["trial", *(title for title, _ in INTERVAL_FIGURES), "design", "checkpoint"]
    print_table(header, [_front_row(row, varied, directory) for row in rows.to_dicts()])


def select(directory: Location, wish: SelectionCriteria, form: Format = Format.TABLE) -> None:
    """Prints the checkpoint to ship, why it was chosen, what is next and what the limits cost."""
    selection = select_trial(read_trials(open_readable(directory, "trials")), wish, str(directory))
    trial = selection.trial
    checkpoint = str(directory / selection.checkpoint)
    if form is not Format.TABLE:
        others = {"next_best": selection.next_best, "without_limits": selection.unlimited}
        ids = {name: other and other["trial_id"] for name, other in others.items()}
        row = {**trial, "checkpoint": checkpoint, "chosen_for": _why(wish), **ids}
        if form is Format.JSON:
            sys.stdout.write(json.dumps(row, indent=2) + "\n")
        else:
            print_rows(pl.DataFrame([row], infer_schema_length=None), form)
        return
    stdout.print(checkpoint)
    stdout.print(f"trial {trial['trial_id']}: {_why(wish)} on validation ({_source([trial])})")
    for title, column in INTERVAL_FIGURES:
        stdout.print(f"  {title}: {figure_text(trial, column)}")
    stdout.print(f"  {_design(trial, _varied(directory))}")
    for line in _compared(selection):
        stdout.print(line)


def _why(wish: SelectionCriteria) -> str:
    return f"{wish.preference} with {wish.limits}" if wish.limits else wish.preference


def _compared(selection: Selection) -> Iterator[str]:
    """What else there was, in differences to the trial that was chosen."""
    if selection.next_best is not None:
        yield f"next best: {_apart(selection.next_best, selection.trial)}"
    if selection.unlimited is not None:
        yield f"without the limits: {_apart(selection.unlimited, selection.trial)}"


def _apart(other: Mapping[str, Any], trial: Mapping[str, Any]) -> str:
    attacker, matching = (other[column] - trial[column] for column in (ATTACKER.column, MATCHING.column))
    return (
        f"trial {other['trial_id']}, attacker AUC {other[ATTACKER.column]:.3f} ({attacker:+.3f}), matching AUC"
        f" {other[MATCHING.column]:.3f} ({matching:+.3f})"
    )


def status(directory: Location, form: Format = Format.TABLE) -> None:
    """Prints how the study stands."""
    summary = status_summary(open_readable(directory))
    if form is Format.JSON:
        sys.stdout.write(json.dumps(summary, indent=2) + "\n")
        return
    counts = [
        {"phase": phase, "status": status, "trials": number}
        for phase, by_status in summary["phases"].items()
        for status, number in by_status.items()
    ]
    if form is Format.CSV:
        print_rows(pl.DataFrame(counts, schema=["phase", "status", "trials"]), form)
        return
    stdout.print(f"{summary['directory']}: {summary['evidence']}")
    shown = [[str(value) for value in row.values()] for row in counts if row["trials"]]
    print_table(["phase", "status", "trials"], shown)
    if summary["front"]:
        stdout.print(f"front: {summary['front']} designs, hypervolume {summary['hypervolume']:.4f}")
    if damaged := len(summary["damaged"]):
        stdout.print(f"{damaged} damaged parts of the tables are left out: rows are missing")
    for error in summary["errors"]:
        stdout.print(f"{error['trial_id']} {error['status']}: {error['error']}")


def plot(directory: Location, kind: PictureKind, output: Path | None) -> None:
    """Writes a picture of the study and prints where it lies."""
    if kind is PictureKind.IMPORTANCE and not is_example(directory):
        write_importance(directory)
    picture = PICTURES[kind]
    title = f"{directory.resolve().name}: {picture.title}"
    target = output or picture_place(directory, f"{kind}.png")
    drawn = picture.draw(open_readable(directory, "trials"))
    with written(target) as path:
        save_png(drawn, path, title)
    stdout.print(f"{kind}: {target}")


def plot_against(directory: Location, other: Location, output: Path | None) -> None:
    """Writes the fronts of two studies and by how much they differ, and prints where the picture lies."""
    target = output or picture_place(directory, "comparison.png")
    drawn = plot_comparison(open_readable(directory, "trials"), open_readable(other, "trials"))
    with written(target) as path:
        save_png(drawn, path, "Comparison of two fronts")
    stdout.print(f"comparison: {target}")


def _tell_beyond_constraints(directory: Location, rows: pl.DataFrame) -> None:
    constraints = load_spec(str(directory / SPEC_FILE)).search_constraints
    beyond = [row["trial_id"] for row in rows.iter_rows(named=True) if row_violation(constraints, row) != 0]
    if beyond:
        stated = ", ".join(constraint.text for constraint in constraints)
        stderr.print(
            f"{len(beyond)} of {rows.height} rows are not within the study's constraints ({stated}):"
            f" {', '.join(beyond)}"
        )


def _source(rows: Sequence[Mapping[str, Any]]) -> str:
    """Where the figures of front rows come from."""
    if rows[0]["source"] == "search":
        return "search trials"
    counts = sorted({row["seeds"] for row in rows})
    seeds = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    return (
        f"confirmed designs, means over {seeds} fresh seed{'' if seeds == '1' else 's'} judged by suite full"
    )


def _ceiling(directory: Location) -> str:
    """In one line, what the judge makes of raw pixels."""
    controls = directory / CONTROLS
    if not controls.is_file():
        return "no controls: a study of an earlier release"
    try:
        content = json.loads(controls.read_text("utf-8"))
    except ValueError as error:
        return f"no controls: {controls} is damaged ({error})"
    parts = [
        f"{one['attribute']} {one['attacker_auc']:.3f} ({one['attacker']}), matching {one['matching_auc']:.3f}"
        for one in content["ceilings"]
        if one["split"] == "validation"
    ]
    return f"raw pixels, the ceiling of suite {content['suite']}, AUC on validation: {'; '.join(parts)}; floors hold"


def _varied(directory: Location) -> list[str]:
    """The hyperparameters that the study searches, in the registry's order."""
    searched = searched_space(load_spec(str(directory / SPEC_FILE))).parameters
    return [name for name in HYPERPARAMETERS if name in searched]


def _front_row(row: dict[str, Any], varied: list[str], directory: Location) -> list[str]:
    figures = [figure_text(row, column) for _, column in INTERVAL_FIGURES]
    checkpoint = str(directory / row["checkpoint"]) if row["checkpoint"] else "not kept"
    return [row["trial_id"], *figures, _design(row, varied), checkpoint]


def _design(row: Any, varied: list[str]) -> str:
    """The searched hyperparameters in effect, as name=value."""
    shown = {name: row[name] for name in varied if row[name] is not None}
    return " ".join(f"{name}={value_text(value)}" for name, value in shown.items())
