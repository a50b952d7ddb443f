"""The training that a trial's hyperparameters stand for: what the names of the search space mean to the networks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar, get_args

from aia_models.config import (
    Activation,
    AdversaryConfig,
    AdversaryKind,
    Augmentation,
    BudgetConfig,
    ChannelConfig,
    ChannelKind,
    CodeHead,
    ConvolutionalStem,
    DecoderConfig,
    EncoderConfig,
    Head,
    LinearStem,
    MapHead,
    MatcherConfig,
    Normalisation,
    PenaltyKind,
    PlainHead,
    Pooling,
    Projection,
    RateSchedule,
    Stem,
    TrainingConfig,
    UtilityConfig,
    UtilityKind,
)
from aia_models.errors import ConfigError
from search_spaces.domains import Value
from search_spaces.hyperparameters import HYPERPARAMETERS, resolve
from search_spaces.spaces import BETAS
from study.spec.choices import Baseline
from study.spec.spec import StudySpec, searched_space
from study.trial.plan import TrialPlan

RANDOM_SHARE = 0.5  # section 5.3: Random replaces 50 % of each representation
CHANNEL_KINDS: tuple[ChannelKind, ...] = get_args(ChannelKind)
ADVERSARY_KINDS: tuple[AdversaryKind, ...] = get_args(AdversaryKind)
PENALTY_KINDS: tuple[PenaltyKind, ...] = get_args(PenaltyKind)
UTILITY_KINDS: tuple[UtilityKind, ...] = get_args(UtilityKind)
AUGMENTATIONS: tuple[Augmentation, ...] = get_args(Augmentation)
RATE_SCHEDULES: tuple[RateSchedule, ...] = get_args(RateSchedule)
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
NORMALISATIONS: tuple[Normalisation, ...] = get_args(Normalisation)
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)
FISHER_STRENGTHS = (
    (10, 0.7),
    (15, 0.4),
    (25, 0.4),
    (60, 0.4),
)  # components, and noise in their mean deviation
PRINCIPAL_COMPONENTS = 250
OF_ENCODER = ("stem", "head", "code", "encoder", "representation")  # beginnings of names
STAGE_2 = (  # hyperparameters that are not in effect without stage 2
    *("alpha", *BETAS, "adversary_steps", "penalty", "utility", "temperature"),
)


def baseline_designs(baseline: Baseline, spec: StudySpec) -> dict[str, dict[str, Value | None]]:
    """Return the hyperparameters of a baseline's designs by the ending of their trials' ids.

    Those that define it are the paper's (section 5.3); linear erasure and `fisher`, at several strengths, are ours. The
    others are what the spec fixes or else their defaults. A code that no joint training has shaped means nothing, so
    where the spec has codes the untrained baselines release principal components.
    """
    defaults = resolve(searched_space(spec).defaults(), spec.fixed)
    if baseline == "aia_without_t":
        return {"": {**defaults, "alpha": 0.0}}
    untrained = {**defaults, **dict.fromkeys(("quantise_bits", "codewords", "codebooks", *STAGE_2))}
    if baseline == "fisher":
        noisy = {**untrained, "channel": "noise", "erasure": True}
        return {
            f"-{components}-{noise_sd:g}": {**noisy, **_linear("fisher", components), "noise_sd": noise_sd}
            for components, noise_sd in FISHER_STRENGTHS
        }
    if defaults["head"] == "code":
        untrained |= _linear("pca", PRINCIPAL_COMPONENTS)
    noise_sd = defaults["noise_sd"] or HYPERPARAMETERS["noise_sd"].default
    channels: dict[Baseline, dict[str, Value | None]] = {
        "original": {"channel": "none", "erasure": False, "noise_sd": None},
        "random": {"channel": "random_replacement", "erasure": False, "noise_sd": None},
        "erasure": {"channel": "noise", "erasure": True, "noise_sd": noise_sd},
    }
    return {"": {**untrained, **channels[baseline]}}


def _linear(projection: str, components: int) -> dict[str, Value | None]:
    """Return the hyperparameters of an encoder that is a linear map in closed form."""
    chosen = {"stem": "linear", "head": "plain", "stem_projection": projection, "stem_components": components}
    values = resolve({}, chosen)
    return {name: value for name, value in values.items() if name.startswith(OF_ENCODER)}


def training_config(plan: TrialPlan, spec: StudySpec) -> TrainingConfig:
    """Return the training of `plan` with the epochs of `spec`; ConfigError where a value makes no training possible."""
    values = _Hyperparameters(plan.values)
    width = values.integer("decoder_width")
    has_stage_2 = values.in_effect("alpha")
    channel: ChannelKind = values.option("channel", CHANNEL_KINDS)
    return TrainingConfig(
        alpha=values.number("alpha") if has_stage_2 else 0.0,
        betas=tuple(
            values.number(name, default=0.0) for name in BETAS[: values.integer("private_attributes")]
        ),
        encoder=EncoderConfig(_stem(values), _head(values)),
        decoder=DecoderConfig((width, max(width // 2, 1))),
        channel=ChannelConfig(
            kind=channel,
            noise_sd=values.number("noise_sd") if channel in ("noise", "codebook") else None,
            bits=values.integer("quantise_bits") if channel == "quantise" else None,
            codewords=values.integer("codewords") if channel == "codebook" else None,
            codebooks=values.integer("codebooks") if channel == "codebook" else None,
            replaced_share=RANDOM_SHARE if channel == "random_replacement" else None,
            erasure=values.flag("erasure"),
        ),
        adversary=AdversaryConfig(
            members=values.options("adversary", ADVERSARY_KINDS),
            hidden=values.integer("adversary_hidden", default=AdversaryConfig.hidden),
            steps=values.integer("adversary_steps", default=AdversaryConfig.steps),
        ),
        matcher=MatcherConfig(margin=values.number("margin")),
        penalty=values.option("penalty", PENALTY_KINDS, default="adversary"),
        utility=UtilityConfig(
            kind=values.option("utility", UTILITY_KINDS, default=UtilityConfig.kind),
            temperature=values.number("temperature") if values.in_effect("temperature") else None,
        ),
        augmentation=values.option("augmentation", AUGMENTATIONS),
        budget=BudgetConfig(
            spec.training.stage1_epochs,
            spec.training.heads_epochs,
            spec.training.joint_epochs if has_stage_2 else 0,
        ),
        learning_rate=values.number("learning_rate"),
        learning_rate_schedule=values.option("learning_rate_schedule", RATE_SCHEDULES),
        weight_decay=values.number("weight_decay", default=0.0),
        batch_images=values.integer("batch_images"),
        seed=plan.seed,
    )


def _stem(values: "_Hyperparameters") -> Stem:
    if values.option("stem", ("convolutional", "linear")) == "linear":
        return LinearStem(
            projection=values.option("stem_projection", PROJECTIONS),
            components=values.integer("stem_components"),
            trained=values.flag("stem_trained"),
        )
    channels = [values.integer("encoder_width") * 2**block for block in range(values.integer("stem_blocks"))]
    if values.in_effect("representation_channels"):
        channels[-1] = values.integer("representation_channels")
    return ConvolutionalStem(
        channels=tuple(channels),
        convolutions=values.integer("stem_convolutions"),
        kernel=values.integer("stem_kernel"),
        pooling=values.option("stem_pooling", POOLINGS),
        normalisation=values.option("stem_normalisation", NORMALISATIONS),
        activation=values.option("stem_activation", ACTIVATIONS),
        residual=values.flag("stem_residual"),
    )


def _head(values: "_Hyperparameters") -> Head:
    kind = values.option("head", ("map", "code", "plain"))
    if kind != "code":
        return MapHead() if kind == "map" else PlainHead()
    return CodeHead(
        k=values.integer("code_size"),
        layers=values.integer("code_layers"),
        hidden=values.integer("code_hidden"),
        skip=values.flag("code_skip"),
    )


Option = TypeVar("Option", bound=str)


@dataclass(frozen=True)
class _Hyperparameters:
    """Hyperparameters read with the type that a training needs. `default` stands for a value that is not in effect;
    TypeError where there is no default either."""

    values: Mapping[str, Value | None]

    def in_effect(self, name: str) -> bool:
        return self.values[name] is not None

    def number(self, name: str, default: float | None = None) -> float:
        value = default if self.values[name] is None else self.values[name]
        if value is None or isinstance(value, str):
            raise TypeError(f"{name} = {value!r} is in effect here and must be a number")
        return float(value)

    def integer(self, name: str, default: int | None = None) -> int:
        return int(self.number(name, default))

    def flag(self, name: str) -> bool:
        """A switch; one that is not in effect is off."""
        return bool(self.values[name])

    def option(self, name: str, options: tuple[Option, ...], default: Option | None = None) -> Option:
        """Return the one of `options` that the hyperparameter names; ConfigError where it names none of them."""
        value = default if self.values[name] is None else self.values[name]
        return _one_of(name, str(value), options)

    def options(self, name: str, options: tuple[Option, ...]) -> tuple[Option, ...]:
        """Return the several `options` that the hyperparameter names with + in between, as in `linear+mlp`."""
        return tuple(_one_of(name, part, options) for part in str(self.values[name]).split("+"))


def _one_of(name: str, value: str, options: tuple[Option, ...]) -> Option:
    for option in options:
        if option == value:
            return option
    raise ConfigError(f"{name} = {value!r}: expected one of {', '.join(options)}")
