"""The tables `training` and `resources` of a spec: the epochs of a training, and what a trial reserves."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
COUNT = "a whole number of at least 1"
Epochs = Annotated[int, Field(ge=1)]


class Training(BaseModel):
    """The epochs of a training.

    Stage 1 trains the auto-encoder alone and then, on its representations, the adversary and the matcher. Joint
    training follows.
    """

    model_config = STRICT

    stage1_epochs: Epochs = Field(default=6, description=f"epochs of the auto-encoder alone, {COUNT}")
    heads_epochs: Epochs = Field(default=3, description=f"epochs of adversary and matcher alone, {COUNT}")
    joint_epochs: Epochs = Field(default=20, description=f"epochs of adversarial training (Eq. 8), {COUNT}")


class Resources(BaseModel):
    """The cores and GPUs that a trial reserves, and the arithmetic of its networks."""

    model_config = STRICT

    cpus_per_trial: float = Field(default=1.0, gt=0, description="CPU cores of a trial, a number above 0")
    gpus_per_trial: Literal["auto"] | Annotated[float, Field(ge=0)] = Field(
        default="auto", description="GPUs of a trial, 'auto' or a number of at least 0, such as 0.25"
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        default="float32", description="arithmetic of the networks, 'float32' or 'bfloat16'"
    )
    memory_format: Literal["channels_last", "contiguous"] = Field(
        default="channels_last", description="layout of image tensors, 'channels_last' or 'contiguous'"
    )
