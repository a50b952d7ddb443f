"""Compares the time of a proposal by our samplers with that of Optuna's TPE over all finished trials.

Finished trials are drawn at random with two objectives that trade off, and written to a journal. Some trials
are then asked for and left running. The time of a proposal covers asking for it and telling its result.
`uncapped` is Optuna's own study in the journal with a TPE sampler (multivariate, groups) that reads all
trials; the other names are our samplers as a study runs them. Both write to the same disk. The column `cpu`
is the median CPU time of the process, without the time of other programs and without waiting for the disk.

    python benchmarks/experiments/proposal_time.py
    python benchmarks/experiments/proposal_time.py --trials 200 1000 --spaces alpha-beta --samplers nsga2 gp

On the RESULT line `ms_SPACE_SAMPLER_TRIALS` is the median wall time of a proposal in ms.
"""

import argparse
import math
import platform
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial
from shared.arguments import at_least

from analysis.tables.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES
from search_spaces.domains import Choice, Integer, LogUniform, Value
from search_spaces.spaces import SPACES, Space
from search_spaces.unit_cube import from_point
from study.search.proposals import Proposals
from study.search.samplers import distribution
from study.spec.choices import SAMPLERS
from study.storage.paths import JOURNAL

STUDY = "proposal-time"
UNCAPPED = "uncapped"


def figures(design: Mapping[str, Value], random: Random) -> dict[str, float]:
    """Two objectives that trade off over α and β, with noise."""
    alpha, beta = math.log(float(design["alpha"])), math.log(float(design["beta"]))
    return {
        ATTACKER.column: 0.7 - 0.02 * beta + 0.01 * alpha + random.gauss(0, 0.02),
        MATCHING.column: 0.7 + 0.02 * alpha - 0.01 * beta + random.gauss(0, 0.02),
    }


def write_history(directory: Path, space: Space, trials: int) -> None:
    """A journal of `trials` random finished trials of `space`."""
    random = Random(0)
    study = optuna.create_study(
        study_name=STUDY,
        storage=journal(directory),
        directions=[objective.direction for objective in SEARCH_OBJECTIVES],
    )
    distributions = {name: distribution(domain) for name, domain in space.parameters.items()}
    for _ in range(trials):
        design = from_point(space, [random.random() for _ in space.parameters])
        values = list(figures(design, random).values())
        study.add_trial(
            create_trial(
                params=design, distributions={name: distributions[name] for name in design}, values=values
            )
        )


def journal(directory: Path) -> JournalStorage:
    """The study's journal, read again."""
    return JournalStorage(JournalFileBackend(str(directory / JOURNAL)))


def ours(directory: Path, space: Space, sampler: str) -> tuple[Callable, Callable]:
    """Ask and tell of the product."""
    search = Proposals(directory, STUDY, space, sampler, 0, SEARCH_OBJECTIVES)  # type: ignore[arg-type]

    def ask() -> tuple[int, Mapping[str, Value]]:
        proposal = search.ask()
        return proposal.optuna_number, proposal.values

    return ask, lambda number, measured: search.tell(number, "complete", measured)


def uncapped(directory: Path, space: Space) -> tuple[Callable, Callable]:
    """Ask and tell of Optuna alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(seed=0, multivariate=True, group=True, constant_liar=True)
    study = optuna.load_study(study_name=STUDY, storage=journal(directory), sampler=sampler)

    def ask() -> tuple[int, Mapping[str, Value]]:
        trial, values = study.ask(), {}
        for name, domain in space.parameters.items():
            if domain.when is not None and values.get(domain.when.parameter) not in domain.when.values:
                continue
            match domain:
                case Choice():
                    values[name] = trial.suggest_categorical(name, domain.options)
                case Integer():
                    values[name] = trial.suggest_int(name, domain.low, domain.high, log=domain.log)
                case _:
                    is_log = isinstance(domain, LogUniform)
                    values[name] = trial.suggest_float(name, domain.low, domain.high, log=is_log)
        return trial.number, values

    return ask, lambda number, measured: study.tell(number, list(measured.values()), TrialState.COMPLETE)


def timed(ask: Callable, tell: Callable, proposals: int, running: int) -> tuple[list[float], list[float]]:
    """Wall and CPU seconds of ask and tell of `proposals` proposals, while `running` others run."""
    random = Random(1)
    for _ in range(running):
        ask()
    wall, cpu = [], []
    for _ in range(proposals + 1):
        started, began = time.perf_counter(), time.process_time()
        number, design = ask()
        asked, paused = time.perf_counter(), time.process_time()
        measured = figures(design, random)
        told, resumed = time.perf_counter(), time.process_time()
        tell(number, measured)
        wall.append(time.perf_counter() - told + asked - started)
        cpu.append(time.process_time() - resumed + paused - began)
    return wall[1:], cpu[1:]  # the first builds what the sampler sees: once per start of a study


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=at_least(1), nargs="+", default=[200, 1000, 5000])
    parser.add_argument("--spaces", nargs="+", choices=list(SPACES), default=["alpha-beta", "full"])
    parser.add_argument("--samplers", nargs="+", choices=[UNCAPPED, *SAMPLERS], default=[UNCAPPED, "tpe"])
    parser.add_argument("--proposals", type=at_least(2), default=60)
    parser.add_argument("--running", type=at_least(0), default=4)
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(
        f"Python {platform.python_version()}, optuna {version('optuna')}, moocore {version('moocore')},"
        f" numpy {version('numpy')}; ms per proposal, {given.running} trials running"
    )
    print(
        f"{'space':12} {'sampler':10} {'finished':>8} {'n':>4} {'median':>8} {'lowest':>8} {'highest':>8} {'cpu':>8}"
    )
    medians = {}
    for space_name in given.spaces:
        for trials in given.trials:
            for sampler in given.samplers:
                with tempfile.TemporaryDirectory() as folder:
                    directory, space = Path(folder), SPACES[space_name]
                    write_history(directory, space, trials)
                    theirs = sampler == UNCAPPED
                    ask, tell = uncapped(directory, space) if theirs else ours(directory, space, sampler)
                    wall, cpu = timed(ask, tell, given.proposals, given.running)
                ms = [1e3 * seconds for seconds in wall]
                median = medians[space_name, sampler, trials] = statistics.median(ms)
                print(
                    f"{space_name:12} {sampler:10} {trials:8} {len(ms):4} {median:8.2f} {min(ms):8.2f} {max(ms):8.2f}"
                    f" {1e3 * statistics.median(cpu):8.2f}",
                    flush=True,
                )
    results = (
        f"ms_{space}_{sampler}_{trials}={median:.2f}" for (space, sampler, trials), median in medians.items()
    )
    print("RESULT " + " ".join(results))


if __name__ == "__main__":
    main()
