"""The command `paper` reproduces the paper's Table 1 and Figures 2 and 3 on a data set, as a study that can resume."""

import os
import platform
import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from aia_models.data.prepared.prepare import remarks_on
from analysis.paper.claims import check_claims
from analysis.paper.figure2 import plot_figure_2
from analysis.paper.figure3 import plot_faces
from analysis.paper.page import FacesSection, paper_page
from analysis.paper.run import AIA, AIA_WITHOUT_T, FIGURE_3_DESIGN, PaperRun, read_paper_run
from analysis.paper.tables import claims_table, figure_2, table_1
from analysis.tables.reader import open_tables
from study.console import INTERRUPTED, print_error, stderr, stdout
from study.errors import StudyError
from study.lifecycle.study_directory import (
    StudyDirectory,
    create_study,
    open_study_directory,
)
from study.lifecycle.study_extension import extend_seeds
from study.lifecycle.study_faces import with_absolute_datasets
from study.paper.figure3 import figure_3
from study.spec.files import load_spec, with_values
from study.spec.settings import parse_settings
from study.spec.spec import StudySpec, with_defaults
from study.storage.paths import SPEC_FILE
from study.tune.preparation import preparing
from study.tune.run_study import run_study

SPEC = "paper"
REQUIRED_DESIGNS = (AIA, AIA_WITHOUT_T, FIGURE_3_DESIGN)  # Table 1 and Figure 3 show them
DPI = 300
# These keys may differ when a run resumes: its name, keys that launch writes, and seeds, which may grow.
NOT_COMPARED = {
    "name", "data_fingerprint", "attack_data_fingerprint", "judge_version", "seeds", "confirm_seeds"
}  # fmt: skip


def reproduce(
    dataset: str, output: Path, options: Mapping[str, int], settings: Sequence[str], address: str | None
) -> None:
    """Run the trainings that `output` lacks, then write tables, pictures and the page there.

    `options` are values of the spec by key; `settings` are `KEY=VALUE` texts, which win over `options`. Raises
    StudyError if `output` holds something else, and typer.Exit after an interrupt.
    """
    spec = _paper_spec(dataset, output, {**options, **parse_settings(settings)})
    study = _create_or_open(spec, output, dataset, address)
    command = _command(dataset, output, options, settings, address)
    summary = run_study(study, address, stderr)
    if summary.finished < summary.planned:
        counts = f"{summary.finished} of {summary.planned} trainings are recorded"
        print_error(f"interrupted: {counts}, continue with the same command: {command}")
        raise typer.Exit(INTERRUPTED)
    run = read_paper_run(open_tables(study.path))
    _write(study, run, command)
    stdout.print(f"page: {study.path / 'paper.md'}")


def _paper_spec(dataset: str, output: Path, changes: Mapping[str, Any]) -> StudySpec:
    changes = {**changes, "name": output.absolute().name, "dataset": dataset}
    spec = with_absolute_datasets(with_defaults(with_values(load_spec(SPEC), changes)))
    _require_designs(spec)
    return spec


def _create_or_open(spec: StudySpec, output: Path, dataset: str, address: str | None) -> StudyDirectory:
    """Create the study of `spec` at `output`, or open it and raise StudyError if it has another spec."""
    directory = output.absolute()
    if not directory.exists():
        with preparing(address, directory) as execute:
            study = create_study(spec, directory.parent, execute)
        stderr.print(f"{output}: faces of {dataset} are prepared")
        for remark in remarks_on(study.prepared):
            stderr.print(f"{dataset}: {remark}")
        return study
    if not (directory / SPEC_FILE).is_file():
        raise StudyError(f"{output} exists and is no run of paper: it has no {SPEC_FILE}; choose another -o")
    with preparing(address, directory) as execute:
        study = open_study_directory(directory, execute)
    _require_same_spec(output, study.spec, spec)
    return extend_seeds(study, spec.seeds) if spec.seeds != study.spec.seeds else study


def _require_designs(spec: StudySpec) -> None:
    for design in REQUIRED_DESIGNS:
        weights = {"alpha": design.alpha, "beta": design.beta}
        if weights not in spec.designs:
            table = ", ".join(f"{name} = {value}" for name, value in weights.items())
            raise StudyError(f"designs lacks {{ {table} }}: Table 1 and Figure 3 show it; add it to the list")


def _require_same_spec(output: Path, existing: StudySpec, requested: StudySpec) -> None:
    old, new = _compared_keys(existing), _compared_keys(requested)
    for key in {**old, **new}:
        if old.get(key) != new.get(key):
            raise StudyError(
                f"{output} was begun with {key} = {old.get(key)}, not {new.get(key)}: choose another -o, or use the"
                " same value"
            )


def _compared_keys(spec: StudySpec) -> dict[str, object]:
    """Return the values that must not differ when a run resumes; keys within tables are dotted."""
    keys: dict[str, object] = {}
    for key, value in spec.model_dump(exclude=NOT_COMPARED).items():
        keys |= (
            {f"{key}.{name}": inner for name, inner in value.items()}
            if isinstance(value, dict)
            else {key: value}
        )
    return keys


def _write(study: StudyDirectory, run: PaperRun, command: str) -> None:
    directory = study.path
    table, curves, claims = table_1(run), figure_2(run), check_claims(run)
    table.write_parquet(directory / "table1.parquet")
    curves.write_parquet(directory / "figure2.parquet")
    claims_table(claims).write_parquet(directory / "claims.parquet")
    for panel in "ab":
        plot_figure_2(curves, panel).save(
            directory / f"figure2{panel}.png", format="png", dpi=DPI, verbose=False
        )
    faces = _write_faces(study, run)
    (directory / "paper.md").write_text(paper_page(run, table, claims, faces, _facts(study, run, command)))


def _write_faces(study: StudyDirectory, run: PaperRun) -> FacesSection | None:
    shown = run.rows_of(FIGURE_3_DESIGN)
    if shown.is_empty():
        return None
    stderr.print("figure 3: training a gender classifier of images, once, and explaining it")
    faces, section = figure_3(study, shown["trial_id"][0])
    plot_faces(faces, section.caption).save(study.path / "figure3.png", format="png", dpi=DPI, verbose=False)
    return section


def _facts(study: StudyDirectory, run: PaperRun, command: str) -> dict[str, str]:
    spec, seconds = study.spec, run.trials["wall_seconds"]
    epochs = spec.training
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "ray", "scikit-learn", "captum"))
    return {
        "command": f"`{command}`",
        "spec": f"`{SPEC_FILE}` in this folder: {spec.dataset}, {spec.image_side}x{spec.image_side}, attribute"
        f" {spec.attributes[0]}, encoder {spec.fixed['encoder_width']}/{spec.fixed['representation_channels']}, decoder"
        f" {spec.fixed['decoder_width']}, adversary {spec.fixed['adversary']}, batch {spec.fixed['batch_images']},"
        f" epochs {epochs.stage1_epochs} + {epochs.heads_epochs} + {epochs.joint_epochs},"
        f" {spec.resources.dtype}",
        "seeds": ", ".join(map(str, run.seeds)),
        "machine": f"{', '.join(run.devices)}; driver: {os.cpu_count()} cores, {platform.machine()}",
        "versions": f"Python {platform.python_version()}, {packages}",
        "time": f"{seconds.sum():.0f} s of training and judging, {seconds.mean():.0f} s for each of {len(seconds)}",
    }


def _command(
    dataset: str, output: Path, options: Mapping[str, int], settings: Sequence[str], address: str | None
) -> str:
    arguments = ["aia-study", "paper", dataset, "-o", str(output)]
    for key, value in options.items():
        arguments += [f"--{key.replace('_', '-')}", str(value)]
    for setting in settings:
        arguments += ["--set", setting]
    arguments += ["--address", address] if address else []
    return shlex.join(arguments)
