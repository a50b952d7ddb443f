"""The command `aia-study`: launch a study, go on with it, ask it for its front, a checkpoint, a picture."""

import sys
from collections.abc import Sequence
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
    RecordedStudy,
    Storage,
    local,
    read_only,
)
from study.console import Format, ModelFormat, PictureKind, print_error

USER_MISTAKE = 2
# typer carries its own copy of click and exports of its errors only this one: its base is any misuse.
UsageError = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="aia-study",
    help="Studies of the Adversarial Image Anonymizer: privacy against utility of face representations.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: aia-study launch alpha-beta --dataset folder:faces --trials 24")
def launch(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A TOML file or a spec that ships: quick, ...")],
    dataset: Annotated[
        str | None,
        typer.Option(metavar="KIND:PATH", help="synthetic, folder:PATH, celeba:PATH or vggface:PATH."),
    ] = None,
    storage: Storage = "studies",
    name: Annotated[str | None, typer.Option(help="The study's name; default SPEC-1, SPEC-2, ...")] = None,
    trials: Annotated[int | None, typer.Option(help="Search trials.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search and its trainings.")] = None,
    address: Address = None,
    hours: Hours = None,
    cpus_per_trial: Annotated[float | None, typer.Option(help="CPU cores of a trial.")] = None,
    gpus_per_trial: Annotated[
        str | None, typer.Option(help="GPUs of a trial, fractions too; auto: a share where there is one.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key of the spec, repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved spec and stop.")] = False,
    detach: Detach = False,
) -> None:
    """Run a study: baselines and a search over privacy and utility, recorded as Parquet."""
    from study.cli import run_commands as commands

    options = {
        "dataset": dataset,
        "trials": trials,
        "seed": seed,
        "resources.cpus_per_trial": cpus_per_trial,
        "resources.gpus_per_trial": gpus_per_trial,
    }
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    commands.launch(
        spec, storage, name, [*given, *(settings or [])], address, hours, dry_run=dry_run, detached=detach
    )


@app.command(epilog="Example: aia-study resume studies/quick-1 --trials 32")
def resume(
    directory: OwnDirectory,
    address: Address = None,
    trials: Annotated[int | None, typer.Option(help="Extend the search to this many trials.")] = None,
    hours: Hours = None,
    detach: Detach = False,
) -> None:
    """Run what a study still lacks; of a finished one, nothing."""
    from study.cli import run_commands as commands

    commands.resume(directory, address, trials, hours, detached=detach)


@app.command(epilog="Example: aia-study confirm studies/quick-1 --seeds 3")
def confirm(
    directory: OwnDirectory,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, help="Fresh seeds of each design; default: what is planned, else 3. More may follow."
        ),
    ] = None,
    address: Address = None,
) -> None:
    """Retrain the front's designs with fresh seeds, judged by suite full: front and select then use the means."""
    from study.cli import run_commands as commands

    commands.confirm(directory, address, seeds)


@app.command(epilog="Example: aia-study prepare celeba:faces/celeba --image-side 64")
def prepare(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="synthetic; folder:PATH with a labels.csv (image,identity,ATTRIBUTE...) and images; celeba:PATH "
            "with img_align_celeba/, list_attr_celeba and identity_CelebA, .txt or .csv; or vggface:PATH with one "
            "folder of images per person and identity_meta.csv or a CSV of identity,gender.",
        ),
    ],
    storage: Storage = "studies",
    image_side: Annotated[int | None, typer.Option(help="Side of a prepared image in pixels.")] = None,
    attribute: Annotated[
        str | None,
        typer.Option(
            help='The private attribute, or a list as \'["a", "b"]\'; default gender, of celeba Male.'
        ),
    ] = None,
    positive: Annotated[str | None, typer.Option(help="The attribute's value that counts as 1.")] = None,
    split_seed: Annotated[int | None, typer.Option(help="Seed of the identity split.")] = None,
    address: Address = None,
) -> None:
    """Decode, crop and resize a data set once, as launch does; an interrupted run goes on where it was."""
    from study.cli import run_commands as commands

    options = {
        "image_side": image_side, "attribute": attribute, "positive": positive, "split_seed": split_seed
    }  # fmt: skip
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    commands.prepare(dataset, storage, given, address)


@app.command(epilog="Example: aia-study status studies/quick-1")
def status(directory: Directory, form: FormatOption = Format.TABLE) -> None:
    """How many trials ended how, the front's size and hypervolume, what failed and why."""
    from study.cli import read_commands as reports

    reports.status(directory, form)


@app.command(epilog="Example: aia-study front studies/quick-1 --format csv")
def front(directory: Directory, form: FormatOption = Format.TABLE) -> None:
    """The Pareto-optimal trials: validation figures with 95 % intervals over identities, test beside."""
    from study.cli import read_commands as reports

    reports.front(directory, form)


@app.command(epilog="Example: aia-study select studies/quick-1 --max-attacker-auc 0.6")
def select(
    directory: Directory,
    max_attacker_auc: Annotated[
        float | None, typer.Option(help="Privacy limit: the attacker's largest AUC; then the best matching.")
    ] = None,
    min_matching_auc: Annotated[
        float | None,
        typer.Option(help="Utility limit: the least matching AUC; alone, then the best privacy."),
    ] = None,
    knee: Annotated[bool, typer.Option("--knee", help="The front's bend, within the limits.")] = False,
    weights: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="A M", help="The least A x attacker AUC - M x matching AUC, within the limits."),
    ] = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """The checkpoint to ship, why, what comes next and what the limits cost, on confirmed figures if there are any."""
    from analysis.fronts.selection import SelectionCriteria
    from study.cli import read_commands as reports

    reports.select(directory, SelectionCriteria(max_attacker_auc, min_matching_auc, knee, weights), form)


@app.command(epilog="Example: aia-study plot studies/quick-1 --kind history -o history.png")
def plot(
    directory: Directory,
    kind: Annotated[PictureKind, typer.Option(help="Which picture.")] = PictureKind.FRONTIER,
    against: Annotated[
        Any, typer.Option(metavar="DIR", help="Compare with another study.", parser=read_only)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", callback=local, metavar="PNG", help="Default: DIR/KIND.png."),
    ] = None,
) -> None:
    """Draw a picture of a study, or the fronts of two and by how much they differ."""
    from study.cli import read_commands as reports
    from study.errors import StudyError

    if against is None:
        reports.plot(directory, kind, output)
    elif kind is PictureKind.FRONTIER:
        reports.plot_against(directory, against, output)
    else:
        raise StudyError(f"--against compares the fronts of two studies: leave out --kind {kind}")


@app.command(epilog="Example: aia-study report studies/quick-1 -o report.html")
def report(
    directory: Directory,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", callback=local, metavar="HTML", help="Default: DIR/report.html."),
    ] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Serve the page to this machine and follow the run; Ctrl-C ends it."),
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Where --live serves it; default: a free one.")
    ] = None,
) -> None:
    """One interactive page that opens offline: front, designs, attacks, reconstructions, pictures, failures."""
    from study.cli import report as report_page

    report_page.report(directory, output, live=live, port=port)


@app.command(epilog="Example: aia-study fetch studies/quick-1 trial-00012 -o anonymizer")
def fetch(
    directory: Directory,
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="A trial_id, as front prints it.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", callback=local, metavar="PATH", help="Where its folder goes.")
    ],
) -> None:
    """Copy a trial's checkpoint out of its study."""
    from study.cli import fetch

    fetch.fetch(directory, trial, output)


@app.command(epilog="Example: aia-study dashboard studies/quick-1 --port 8080")
def dashboard(
    directory: Directory,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8080,
) -> None:
    """Open optuna-dashboard on the search, for this machine alone, until Ctrl-C; also while the study runs."""
    from study.cli import dashboard

    dashboard.dashboard(directory, port)


@app.command(epilog="Example: aia-study encode anonymizer photos -o g.parquet")
def encode(
    checkpoint: Checkpoint,
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="A folder of PNG and JPEG files, or one such file.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", callback=local, metavar="PARQUET", help="Where the representations go."
        ),
    ],
) -> None:
    """Encode a folder of images: a Parquet file with a row per image, its path and what is released of it."""
    from study.cli import encode

    encode.encode(checkpoint, images, output)


@app.command(epilog="Example: aia-study export anonymizer --format onnx -o anonymizer.onnx")
def export(
    checkpoint: Checkpoint,
    output: Annotated[
        Path, typer.Option("-o", "--output", callback=local, metavar="PATH", help="Where the model goes.")
    ],
    form: Annotated[
        ModelFormat, typer.Option("--format", help="onnx, or torch for torch.export.load.")
    ] = ModelFormat.ONNX,
) -> None:
    """Write a checkpoint's encoder, its release channel included, as one file for other runtimes."""
    from study.cli import export

    export.export(checkpoint, form, output)


@app.command(epilog="Example: aia-study paper folder:faces -o studies/paper --image-side 32")
def paper(
    dataset: Annotated[
        str, typer.Argument(metavar="KIND:PATH", help="synthetic, folder:PATH, celeba:PATH or vggface:PATH.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", callback=local, metavar="DIR", help="Where tables, pictures and page go."
        ),
    ] = Path("studies/paper"),
    image_side: Annotated[int | None, typer.Option(help="Side of a prepared image; default 64.")] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Seeds of each design; default 3. More may follow.")
    ] = None,
    address: Address = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key of the spec, repeatable.")
    ] = None,
) -> None:
    """Reproduce the paper's Table 1 and Figures 2 and 3; the same command again goes on."""
    from study.paper.reproduce import reproduce

    options = {"image_side": image_side, "seeds": seeds}
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    reproduce(dataset, output, [*given, *(settings or [])], address)


@app.command(epilog="Example: aia-study simulate studies/recorded --rule mo_asha --trials 100")
def simulate(
    table: RecordedStudy,
    sampler: Annotated[str | None, typer.Option(help="What proposes designs: tpe, random, ...")] = None,
    rule: Annotated[str | None, typer.Option(help="What stops trials early: none or mo_asha.")] = None,
    grace_epochs: Annotated[int | None, typer.Option(help="Joint epochs before the first rung.")] = None,
    reduction_factor: Annotated[float | None, typer.Option(help="One trial in this many goes on.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trials that run at the same time.")] = 1,
    trials: Annotated[int | None, typer.Option(min=1, help="Search trials; default: the spec's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search.")] = None,
    form: Annotated[
        Format, typer.Option("--format", help="A table for people, json, or csv with a row per trial.")
    ] = Format.TABLE,
) -> None:
    """Replay a recorded study in virtual time under any sampler, rule and number of workers.

    What is not given is as in the recorded study's spec. Virtual time counts the recorded seconds of joint epochs
    and of judging; stage 1, which trials share, is counted to none.
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
    simulate(table, [f"{key}={value}" for key, value in options.items() if value is not None], workers, form)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit status; a mistake is told in one line on stderr."""
    try:
        status = app(list(arguments), standalone_mode=False)
    except Exception as error:
        if isinstance(error, UsageError):
            print_error(_usage(error))
        elif _is_users_mistake(error):
            print_error(str(error))
        elif isinstance(error, OSError):
            print_error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        else:
            raise
        return USER_MISTAKE
    return status or 0  # commands return nothing; of typer.Exit this is the exit status


def _usage(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "aia-study"
    return f"{error.format_message()} Try: {command} --help"


def _is_users_mistake(error: Exception) -> bool:
    from analysis.errors import AnalysisError
    from search_spaces.errors import SpaceError
    from study.errors import StudyError

    # The models' errors are told by name: importing torch to say that an option is wrong would take seconds.
    names = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, AnalysisError | SpaceError | StudyError) or "AIAError" in names


def main() -> None:
    """Entry point of the command `aia-study`."""
    sys.exit(run(sys.argv[1:]))
