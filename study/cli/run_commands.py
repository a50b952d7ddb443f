"""`launch`, `resume`, `confirm` and `prepare`: from options to a run, and what is printed when it ends."""

import sys
from pathlib import Path

import typer

from aia_models.data.prepared.prepare import open_prepared, remarks_on
from aia_models.data.splits import count_splits
from analysis.tables.location import Location, location
from study.console import INTERRUPTED, PictureKind, print_error, print_table, stderr, stdout
from study.lifecycle.study_directory import (
    StudyDirectory,
    create_study,
    next_study_name,
    open_study_directory,
    prepare_faces,
    require_writable,
)
from study.lifecycle.study_extension import extend_confirmation, extend_study
from study.spec.files import load_spec, to_toml, with_settings
from study.spec.spec import with_defaults
from study.storage.prepared_cache import share_prepared
from study.tune.preparation import preparing

NO_TRIAL_JUDGED = 1


def launch(
    spec_name: str,
    storage: str,
    name: str | None,
    settings: list[str],
    address: str | None,
    hours: float | None,
    *,
    dry_run: bool,
    detached: bool,
) -> None:
    """Resolves the spec, makes the study's directory and runs it for `hours` at most, `detached` as a job of the
    cluster; with `dry_run` prints the spec only."""
    root = location(storage) if dry_run else require_writable(storage)
    spec = with_settings(load_spec(spec_name), settings)
    spec = with_defaults(with_settings(spec, [f"name={name or next_study_name(root, spec.name)}"]))
    if dry_run:
        sys.stdout.write(to_toml(spec))
        return
    if detached:
        from study.tune.job import require_address

        require_address(address)
    with preparing(None if detached else address, root) as execute:
        study = create_study(spec, root, execute)
    stderr.print(f"study {study.storage}: faces of {spec.dataset} are prepared")
    for remark in remarks_on(study.prepared):
        stderr.print(f"{spec.dataset}: {remark}")
    _run_here_or_there(study, address, hours, detached)


def resume(
    directory: Location, address: str | None, trials: int | None, hours: float | None, *, detached: bool
) -> None:
    """Goes on with the study at `directory`, for `hours` at most, `detached` as a job of the cluster; `trials` extends
    its search."""
    with preparing(None if detached else address, directory) as execute:
        study = open_study_directory(directory, execute)
    if trials is not None:
        study = extend_study(study, trials)
    _run_here_or_there(study, address, hours, detached)


def confirm(directory: Location, address: str | None, seeds: int | None) -> None:
    """Retrains the designs on the front of the study at `directory` with fresh seeds, and runs no search trial."""
    with preparing(address, directory) as execute:
        study = open_study_directory(directory, execute)
    _run(extend_confirmation(study, seeds), address, None, search=False)


def prepare(dataset: str, storage: str, settings: list[str], address: str | None) -> None:
    """Prepares a data set as a launch would, and prints where it lies and what each split holds."""
    root = require_writable(storage)
    spec = with_defaults(with_settings(load_spec("quick"), [f"dataset={dataset}", *settings]))
    with preparing(address, root) as execute:
        prepared = prepare_faces(spec, root, execute)
    faces = open_prepared(prepared)
    for attribute in spec.attributes:
        counts = count_splits(faces, attribute, spec.split_seed)
        rows = [
            [n.split, *(f"{count:,}" for count in (n.images, n.identities, n.ones, n.zeros, n.unknown))]
            for n in counts
        ]
        values = [f"{attribute} = {value}" for value in ("1", "0", "unknown")]
        print_table(["split", "images", "identities", *values], rows)
    for remark in remarks_on(prepared):
        stdout.print(remark)
    stdout.print(f"prepared: {prepared if isinstance(root, Path) else share_prepared(prepared, root)}")


def _run_here_or_there(
    study: StudyDirectory, address: str | None, hours: float | None, detached: bool
) -> None:
    if detached:
        from study.tune.job import detach, require_address

        options = [] if hours is None else ["--hours", str(hours)]
        detach(study.storage.location, options, require_address(address))
    else:
        _run(study, address, hours)


def _run(study: StudyDirectory, address: str | None, hours: float | None, *, search: bool = True) -> None:
    # Ray and plotnine take seconds to import: --dry-run and refusals do without.
    from analysis.tables.reader import open_tables
    from study.cli import read_commands as reports
    from study.search.importance import write_importance
    from study.tune.run_study import run_study

    where = study.storage.location
    command = "resume" if search else "confirm"
    try:
        summary = run_study(study, address, stderr, search=search, hours=hours)
    except KeyboardInterrupt as interrupt:  # the second: Tune ends a run in good order at the first
        print_error(f"stopped at once: go on with: aia-study {command} {study.storage.shell_argument}")
        raise typer.Exit(INTERRUPTED) from interrupt
    if summary.finished < summary.planned:
        counts = f"{summary.finished} of {summary.planned} trials are recorded"
        go_on = f"{counts}, go on with: aia-study {command} {study.storage.shell_argument}"
        if not summary.out_of_time:
            print_error(f"interrupted: {go_on}")
            raise typer.Exit(INTERRUPTED)
        stderr.print(f"the {hours:g} hours are over: {go_on}")
        return
    if not summary.planned:
        stderr.print(f"{where} lacks nothing: see aia-study front {study.storage.shell_argument}")
        return
    stderr.print(f"{summary.finished} trials in {summary.wall_seconds:.0f} s")
    if not reports.any_judged(open_tables(where)):
        reports.status(where)
        raise typer.Exit(NO_TRIAL_JUDGED)
    reports.front(where)
    reports.plot(where, PictureKind.FRONTIER, None)
    write_importance(where)
    stdout.print(f"results: {where / 'results'}")
