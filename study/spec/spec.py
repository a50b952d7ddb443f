"""A study's spec: what is trained on which faces, what varies, how long. Complete, validated, frozen."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, field_validator, model_validator

from analysis.tables.objectives import Objective, search_objectives
from search_spaces.domains import Value
from search_spaces.errors import SpaceError
from search_spaces.hyperparameters import HYPERPARAMETERS, check_fixed, resolve
from search_spaces.spaces import SPACES, Space
from study.errors import SpecError
from study.spec.choices import GUIDED, LOGGERS, SAMPLERS, Logger, Sampler
from study.spec.constraints import Constraint, check_name, parse
from study.spec.sections import COUNT, STRICT, EarlyStopping, Epochs, Resources, Training, rungs

# A description says what a key means and what it takes: the message for a wrong value ends in it.
_SEED = "a whole number from 0 to 2^63 - 1"
Baseline = Literal["original", "random", "aia_without_t", "erasure"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Text = Annotated[str, Field(min_length=1)]


class StudySpec(BaseModel):
    """Everything that defines a study; `study.toml` holds it with its defaults written out."""

    model_config = STRICT

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="name of the study's directory, letters and digits, then also '.', '_', '-'",
    )
    dataset: Text = Field(default="synthetic", description="the faces, 'synthetic' or 'KIND:PATH'")
    attribute: Text | Annotated[tuple[Text, ...], Field(strict=False, min_length=1, max_length=4)] = Field(
        default="gender",
        description="the private attribute's name in the data set, by default gender, in CelebA Male, or a list of up"
        " to four",
    )
    positive: str | None = Field(
        default=None,
        min_length=1,
        description="the (first) attribute's value that counts as 1, a string; left out for 1, male, m",
    )
    data_fingerprint: str | None = Field(
        default=None, description="sha256 of the prepared faces, a string that launch writes"
    )
    judge_version: int | None = Field(
        default=None, description="version of the judge, a whole number that launch writes"
    )
    image_side: int = Field(
        default=32,
        ge=16,
        multiple_of=4,
        description="side of a prepared image in pixels, 16, 20, 24 and so on",
    )
    split_seed: Seed = Field(default=0, description=f"seed of the identity split, {_SEED}")
    seed: Seed = Field(default=0, description=f"seed of the search and its trainings, {_SEED}")
    space: str = Field(description=f"search space, one of {', '.join(SPACES)}")
    sampler: Sampler = Field(
        default="tpe", description=f"what proposes designs, one of {', '.join(SAMPLERS)}"
    )
    constraints: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        default=(),
        description="what designs have to satisfy, a list of 'NAME OP NUMBER' as 'matching_auc_validation >= 0.7'",
    )
    warm_start: Text | None = Field(
        default=None,
        description="directory of an earlier study whose trials the search begins with, a string",
    )
    objectives: Literal["maximum", "per_attribute"] = Field(
        default="maximum",
        description="attackers that the search lowers, 'maximum' over the private attributes or 'per_attribute'",
    )
    trials: Annotated[int, Field(ge=0)] = Field(
        description=f"search trials, {COUNT}, or 0 where designs are given"
    )
    designs: Annotated[tuple[dict[str, Value], ...], Field(strict=False)] = Field(
        default=(),
        description="designs run as they are before the search, a list of tables of the space's parameters",
    )
    seeds: Epochs = Field(
        default=1, description=f"seeds of each of the designs and baselines, from seed on, {COUNT}"
    )
    confirm_seeds: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="fresh seeds that the front's designs are confirmed with, a whole number of at least 0",
    )
    baselines: Annotated[tuple[Baseline, ...], Field(strict=False)] = Field(
        default=BASELINES, description=f"methods run beside the search, a list out of {', '.join(BASELINES)}"
    )
    suite: Literal["cheap", "full"] = Field(
        default="cheap", description="attackers that judge each trial, 'cheap' or 'full'"
    )
    fixed: dict[str, Value] = Field(default={}, description="hyperparameters that do not vary, a table")
    training: Training = Field(default=Training(), description="a table of epochs")
    early_stopping: EarlyStopping = Field(
        default=EarlyStopping(), description="a table of when trials end early"
    )
    judge_each_epoch: bool = Field(
        default=False, description="whether trials are judged after each joint epoch, true or false"
    )
    checkpoints_behind_front: Literal["all"] | Annotated[int, Field(ge=0)] = Field(
        default=10,
        description="how many of a search's checkpoints are kept beside its front's, those of the best trials behind"
        " it, 'all' or a whole number of at least 0",
    )
    loggers: Annotated[tuple[Logger, ...], Field(strict=False)] = Field(
        default=(), description=f"what else logs epochs, a list out of {', '.join(LOGGERS)}"
    )
    resources: Resources = Field(default=Resources(), description="a table of what a trial asks for")

    @field_validator("space")
    @classmethod
    def _known_space(cls, name: str) -> str:
        if name not in SPACES:
            raise ValueError(f"no such space; needs one of {', '.join(SPACES)}")
        return name

    @field_validator("baselines")
    @classmethod
    def _distinct_baselines(cls, baselines: tuple[Baseline, ...]) -> tuple[Baseline, ...]:
        if len(set(baselines)) != len(baselines):
            raise ValueError("each baseline may stand once")
        return baselines

    @field_validator("loggers")
    @classmethod
    def _distinct_loggers(cls, loggers: tuple[Logger, ...]) -> tuple[Logger, ...]:
        if len(set(loggers)) != len(loggers):
            raise ValueError("each logger may stand once")
        return loggers

    # Plain: check_fixed knows each hyperparameter's type, pydantic only a union of four.
    @field_validator("fixed", mode="plain")
    @classmethod
    def _typed_fixed(cls, fixed: Any) -> dict[str, Value]:
        if not isinstance(fixed, Mapping):
            raise ValueError(f"fixed = {fixed!r} is wrong: needs a table of hyperparameters")  # noqa: TRY004
        try:
            checked = {name: check_fixed(name, value) for name, value in fixed.items()}
        except SpaceError as error:
            raise ValueError(str(error)) from error
        return {name: checked[name] for name in HYPERPARAMETERS if name in checked}

    @field_validator("attribute")
    @classmethod
    def _distinct_attributes(cls, attribute: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not isinstance(attribute, str) and len(set(attribute)) != len(attribute):
            raise ValueError("each private attribute may stand once")
        return attribute

    @property
    def attributes(self) -> tuple[str, ...]:
        """The private attributes, one or more."""
        return (self.attribute,) if isinstance(self.attribute, str) else self.attribute

    @property
    def search_objectives(self) -> tuple[Objective, ...]:
        """What the search optimises."""
        return search_objectives(self.objectives, len(self.attributes))

    @property
    def search_constraints(self) -> tuple[Constraint, ...]:
        """What the search's designs have to satisfy."""
        return tuple(parse(text) for text in self.constraints)

    @field_validator("constraints")
    @classmethod
    def _distinct_constraints(cls, constraints: tuple[str, ...]) -> tuple[str, ...]:
        try:
            texts = tuple(parse(text).text for text in constraints)
        except SpecError as error:
            raise ValueError(str(error)) from error
        if len(set(texts)) != len(texts):
            raise ValueError("each constraint may stand once")
        return texts

    @field_validator("designs")
    @classmethod
    def _typed_designs(cls, designs: tuple[dict[str, Value], ...]) -> tuple[dict[str, Value], ...]:
        try:
            checked = tuple(
                {name: check_fixed(name, value) for name, value in design.items()} for design in designs
            )
        except SpaceError as error:
            raise ValueError(str(error)) from error
        if any(design in checked[:place] for place, design in enumerate(checked)):
            raise ValueError("each design may stand once")
        return checked

    @model_validator(mode="after")
    def _something_runs(self) -> "StudySpec":
        if not self.trials and not self.designs:
            raise ValueError(f"trials = 0 is wrong: {type(self).model_fields['trials'].description}")
        if self.seed + self.seeds > 2**63:
            raise ValueError(f"seeds = {self.seeds} is wrong: from seed on they reach beyond 2^63 - 1")
        return self

    @model_validator(mode="after")
    def _rungs_before_the_end(self) -> "StudySpec":
        stopping, epochs = self.early_stopping, self.training.joint_epochs
        if stopping.rule != "none" and stopping.grace_epochs >= epochs:
            raise ValueError(
                f"early_stopping.grace_epochs = {stopping.grace_epochs} is wrong: needs fewer than the {epochs} joint"
                " epochs, else no trial can end early"
            )
        return self

    @model_validator(mode="after")
    def _fixed_has_effect(self) -> "StudySpec":
        try:
            searched = searched_space(self)
            for design in self.designs:
                searched.check(design)
        except SpaceError as error:
            raise ValueError(f"space {self.space}: {error}") from error
        return self

    @model_validator(mode="after")
    def _constraints_are_of_use(self) -> "StudySpec":
        if self.constraints and self.sampler not in GUIDED:
            raise ValueError(
                f"sampler = {self.sampler!r} cannot use constraints: needs one of {', '.join(GUIDED)}, or none"
            )
        try:
            for constraint in self.search_constraints:
                check_name(constraint, searched_space(self), len(self.attributes))
        except SpecError as error:
            raise ValueError(str(error)) from error
        return self


def judged_epochs(spec: StudySpec) -> tuple[int, ...]:
    """Joint epochs after which a search trial is judged, besides its last."""
    stopping, epochs = spec.early_stopping, spec.training.joint_epochs
    if spec.judge_each_epoch:
        return tuple(range(1, epochs))
    if stopping.rule == "none":
        return ()
    return rungs(stopping.grace_epochs, stopping.reduction_factor, epochs)


def searched_space(spec: StudySpec) -> Space:
    """What the study varies: the named space without what the spec fixes. It may be empty."""
    count = len(spec.attributes)
    if spec.fixed.get("private_attributes", count) != count:
        raise SpaceError(f"private_attributes is not for you to set: attribute names {count}")
    return SPACES[spec.space].with_private_attributes(count).without(_fixed(spec))


def with_defaults(spec: StudySpec) -> StudySpec:
    """The spec with every hyperparameter that it does not vary written out as fixed, defaults included: what a
    later release's defaults are does not change a study. CelebA's gender is called by its name there, Male."""
    searched = searched_space(spec)
    values = resolve(searched.defaults(), _fixed(spec))
    unvaried = {name: value for name, value in values.items() if name not in searched.parameters}
    written_out = {name: value for name, value in unvaried.items() if value is not None}
    attribute = _CELEBA_GENDER if _is_celebas_gender(spec) else spec.attribute
    return spec.model_copy(update={"fixed": {**written_out, **spec.fixed}, "attribute": attribute})


_CELEBA_GENDER = "Male"


def _is_celebas_gender(spec: StudySpec) -> bool:
    default = StudySpec.model_fields["attribute"].default
    return spec.dataset.startswith("celeba:") and spec.attribute == default


def _fixed(spec: StudySpec) -> dict[str, Value]:
    return {"private_attributes": len(spec.attributes), **spec.fixed}
