"""The options of every command of `aia-study`, and how a command line runs and reports mistakes.

Commands import their modules when they run, so that `--help` and usage errors appear at once.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from study.cli.arguments import (
    Address,
    Checkpoint,
    Detach,
    Directory,
    FormatOption,
    Hours,
    OwnDirectory,
    ParquetOutput,
    RecordedStudy,
    Settings,
    Storage,
    local_path,
    parse_readable_study,
    spec_value,
)
from study.console import Format, ModelFormat, PictureKind, print_error

USER_MISTAKE = 2
# typer has its own copy of click and exports only this one of its errors. The base class covers all usage errors.
UsageError = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="aia-study",
    help="Study the Adversarial Image Anonymizer: the privacy and the utility of face representations.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: aia-study launch code --dataset folder:faces")
def launch(
    spec: Annotated[
        str, typer.Argument(metavar="SPEC", help="A TOML file, or a spec that ships: quick, code, ...")
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="KIND:PATH",
            help="The faces: synthetic, folder:PATH, celeba:PATH, vggface:PATH or templates:FILE.",
        ),
    ] = None,
    storage: Storage = "studies",
    name: Annotated[str | None, typer.Option(help="Name of the study; default SPEC-1, SPEC-2, ...")] = None,
    trials: Annotated[int | None, typer.Option(help="Number of search trials.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search and its trainings.")] = None,
    address: Address = None,
    hours: Hours = None,
    cpus_per_trial: Annotated[float | None, typer.Option(help="CPU cores of a trial.")] = None,
    gpus_per_trial: Annotated[
        Any,
        typer.Option(
            metavar="NUMBER",
            help="GPUs of a trial, such as 1 or 0.25; auto shares the GPUs that there are.",
            parser=spec_value("resources.gpus_per_trial"),
        ),
    ] = None,
    settings: Settings = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the complete spec and run nothing.")
    ] = False,
    detach: Detach = False,
) -> None:
    """Run baselines and a search over privacy and utility.

    All trials are recorded as Parquet in the study's directory, STORAGE/NAME.
    """
    from study.cli import run_commands

    options = {
        "dataset": dataset,
        "trials": trials,
        "seed": seed,
        "resources.cpus_per_trial": cpus_per_trial,
        "resources.gpus_per_trial": gpus_per_trial,
    }
    changes = _changes(options, settings)
    run_commands.launch(spec, storage, name, changes, address, hours, dry_run=dry_run, detached=detach)


@app.command(epilog="Example: aia-study resume studies/quick-1 --trials 32")
def resume(
    directory: OwnDirectory,
    address: Address = None,
    trials: Annotated[int | None, typer.Option(help="Extend the search to this many trials.")] = None,
    hours: Hours = None,
    detach: Detach = False,
) -> None:
    """Run the planned trials that a study still lacks."""
    from study.cli import run_commands

    run_commands.resume(directory, address, trials, hours, detached=detach)


@app.command(epilog="Example: aia-study confirm studies/quick-1 --seeds 3")
def confirm(
    directory: OwnDirectory,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, help="Fresh seeds of each design; default: the planned number, or 3. It may grow later."
        ),
    ] = None,
    address: Address = None,
) -> None:
    """Retrain the front's designs with fresh seeds.

    front and select then use means over the seeds.
    """
    from study.cli import run_commands

    run_commands.confirm(directory, address, seeds)


@app.command(epilog="Example: aia-study prepare celeba:faces/celeba --image-side 64")
def prepare(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="synthetic; folder:PATH with a labels.csv (image,identity,ATTRIBUTE...) and images; celeba:PATH "
            "with img_align_celeba/, list_attr_celeba and identity_CelebA, .txt or .csv; or vggface:PATH with one "
            "folder of images per person and identity_meta.csv or a CSV of identity,gender. The folders of "
            "torchvision's CelebA and LFWPeople are such ones.",
        ),
    ],
    storage: Storage = "studies",
    image_side: Annotated[int | None, typer.Option(help="Side of a prepared image in pixels.")] = None,
    attribute: Annotated[
        Any,
        typer.Option(
            metavar="NAME",
            help='The private attribute, or a list such as \'["a", "b"]\'; default gender, Male for celeba.',
            parser=spec_value("attribute"),
        ),
    ] = None,
    positive: Annotated[
        str | None, typer.Option(help="Value of the attribute that counts as 1; default 1, male or m.")
    ] = None,
    split_seed: Annotated[int | None, typer.Option(help="Seed of the identity split.")] = None,
    address: Address = None,
) -> None:
    """Decode, crop and resize a data set, as launch does.

    An interrupted run continues where it stopped when the command is repeated.
    """
    from study.cli import run_commands

    options = {
        "image_side": image_side, "attribute": attribute, "positive": positive, "split_seed": split_seed
    }  # fmt: skip
    run_commands.prepare(dataset, storage, _changes(options), address)


@app.command(epilog="Example: aia-study status studies/quick-1")
def status(directory: Directory, form: FormatOption = Format.TABLE) -> None:
    """Count trials by how they ended, and list errors.

    The front's size and hypervolume are printed too.
    """
    from study.cli import read_commands

    read_commands.status(directory, form)


@app.command(epilog="Example: aia-study front studies/quick-1 --format csv")
def front(directory: Directory, form: FormatOption = Format.TABLE) -> None:
    """Print the Pareto-optimal trials.

    Their figures on validation and test have 95 % intervals over identities.
    """
    from study.cli import read_commands

    read_commands.front(directory, form)


@app.command(epilog="Example: aia-study select studies/quick-1 --max-attacker-auc 0.6")
def select(
    directory: Directory,
    max_attacker_auc: Annotated[
        float | None,
        typer.Option(
            help="Privacy limit on the attacker's AUC; alone, it selects the best matching AUC within it."
        ),
    ] = None,
    max_linked_attacker_auc: Annotated[
        float | None,
        typer.Option(help="Limit on the AUC of attackers that know which images show one person."),
    ] = None,
    min_matching_auc: Annotated[
        float | None,
        typer.Option(help="Utility limit on the matching AUC; alone, it selects the best privacy within it."),
    ] = None,
    knee: Annotated[
        bool, typer.Option("--knee", help="Select the knee of the front within the limits.")
    ] = False,
    weights: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="A M", help="Select the least A x attacker AUC - M x matching AUC within the limits."
        ),
    ] = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Select the checkpoint to ship.

    The reason, the next best trial and the cost of the limits are printed too. The selection uses confirmed figures if
    there are any.
    """
    from analysis.fronts.selection import SelectionCriteria
    from study.cli import read_commands

    criteria = SelectionCriteria(max_attacker_auc, min_matching_auc, max_linked_attacker_auc, knee, weights)
    read_commands.select(directory, criteria, form)


@app.command(epilog="Example: aia-study plot studies/quick-1 --kind history -o history.png")
def plot(
    directory: Directory,
    kind: Annotated[PictureKind, typer.Option(help="The picture to draw.")] = PictureKind.FRONTIER,
    against: Annotated[
        Any, typer.Option(metavar="DIR", help="Compare with this study.", parser=parse_readable_study)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", callback=local_path, metavar="PNG", help="Default: DIR/KIND.png."),
    ] = None,
) -> None:
    """Draw a picture of a study, or compare two fronts."""
    from study.cli import read_commands
    from study.errors import StudyError

    if against is None:
        read_commands.plot(directory, kind, output)
    elif kind is PictureKind.FRONTIER:
        read_commands.plot_against(directory, against, output)
    else:
        raise StudyError(f"--against compares the fronts of two studies: leave out --kind {kind}")


@app.command(epilog="Example: aia-study report studies/quick-1 -o report.html")
def report(
    directory: Directory,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", callback=local_path, metavar="HTML", help="Default: DIR/report.html."),
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Serve a page that follows the run, to this machine alone, until Ctrl-C."
        ),
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of --live; default: a free port.")
    ] = None,
) -> None:
    """Write one interactive page that works offline.

    It shows the front, designs, attacks, reconstructions, pictures and failures.
    """
    from study.cli import report

    report.report(directory, output, live=live, port=port)


@app.command(epilog="Example: aia-study fetch studies/quick-1 trial-00012 -o anonymizer")
def fetch(
    directory: Directory,
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="The trial_id, as front prints it.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", callback=local_path, metavar="PATH", help="The folder to create."),
    ],
) -> None:
    """Copy the checkpoint of a trial out of its study."""
    from study.cli import fetch

    fetch.fetch(directory, trial, output)


@app.command(epilog="Example: aia-study dashboard studies/quick-1 --port 8080")
def dashboard(
    directory: Directory,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free port.")
    ] = 8080,
) -> None:
    """Serve optuna-dashboard on the search until Ctrl-C.

    This machine alone can open the page, also while the study runs.
    """
    from study.cli import dashboard

    dashboard.dashboard(directory, port)


@app.command(epilog="Example: aia-study encode anonymizer photos -o g.parquet")
def encode(
    checkpoint: Checkpoint,
    faces: Annotated[
        str,
        typer.Argument(
            metavar="IMAGES|KIND:PATH",
            help="A folder of PNG and JPEG files, one such file, or a labelled data set.",
        ),
    ],
    output: ParquetOutput,
) -> None:
    """Encode images or templates to a Parquet file.

    It has a row for each image with its path and its released representation; of a data set (KIND:PATH), also with its
    identity, attributes and split.
    """
    from study.cli import encode

    encode.encode(checkpoint, faces, output)


@app.command(epilog="Example: aia-study embed folder:faces --model arcface.onnx -o templates.parquet")
def embed(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="Aligned crops with labels: folder:PATH, celeba:PATH, vggface:PATH or synthetic.",
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            metavar="ONNX|dlib",
            help="The face network: an ONNX file (needs aia-study[embed]), or dlib (needs aia-study[dlib]).",
        ),
    ],
    output: ParquetOutput,
    side: Annotated[
        int | None,
        typer.Option(min=1, help="Side of a crop in pixels, for models with dynamic height and width."),
    ] = None,
    mean: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Subtracted from pixels of 0 to 255; one number, or one per channel with commas between. Default: "
            "the model's metadata key mean, or 127.5.",
        ),
    ] = None,
    sd: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Divides pixels after that. Default: the model's metadata key sd, or 127.5.",
        ),
    ] = None,
) -> None:
    """Make templates of images with a face network, for templates:FILE.

    The Parquet file has a row for each image with its name, identity, attributes and template. An interrupted run
    continues where it stopped when the command is repeated.
    """
    from study.cli import embed

    embed.embed(dataset, model, output, side, mean, sd)


@app.command(epilog="Example: aia-study export anonymizer --format onnx -o anonymizer.onnx")
def export(
    checkpoint: Checkpoint,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", callback=local_path, metavar="PATH", help="The model file to create."),
    ],
    form: Annotated[
        ModelFormat, typer.Option("--format", help="Write ONNX, or torch for torch.export.load.")
    ] = ModelFormat.ONNX,
) -> None:
    """Export an encoder as one file for other runtimes.

    The file includes the release channel.
    """
    from study.cli import export

    export.export(checkpoint, form, output)


@app.command(epilog="Example: aia-study paper folder:faces -o studies/paper --image-side 32")
def paper(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="KIND:PATH",
            help="The faces: synthetic, folder:PATH, celeba:PATH or vggface:PATH.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            callback=local_path,
            metavar="DIR",
            help="The folder for tables, pictures and the page.",
        ),
    ] = Path("studies/paper"),
    image_side: Annotated[
        int | None, typer.Option(help="Side of a prepared image in pixels; default 64.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Seeds of each design; default 3. It may grow later.")
    ] = None,
    address: Address = None,
    settings: Settings = None,
) -> None:
    """Reproduce the paper's Table 1 and Figures 2 and 3.

    An interrupted run continues where it stopped when the command is repeated.
    """
    from study.paper.reproduce import reproduce

    options = _without_none({"image_side": image_side, "seeds": seeds})
    reproduce(dataset, output, options, settings or [], address)


@app.command(epilog="Example: aia-study simulate studies/recorded --rule mo_asha --trials 100")
def simulate(
    table: RecordedStudy,
    sampler: Annotated[
        str | None, typer.Option(help="Sampler that proposes designs: tpe, random, ...")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Rule that stops trials early: none or mo_asha.")] = None,
    grace_epochs: Annotated[int | None, typer.Option(help="Joint epochs before the first rung.")] = None,
    reduction_factor: Annotated[
        float | None, typer.Option(help="One trial in this many continues after a rung.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Number of trials that run at the same time.")] = 1,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Number of search trials; default: as in the spec.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search.")] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="Print a table for people, JSON, or CSV with a row for each trial."),
    ] = Format.TABLE,
) -> None:
    """Replay a recorded study in virtual time.

    The replay may use any sampler, early stopping rule and number of workers. Options that are left out are as in the
    recorded study's spec. Virtual time is the sum of the recorded seconds of joint epochs and of judging. It does not
    include stage 1, which trials share.
    """
    from study.cli.simulate import simulate

    options = {
        "sampler": sampler,
        "early_stopping.rule": rule,
        "early_stopping.grace_epochs": grace_epochs,
        "early_stopping.reduction_factor": reduction_factor,
        "trials": trials,
        "seed": seed,
    }
    simulate(table, _changes(options), workers, form)


def _changes(options: Mapping[str, Any], settings: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the keys of the spec that a user sets: by options, unless they are None, and by `--set`, which wins."""
    from study.spec.settings import parse_settings

    return _without_none(options) | parse_settings(settings or [])


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; prints a mistake of the user as one line on stderr."""
    try:
        status = app(list(arguments), standalone_mode=False)
    except Exception as error:
        if isinstance(error, UsageError):
            print_error(_usage(error))
        elif _is_user_mistake(error):
            print_error(str(error))
        elif isinstance(error, OSError):
            print_error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        else:
            raise
        return USER_MISTAKE
    return status or 0  # a command returns None, and typer.Exit its status


def _usage(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "aia-study"
    return f"{error.format_message()} Try: {command} --help"


def _is_user_mistake(error: Exception) -> bool:
    from analysis.errors import AnalysisError
    from search_spaces.errors import SpaceError
    from study.errors import StudyError

    # Importing aia_models.errors would import torch, which takes seconds, so its errors are recognised by name.
    names = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, AnalysisError | SpaceError | StudyError) or "AIAError" in names


def main() -> None:
    """Run the command `aia-study` with the arguments of this process and exit with its status."""
    sys.exit(run(sys.argv[1:]))
