"""The samplers, loggers and baselines that a spec may name."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Literal, get_args

from study.errors import StudyError

GuidedSampler = Literal["tpe", "nsga2", "nsga3", "gp"]  # proposals depend on results, and so on constraints
UnguidedSampler = Literal["qmc", "random", "grid"]  # proposals depend on the seed alone
Sampler = Literal[GuidedSampler, UnguidedSampler]
GUIDED: tuple[GuidedSampler, ...] = get_args(GuidedSampler)
UNGUIDED: tuple[UnguidedSampler, ...] = get_args(UnguidedSampler)
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)

Baseline = Literal["original", "random", "aia_without_t", "erasure", "fisher"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)

Logger = Literal["tensorboard", "mlflow", "wandb"]
LOGGERS: tuple[Logger, ...] = get_args(Logger)
PACKAGES: dict[Logger, str] = {"tensorboard": "tensorboardX", "mlflow": "mlflow", "wandb": "wandb"}


def require_packages(loggers: Iterable[Logger]) -> None:
    """Raise StudyError with a pip command if the package that a logger needs is not installed."""
    for name in loggers:
        if find_spec(PACKAGES[name]) is None:
            raise StudyError(
                f"loggers = [{name!r}] needs a package that is not installed: pip install {PACKAGES[name]}"
            )
