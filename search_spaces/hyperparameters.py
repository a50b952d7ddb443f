"""The registry of all hyperparameters that a study may vary, with their names, ranges, defaults and meanings."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from search_spaces.domains import (
    Choice,
    Domain,
    Integer,
    LogUniform,
    Uniform,
    Value,
    When,
    is_number,
    is_whole,
)
from search_spaces.errors import SpaceError

MAX_ATTRIBUTES = 4  # private attributes of a study; each has its own β here and its own columns in the tables

# Parents come before the parameters that depend on them: `Space.active` and `resolve` rely on the order.
HYPERPARAMETERS: Mapping[str, Domain] = MappingProxyType(
    {
        "alpha": LogUniform(
            0.1,
            30.0,
            default=0.4,
            about="Weight α of the face-matching loss in the anonymizer's objective (Eq. 8).",
        ),
        "beta": LogUniform(
            0.01,
            10.0,
            default=0.08,
            about="Weight β of the term that hides the private attribute: the adversary's loss (Eq. 8) or a penalty.",
        ),
        "private_attributes": Integer(
            1,
            MAX_ATTRIBUTES,
            default=1,
            about="Number of private attributes. It follows from the spec's `attribute`, and no search varies it.",
        ),
        **{
            f"beta_{number}": LogUniform(
                0.01,
                10.0,
                default=0.08,
                about=f"Weight β of private attribute {number}.",
                when=When("private_attributes", tuple(range(number, MAX_ATTRIBUTES + 1))),
            )
            for number in range(2, MAX_ATTRIBUTES + 1)
        },
        "channel": Choice(
            ("none", "noise", "quantise", "codebook"),
            default="noise",
            about="Channel that limits the information in the released representation g; the paper has none (Eq. 3).",
        ),
        "noise_sd": LogUniform(
            0.003,
            0.3,
            default=0.015,
            about="Standard deviation of the Gaussian noise on g (section 5.3); a codebook has it in training only.",
            when=When("channel", ("noise", "codebook")),
        ),
        "quantise_bits": Integer(
            1,
            8,
            default=3,
            about="Bits to which each value of g is quantised.",
            when=When("channel", ("quantise",)),
        ),
        "codewords": Integer(
            4,
            4096,
            default=256,
            log=True,
            about="Words of a codebook, of which the nearest to g is released.",
            when=When("channel", ("codebook",)),
        ),
        "codebooks": Integer(
            1,
            8,
            default=1,
            about="Codebooks among which the coordinates of g are divided.",
            when=When("channel", ("codebook",)),
        ),
        "erasure": Choice(
            (True, False),
            default=True,
            about="Whether LEACE erases from g, in closed form, all linear information on the attribute.",
        ),
        "penalty": Choice(
            ("adversary", "kernel_ridge"),
            default="adversary",
            about="Term that β weighs: -L_Adv (Eq. 8), or the squared correlation of the attribute with the "
            "predictions of kernel ridge regressions in closed form (after Sadeghi et al. 2021).",
        ),
        "adversary": Choice(
            ("linear", "mlp", "cnn", "linear+mlp", "linear+mlp+cnn"),
            default="linear+mlp",
            about="The in-loop adversary: mlp is Eq. 6, cnn is that of section 5.2, and + makes an ensemble.",
        ),
        "adversary_hidden": Integer(
            16,
            512,
            default=128,
            log=True,
            about="Units of the MLP adversary's tanh hidden layer (Eq. 6).",
            when=When("adversary", ("mlp", "linear+mlp", "linear+mlp+cnn")),
        ),
        "adversary_steps": Integer(
            1,
            10,
            default=1,
            about="Updates of the adversary per update of the anonymizer in joint training (section 4.3).",
        ),
        "utility": Choice(
            ("pairs", "batch_contrastive"),
            default="pairs",
            about="Loss that α weighs: Eq. 7 through the in-loop matcher, or a contrastive identity loss of the batch "
            "on g itself (van den Oord et al. 2018).",
        ),
        "temperature": LogUniform(
            0.05,
            1.0,
            default=0.2,
            about="Temperature of the contrastive identity loss's cosine similarities.",
            when=When("utility", ("batch_contrastive",)),
        ),
        "augmentation": Choice(
            ("none", "flip", "flip_shift"),
            default="none",
            about="Whether training images are mirrored at random, and shifted by up to a sixteenth of their side; no "
            "template changes.",
        ),
        "stem": Choice(
            ("convolutional", "linear"),
            default="convolutional",
            about="First part of the encoder: convolutions (Eq. 2, 3), or a linear map in closed form.",
        ),
        "stem_blocks": Integer(
            2,
            5,
            default=2,
            about="Blocks of convolutions, each of which halves the image's side (2 in section 5.2).",
            when=When("stem", ("convolutional",)),
        ),
        "stem_convolutions": Integer(
            1,
            3,
            default=1,
            about="Convolutions in a block (1 in section 5.2).",
            when=When("stem", ("convolutional",)),
        ),
        "encoder_width": Choice(
            (8, 16, 24, 32),
            default=8,
            about="Channels of the encoder's first block, doubled in each further one (Eq. 2; 8 in section 5.2).",
            when=When("stem", ("convolutional",)),
        ),
        "stem_kernel": Choice(
            (3, 5),
            default=3,
            about="Side of the convolutions' kernels (3 in section 5.2).",
            when=When("stem", ("convolutional",)),
        ),
        "stem_pooling": Choice(
            ("average", "stride"),
            default="average",
            about="Whether a block halves the side by average pooling (Eq. 2) or by its first convolution's stride.",
            when=When("stem", ("convolutional",)),
        ),
        "stem_normalisation": Choice(
            ("none", "batch", "group"),
            default="none",
            about="Normalisation after each convolution; the paper has none.",
            when=When("stem", ("convolutional",)),
        ),
        "stem_activation": Choice(
            ("leaky_relu", "silu"),
            default="leaky_relu",
            about="Activation after each convolution (leaky ReLU in Eq. 2).",
            when=When("stem", ("convolutional",)),
        ),
        "stem_residual": Choice(
            (False, True),
            default=False,
            about="Whether each block's projected input is added to its output (He et al. 2016).",
            when=When("stem", ("convolutional",)),
        ),
        "stem_projection": Choice(
            ("fisher", "pca"),
            default="fisher",
            about="Directions of the linear map: linear discriminants of people, or principal components.",
            when=When("stem", ("linear",)),
        ),
        "stem_components": Integer(
            8,
            250,
            default=100,
            log=True,
            about="Number of directions of the linear map.",
            when=When("stem", ("linear",)),
        ),
        "stem_trained": Choice(
            (False, True),
            default=False,
            about="Whether training changes the linear map.",
            when=When("stem", ("linear",)),
        ),
        "head": Choice(
            ("map", "code", "plain"),
            default="map",
            about="Last part of the encoder: the map itself (Eq. 3), a compact code, or what a linear stem returns.",
        ),
        "representation_channels": Choice(
            (4, 8, 12, 24),
            default=12,
            about="Channels of the map that g flattens (Eq. 3; 12 in section 5.2).",
            when=When("head", ("map",)),
        ),
        "code_size": Integer(
            8,
            512,
            default=24,
            log=True,
            about="Number k of a code's values.",
            when=When("head", ("code",)),
        ),
        "code_layers": Integer(
            1,
            3,
            default=1,
            about="Hidden layers of a code's head.",
            when=When("head", ("code",)),
        ),
        "code_hidden": Choice(
            (64, 128, 256, 512),
            default=256,
            about="Units of each hidden layer of a code's head.",
            when=When("head", ("code",)),
        ),
        "code_skip": Choice(
            (True, False),
            default=True,
            about="Whether a linear map of the features is added to a code's dense layers.",
            when=When("head", ("code",)),
        ),
        "decoder_width": Choice(
            (16, 32, 64, 128, 256),
            default=32,
            about="Channels w of the decoder's first convolution, of w, w/2, 1 (Eq. 4; 256 in section 5.2).",
        ),
        "learning_rate": LogUniform(
            3e-4,
            5e-3,
            default=2e-3,
            about="Learning rate of the Adam optimisers of all networks; the paper names none.",
        ),
        "learning_rate_schedule": Choice(
            ("constant", "cosine"),
            default="constant",
            about="Whether the anonymizer's learning rate stays, or falls to 0 over the joint epochs along a cosine.",
        ),
        "weight_decay": LogUniform(
            1e-5,
            0.1,
            default=0.01,
            about="Decoupled weight decay (Loshchilov and Hutter 2019) of all networks; the paper names none.",
            when=When("learning_rate_schedule", ("cosine",)),
        ),
        "margin": Uniform(
            0.5,
            4.0,
            default=1.0,
            about="Margin m of the contrastive matching loss (Eq. 7), in units of its Euclidean distance.",
        ),
        "batch_images": Choice(
            (64, 128, 256, 512, 1024, 2048),
            default=64,
            about="Images per training step; the paper names none.",
        ),
    }
)


def domain_of(name: str) -> Domain:
    """Return the registered domain of `name`; raises SpaceError with the most similar name if there is none."""
    if name not in HYPERPARAMETERS:
        close = get_close_matches(name, HYPERPARAMETERS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "one of " + ", ".join(HYPERPARAMETERS)
        raise SpaceError(f"unknown hyperparameter {name!r}: {hint}")
    return HYPERPARAMETERS[name]


def check_fixed(name: str, value: object) -> Value:
    """Return the value to which a hyperparameter is fixed, converted to the hyperparameter's type.

    The value may lie outside the search range (β = 0 is an experiment): only a Choice needs one of the registered
    options. An Integer needs a whole number of at least 1, any other number is finite and not negative. Raises
    SpaceError for other values.
    """
    domain = domain_of(name)
    if isinstance(domain, Choice):
        domain.check(name, value)
        return value  # type: ignore[return-value]
    if isinstance(domain, Integer):
        if not (is_whole(value) and value >= 1):
            raise SpaceError(f"{name} = {value!r} cannot be fixed: needs a whole number of at least 1")
        return value
    if not (is_number(value) and value >= 0):
        raise SpaceError(f"{name} = {value!r} cannot be fixed: needs a number of at least 0")
    return float(value)


def resolve(sampled: Mapping[str, Value], fixed: Mapping[str, Value]) -> dict[str, Value | None]:
    """Return the value of every hyperparameter, sampled, else fixed, else default, and None for an inactive one."""
    for name in (*sampled, *fixed):
        domain_of(name)
    values: dict[str, Value | None] = {}
    for name, domain in HYPERPARAMETERS.items():
        value = sampled.get(name, fixed.get(name, domain.default))
        inactive = domain.when is not None and values[domain.when.parameter] not in domain.when.values
        values[name] = None if inactive else float(value) if domain.value_type is float else value
    return values
