"""Templates of ONNX networks equal those of the same map in NumPy; what is no face network is refused in one line."""

import re
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from aia_models.embedding.onnx_network import OnnxNetwork
from aia_models.errors import EmbeddingError
from tests.aia_models.embedding.onnx_models import VALUES, weights, write_graph, write_linear

SIDE = 6
NCHW = ["n", 3, SIDE, SIDE]


def crops(channels: int, side: int = SIDE, count: int = 4) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, channels, side, side), dtype=np.uint8)


def opened(
    path: Path, side: int | None = None, mean: str | None = None, sd: str | None = None
) -> OnnxNetwork:
    return OnnxNetwork(path, side, mean, sd)


@pytest.mark.parametrize("batch", ["n", None, 1])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("last", [True, False])
def test_templates_are_those_of_the_same_map(
    tmp_path: Path, batch: str | int | None, channels: int, last: bool
) -> None:
    axes = [batch, SIDE, SIDE, channels] if last else [batch, channels, SIDE, SIDE]
    network = opened(write_linear(tmp_path / "net.onnx", axes))
    assert (network.channels, network.side, network.values) == (channels, SIDE, VALUES)
    pixels = crops(channels)
    scaled = (pixels.astype(np.float64) - 127.5) / 127.5
    flat = (scaled.transpose(0, 2, 3, 1) if last else scaled).reshape(len(pixels), -1)
    expected = flat @ weights(flat.shape[1])
    np.testing.assert_allclose(network.embed(pixels), expected, rtol=1e-4, atol=1e-4)


def test_a_model_of_uint8_gets_the_pixels_as_they_are(tmp_path: Path) -> None:
    network = opened(write_linear(tmp_path / "net.onnx", NCHW, kind=TensorProto.UINT8))
    pixels = crops(3)
    expected = pixels.reshape(len(pixels), -1) @ weights(3 * SIDE * SIDE).astype(np.float64)
    np.testing.assert_allclose(network.embed(pixels), expected, rtol=1e-4)


def test_a_side_is_given_where_the_model_fixes_none(tmp_path: Path) -> None:
    network = opened(write_linear(tmp_path / "net.onnx", ["n", 3, "h", "w"]), side=8)
    assert network.side == 8
    pixels = crops(3, side=8)
    expected = (pixels.mean((2, 3)) - 127.5) / 127.5 @ weights(3)
    np.testing.assert_allclose(network.embed(pixels), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("metadata", "options", "mean", "sd"),
    [
        ({}, {"mean": "10", "sd": "2.5"}, 10, 2.5),
        ({"mean": "10", "sd": "2.5"}, {}, 10, 2.5),
        ({"mean": "10"}, {"mean": "10.0", "sd": "64"}, 10, 64),
        ({"mean": "1, 2, 3"}, {"sd": "4,5,6"}, [1, 2, 3], [4, 5, 6]),
    ],
)
def test_normalisation_comes_from_the_model_or_from_options(
    tmp_path: Path, metadata, options, mean, sd
) -> None:
    network = opened(write_linear(tmp_path / "net.onnx", NCHW, metadata=metadata), **options)
    pixels = crops(3)
    means, sds = (np.broadcast_to(np.reshape(value, (-1, 1, 1)), (3, 1, 1)) for value in (mean, sd))
    expected = ((pixels - means) / sds).reshape(len(pixels), -1) @ weights(3 * SIDE * SIDE)
    np.testing.assert_allclose(network.embed(pixels), expected, rtol=1e-4, atol=1e-3)


def test_the_key_depends_on_the_file_and_the_options(tmp_path: Path) -> None:
    path = write_linear(tmp_path / "net.onnx", ["n", 3, "h", "w"])
    other = write_linear(tmp_path / "other.onnx", ["n", 3, "h", "w"], last="Relu")
    options = [{}, {"mean": "0"}, {"sd": "255"}, {"side": 10}]
    keys = [opened(path, **{"side": 8, **each}).key for each in options] + [opened(other, side=8).key]
    assert len({*keys}) == len(keys)
    assert opened(path, side=8, mean="127.5").key == keys[0]


@pytest.mark.parametrize(
    ("axes", "settings", "options", "message"),
    [
        ([3, SIDE, SIDE], {}, {}, r"its input \[3, 6, 6\] has no batch axis: \[n, 3, side, side\] or .* is needed"),
        (["n", 10], {}, {}, r"its input \[n, 10\] has 2 axes: "),
        ([8, 3, SIDE, SIDE], {}, {}, r"\[8, 3, 6, 6\] has a fixed batch of 8: .* with a dynamic n is needed"),
        (["n", 4, SIDE, SIDE], {}, {}, "has neither 3 channels nor 1"),
        (["n", 3, 8, SIDE], {}, {}, "is 8 x 6 pixels: a square one is needed"),
        (["n", 3, "h", None], {}, {}, r"\[n, 3, h, \?\] fixes no height and width: give --side"),
        (NCHW, {}, {"side": 112}, "--side is 112, but .* takes 6 x 6 pixels: leave --side out"),
        (NCHW, {"kind": TensorProto.DOUBLE}, {}, r"is tensor\(double\): tensor\(float\) or tensor\(uint8\) is needed"),
        (NCHW, {"kind": TensorProto.UINT8}, {"mean": "1"}, "takes uint8 pixels as they are: leave --mean and --sd out"),
        (NCHW, {}, {"mean": "grey"}, "--mean is 'grey': one number or 3 with commas between, one per channel, is"),
        (NCHW, {}, {"mean": "1,2"}, "--mean is '1,2': one number or 3"),
        (NCHW, {}, {"sd": "0"}, "--sd is 0: a positive number is needed"),
        (NCHW, {"metadata": {"sd": "-1"}}, {}, "metadata key sd is -1: a positive number is needed"),
        (NCHW, {"metadata": {"mean": "x"}}, {}, "metadata key mean is 'x': one number"),
        (NCHW, {"metadata": {"mean": "5"}}, {"mean": "6"}, "--mean is 6, but .* says mean = 5: leave the option out"),
    ],
)  # fmt: skip
def test_what_takes_no_crops_is_refused_in_one_line(tmp_path: Path, axes, settings, options, message) -> None:
    path = write_linear(tmp_path / "net.onnx", axes, **settings)
    with pytest.raises(EmbeddingError, match=message) as refusal:
        opened(path, **options)
    assert "\n" not in str(refusal.value)


def graph(
    path: Path, nodes: list, inputs: tuple[str, ...] = ("crops",), outputs: tuple[str, ...] = ("y",)
) -> Path:
    def described(name: str, axes: list | None) -> object:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, axes)

    constants = {"six": np.array([6, 54], np.int64)}
    return write_graph(
        path, nodes, [described(name, NCHW) for name in inputs], [described(name, None) for name in outputs], constants
    )  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "described", "message"),
    [
        (
            [helper.make_node("Add", ["crops", "more"], ["y"])],
            {"inputs": ("crops", "more")},
            r"has 2 inputs \(crops, more\): one is needed, the crops",
        ),
        (
            [helper.make_node("Flatten", ["crops"], ["y"]), helper.make_node("Relu", ["crops"], ["z"])],
            {"outputs": ("y", "z")},
            r"has 2 outputs \(y, z\): one is needed, templates \[n, d\]",
        ),
        ([helper.make_node("Relu", ["crops"], ["y"])], {}, r"returns \[2, 3, 6, 6\] for 2 crops: \[2, d\] is needed"),
        ([helper.make_node("Flatten", ["crops"], ["y"], axis=0)], {}, r"returns \[1, 216\] for 2 crops"),
        ([helper.make_node("Reshape", ["crops", "six"], ["y"])], {}, "fails on a batch of shape .* dynamic batch axis"),
    ],
)  # fmt: skip
def test_what_gives_no_templates_is_refused_in_one_line(tmp_path: Path, nodes, described, message) -> None:
    with pytest.raises(EmbeddingError, match=message) as refusal:
        opened(graph(tmp_path / "net.onnx", nodes, **described))
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_missing_or_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r"no file '.*none\.onnx': give --model MODEL\.onnx"):
        opened(tmp_path / "none.onnx")
    (tmp_path / "net.onnx").write_text("no model")
    with pytest.raises(EmbeddingError, match="cannot be read as an ONNX model") as refusal:
        opened(tmp_path / "net.onnx")
    assert "\n" not in str(refusal.value)


def test_without_onnxruntime_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aia_models.embedding.onnx_network.find_spec", lambda name: None)
    with pytest.raises(EmbeddingError, match=re.escape("pip install 'aia-study[embed]'")):
        opened(tmp_path / "net.onnx")
