"""The table `early_stopping` of a spec, and the rungs that follow from it."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from study.spec.sections import COUNT, STRICT, Epochs


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
