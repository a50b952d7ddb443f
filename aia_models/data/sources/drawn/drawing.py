"""Draws faces from named numbers, many at once, as soft shapes painted over each other."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64

DRAWN_SIDE = 64
# Where the sideburns of the shortest hair end.
_SHORTEST_HAIR_END = -0.10
_PIXEL = 2.0 / DRAWN_SIDE

Numbers = Mapping[str, Float64[np.ndarray, "face 1 1"]]
Field = Float64[np.ndarray, "face #height #width"]


def draw_faces(person: Numbers, shot: Numbers) -> Field:
    """Return grey faces `[face, 64, 64]` in about [0, 1], before noise.

    `person` and `shot` hold one number per face for each name in TRAITS and SHOT. Only sums,
    products, quotients and square roots are taken: IEEE arithmetic defines these to the last bit, so that every
    machine draws the same faces.
    """
    axis = (np.arange(DRAWN_SIDE) + 0.5) * _PIXEL - 1.0
    x, y = axis[None, None, :] - shot["shift_x"], axis[None, :, None] - shot["shift_y"]
    # Cosine and sine by the half-angle's tangent, roll being small: exact, unlike the C library's.
    tangent = shot["roll"] / 2.0
    cos = (1.0 - tangent * tangent) / (1.0 + tangent * tangent) / shot["scale"]
    sin = 2.0 * tangent / (1.0 + tangent * tangent) / shot["scale"]
    u, v = cos * x + sin * y, cos * y - sin * x
    picture = shot["background"] + shot["background_slope"] * (axis[None, None, :] + axis[None, :, None])
    _paint_behind(picture, u, v, person, shot)
    _paint_head(picture, u, v, person, shot)
    # What lies on the front of the head moves and narrows as the head turns.
    turned = u - 0.10 * shot["yaw"]
    turned = turned * (1.0 + 0.5 * shot["yaw"] * turned)
    for side in (-1.0, 1.0):
        _paint_eye(picture, turned * side, v, person, shot, side)
    _paint_nose(picture, turned, v, person, shot)
    _paint_mouth(picture, turned, v, person, shot)
    _paint_glasses(picture, turned, v, person)
    _paint_hair_in_front(picture, u, v, person, shot)
    return picture * shot["exposure"]


def _cover(distance: Field, softness: float = 1.5) -> Field:
    """Share of each pixel within a shape, from the signed distance to its edge (negative inside)."""
    t = np.clip(0.5 - distance / (softness * _PIXEL), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _ellipse(u: Field, v: Field, half_width: Field | float, half_height: Field | float) -> Field:
    """Signed distance to an ellipse to first order: level over slope, exact on the edge."""
    a, b = u / half_width, v / half_height
    level = np.sqrt(a * a + b * b)
    a, b = a / half_width, b / half_height
    # The slope vanishes at the centre, far inside every ellipse.
    return level * (level - 1.0) / np.maximum(np.sqrt(a * a + b * b), 1e-9)


def _both(one: Field, other: Field, corner: float) -> Field:
    """Signed distance to what two shapes share, the corner between them rounded to a radius."""
    a, b = one + corner, other + corner
    outside = np.sqrt(np.maximum(a, 0.0) ** 2 + np.maximum(b, 0.0) ** 2)
    return outside + np.minimum(np.maximum(a, b), 0.0) - corner


def _paint(picture: Field, tone: Field | float, cover: Field) -> None:
    picture += cover * (tone - picture)


def _head_distance(u: Field, v: Field, person: Numbers, grown: Field | float = 0.0) -> Field:
    down = np.maximum(v, 0.0) / person["chin_height"]
    up = np.minimum(v, 0.0) / (person["skull_height"] + grown)
    width = (person["head_width"] + grown) * (1.0 - person["jaw_taper"] * down * down)
    a2, b2 = (u / width) ** 2, down * down + up * up
    square = person["jaw_square"] * np.minimum(down, 1.0)
    inside = a2 + b2 - square * a2 * b2
    return (np.sqrt(np.maximum(inside, 0.0)) - 1.0) * person["head_width"]


def _hair_end(person: Numbers, shot: Numbers) -> Field:
    return np.maximum(person["hair_end"] + shot["hair_tousle"], _SHORTEST_HAIR_END)


def _paint_behind(picture: Field, u: Field, v: Field, person: Numbers, shot: Numbers) -> None:
    volume = person["hair_volume"]
    end = _hair_end(person, shot)
    hanging = _both(np.abs(u) - person["head_width"] - volume * (1.0 + 0.3 * v), v - end, 0.15)
    hanging = np.maximum(hanging, -v - 0.1)
    hair = np.minimum(hanging, _head_distance(u, np.minimum(v, 0.0), person, volume))
    hair = np.maximum(hair, v - end)
    _paint(picture, person["hair"] * (0.8 + 0.15 * shot["light_x"] * u), _cover(hair, 3.0))
    shoulders = _ellipse(u, v - 1.25, 0.62 + person["neck_width"], 0.42)
    _paint(picture, shot["clothes"], _cover(shoulders))
    neck = np.maximum(np.abs(u) - person["neck_width"], 0.3 - v)
    neck = np.maximum(neck, v - 0.98)
    _paint(picture, 0.72 * person["skin"], _cover(neck, 2.0))
    for side in (-1.0, 1.0):
        ear = _ellipse(side * u - person["head_width"], v - 0.03, 0.07, person["ear_size"])
        _paint(picture, 0.85 * person["skin"], _cover(ear) * _cover(end - 0.2, 4.0))


def _paint_head(picture: Field, u: Field, v: Field, person: Numbers, shot: Numbers) -> None:
    distance = _head_distance(u, v, person)
    depth = 1.0 + distance / person["head_width"]
    light = 1.06 - 0.22 * depth * depth + 0.5 * shot["light_x"] * u + 0.5 * shot["light_y"] * v
    tone = person["skin"] * light
    lower = _cover(0.30 - v, 8.0) * _cover(0.35 - depth, 10.0)
    tone = tone * (1.0 - np.maximum(person["stubble"], 0.0) * 1.6 * lower)
    for side in (-1.0, 1.0):
        cheek = _cover(_ellipse(side * u - 0.27, v - 0.22, 0.13, 0.11), 6.0)
        tone = tone * (1.0 + person["cheek"] * cheek)
        socket = _cover(_ellipse(side * u - person["eye_distance"], v + 0.09, 0.15, 0.09), 6.0)
        tone = tone * (1.0 - 0.12 * socket)
    _paint(picture, tone, _cover(distance))


def _paint_eye(picture: Field, u: Field, v: Field, person: Numbers, shot: Numbers, side: float) -> None:
    du = u - person["eye_distance"]
    dv = v - person["eye_height"] + person["eye_tilt"] * du
    width, opening = person["eye_width"], person["eye_opening"] * shot["squint"]
    eye = _ellipse(du, dv, width, opening)
    inside = _cover(eye)
    _paint(picture, 0.25 + 0.75 * person["skin"], inside)
    gaze = side * shot["gaze"] * width
    iris = _cover(_ellipse(du - gaze, dv, 0.045, 0.045))
    _paint(picture, person["iris"], iris * inside)
    lid = np.abs(dv + opening * (1.0 - (du / width) ** 2) + 0.004) - 0.010
    lid = np.maximum(lid, np.abs(du) - width * 1.1)
    _paint(picture, 0.12, _cover(lid, 1.3) * person["lid"] * 1.3)
    brow_v = v - person["eye_height"] + person["brow_height"] + shot["brow_raise"]
    curve = brow_v + person["brow_slope"] * du + person["brow_arch"] * (0.012 - du * du)
    brow = np.abs(curve) - person["brow_thickness"] * (1.0 - 2.0 * du)
    brow = np.maximum(brow, np.abs(du - 0.01) - width * 1.45)
    _paint(picture, 0.75 * person["hair"], _cover(brow) * 0.85)


def _paint_nose(picture: Field, u: Field, v: Field, person: Numbers, shot: Numbers) -> None:
    tip = person["eye_height"] + person["nose_length"]
    width = person["nose_width"]
    along = np.clip((v - person["eye_height"] + 0.05) / (tip - person["eye_height"] + 0.05), 0.0, 1.0)
    bridge = np.abs(u) - width * (0.35 + 0.45 * along)
    within = _cover(np.maximum(v - tip, person["eye_height"] - 0.08 - v), 3.0)
    shade = _cover(bridge - 0.04, 3.0) * (1.0 - _cover(bridge, 2.0)) * within
    turned_from_light = np.clip(0.5 - (u / width) * (shot["light_x"] + shot["yaw"] * 0.7), 0.0, 1.2)
    picture *= 1.0 - 0.16 * shade * turned_from_light
    picture *= 1.0 + 0.10 * _cover(_ellipse(u, v - tip + 0.05, 0.35 * width, 0.16), 3.0)
    under = _ellipse(u, v - tip - 0.005, width, 0.028)
    picture *= 1.0 - 0.22 * _cover(under, 2.0)
    for side in (-1.0, 1.0):
        nostril = _ellipse(side * u - 0.55 * width, v - tip - 0.005, 0.32 * width, 0.016)
        picture *= 1.0 - 0.50 * _cover(nostril)


def _paint_mouth(picture: Field, u: Field, v: Field, person: Numbers, shot: Numbers) -> None:
    smile, opening = shot["smile"], np.maximum(shot["mouth_opening"], 0.0)
    width = person["mouth_width"] * (1.0 + 0.12 * smile)
    line = v - person["mouth_height"] + smile * (0.9 * u * u - 0.010)
    full = person["lip_fullness"]
    tone = person["skin"] * (1.0 - person["lip_contrast"])
    upper = _ellipse(u, line + 0.35 * full + opening, width * 0.95, 0.85 * full)
    lower = _ellipse(u, line - 0.60 * full - opening, width * 0.80, full)
    _paint(picture, 0.92 * tone, _cover(upper))
    _paint(picture, 1.05 * tone, _cover(lower))
    gap = _ellipse(u, line, width, 0.010 + opening)
    _paint(picture, 0.22, _cover(gap, 1.3) * 0.8)
    teeth = _ellipse(u, line + 0.2 * opening, width * 0.75, np.maximum(0.8 * opening, 1e-3))
    _paint(picture, 0.85, _cover(teeth) * _cover(0.012 - opening, 0.5))
    chin = _ellipse(u, v - person["mouth_height"] - 0.11 - opening, 0.10, 0.025)
    picture *= 1.0 - 0.10 * _cover(chin, 4.0)


def _paint_glasses(picture: Field, u: Field, v: Field, person: Numbers) -> None:
    worn = _cover((1.35 - person["glasses"]) * 0.2)
    rim = np.abs(_ellipse(np.abs(u) - person["eye_distance"], v - person["eye_height"], 0.155, 0.115)) - 0.011
    bridge = np.maximum(np.abs(v - person["eye_height"] + 0.03) - 0.010, np.abs(u) - 0.07)
    _paint(picture, 0.18, _cover(np.minimum(rim, bridge), 1.3) * 0.75 * worn)


def _paint_hair_in_front(picture: Field, u: Field, v: Field, person: Numbers, shot: Numbers) -> None:
    part = u - person["hair_part"]
    line = -person["hairline"] - 0.10 + person["fringe"] * part * part + 0.25 * person["hair_part"] * part
    on_top = v - np.minimum(line, 0.1)
    # Beside the face the hair hangs as far as its length, over the temples.
    end = _hair_end(person, shot)
    beside = np.maximum(0.93 * person["head_width"] - np.abs(u), v - end)
    front = np.minimum(on_top, beside)
    front = np.maximum(front, _head_distance(u, v, person, person["hair_volume"] * 0.8))
    sheen = 1.0 + 0.35 * _cover(np.abs(v + 0.62) - 0.05, 5.0) + 0.5 * shot["light_x"] * u
    _paint(picture, person["hair"] * sheen, _cover(front, 2.0))
