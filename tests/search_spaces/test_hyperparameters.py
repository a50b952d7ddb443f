"""The registry: complete, documented, and the one place that gives every hyperparameter its value."""

import math

import pytest

from search_spaces.domains import Choice
from search_spaces.errors import SpaceError
from search_spaces.hyperparameters import HYPERPARAMETERS, check_fixed, domain_of, resolve

PAPER = {
    "encoder_width": 8,
    "representation_channels": 12,
    "adversary_steps": 1,
}


# By the defaults of these parameters the parameters that depend on them are inactive.
OFF_BY_DEFAULT = ("private_attributes", "utility", "learning_rate_schedule")
OF_LINEAR_STEM = {"stem_projection", "stem_components", "stem_trained"}
OF_CODEBOOKS = {"codewords", "codebooks"}
OF_CODES = {"code_size", "code_layers", "code_hidden", "code_skip"}
OF_CONVOLUTIONS = {
    *("stem_blocks", "stem_convolutions", "encoder_width", "stem_kernel", "stem_pooling"),
    *("stem_normalisation", "stem_activation", "stem_residual"),
}


def test_every_hyperparameter_says_what_it_is_in_a_sentence():
    for name, domain in HYPERPARAMETERS.items():
        assert domain.about.endswith("."), name
        assert len(domain.about) > 20, name


def test_parents_stand_before_children_and_offer_the_values_that_call_for_them():
    names = list(HYPERPARAMETERS)
    conditional = {name: domain.when for name, domain in HYPERPARAMETERS.items() if domain.when}
    assert set(conditional) == {
        *("noise_sd", "quantise_bits", "codewords", "codebooks", "adversary_hidden"),
        *("temperature", "beta_2", "beta_3", "beta_4"),
        *("representation_channels", "weight_decay", *OF_LINEAR_STEM, *OF_CODES, *OF_CONVOLUTIONS),
    }
    for name, when in conditional.items():
        assert names.index(when.parameter) < names.index(name)
        assert all(HYPERPARAMETERS[when.parameter].contains(value) for value in when.values)


def test_the_networks_default_to_the_papers_channels():
    assert {name: HYPERPARAMETERS[name].default for name in PAPER} == PAPER
    assert HYPERPARAMETERS["decoder_width"].contains(256)


def test_the_hidden_layer_exists_for_every_ensemble_with_an_mlp():
    when = HYPERPARAMETERS["adversary_hidden"].when
    assert when is not None
    domain = HYPERPARAMETERS["adversary"]
    assert isinstance(domain, Choice)
    assert set(when.values) == {option for option in domain.options if "mlp" in str(option).split("+")}


def test_resolve_takes_sampled_then_fixed_then_default():
    values = resolve({"alpha": 2.0}, {"alpha": 3.0, "beta": 0})
    assert list(values) == list(HYPERPARAMETERS)
    assert values["alpha"] == 2.0
    assert (values["beta"], type(values["beta"])) == (0.0, float)
    assert values["margin"] == HYPERPARAMETERS["margin"].default


@pytest.mark.parametrize(
    ("sampled", "fixed", "inactive"),
    [
        ({}, {}, {"quantise_bits"}),
        ({"channel": "none"}, {"noise_sd": 0.2}, {"noise_sd", "quantise_bits"}),
        ({"channel": "codebook"}, {}, {"quantise_bits"}),
        ({}, {"channel": "quantise", "adversary": "cnn"}, {"noise_sd", "adversary_hidden"}),
        ({"channel": "quantise", "noise_sd": 0.2}, {"adversary": "mlp"}, {"noise_sd"}),
        (
            {},
            {"stem": "linear", "head": "code"},
            {"quantise_bits", "representation_channels", *OF_CONVOLUTIONS},
        ),
    ],
)
def test_resolve_gives_none_just_where_inactive(sampled, fixed, inactive):
    values = resolve(sampled, fixed)
    off = {
        name
        for name, domain in HYPERPARAMETERS.items()
        if domain.when and domain.when.parameter in OFF_BY_DEFAULT and name not in sampled | fixed
    }
    off |= set() if "head" in fixed else OF_CODES | OF_LINEAR_STEM
    off |= set() if sampled.get("channel") == "codebook" else OF_CODEBOOKS
    assert {name for name, value in values.items() if value is None} == inactive | off


def test_resolve_keeps_false():
    assert resolve({"erasure": False}, {})["erasure"] is False
    assert resolve({}, {"erasure": False})["erasure"] is False


@pytest.mark.parametrize("sampled", [{"alfa": 1.0}, {"x": 1}])
def test_resolve_refuses_unknown_names(sampled):
    with pytest.raises(SpaceError, match="unknown hyperparameter"):
        resolve(sampled, {})
    with pytest.raises(SpaceError, match="unknown hyperparameter"):
        resolve({}, sampled)


def test_an_unknown_name_gets_the_closest_one():
    with pytest.raises(SpaceError, match=r"unknown hyperparameter 'noise': did you mean 'noise_sd'\?"):
        domain_of("noise")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("beta", 0, 0.0),
        ("alpha", 1000.0, 1000.0),
        ("quantise_bits", 12, 12),
        ("channel", "none", "none"),
        ("erasure", False, False),
        ("decoder_width", 256, 256),
    ],
)
def test_fixed_values_may_leave_the_search_range(name, value, kept):
    assert (check_fixed(name, value), type(check_fixed(name, value))) == (kept, type(kept))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beta", -0.1),
        ("beta", math.nan),
        ("beta", math.inf),
        ("beta", "1"),
        ("beta", True),
        ("beta", None),
        ("quantise_bits", 0),
        ("quantise_bits", 2.0),
        ("channel", "loud"),
        ("erasure", 1),
        ("decoder_width", 48),
        ("decoder_width", [32]),
    ],
)
def test_fixed_values_need_the_right_type_and_sense(name, value):
    with pytest.raises(SpaceError, match=f"^{name} = .*needs") as caught:
        check_fixed(name, value)
    assert "\n" not in str(caught.value)
