"""The tables within a spec: epochs, early stopping, and the resources of a trial."""

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


class EarlyStopping(BaseModel):
    """The rule by which search trials end before their last joint epoch because other trials do better."""

    model_config = STRICT

    rule: Literal["none", "mo_asha"] = Field(
        default="none",
        description="rule that stops trials early, 'none' or 'mo_asha', which is multi-objective asynchronous"
        " successive halving",
    )
    grace_epochs: Epochs = Field(
        default=2, description=f"joint epochs before trials are first compared, {COUNT}"
    )
    reduction_factor: Annotated[float, Field(ge=1.1)] = Field(
        default=3.0,
        description="one in this many of the compared trials continues, and the epochs between comparisons grow by"
        " this factor, a number of at least 1.1",
    )

    def rungs(self, joint_epochs: int) -> tuple[int, ...]:
        """Return the joint epochs after which trials of `joint_epochs` are compared; there are none without a rule.

        The first rung is `grace_epochs`; further rungs are its multiples by powers of `reduction_factor`, as long as
        the rung after them would still lie within the training: a later rung would save little of a trial that is
        nearly trained. All rungs lie before the last epoch.
        """
        if self.rule == "none":
            return ()
        epochs = [self.grace_epochs] if self.grace_epochs < joint_epochs else []
        rung = self.grace_epochs * self.reduction_factor
        while rung * self.reduction_factor <= joint_epochs:
            if epochs[-1] < round(rung) < joint_epochs:
                epochs.append(round(rung))
            rung *= self.reduction_factor
        return tuple(epochs)


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
