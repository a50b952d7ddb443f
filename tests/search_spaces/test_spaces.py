"""Named spaces, their conditions, and the parameters that remain when a spec fixes some."""

import numpy as np
import pytest

from search_spaces.domains import Choice, Domain, Integer, LogUniform, When
from search_spaces.errors import SpaceError
from search_spaces.hyperparameters import HYPERPARAMETERS, resolve
from search_spaces.spaces import SPACES, Space

FULL, CODE = SPACES["full"], SPACES["code"]
ALPHA_BETA = SPACES["alpha-beta"]
CODEBOOKS = ("codewords", "codebooks")
CHANNEL = {"channel", "noise_sd", "quantise_bits", "erasure"}


def draw(domain: Domain, rng: np.random.Generator):
    if isinstance(domain, Choice):
        return domain.options[rng.integers(len(domain.options))]
    if isinstance(domain, Integer):
        return int(rng.integers(domain.low, domain.high + 1))
    return float(rng.uniform(domain.low, domain.high))


def test_the_named_spaces_vary_what_they_say():
    assert set(SPACES) == {"code", "alpha-beta", "maps", "architecture", "full", "paper"}
    others = {"private_attributes", "beta_2", "beta_3", "beta_4"}
    of_maps = {"head", "representation_channels", "quantise_bits"}
    assert set(FULL.parameters) == set(HYPERPARAMETERS) - others - of_maps
    assert set(CODE.parameters) == {"alpha", "beta", "noise_sd", "code_size", "stem"}
    assert set(ALPHA_BETA.parameters) == {"alpha", "beta"} | CHANNEL
    assert set(SPACES["architecture"].parameters) > set(CODE.parameters)
    assert set(SPACES["paper"].parameters) == {"alpha", "beta"}


def test_alpha_and_beta_reach_beyond_the_papers_range_on_a_log_scale_but_in_the_papers_space():
    for name in ("alpha", "beta"):
        for space in (CODE, ALPHA_BETA, FULL):
            domain = space.parameters[name]
            assert isinstance(domain, LogUniform)
            assert domain.high > 1
        assert SPACES["paper"].parameters[name].contains(0)
        assert not SPACES["paper"].parameters[name].contains(1.01)


def test_spaces_of_codes_leave_out_what_needs_a_map():
    assert not FULL.parameters["channel"].contains("quantise")
    assert not FULL.parameters["adversary"].contains("cnn")
    assert ALPHA_BETA.parameters["channel"].contains("quantise")


@pytest.mark.parametrize("name", SPACES)
def test_defaults_are_a_point_of_the_space(name):
    SPACES[name].check(SPACES[name].defaults())


# What the spec of a space fixes, so that all of it is in effect.
FIXED = {name: {"head": "code"} for name in ("code", "architecture", "full")}


@pytest.mark.parametrize("name", SPACES)
def test_activity_agrees_with_resolve_on_random_points(name):
    space = SPACES[name]
    rng = np.random.default_rng(4)
    for _ in range(200):
        values = {parameter: draw(domain, rng) for parameter, domain in space.parameters.items()}
        active = space.active(values)
        sampled = {parameter: values[parameter] for parameter in active}
        space.check(sampled)
        resolved = resolve(sampled, FIXED.get(name, {}))
        assert {p for p in space.parameters if resolved[p] is not None} == set(active)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alfa": 1.0}, "space alpha-beta has no 'alfa'"),
        ({"decoder_width": 32}, "space alpha-beta has no 'decoder_width'"),
        ({"beta": None}, "beta is missing: needs a number from 0.01 to 10"),
        ({"beta": 31.0}, "beta = 31.0 is out of range"),
        ({"channel": "none"}, "noise_sd exists only where channel is noise or codebook"),
        ({"noise_sd": None}, "noise_sd is missing"),
    ],
)
def test_check_names_what_is_wrong(change, message):
    values = {name: value for name, value in {**ALPHA_BETA.defaults(), **change}.items() if value is not None}
    with pytest.raises(SpaceError, match=message) as caught:
        ALPHA_BETA.check(values)
    assert "\n" not in str(caught.value)


def test_a_child_needs_its_parent_before_it():
    noise_sd, channel = HYPERPARAMETERS["noise_sd"], HYPERPARAMETERS["channel"]
    Space("s", "", {"channel": channel, "noise_sd": noise_sd})
    with pytest.raises(SpaceError, match="noise_sd needs channel, its parent, before it"):
        Space("s", "", {"noise_sd": noise_sd, "channel": channel})
    with pytest.raises(SpaceError, match="noise_sd needs channel"):
        Space("s", "", {"noise_sd": noise_sd})
    with pytest.raises(SpaceError, match="unknown hyperparameter 'alfa'"):
        Space("s", "", {"alfa": HYPERPARAMETERS["alpha"]})


@pytest.mark.parametrize(
    ("fixed", "gone"),
    [
        ({}, set()),
        ({"channel": "noise"}, {"channel", *CODEBOOKS}),
        ({"channel": "codebook"}, {"channel"}),
        ({"channel": "none"}, {"channel", "noise_sd", *CODEBOOKS}),
        ({"penalty": "adversary"}, {"penalty"}),
        ({"utility": "pairs", "erasure": False}, {"utility", "temperature", "erasure"}),
        ({"adversary": "linear"}, {"adversary", "adversary_hidden"}),
        ({"adversary": "mlp", "beta": 0.0}, {"adversary", "beta"}),
        ({"noise_sd": 0.3}, {"noise_sd"}),
    ],
)
def test_fixing_takes_out_what_can_no_longer_vary(fixed, gone):
    left = FULL.without({"head": "code", **fixed})
    assert set(FULL.parameters) - set(left.parameters) == gone
    left.check(left.defaults())


def test_a_child_of_a_fixed_parent_is_free_of_its_condition():
    left = FULL.without({"channel": "noise"})
    assert left.parameters["noise_sd"].when is None
    assert "noise_sd" in left.active({})
    assert FULL.parameters["noise_sd"].when == When("channel", ("noise", "codebook")), (
        "the space itself is unchanged"
    )


@pytest.mark.parametrize("name", SPACES)
def test_each_private_attribute_has_a_beta_of_its_own_over_the_first_ones_range(name):
    space = SPACES[name].with_private_attributes(3).without({"private_attributes": 3, **FIXED.get(name, {})})
    assert set(space.parameters) == {*SPACES[name].parameters, "beta_2", "beta_3"}
    space.check(space.defaults())
    first = space.parameters["beta"]
    for parameter in ("beta_2", "beta_3"):
        domain = space.parameters[parameter]
        assert (domain.low, domain.high, domain.default) == (first.low, first.high, first.default)
        assert space.known_designs()[1][parameter] == first.low
    assert SPACES[name].with_private_attributes(1) == SPACES[name]
    resolved = resolve(space.defaults(), space.fixed)
    assert resolved["beta_3"] is not None
    assert resolved["beta_4"] is None


def test_a_beta_of_an_attribute_that_is_not_there_has_no_effect():
    with pytest.raises(
        SpaceError, match=r"beta_2 = 0\.1 has no effect: it exists only where private_attributes"
    ):
        SPACES["alpha-beta"].without({"private_attributes": 1, "beta_2": 0.1})


def test_fixing_twice_is_fixing_once():
    once = FULL.without({"channel": "quantise", "beta": 0.0})
    assert FULL.without({"channel": "quantise"}).without({"beta": 0.0}) == once


def test_every_parameter_may_be_fixed():
    assert SPACES["paper"].without({"alpha": 0.5, "beta": 0.5}).parameters == {}


def test_what_the_space_leaves_at_its_default_counts_as_that():
    left = SPACES["paper"].without({"noise_sd": 0.2})
    assert set(left.parameters) == {"alpha", "beta"}
    with pytest.raises(SpaceError, match="quantise_bits = 3 has no effect: it exists only where channel is"):
        SPACES["paper"].without({"quantise_bits": 3})


@pytest.mark.parametrize(
    "fixed",
    [{"alfa": 1}, {"channel": "loud"}, {"channel": "none", "noise_sd": 0.1}, {"beta": -1.0}],
)
def test_fixed_values_are_checked(fixed):
    with pytest.raises(SpaceError):
        FULL.without(fixed)


@pytest.mark.parametrize("name", SPACES)
def test_known_designs_are_points_of_the_space_also_when_parts_are_fixed(name):
    for space in (SPACES[name], SPACES[name].without({"beta": 0.5}), FULL.without({"channel": "noise"})):
        for design in space.known_designs():
            space.check(design)
    least = SPACES[name].known_designs()[1]
    assert least["beta"] == SPACES[name].parameters["beta"].low
    if "noise_sd" in least:
        assert least["noise_sd"] == SPACES[name].parameters["noise_sd"].low
    else:
        assert least.get("channel", "none") == "none"
    assert least.get("erasure", False) is False
