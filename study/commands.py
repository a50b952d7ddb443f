"""`launch` and `resume`: from options to a run, and what is printed when it ends."""

import sys
from pathlib import Path

import typer

from study.console import INTERRUPTED, print_error, stderr, stdout
from study.launch import (
    StudyDirectory,
    create_study,
    extend_study,
    free_name,
    local_storage,
    open_study_directory,
)
from study.spec import complete, load_spec, to_toml, with_settings

NO_TRIAL_JUDGED = 1


def launch(
    spec_name: str, storage: str, name: str | None, settings: list[str], address: str | None, dry_run: bool
) -> None:
    """Resolves the spec, makes the study's directory and runs it; with `dry_run` prints the spec only."""
    root = local_storage(storage)
    spec = with_settings(load_spec(spec_name), settings)
    spec = complete(with_settings(spec, [f"name={name or free_name(root, spec.name)}"]))
    if dry_run:
        sys.stdout.write(to_toml(spec))
        return
    study = create_study(spec, root)
    stderr.print(f"study {study.path}: faces of {spec.dataset} are prepared")
    _run(study, address)


def resume(directory: Path, address: str | None, trials: int | None) -> None:
    """Goes on with the study at `directory`; `trials` extends its search."""
    study = open_study_directory(directory)
    if trials is not None:
        study = extend_study(study, trials)
    _run(study, address)


def _run(study: StudyDirectory, address: str | None) -> None:
    # Ray and plotnine take seconds to import: --dry-run and refusals do without.
    from analysis.tables import open_study
    from study import reports
    from study.runner import run_study

    summary = run_study(study, address, stderr)
    if summary.finished < summary.planned:  # Tune ends a run in good order at the first Ctrl-C
        counts = f"{summary.finished} of {summary.planned} trials are recorded"
        print_error(f"interrupted: {counts}, go on with: aia-study resume {study.path}")
        raise typer.Exit(INTERRUPTED)
    if not summary.planned:
        stderr.print(f"{study.path} lacks nothing: see aia-study front {study.path}")
        return
    stderr.print(f"{summary.finished} trials in {summary.wall_seconds:.0f} s")
    if not reports.any_judged(open_study(study.path)):
        reports.status(study.path)
        raise typer.Exit(NO_TRIAL_JUDGED)
    reports.front(study.path)
    reports.plot(study.path, None)
    stdout.print(f"results: {study.path / 'results'}")
