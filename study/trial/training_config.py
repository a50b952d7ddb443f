"""From hyperparameters to a training: what the names of the search space mean to the networks."""

from collections.abc import Mapping

from aia_models.config import (
    AdversaryConfig,
    BudgetConfig,
    ChannelConfig,
    DecoderConfig,
    EncoderConfig,
    MatcherConfig,
    PenaltyConfig,
    TrainingConfig,
    UtilityConfig,
)
from search_spaces.domains import Value
from search_spaces.hyperparameters import HYPERPARAMETERS, resolve
from search_spaces.spaces import BETAS
from study.spec.spec import Baseline, StudySpec, searched_space
from study.trial.plan import TrialPlan

RANDOM_SHARE = 0.5  # section 5.3: Random replaces 50 % of each representation
STAGE_2 = (  # without stage 2 these are not in effect
    *("alpha", *BETAS, "adversary_steps", "penalty", "mirrored", "beta_schedule", "adversary_restart_epochs"),
    *("erasure_in_training", "bottleneck", "bottleneck_weight", "utility", "temperature"),
)


def baseline_values(baseline: Baseline, spec: StudySpec) -> dict[str, Value | None]:
    """Hyperparameters of a baseline (paper, section 5.3, and linear erasure), else the spec's and defaults."""
    defaults = resolve(searched_space(spec).defaults(), spec.fixed)
    if baseline == "aia_without_t":
        return {**defaults, "alpha": 0.0}
    noise_sd = spec.fixed.get("noise_sd", HYPERPARAMETERS["noise_sd"].default)
    channels: dict[Baseline, dict[str, Value | None]] = {
        "original": {"channel": "none", "erasure": False, "noise_sd": None},
        "random": {"channel": "random_replacement", "erasure": False, "noise_sd": None},
        "erasure": {"channel": "noise", "erasure": True, "noise_sd": noise_sd},
    }
    without_stage_2 = dict.fromkeys(STAGE_2)
    return {**defaults, "quantise_bits": None, **without_stage_2, **channels[baseline]}


def training_config(plan: TrialPlan, spec: StudySpec) -> TrainingConfig:
    """The training that `plan` stands for under `spec`'s budget; ConfigError where a value makes none possible."""
    values = plan.values
    width = int(_number(values, "decoder_width"))
    has_stage_2 = values["alpha"] is not None
    channel = str(values["channel"])
    return TrainingConfig(
        alpha=_number(values, "alpha") if has_stage_2 else 0.0,
        betas=tuple(
            float(values[name] or 0.0) for name in BETAS[: int(_number(values, "private_attributes"))]
        ),
        encoder=EncoderConfig(
            (int(_number(values, "encoder_width")), int(_number(values, "representation_channels")))
        ),
        decoder=DecoderConfig((width, max(width // 2, 1))),
        channel=ChannelConfig(
            kind=channel,  # type: ignore[arg-type]
            noise_sd=_number(values, "noise_sd") if channel == "noise" else None,
            bits=int(_number(values, "quantise_bits")) if channel == "quantise" else None,
            replaced_share=RANDOM_SHARE if channel == "random_replacement" else None,
            erasure=bool(values["erasure"]),
            erasure_in_training=bool(values["erasure_in_training"]),
        ),
        adversary=AdversaryConfig(
            members=tuple(str(values["adversary"]).split("+")),  # type: ignore[arg-type]
            hidden=int(values["adversary_hidden"] or AdversaryConfig.hidden),
            steps=int(values["adversary_steps"] or AdversaryConfig.steps),
            restart_epochs=int(values["adversary_restart_epochs"] or 0) or None,
        ),
        matcher=MatcherConfig(margin=_number(values, "margin")),
        penalty=PenaltyConfig(
            kind=str(values["penalty"] or PenaltyConfig.kind),  # type: ignore[arg-type]
            mirrored=bool(values["mirrored"]),
            schedule=str(values["beta_schedule"] or PenaltyConfig.schedule),  # type: ignore[arg-type]
        ),
        utility=UtilityConfig(
            kind=str(values["utility"] or UtilityConfig.kind),  # type: ignore[arg-type]
            temperature=None if values["temperature"] is None else _number(values, "temperature"),
        ),
        augmentation=str(values["augmentation"]),  # type: ignore[arg-type]
        bottleneck=float(values["bottleneck_weight"] or 0.0),
        budget=BudgetConfig(
            spec.training.stage1_epochs,
            spec.training.heads_epochs,
            spec.training.joint_epochs if has_stage_2 else 0,
        ),
        learning_rate=_number(values, "learning_rate"),
        batch_images=int(_number(values, "batch_images")),
        seed=plan.seed,
    )


def _number(values: Mapping[str, Value | None], name: str) -> float:
    value = values[name]
    if value is None or isinstance(value, str):
        raise TypeError(f"{name} = {value!r} is in effect here and must be a number")
    return value
