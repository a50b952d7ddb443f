"""Names of the loggers that a spec may ask for, and what each needs."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Literal, get_args

from study.errors import StudyError

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
