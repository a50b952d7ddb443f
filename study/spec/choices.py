"""The samplers and loggers that a spec may name."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Literal, get_args

from study.errors import StudyError

GuidedSampler = Literal["tpe", "nsga2", "nsga3", "gp"]
UnguidedSampler = Literal["qmc", "random", "grid"]
Sampler = Literal["tpe", "nsga2", "nsga3", "gp", "qmc", "random", "grid"]
GUIDED: tuple[GuidedSampler, ...] = get_args(GuidedSampler)  # learn from results, and so from constraints
UNGUIDED: tuple[UnguidedSampler, ...] = get_args(UnguidedSampler)  # draw designs whatever the results are
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)


Logger = Literal["tensorboard", "mlflow", "wandb"]
LOGGERS: tuple[Logger, ...] = get_args(Logger)
PACKAGES: dict[Logger, str] = {"tensorboard": "tensorboardX", "mlflow": "mlflow", "wandb": "wandb"}


def require_packages(loggers: Iterable[Logger]) -> None:
    """StudyError where the package of one is not installed."""
    for name in loggers:
        if find_spec(PACKAGES[name]) is None:
            raise StudyError(
                f"loggers = [{name!r}] needs a package that is not installed: pip install {PACKAGES[name]}"
            )
