"""Frozen configs: the values that they refuse and the designs that share an id."""

import importlib
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from aia_models.config import (
    AdversaryConfig,
    BudgetConfig,
    ChannelConfig,
    CodeHead,
    ComputeConfig,
    ConvolutionalStem,
    DecoderConfig,
    EncoderConfig,
    LinearStem,
    MapHead,
    MatcherConfig,
    TrainingConfig,
    UtilityConfig,
    content_key,
)
from aia_models.errors import ConfigError

CODE = TrainingConfig(encoder=EncoderConfig(head=CodeHead()), adversary=AdversaryConfig(("mlp",)))
# A value other than the default for every field of every config; a test fails if a field is missing.
OTHER: dict[str, Any] = {
    "alpha": 0.25,
    "betas": (0.5, 0.5),
    "encoder.stem.kind": replace(CODE, encoder=EncoderConfig(LinearStem(), CodeHead())),
    "encoder.stem.channels": EncoderConfig(ConvolutionalStem(channels=(8, 13))),
    "encoder.stem.convolutions": EncoderConfig(ConvolutionalStem(convolutions=2)),
    "encoder.stem.kernel": EncoderConfig(ConvolutionalStem(kernel=5)),
    "encoder.stem.pooling": EncoderConfig(ConvolutionalStem(pooling="stride")),
    "encoder.stem.normalisation": EncoderConfig(ConvolutionalStem(normalisation="batch")),
    "encoder.stem.activation": EncoderConfig(ConvolutionalStem(activation="silu")),
    "encoder.stem.residual": EncoderConfig(ConvolutionalStem(residual=True)),
    "encoder.head.kind": CODE,
    "decoder.channels": (256, 127),
    "decoder.hidden": 255,
    "channel.kind": ChannelConfig("noise", noise_sd=0.1),
    "channel.noise_sd": ChannelConfig("noise", noise_sd=0.2),
    "channel.bits": ChannelConfig("quantise", bits=3),
    "channel.codewords": ChannelConfig("codebook", noise_sd=0.1, codewords=8, codebooks=1),
    "channel.codebooks": ChannelConfig("codebook", noise_sd=0.1, codewords=8, codebooks=2),
    "channel.replaced_share": ChannelConfig("random_replacement", replaced_share=0.5),
    "channel.erasure": True,
    "adversary.members": ("mlp",),
    "adversary.hidden": 129,
    "adversary.cnn_channels": (32, 64),
    "adversary.steps": 2,
    "adversary.class_balanced": False,
    "adversary.standardise": False,
    "matcher.conv_channels": (4, 8, 9),
    "matcher.hidden": (500, 501),
    "matcher.embedding": 127,
    "matcher.margin": 2.0,
    "matcher.standardise": False,
    "penalty": "kernel_ridge",
    "utility.kind": UtilityConfig("batch_contrastive", 0.2),
    "utility.temperature": UtilityConfig("batch_contrastive", 0.3),
    "augmentation": "flip",
    "budget.autoencoder_epochs": 7,
    "budget.heads_epochs": 0,
    "budget.joint_epochs": 0,
    "learning_rate": 2e-3,
    "learning_rate_schedule": "cosine",
    "weight_decay": 0.1,
    "batch_images": 128,
}


def leaves(config: Any, prefix: str = "") -> Iterator[str]:
    for field in fields(config):
        value = getattr(config, field.name)
        name = f"{prefix}{field.name}"
        yield from leaves(value, f"{name}.") if is_dataclass(value) else [name]


def changed(name: str) -> TrainingConfig:
    value, default = OTHER[name], TrainingConfig()
    if isinstance(value, TrainingConfig):
        return value
    part, _, field = name.partition(".")
    if field and not is_dataclass(value):
        value = replace(getattr(default, part), **{field: value})
    return replace(default, **{part: value})


def test_design_id_depends_on_every_field_but_the_seed() -> None:
    assert set(leaves(TrainingConfig())) == {*OTHER, "seed"}
    ids = {changed(name).design_id for name in OTHER} | {TrainingConfig().design_id}
    assert len(ids) == len(OTHER) + 1
    assert replace(TrainingConfig(), seed=5).design_id == TrainingConfig().design_id


def test_design_id_is_12_hex_digits_of_a_canonical_key() -> None:
    design_id = TrainingConfig().design_id
    assert len(design_id) == 12
    assert int(design_id, 16) >= 0
    assert content_key({"b": (1, 2.5), "a": None}) == content_key({"a": None, "b": [1, 2.5]})


def test_defaults_are_the_papers() -> None:
    config = TrainingConfig()
    assert config.encoder == EncoderConfig(ConvolutionalStem(channels=(8, 12)), MapHead())
    assert config.decoder.channels == (256, 128)
    assert config.adversary.members == ("cnn",)
    assert config.adversary.cnn_channels == (32, 64, 64, 128, 128, 256)
    assert config.matcher.conv_channels == (4, 8, 8)
    assert (*config.matcher.hidden, config.matcher.embedding) == (500, 500, 128)
    assert config.channel == ChannelConfig("none")


@pytest.mark.parametrize("part", ["encoder", "decoder", "channel", "adversary", "matcher", "budget"])
def test_configs_are_frozen(part: str) -> None:
    config = TrainingConfig()
    with pytest.raises(FrozenInstanceError):
        config.alpha = 1.0  # type: ignore[misc]
    inner = getattr(config, part)
    with pytest.raises(FrozenInstanceError):
        setattr(inner, fields(inner)[0].name, None)


@pytest.fixture(scope="module")
def unchecked() -> Iterator[ModuleType]:
    """Import the configs as users do, without the checks of argument types that the tests install."""
    hooks = [finder for finder in sys.meta_path if type(finder).__module__.startswith("jaxtyping")]
    checked = {name: module for name, module in sys.modules.items() if name.startswith("aia_models.config")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if finder not in hooks])
        for name in checked:
            patch.delitem(sys.modules, name)
        yield importlib.import_module("aia_models.config")
    sys.modules.update(checked)


WRONG: list[tuple[type, dict[str, Any], str]] = [
    (ConvolutionalStem, {"channels": (8, 0)}, "stem.channels = (8, 0): expected positive whole numbers"),
    (ConvolutionalStem, {"channels": (8,)}, "stem.channels = (8,): expected 2 blocks or more"),
    (
        ConvolutionalStem,
        {"channels": (8, 12.0)},
        "stem.channels = (8, 12.0): expected positive whole numbers",
    ),
    (ConvolutionalStem, {"kernel": 4}, "stem.kernel = 4: expected 3 or 5"),
    (ConvolutionalStem, {"pooling": "max"}, "stem.pooling = 'max': expected one of average, stride"),
    (LinearStem, {"components": 0}, "stem.components = 0: expected a positive whole number"),
    (LinearStem, {"projection": "ica"}, "stem.projection = 'ica': expected one of pca, fisher"),
    (CodeHead, {"k": 0}, "head.k = 0: expected a positive whole number"),
    (
        DecoderConfig,
        {"channels": (1, 2, 3)},
        "decoder.channels = (1, 2, 3): expected 2 positive whole numbers",
    ),
    (
        ChannelConfig,
        {"kind": "noisy"},
        "channel.kind = 'noisy': expected one of none, noise, quantise, codebook, random_replacement",
    ),
    (
        ChannelConfig,
        {"kind": "noise"},
        "channel.noise_sd = None: expected a value with kind noise or codebook and none with others",
    ),
    (
        ChannelConfig,
        {"bits": 4},
        "channel.bits = 4: expected a value with kind quantise and none with others",
    ),
    (
        ChannelConfig,
        {"kind": "noise", "noise_sd": 0.1, "replaced_share": 0.5},
        "channel.replaced_share = 0.5: expected a value with kind random_replacement and none with others",
    ),
    (
        ChannelConfig,
        {"kind": "noise", "noise_sd": 0.0},
        "channel.noise_sd = 0.0: expected a finite number above 0",
    ),
    (
        ChannelConfig,
        {"kind": "noise", "noise_sd": "much"},
        "channel.noise_sd = 'much': expected a finite number above 0",
    ),
    (
        ChannelConfig,
        {"kind": "codebook", "noise_sd": 0.4, "codewords": 5000, "codebooks": 1},
        "channel.codewords = 5000: expected 2 to 4096",
    ),
    (
        ChannelConfig,
        {"kind": "codebook", "noise_sd": 0.4, "codewords": 16, "codebooks": 9},
        "channel.codebooks = 9: expected 1 to 8",
    ),
    (ChannelConfig, {"kind": "quantise", "bits": 17}, "channel.bits = 17: expected 1 to 16"),
    (ChannelConfig, {"kind": "quantise", "bits": 2.5}, "channel.bits = 2.5: expected 1 to 16"),
    (
        ChannelConfig,
        {"kind": "random_replacement", "replaced_share": 1.5},
        "channel.replaced_share = 1.5: expected (0, 1]",
    ),
    (
        AdversaryConfig,
        {"members": ("mlp", "tree")},
        "adversary.members = ('mlp', 'tree'): expected distinct names of linear, mlp, cnn",
    ),
    (
        AdversaryConfig,
        {"members": ("mlp", "mlp")},
        "adversary.members = ('mlp', 'mlp'): expected distinct names of linear, mlp, cnn",
    ),
    (AdversaryConfig, {"members": ()}, "adversary.members = (): expected distinct names of linear, mlp, cnn"),
    (AdversaryConfig, {"hidden": 0}, "adversary.hidden = 0: expected a positive whole number"),
    (AdversaryConfig, {"steps": 0}, "adversary.steps = 0: expected a positive whole number"),
    (AdversaryConfig, {"cnn_channels": ()}, "adversary.cnn_channels = (): expected positive whole numbers"),
    (
        MatcherConfig,
        {"conv_channels": (4, 8)},
        "matcher.conv_channels = (4, 8): expected 3 positive whole numbers",
    ),
    (MatcherConfig, {"hidden": (500, -1)}, "matcher.hidden = (500, -1): expected 2 positive whole numbers"),
    (MatcherConfig, {"embedding": True}, "matcher.embedding = True: expected a positive whole number"),
    (MatcherConfig, {"margin": 0.0}, "matcher.margin = 0.0: expected a finite number above 0"),
    (
        BudgetConfig,
        {"autoencoder_epochs": 0},
        "budget.autoencoder_epochs = 0: expected a whole number of epochs, at least 1",
    ),
    (
        BudgetConfig,
        {"joint_epochs": -1},
        "budget.joint_epochs = -1: expected a whole number of epochs, at least 0",
    ),
    (
        BudgetConfig,
        {"heads_epochs": 1.5},
        "budget.heads_epochs = 1.5: expected a whole number of epochs, at least 0",
    ),
    (TrainingConfig, {"alpha": -0.5}, "alpha = -0.5: expected a finite number of at least 0"),
    (TrainingConfig, {"alpha": "0.5"}, "alpha = '0.5': expected a finite number of at least 0"),
    (TrainingConfig, {"betas": (float("inf"),)}, "beta = inf: expected a finite number of at least 0"),
    (TrainingConfig, {"betas": (float("nan"),)}, "beta = nan: expected a finite number of at least 0"),
    (TrainingConfig, {"betas": (0.5, 0.1, -2.0)}, "beta_3 = -2.0: expected a finite number of at least 0"),
    (
        TrainingConfig,
        {"augmentation": "turn"},
        "augmentation = 'turn': expected one of none, flip, flip_shift",
    ),
    (TrainingConfig, {"penalty": "gan"}, "penalty = 'gan': expected one of adversary, kernel_ridge"),
    (
        UtilityConfig,
        {"kind": "triplets"},
        "utility.kind = 'triplets': expected one of pairs, batch_contrastive",
    ),
    (
        UtilityConfig,
        {"temperature": 0.2},
        "utility.temperature = 0.2: expected a value with kind batch_contrastive and none with pairs",
    ),
    (
        UtilityConfig,
        {"kind": "batch_contrastive"},
        "utility.temperature = None: expected a value with kind batch_contrastive and none with pairs",
    ),
    (
        UtilityConfig,
        {"kind": "batch_contrastive", "temperature": 0.0},
        "utility.temperature = 0.0: expected a finite number above 0",
    ),
    (TrainingConfig, {"learning_rate": 0.0}, "learning_rate = 0.0: expected a finite number above 0"),
    (TrainingConfig, {"batch_images": 7}, "batch_images = 7: expected an even whole number of at least 4"),
    (TrainingConfig, {"batch_images": 2}, "batch_images = 2: expected an even whole number of at least 4"),
    (TrainingConfig, {"seed": -1}, "seed = -1: expected a whole number, at least 0"),
    (ComputeConfig, {"dtype": "float16"}, "dtype = 'float16': expected float32 or bfloat16"),
    (
        ComputeConfig,
        {"memory_format": "rows"},
        "memory_format = 'rows': expected channels_last or contiguous",
    ),
    (ComputeConfig, {"threads": 0}, "threads = 0: expected a positive whole number"),
]


@pytest.mark.parametrize(("kind", "values", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_wrong_values_are_refused_in_one_line(
    unchecked: ModuleType, kind: type, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        getattr(unchecked, kind.__name__)(**values)
    assert str(caught.value) == message
