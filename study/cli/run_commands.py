"""The commands `launch`, `resume`, `confirm` and `prepare` turn options into a run and print its outcome."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from aia_models.data.prepared.prepare import open_prepared, remarks_on
from aia_models.data.splits import count_splits
from analysis.tables.location import Location, location
from study.console import INTERRUPTED, PictureKind, print_error, print_table, stderr, stdout
from study.lifecycle.study_directory import (
    StudyDirectory,
    check_designs,
    create_study,
    next_study_name,
    open_study_directory,
    require_writable,
)
from study.lifecycle.study_extension import extend_confirmation, extend_study
from study.lifecycle.study_faces import prepare_faces
from study.spec.files import load_spec, to_toml, with_values
from study.spec.spec import with_defaults
from study.storage.prepared_cache import share_prepared
from study.tune.preparation import preparing

NO_TRIAL_JUDGED = 1  # exit status


def launch(
    spec_name: str,
    storage: str,
    name: str | None,
    changes: Mapping[str, Any],
    address: str | None,
    hours: float | None,
    *,
    dry_run: bool,
    detached: bool,
) -> None:
    """Create the study of a spec with `changes` by key, and run it for at most `hours`.

    A `detached` study runs as a job of the cluster at `address`. With `dry_run` the complete spec is printed and
    nothing is created.
    """
    root = location(storage) if dry_run else require_writable(storage)
    spec = with_values(load_spec(spec_name), changes)
    spec = with_defaults(with_values(spec, {"name": name or next_study_name(root, spec.name)}))
    if dry_run:
        check_designs(spec)
        sys.stdout.write(to_toml(spec))
        return
    if detached:
        from study.tune.job import require_address

        require_address(address)
    with preparing(None if detached else address, root) as execute:
        study = create_study(spec, root, execute)
    for dataset, prepared in ((spec.dataset, study.prepared), (spec.attack_dataset, study.attack_prepared)):
        if prepared is not None:
            stderr.print(f"study {study.storage}: faces of {dataset} are prepared")
            for remark in remarks_on(prepared):
                stderr.print(f"{dataset}: {remark}")
    _run_or_detach(study, address, hours, detached)


def resume(
    directory: Location, address: str | None, trials: int | None, hours: float | None, *, detached: bool
) -> None:
    """Run the missing trials of the study at `directory` for at most `hours`; `trials` extends its search first.

    A `detached` study runs as a job of the cluster at `address`.
    """
    with preparing(None if detached else address, directory) as execute:
        study = open_study_directory(directory, execute)
    if trials is not None:
        study = extend_study(study, trials)
    _run_or_detach(study, address, hours, detached)


def confirm(directory: Location, address: str | None, seeds: int | None) -> None:
    """Retrain the designs on the front of the study at `directory` with fresh seeds, without running search trials."""
    with preparing(address, directory) as execute:
        study = open_study_directory(directory, execute)
    _run(extend_confirmation(study, seeds), address, None, search=False)


def prepare(dataset: str, storage: str, changes: Mapping[str, Any], address: str | None) -> None:
    """Prepare a data set as `launch` does with `changes` to a spec; print its path and the contents of its splits."""
    root = require_writable(storage)
    spec = with_defaults(with_values(load_spec("quick"), {"dataset": dataset, **changes}))
    with preparing(address, root) as execute:
        prepared = prepare_faces(spec, root, execute)
    faces = open_prepared(prepared)
    for attribute in spec.attributes:
        counts = count_splits(faces, attribute, spec.split_seed)
        rows = [
            [
                row.split,
                *(f"{count:,}" for count in (row.images, row.identities, row.ones, row.zeros, row.unknown)),
            ]
            for row in counts
        ]
        values = [f"{attribute} = {value}" for value in ("1", "0", "unknown")]
        print_table(["split", "images", "identities", *values], rows)
    for remark in remarks_on(prepared):
        stdout.print(remark)
    stdout.print(f"prepared: {prepared if isinstance(root, Path) else share_prepared(prepared, root)}")


def _run_or_detach(study: StudyDirectory, address: str | None, hours: float | None, detached: bool) -> None:
    if detached:
        from study.tune.job import detach, require_address

        options = [] if hours is None else ["--hours", str(hours)]
        detach(study.storage.location, options, require_address(address))
    else:
        _run(study, address, hours)


def _run(study: StudyDirectory, address: str | None, hours: float | None, *, search: bool = True) -> None:
    # Importing Ray and plotnine takes seconds, which --dry-run and refusals must not cost.
    from analysis.tables.reader import open_tables
    from study.cli import read_commands
    from study.search.importance import write_importance
    from study.tune.run_study import run_study

    directory = study.storage.location
    command = "resume" if search else "confirm"
    try:
        summary = run_study(study, address, stderr, search=search, hours=hours)
    except KeyboardInterrupt as interrupt:
        # At the first Ctrl-C Tune ends the run cleanly; this is the second one.
        print_error(f"stopped at once: continue with: aia-study {command} {study.storage.shell_argument}")
        raise typer.Exit(INTERRUPTED) from interrupt
    if summary.finished < summary.planned:
        counts = f"{summary.finished} of {summary.planned} trials are recorded"
        message = f"{counts}, continue with: aia-study {command} {study.storage.shell_argument}"
        if not summary.out_of_time:
            print_error(f"interrupted: {message}")
            raise typer.Exit(INTERRUPTED)
        stderr.print(f"the {hours:g} hours are over: {message}")
        return
    if not summary.planned:
        stderr.print(f"{directory} is complete: see aia-study front {study.storage.shell_argument}")
        return
    stderr.print(f"{summary.finished} trials in {summary.wall_seconds:.0f} s")
    if not read_commands.any_judged(open_tables(directory)):
        read_commands.status(directory)
        raise typer.Exit(NO_TRIAL_JUDGED)
    read_commands.front(directory)
    read_commands.plot(directory, PictureKind.FRONTIER, None)
    write_importance(directory)
    stdout.print(f"results: {directory / 'results'}")
