"""The training config that belongs to values of the search space."""

import pytest

from aia_models.config import EncoderConfig, LinearStem, PlainHead
from aia_models.errors import ConfigError
from search_spaces.hyperparameters import HYPERPARAMETERS, resolve
from study.lifecycle.study_directory import check_designs
from study.spec.files import load_spec, with_settings
from study.trial.plan import TrialPlan
from study.trial.training_config import baseline_designs, training_config

SPEC = load_spec("alpha-beta")


def plan(values: dict, **changes) -> TrialPlan:
    return TrialPlan("t", 0, "search", "aia", {**resolve({}, {}), **values}, seed=7, **changes)


def test_every_hyperparameter_changes_the_design():
    other = {
        "channel": "quantise", "erasure": False, "adversary": "cnn", "noise_sd": 0.2, "adversary_hidden": 64,
        "adversary_steps": 3, "encoder_width": 16, "representation_channels": 8, "decoder_width": 64,
        "alpha": 2.0, "beta": 2.0, "learning_rate": 1e-3, "margin": 2.0, "batch_images": 128,
        "penalty": "kernel_ridge", "augmentation": "flip",
        "private_attributes": 2, "stem_blocks": 3, "stem_convolutions": 2, "stem_kernel": 5, "stem_pooling": "stride",
        "stem_normalisation": "batch", "stem_activation": "silu", "stem_residual": True,
        "learning_rate_schedule": "cosine",
    }  # fmt: skip
    base = training_config(plan({}), SPEC).design_id
    for name, value in other.items():
        given = {name: value, **({"noise_sd": None, "quantise_bits": 4} if name == "channel" else {})}
        assert training_config(plan(given), SPEC).design_id != base, name
    bits = [{"channel": "quantise", "noise_sd": None, "quantise_bits": count} for count in (3, 4)]
    assert len({training_config(plan(given), SPEC).design_id for given in bits}) == 2
    pairs = [
        ({"utility": "batch_contrastive", "temperature": degree} for degree in (0.1, 0.2)),
        *(
            ({"private_attributes": number, f"beta_{number}": beta} for beta in (0.1, 0.2))
            for number in (2, 3, 4)
        ),
    ]
    code = {**resolve({}, {"stem": "linear", "head": "code", "learning_rate_schedule": "cosine"})}
    of_codes = {
        "stem_projection": "pca", "stem_components": 50, "stem_trained": True, "code_size": 64, "code_layers": 2,
        "code_hidden": 64, "code_skip": False, "weight_decay": 0.1,
    }  # fmt: skip
    pairs += [({**code}, {**code, name: value}) for name, value in of_codes.items()]
    book = resolve({}, {"channel": "codebook"})
    pairs += [(book, {**book, name: 5}) for name in ("codewords", "codebooks")]
    for pair in pairs:
        assert len({training_config(plan(given), SPEC).design_id for given in pair}) == 2
    shown_by_pairs = {"quantise_bits", "utility", "temperature", "beta_2", "beta_3", "beta_4"}
    shown_by_pairs |= {*of_codes, "stem", "head", "codewords", "codebooks"}
    assert set(other) | shown_by_pairs == set(HYPERPARAMETERS)


def test_repeats_share_a_design_id():
    values = resolve({}, {})
    seeds = [TrialPlan("t", 0, "search", "aia", values, seed) for seed in (0, 1)]
    assert len({training_config(one, SPEC).design_id for one in seeds}) == 1


@pytest.mark.parametrize(
    ("baseline", "kind", "erasure", "joint"),
    [
        ("original", "none", False, False),
        ("random", "random_replacement", False, False),
        ("erasure", "noise", True, False),
        ("aia_without_t", "noise", True, True),
    ],
)
def test_baselines_are_the_papers(baseline, kind, erasure, joint):
    config = training_config(
        TrialPlan("b", None, "baseline", baseline, baseline_designs(baseline, SPEC)[""], 0), SPEC
    )
    assert (config.channel.kind, config.channel.erasure) == (kind, erasure)
    assert config.alpha == 0
    assert (config.betas[0] > 0) == joint
    assert config.budget.joint_epochs == (SPEC.training.joint_epochs if joint else 0)
    assert config.channel.replaced_share == (0.5 if baseline == "random" else None)


def test_fisher_is_closed_forms_of_several_strengths():
    designs = baseline_designs("fisher", SPEC)
    configs = [
        training_config(TrialPlan("b", None, "baseline", "fisher", values, 0), SPEC)
        for values in designs.values()
    ]
    assert len({config.design_id for config in configs}) == len(configs) > 1
    for config in configs:
        assert config.encoder.head == PlainHead()
        assert isinstance(config.encoder.stem, LinearStem)
        assert config.encoder.stem.projection == "fisher"
        assert (config.channel.kind, config.channel.erasure, config.budget.joint_epochs) == ("noise", True, 0)


@pytest.mark.parametrize("baseline", ["original", "random", "erasure"])
def test_beside_codes_untrained_baselines_release_principal_components(baseline):
    spec = load_spec("code")
    config = training_config(
        TrialPlan("b", None, "baseline", baseline, baseline_designs(baseline, spec)[""], 0), spec
    )
    assert config.encoder == EncoderConfig(LinearStem(projection="pca", components=250), PlainHead())


def test_the_papers_sizes_are_reachable():
    spec = load_spec("paper-table1")
    config = training_config(TrialPlan("t", 0, "search", "aia", resolve({}, spec.fixed), 0), spec)
    assert config.encoder == EncoderConfig()
    assert config.decoder.channels == (256, 128)
    assert config.adversary.members == ("cnn",)
    assert (config.alpha, config.betas, config.channel.kind) == (0.5, (0.5,), "none")


def test_a_fixed_value_that_no_training_can_use_is_refused_before_a_study_is_made():
    spec = with_settings(SPEC, ["fixed.learning_rate=0"])
    with pytest.raises(ConfigError, match="learning_rate"):
        check_designs(spec)
