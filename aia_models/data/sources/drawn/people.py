"""Random traits of drawn people and random circumstances of each picture, as named numbers from seeded streams."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class Spread:
    """Distribution of one number: its mean, its standard deviation, and its dependence on gender.

    `gender` is the male minus the female mean, in standard deviations. It is at most 1.1 in size (by itself an AUC of
    0.78), so that no single number decides gender.
    """

    mean: float
    deviation: float
    gender: float = 0.0


# Lengths are in half-widths of the picture and heights grow downwards from the middle of the face; tones are
# 0 (black) to 1 (white).
TRAITS: Mapping[str, Spread] = {
    "head_width": Spread(0.500, 0.035, 0.7),
    "skull_height": Spread(0.660, 0.025),
    "chin_height": Spread(0.700, 0.040, 0.8),
    "jaw_taper": Spread(0.240, 0.060, -0.9),
    "jaw_square": Spread(0.450, 0.180, 1.0),
    "ear_size": Spread(0.110, 0.020, 0.3),
    "neck_width": Spread(0.300, 0.035, 1.0),
    "skin": Spread(0.660, 0.055, -0.4),
    "hair": Spread(0.270, 0.085, -0.3),
    "hair_end": Spread(0.200, 0.420, -1.1),
    "hair_volume": Spread(0.100, 0.033, -0.9),
    "hairline": Spread(0.440, 0.050, 0.8),
    "hair_part": Spread(0.000, 0.150),
    "fringe": Spread(0.300, 0.180, 0.5),
    "eye_height": Spread(-0.060, 0.016),
    "eye_distance": Spread(0.215, 0.013),
    "eye_width": Spread(0.100, 0.010, -0.7),
    "eye_opening": Spread(0.048, 0.009, -0.9),
    "eye_tilt": Spread(0.000, 0.090, -0.3),
    "iris": Spread(0.250, 0.090),
    "lid": Spread(0.450, 0.180, -1.0),
    "brow_height": Spread(0.130, 0.017, -0.9),
    "brow_thickness": Spread(0.026, 0.009, 1.1),
    "brow_slope": Spread(0.000, 0.110, 0.3),
    "brow_arch": Spread(1.600, 0.900, -0.8),
    "nose_length": Spread(0.260, 0.028, 0.5),
    "nose_width": Spread(0.085, 0.013, 0.8),
    "mouth_height": Spread(0.430, 0.022, 0.3),
    "mouth_width": Spread(0.185, 0.020, 0.4),
    "lip_fullness": Spread(0.034, 0.009, -0.9),
    "lip_contrast": Spread(0.300, 0.100, -1.0),
    "cheek": Spread(0.070, 0.050, -0.4),
    "stubble": Spread(0.050, 0.060, 1.1),
    "glasses": Spread(0.000, 1.000),
}
SHOT: Mapping[str, Spread] = {
    "shift_x": Spread(0.0, 0.035),
    "shift_y": Spread(0.03, 0.035),
    "roll": Spread(0.0, 0.080),
    "scale": Spread(1.18, 0.050),
    "yaw": Spread(0.0, 0.500),
    "light_x": Spread(0.0, 0.350),
    "light_y": Spread(-0.1, 0.200),
    "exposure": Spread(1.0, 0.140),
    "background": Spread(0.50, 0.170),
    "background_slope": Spread(0.0, 0.080),
    "clothes": Spread(0.40, 0.200),
    "smile": Spread(0.30, 0.500),
    "mouth_opening": Spread(-0.005, 0.020),
    "brow_raise": Spread(0.0, 0.015),
    "squint": Spread(1.0, 0.130),
    "gaze": Spread(0.0, 0.150),
    "hair_tousle": Spread(0.0, 0.180),
    "noise": Spread(0.016, 0.005),
}


def normals(stream: np.random.Generator, count: int) -> Float64[np.ndarray, " count"]:
    """Return nearly normal numbers of mean 0 and standard deviation 1, within ±3.

    They are sums of three uniforms: unlike `standard_normal` these need no logarithm, so that every machine agrees to
    the last bit, and their bounds keep every face drawable.
    """
    return (stream.random((count, 3)).sum(axis=1) - 1.5) * 2.0


def draw_person(stream: np.random.Generator) -> tuple[bool, Float64[np.ndarray, " trait"]]:
    """Draw a person: whether it is male, and one value per trait."""
    male = bool(stream.random() < 0.5)
    return male, _values(TRAITS, normals(stream, len(TRAITS)), 0.5 if male else -0.5)


def draw_shot(stream: np.random.Generator) -> Float64[np.ndarray, " circumstance"]:
    """Draw one value per circumstance of a picture; none depends on gender."""
    return _values(SHOT, normals(stream, len(SHOT)), 0.0)


def _values(spreads: Mapping[str, Spread], deviates: np.ndarray, side: float) -> np.ndarray:
    return np.array(
        [
            s.mean + s.deviation * (z + side * s.gender)
            for s, z in zip(spreads.values(), deviates, strict=True)
        ]
    )
