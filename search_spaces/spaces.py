"""Named search spaces: the hyperparameters that a study varies, with their ranges and conditions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from search_spaces.domains import Choice, Domain, LogUniform, Uniform, Value, When
from search_spaces.errors import SpaceError
from search_spaces.hyperparameters import HYPERPARAMETERS, MAX_ATTRIBUTES, check_fixed, domain_of

BETAS = ("beta", *(f"beta_{number}" for number in range(2, MAX_ATTRIBUTES + 1)))


@dataclass(frozen=True)
class Space:
    """The hyperparameters that a study varies, each parent before the parameters that depend on it.

    A parameter whose parent the space does not vary has no condition in it: the parent has its default, unless it is
    among the values that a study has `fixed`. `needs` are values that a study of the space has to fix.
    """

    name: str
    about: str
    parameters: Mapping[str, Domain]
    fixed: Mapping[str, Value] = field(default_factory=dict, compare=False)
    needs: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        earlier: set[str] = set()
        for name, domain in self.parameters.items():
            domain_of(name)
            if domain.when is not None and domain.when.parameter not in earlier:
                raise SpaceError(
                    f"space {self.name}: {name} needs {domain.when.parameter}, its parent, before it"
                )
            earlier.add(name)

    def active(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """Return the names of the parameters that are in effect under `values`, in the order of the space."""
        names: list[str] = []
        for name, domain in self.parameters.items():
            when = domain.when
            if when is None or (when.parameter in names and values.get(when.parameter) in when.values):
                names.append(name)
        return tuple(names)

    def defaults(self) -> dict[str, Value]:
        """Return the design of all defaults, without the parameters that are then not in effect."""
        values = {name: domain.default for name, domain in self.parameters.items()}
        return {name: values[name] for name in self.active(values)}

    def known_designs(self) -> tuple[dict[str, Value], ...]:
        """Return the designs with which a search begins: all defaults, and the least protected design of the space.

        The latter has the lowest β, no erasure, and no channel or else the least noise, so that every front has an end
        with little protection or none.
        """
        values = {name: domain.default for name, domain in self.parameters.items()}
        for name, unprotected in (("channel", "none"), ("erasure", False)):
            if name in self.parameters and self.parameters[name].contains(unprotected):
                values[name] = unprotected
        for name, domain in self.parameters.items():
            if name in (*BETAS, "noise_sd") and isinstance(domain, Uniform | LogUniform):
                values[name] = domain.low
        return self.defaults(), {name: values[name] for name in self.active(values)}

    def with_private_attributes(self, count: int) -> "Space":
        """Return the space with a β for each of `count` private attributes if it varies `beta`, otherwise unchanged."""
        parameters: dict[str, Domain] = {}
        for name, domain in self.parameters.items():
            parameters[name] = domain
            if name == "beta":
                for number in range(2, count + 1):
                    about = HYPERPARAMETERS[f"beta_{number}"].about
                    parameters[f"beta_{number}"] = replace(domain, about=about)
        return replace(self, parameters=parameters)

    def check(self, values: Mapping[str, Value]) -> None:
        """Raise a one-line SpaceError unless `values` holds exactly the parameters in effect, each in its range."""
        for name in values:
            if name not in self.parameters:
                names = ", ".join(self.parameters) or "none"
                raise SpaceError(f"space {self.name} has no {name!r}: its parameters are {names}")
        active = self.active(values)
        for name in active:
            domain = self.parameters[name]
            if name not in values:
                raise SpaceError(f"space {self.name}: {name} is missing: needs {domain.allowed}")
            domain.check(name, values[name])
        for name in values:
            when = self.parameters[name].when
            if name not in active and when is not None:
                raise SpaceError(f"space {self.name}: {name} exists only {_in_words(when)}")

    def without(self, fixed: Mapping[str, Value]) -> "Space":
        """Return the space of the parameters that still vary under `fixed` values.

        A parameter loses its condition if the fixed value of its parent satisfies it; a parameter whose condition can
        no longer hold is left out. Raises SpaceError for a fixed value that is wrong or has no effect.
        """
        for name, value in fixed.items():
            check_fixed(name, value)
        fixed = {**self.fixed, **fixed}
        possible = self._possible(fixed)
        for name in fixed:
            when = HYPERPARAMETERS[name].when
            if name not in possible and when is not None:
                raise SpaceError(
                    f"fixed {name} = {fixed[name]!r} has no effect: it exists only {_in_words(when)}"
                )
        remaining: dict[str, Domain] = {}
        for name, domain in self.parameters.items():
            if name in fixed or name not in possible:
                continue
            when = domain.when
            while when is not None and when.parameter in fixed:
                when = self.parameters[when.parameter].when
            remaining[name] = replace(domain, when=when)
        return replace(self, parameters=remaining, fixed=fixed)

    def _possible(self, fixed: Mapping[str, Value]) -> dict[str, tuple[Value, ...]]:
        """Return every hyperparameter that can be in effect, with its possible values if they can be listed."""
        possible: dict[str, tuple[Value, ...]] = {}
        for name, registered in HYPERPARAMETERS.items():
            domain = self.parameters.get(name)
            when = registered.when
            if when is not None and not set(possible.get(when.parameter, ())) & set(when.values):
                continue
            if name in fixed:
                possible[name] = (fixed[name],)
            elif isinstance(domain, Choice):
                possible[name] = domain.options
            else:
                possible[name] = (registered.default,) if domain is None else ()
        return possible


def _in_words(when: When) -> str:
    return f"where {when.parameter} is {' or '.join(str(value) for value in when.values)}"


def _registered(*names: str) -> dict[str, Domain]:
    return {name: HYPERPARAMETERS[name] for name in names}


def _narrowed(name: str, *options: Value) -> Choice:
    """Return the registered choice, limited to some of its options."""
    domain = HYPERPARAMETERS[name]
    assert isinstance(domain, Choice)
    return replace(domain, options=options)


def _space(name: str, about: str, parameters: Mapping[str, Domain], **needs: Value) -> Space:
    """Return the space without the conditions of parameters whose parent it does not vary."""
    free = {
        key: domain
        if domain.when is None or domain.when.parameter in parameters
        else replace(domain, when=None)
        for key, domain in parameters.items()
    }
    return Space(name, about, free, needs=needs)


NOISE_ON_CODES = LogUniform(
    0.15,
    1.5,
    default=0.4,
    about="Standard deviation of the Gaussian noise on a code, whose values have mean square 1.",
    when=HYPERPARAMETERS["noise_sd"].when,
)
CODE = _space(
    "code",
    "α, β, noise, and the size and the stem of a compact code.",
    {
        "alpha": LogUniform(0.1, 10.0, default=1.0, about=HYPERPARAMETERS["alpha"].about),
        "beta": LogUniform(0.3, 100.0, default=5.0, about=HYPERPARAMETERS["beta"].about),
        "noise_sd": NOISE_ON_CODES,
        **_registered("code_size", "stem"),
    },
    head="code",
)
ALPHA_BETA = Space(
    "alpha-beta",
    "α, β and the release channel, with the paper's networks.",
    {
        **_registered("alpha", "beta"),
        "channel": _narrowed("channel", "none", "noise", "quantise"),
        **_registered("noise_sd", "quantise_bits", "erasure"),
    },
)
MAPS = _space(
    "maps",
    "α, β, noise or no channel, erasure and two choices of architecture, of the paper's maps.",
    {
        **_registered("alpha", "beta"),
        "channel": _narrowed("channel", "none", "noise"),
        **_registered("noise_sd", "erasure"),
        "adversary": _narrowed("adversary", "linear", "linear+mlp"),
        "representation_channels": _narrowed("representation_channels", 8, 12),
    },
)
ARCHITECTURE = _space(
    "architecture",
    "The code space, a codebook in place of noise, and the sizes of stem and head.",
    {
        **{name: CODE.parameters[name] for name in ("alpha", "beta")},
        "channel": _narrowed("channel", "noise", "codebook"),
        "noise_sd": NOISE_ON_CODES,
        **_registered("codewords", "codebooks", "code_size", "stem"),
        **_registered(
            "stem_blocks", "stem_convolutions", "encoder_width", "stem_normalisation", "stem_components"
        ),
        **_registered("code_layers", "code_hidden"),
    },
    head="code",
)
OF_MAPS = ("head", "representation_channels", "quantise_bits")
FULL = _space(
    "full",
    "Every hyperparameter of codes.",
    {
        **{
            name: domain
            for name, domain in HYPERPARAMETERS.items()
            if name not in (*BETAS[1:], "private_attributes", *OF_MAPS)
        },
        **{name: CODE.parameters[name] for name in ("alpha", "beta")},
        "channel": _narrowed("channel", "none", "noise", "codebook"),
        "noise_sd": NOISE_ON_CODES,
        "adversary": _narrowed("adversary", "linear", "mlp", "linear+mlp"),
    },
    head="code",
)
PAPER = Space(
    "paper",
    "α and β over the ranges of the paper's Figure 2.",
    {
        "alpha": Uniform(0.0, 1.0, default=0.5, about=HYPERPARAMETERS["alpha"].about),
        "beta": Uniform(0.0, 1.0, default=0.5, about=HYPERPARAMETERS["beta"].about),
    },
)
SPACES: Mapping[str, Space] = MappingProxyType(
    {space.name: space for space in (CODE, ALPHA_BETA, MAPS, ARCHITECTURE, FULL, PAPER)}
)
