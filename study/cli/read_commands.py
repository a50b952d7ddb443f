"""The commands `front`, `select`, `status` and `plot` print and draw the results in a study's tables."""

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
from analysis.summaries.front_table import front_rows, printed_figures
from analysis.summaries.status import status_summary
from analysis.summaries.wording import certificate_text, figure_text, value_text
from analysis.tables.beside import BESIDE_FIGURES
from analysis.tables.location import Location, write_to
from analysis.tables.objectives import ATTACKER, MATCHING
from analysis.tables.reader import StudyTables, read_trials
from search_spaces.hyperparameters import HYPERPARAMETERS
from study.console import Format, PictureKind, print_rows, print_table, stderr, stdout
from study.lifecycle.example_study import default_output, is_example
from study.open_readable import open_readable
from study.search.importance import write_importance
from study.spec.constraints import row_violation
from study.spec.files import load_spec
from study.spec.spec import searched_space
from study.storage.paths import CONTROLS, SPEC_FILE


def any_judged(study: StudyTables) -> bool:
    """Return whether the study has a judged search trial."""
    return not candidates(read_trials(study)).is_empty()


def front(directory: Location, form: Format = Format.TABLE) -> None:
    """Print the front of the study in `directory`, the most private design first."""
    rows = front_rows(open_readable(directory, "trials"))
    _warn_of_violations(directory, rows)
    if form is not Format.TABLE:
        print_rows(rows, form)
        return
    stdout.print(
        f"Pareto front of {directory} ({_source(rows.to_dicts())}; validation and test identities, 95 % intervals over"
        " identities; lower attacker AUC is more private, higher matching AUC more useful)"
    )
    stdout.print(_ceiling(directory))
    varied = _varied(directory)
    figures = printed_figures(rows)
    header = ["trial", *(title for title, _ in figures), "design", "checkpoint"]
    columns = [column for _, column in figures]
    print_table(header, [_front_row(row, columns, varied, directory) for row in rows.to_dicts()])


def select(directory: Location, criteria: SelectionCriteria, form: Format = Format.TABLE) -> None:
    """Print the checkpoint that `criteria` select, the reason, the next best trial and the cost of the limits."""
    selection = select_trial(read_trials(open_readable(directory, "trials")), criteria, str(directory))
    trial = selection.trial
    checkpoint = str(directory / selection.checkpoint)
    if form is not Format.TABLE:
        alternatives = {"next_best": selection.next_best, "without_limits": selection.unlimited}
        ids = {name: other and other["trial_id"] for name, other in alternatives.items()}
        row = {**trial, "checkpoint": checkpoint, "chosen_for": _reason(criteria), **ids}
        if form is Format.JSON:
            sys.stdout.write(json.dumps(row, indent=2) + "\n")
        else:
            print_rows(pl.DataFrame([row], infer_schema_length=None), form)
        return
    stdout.print(checkpoint)
    stdout.print(f"trial {trial['trial_id']}: {_reason(criteria)} on validation ({_source([trial])})")
    for title, text in _figures(trial):
        if text != "-":
            stdout.print(f"  {title}: {text}")
    stdout.print(f"  {_design(trial, _varied(directory))}")
    for line in _alternatives(selection):
        stdout.print(line)


def _figures(trial: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield title and text of the figures of a selected trial; the text is "-" where it has no such figure."""
    yield "attacker AUC", figure_text(trial, ATTACKER.column)
    for figure in BESIDE_FIGURES:
        yield figure.title, figure_text(trial, figure.column("validation"))
    yield "certified attacker AUC", certificate_text(trial)
    yield "matching AUC", figure_text(trial, MATCHING.column)
    yield "test attacker", figure_text(trial, "attacker_auc_test")
    yield "test matching", figure_text(trial, "matching_auc_test")


def _reason(criteria: SelectionCriteria) -> str:
    return f"{criteria.preference} with {criteria.limits}" if criteria.limits else criteria.preference


def _alternatives(selection: Selection) -> Iterator[str]:
    """Yield a line for each alternative to the selected trial, with the differences between the two."""
    if selection.next_best is not None:
        yield f"next best: {_difference(selection.next_best, selection.trial)}"
    if selection.unlimited is not None:
        yield f"without the limits: {_difference(selection.unlimited, selection.trial)}"


def _difference(other: Mapping[str, Any], trial: Mapping[str, Any]) -> str:
    attacker, matching = (other[column] - trial[column] for column in (ATTACKER.column, MATCHING.column))
    return (
        f"trial {other['trial_id']}, attacker AUC {other[ATTACKER.column]:.3f} ({attacker:+.3f}), matching AUC"
        f" {other[MATCHING.column]:.3f} ({matching:+.3f})"
    )


def status(directory: Location, form: Format = Format.TABLE) -> None:
    """Print the counts of trials by phase and status, the front's size and hypervolume, and the errors."""
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
    rows = [[str(value) for value in row.values()] for row in counts if row["trials"]]
    print_table(["phase", "status", "trials"], rows)
    if summary["front"]:
        stdout.print(f"front: {summary['front']} designs, hypervolume {summary['hypervolume']:.4f}")
    if damaged := len(summary["damaged"]):
        stdout.print(f"{damaged} damaged parts of the tables are left out, so rows are missing")
    for error in summary["errors"]:
        stdout.print(f"{error['trial_id']} {error['status']}: {error['error']}")


def plot(directory: Location, kind: PictureKind, output: Path | None) -> None:
    """Draw a picture of the study at `output`, or at its default path, and print the path."""
    if kind is PictureKind.IMPORTANCE and not is_example(directory):
        write_importance(directory)
    picture = PICTURES[kind]
    title = f"{directory.resolve().name}: {picture.title}"
    target = output or default_output(directory, f"{kind}.png")
    drawn = picture.draw(open_readable(directory, "trials"))
    with write_to(target) as path:
        save_png(drawn, path, title)
    stdout.print(f"{kind}: {target}")


def plot_against(directory: Location, other: Location, output: Path | None) -> None:
    """Draw the fronts of two studies and their difference at `output`, or at its default path, and print the path."""
    target = output or default_output(directory, "comparison.png")
    drawn = plot_comparison(open_readable(directory, "trials"), open_readable(other, "trials"))
    with write_to(target) as path:
        save_png(drawn, path, "Comparison of two fronts")
    stdout.print(f"comparison: {target}")


def _warn_of_violations(directory: Location, rows: pl.DataFrame) -> None:
    constraints = load_spec(str(directory / SPEC_FILE)).search_constraints
    violating = [
        row["trial_id"] for row in rows.iter_rows(named=True) if row_violation(constraints, row) != 0
    ]
    if violating:
        texts = ", ".join(constraint.text for constraint in constraints)
        stderr.print(
            f"{len(violating)} of {rows.height} rows are not within the study's constraints ({texts}):"
            f" {', '.join(violating)}"
        )


def _source(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return in words which trials the figures of the front's rows come from."""
    if rows[0]["source"] == "search":
        return "search trials"
    counts = sorted({row["seeds"] for row in rows})
    seeds = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    return f"confirmed designs, means over {seeds} fresh seed{'' if seeds == '1' else 's'}"


def _ceiling(directory: Location) -> str:
    """Return a line with the judge's AUC on raw images or templates, which no representation should exceed."""
    controls = directory / CONTROLS
    if not controls.is_file():
        return f"no controls: {controls} is missing"
    try:
        content = json.loads(controls.read_text("utf-8"))
    except ValueError as error:
        return f"no controls: {controls} is damaged ({error})"
    parts = [
        f"{row['attribute']} {row['attacker_auc']:.3f} ({row['attacker']}), matching {row['matching_auc']:.3f}"
        for row in content["ceilings"]
        if row["split"] == "validation"
    ]
    return f"raw inputs, the ceiling, AUC on validation: {'; '.join(parts)}; floors hold"


def _varied(directory: Location) -> list[str]:
    """Return the names of the hyperparameters that the study searches, in the order of the registry."""
    searched = searched_space(load_spec(str(directory / SPEC_FILE))).parameters
    return [name for name in HYPERPARAMETERS if name in searched]


def _front_row(row: dict[str, Any], columns: list[str], varied: list[str], directory: Location) -> list[str]:
    figures = [figure_text(row, column) for column in columns]
    checkpoint = str(directory / row["checkpoint"]) if row["checkpoint"] else "not kept"
    return [row["trial_id"], *figures, _design(row, varied), checkpoint]


def _design(row: Any, varied: list[str]) -> str:
    """Return the searched hyperparameters that are in effect in a row, as `name=value`."""
    values = {name: row[name] for name in varied if row[name] is not None}
    return " ".join(f"{name}={value_text(value)}" for name, value in values.items())
