"""The tables within a spec: epochs, and what a trial asks of the machine."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
COUNT = "a whole number of at least 1"
Epochs = Annotated[int, Field(ge=1)]


class Training(BaseModel):
    """Epochs of the two stages; stage 1 is the auto-encoder alone, then adversary and matcher on its g."""

    model_config = STRICT

    stage1_epochs: Epochs = Field(default=6, description=f"epochs of the auto-encoder alone, {COUNT}")
    heads_epochs: Epochs = Field(default=3, description=f"epochs of adversary and matcher alone, {COUNT}")
    joint_epochs: Epochs = Field(default=20, description=f"epochs of adversarial training (Eq. 8), {COUNT}")


class EarlyStopping(BaseModel):
    """When search trials that fall behind end before their last epoch. Epochs are joint ones: stage 1 is shared."""

    model_config = STRICT

    rule: Literal["none", "mo_asha"] = Field(
        default="none",
        description="what stops trials early, 'none' or 'mo_asha', multi-objective asynchronous successive halving",
    )
    grace_epochs: Epochs = Field(
        default=2, description=f"joint epochs before trials are first compared, {COUNT}"
    )
    reduction_factor: Annotated[float, Field(ge=1.1)] = Field(
        default=3.0,
        description="of the trials compared one in this many goes on, and epochs between comparisons grow by it, a"
        " number of at least 1.1",
    )


class Resources(BaseModel):
    """What one trial asks of the machine."""

    model_config = STRICT

    cpus_per_trial: float = Field(default=1.0, gt=0, description="CPU cores of a trial, a number above 0")
    gpus_per_trial: Literal["auto"] | Annotated[float, Field(ge=0)] = Field(
        default="auto", description="GPUs of a trial, 'auto' or a number of at least 0, as 0.25 for a quarter"
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        default="float32", description="arithmetic of the networks, 'float32' or 'bfloat16'"
    )
    memory_format: Literal["channels_last", "contiguous"] = Field(
        default="channels_last", description="layout of image tensors, 'channels_last' or 'contiguous'"
    )


def rungs(grace_epochs: int, reduction_factor: float, max_epochs: int) -> tuple[int, ...]:
    """Epochs after which trials are compared: `grace_epochs`, and that times powers of `reduction_factor` while the
    next one still lies within `max_epochs`: one nearer to the end saves little of a trial that is nearly trained.

    None where the first rung would not come before the last epoch.
    """
    epochs: list[int] = [grace_epochs] if grace_epochs < max_epochs else []
    rung = grace_epochs * reduction_factor
    while rung * reduction_factor <= max_epochs:
        if epochs[-1] < round(rung) < max_epochs:
            epochs.append(round(rung))
        rung *= reduction_factor
    return tuple(epochs)
