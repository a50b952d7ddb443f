"""The spec of a study: its faces, search space, search, trainings and resources, validated and frozen."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from analysis.tables.objectives import Objective, search_objectives
from search_spaces.domains import Value
from search_spaces.errors import SpaceError
from search_spaces.hyperparameters import HYPERPARAMETERS, MAX_ATTRIBUTES, check_fixed, resolve
from search_spaces.spaces import SPACES, Space
from study.errors import SpecError
from study.spec.choices import BASELINES, GUIDED, LOGGERS, SAMPLERS, Baseline, Logger, Sampler
from study.spec.constraints import Constraint, check_name, parse
from study.spec.early_stopping import EarlyStopping
from study.spec.sections import COUNT, STRICT, Epochs, Resources, Training

# A description says what a key means and which values it takes: the message about a wrong value ends with it.
_SEED = "a whole number from 0 to 2^63 - 1"
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Text = Annotated[str, Field(min_length=1)]


class StudySpec(BaseModel):
    """All that defines a study. The file `study.toml` of a study holds its spec with the defaults written out."""

    model_config = STRICT

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="name of the study's directory, letters and digits, then also '.', '_', '-'",
    )
    dataset: Text = Field(default="synthetic", description="the faces, 'synthetic' or 'KIND:PATH'")
    attack_dataset: Text | None = Field(
        default=None,
        description="another data set with the same attributes, whose people an attacker learns from, 'synthetic' or"
        " 'KIND:PATH'",
    )
    attribute: (
        Text | Annotated[tuple[Text, ...], Field(strict=False, min_length=1, max_length=MAX_ATTRIBUTES)]
    ) = Field(
        default="gender",
        description="name of the private attribute in the data set, by default gender (Male in CelebA), or a list of up"
        " to four",
    )
    positive: str | None = Field(
        default=None,
        min_length=1,
        description="value of the first attribute that counts as 1, a string; without it 1, male and m count",
    )
    data_fingerprint: str | None = Field(
        default=None, description="SHA-256 of the prepared faces, a string that launch writes"
    )
    attack_data_fingerprint: str | None = Field(
        default=None,
        description="SHA-256 of the prepared faces of attack_dataset, a string that launch writes",
    )
    judge_version: int | None = Field(
        default=None, description="version of the judge, a whole number that launch writes"
    )
    image_side: int = Field(
        default=32,
        ge=16,
        multiple_of=4,
        description="side of a prepared image in pixels, a multiple of 4 from 16 on",
    )
    split_seed: Seed = Field(default=0, description=f"seed of the identity split, {_SEED}")
    seed: Seed = Field(default=0, description=f"seed of the search and its trainings, {_SEED}")
    space: str = Field(description=f"search space, one of {', '.join(SPACES)}")
    sampler: Sampler = Field(
        default="tpe", description=f"sampler that proposes designs, one of {', '.join(SAMPLERS)}"
    )
    constraints: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        default=(),
        description="conditions on designs, a list of 'NAME OP NUMBER' such as 'matching_auc_validation >= 0.7'",
    )
    warm_start: Text | None = Field(
        default=None,
        description="directory of an earlier study whose trials the search begins with, a string",
    )
    objectives: Literal["maximum", "per_attribute"] = Field(
        default="maximum",
        description="attacker AUC that the search minimises, 'maximum' over the private attributes or 'per_attribute'",
    )
    trials: Annotated[int, Field(ge=0)] = Field(
        description=f"search trials, {COUNT}, or 0 if there are designs"
    )
    designs: Annotated[tuple[dict[str, Value], ...], Field(strict=False)] = Field(
        default=(),
        description="designs that run before the search, a list of tables of the space's parameters",
    )
    seeds: Epochs = Field(
        default=1, description=f"seeds of each design and baseline, counted up from seed, {COUNT}"
    )
    confirm_seeds: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="fresh seeds with which the front's designs are retrained, a whole number of at least 0",
    )
    baselines: Annotated[tuple[Baseline, ...], Field(strict=False)] = Field(
        default=BASELINES,
        description=f"baselines that run beside the search, a list of {', '.join(BASELINES)}",
    )
    fixed: dict[str, Value] = Field(
        default={}, description="hyperparameters that the search does not vary, a table"
    )
    training: Training = Field(default=Training(), description="a table of epochs")
    early_stopping: EarlyStopping = Field(
        default=EarlyStopping(), description="a table of rules for ending trials early"
    )
    judge_each_epoch: bool = Field(
        default=False, description="whether trials are judged after each joint epoch, true or false"
    )
    checkpoints_behind_front: Literal["all"] | Annotated[int, Field(ge=0)] = Field(
        default=10,
        description="checkpoints that are kept besides those of the front, of the best trials behind it, 'all' or a"
        " whole number of at least 0",
    )
    loggers: Annotated[tuple[Logger, ...], Field(strict=False)] = Field(
        default=(), description=f"loggers that record epochs, a list of {', '.join(LOGGERS)}"
    )
    resources: Resources = Field(default=Resources(), description="a table of what a trial reserves")

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
            raise ValueError("a baseline may occur only once")
        return baselines

    @field_validator("loggers")
    @classmethod
    def _distinct_loggers(cls, loggers: tuple[Logger, ...]) -> tuple[Logger, ...]:
        if len(set(loggers)) != len(loggers):
            raise ValueError("a logger may occur only once")
        return loggers

    # The validator is plain because check_fixed knows the type of each hyperparameter and pydantic only the union.
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
            raise ValueError("a private attribute may occur only once")
        return attribute

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the private attributes: at least one, at most MAX_ATTRIBUTES."""
        return (self.attribute,) if isinstance(self.attribute, str) else self.attribute

    @property
    def search_objectives(self) -> tuple[Objective, ...]:
        """The objectives of the search."""
        return search_objectives(self.objectives, len(self.attributes))

    @property
    def search_constraints(self) -> tuple[Constraint, ...]:
        """The constraints of the search."""
        return tuple(parse(text) for text in self.constraints)

    @field_validator("constraints")
    @classmethod
    def _distinct_constraints(cls, constraints: tuple[str, ...]) -> tuple[str, ...]:
        try:
            texts = tuple(parse(text).text for text in constraints)
        except SpecError as error:
            raise ValueError(str(error)) from error
        if len(set(texts)) != len(texts):
            raise ValueError("a constraint may occur only once")
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
        if any(design in checked[:index] for index, design in enumerate(checked)):
            raise ValueError("a design may occur only once")
        return checked

    @model_validator(mode="after")
    def _has_trials(self) -> "StudySpec":
        if not self.trials and not self.designs:
            raise ValueError(f"trials = 0 is wrong: {type(self).model_fields['trials'].description}")
        if self.seed + self.seeds > 2**63:
            raise ValueError(f"seeds = {self.seeds} is wrong: counted up from seed they exceed 2^63 - 1")
        return self

    @model_validator(mode="after")
    def _grace_ends_before_training(self) -> "StudySpec":
        stopping, epochs = self.early_stopping, self.training.joint_epochs
        if stopping.rule != "none" and stopping.grace_epochs >= epochs:
            raise ValueError(
                f"early_stopping.grace_epochs = {stopping.grace_epochs} is wrong: needs fewer than the {epochs} joint"
                " epochs, or no trial can end early"
            )
        return self

    @model_validator(mode="after")
    def _space_fits_networks(self) -> "StudySpec":
        for name, value in SPACES[self.space].needs.items():
            if self.fixed.get(name) != value:
                raise ValueError(f"space {self.space} needs fixed.{name} = {value!r}, as in the spec code")
        if self.dataset.startswith("templates:"):
            if self.fixed.get("head", "map") == "map":
                raise ValueError(
                    f"space {self.space} trains maps, and {self.dataset} holds no images: needs a space of codes, such"
                    " as that of the spec code"
                )
            if self.fixed.get("stem") == "convolutional":
                raise ValueError(f"fixed.stem = 'convolutional' needs images: {self.dataset} needs 'linear'")
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
    def _constraints_can_be_used(self) -> "StudySpec":
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
    """Return the joint epochs, without the last one, after which a search trial is judged."""
    epochs = spec.training.joint_epochs
    return tuple(range(1, epochs)) if spec.judge_each_epoch else spec.early_stopping.rungs(epochs)


def searched_space(spec: StudySpec) -> Space:
    """Return the space that the search varies: the spec's space without its fixed hyperparameters.

    It may be empty. Raises SpaceError if `fixed` disagrees with the number of private attributes.
    """
    count = len(spec.attributes)
    if spec.fixed.get("private_attributes", count) != count:
        raise SpaceError(f"private_attributes cannot be fixed: attribute names {count}")
    return SPACES[spec.space].with_private_attributes(count).without(_fixed(spec))


def with_defaults(spec: StudySpec) -> StudySpec:
    """Return the spec with a fixed value for every hyperparameter that the search does not vary.

    Defaults are written out, so that a release with other defaults does not change an existing study. For CelebA the
    default attribute becomes `Male`, the name of gender there.
    """
    searched = searched_space(spec)
    values = resolve(searched.defaults(), _fixed(spec))
    unvaried = {name: value for name, value in values.items() if name not in searched.parameters}
    written_out = {name: value for name, value in unvaried.items() if value is not None}
    attribute = _CELEBA_GENDER if _is_celeba_gender(spec) else spec.attribute
    return spec.model_copy(update={"fixed": {**written_out, **_fixed(spec)}, "attribute": attribute})


_CELEBA_GENDER = "Male"


def _is_celeba_gender(spec: StudySpec) -> bool:
    default = StudySpec.model_fields["attribute"].default
    return spec.dataset.startswith("celeba:") and spec.attribute == default


def _fixed(spec: StudySpec) -> dict[str, Value]:
    return {"private_attributes": len(spec.attributes), **spec.fixed}
