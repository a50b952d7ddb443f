"""Small face networks in ONNX form: a linear map of all pixels, or of each channel's mean."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

VALUES = 5


def weights(rows: int) -> np.ndarray:
    """Return the map of a network, float32 `[rows, VALUES]`."""
    return np.random.default_rng(3).normal(size=(rows, VALUES)).astype(np.float32)


def write_linear(
    path: Path,
    axes: Sequence[int | str | None],
    *,
    metadata: Mapping[str, str] | None = None,
    kind: int = TensorProto.FLOAT,
    last: str = "Identity",
) -> Path:
    """Write a network with the input `axes` that maps the pixels of a crop, in their order, by `weights`.

    Where height and width are dynamic it maps each channel's mean (NCHW). `last` is the operation on the outcome.
    """
    nodes = [helper.make_node("Cast", ["crops"], ["pixels"], to=TensorProto.FLOAT)]
    if all(isinstance(axis, int) for axis in axes[1:]):
        rows, taken = int(np.prod([axis for axis in axes[1:] if isinstance(axis, int)])), "pixels"
    else:
        nodes.append(helper.make_node("GlobalAveragePool", ["pixels"], ["means"]))
        rows, taken = int(axes[1] or 0), "means"
    nodes += [
        helper.make_node("Flatten", [taken], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["product"]),
        helper.make_node(last, ["product"], ["template"]),
    ]
    inputs = [helper.make_tensor_value_info("crops", kind, axes)]
    outputs = [helper.make_tensor_value_info("template", TensorProto.FLOAT, None)]
    return write_graph(path, nodes, inputs, outputs, {"weights": weights(rows)}, metadata)


def write_graph(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a model of these nodes."""
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "network", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.save(model, path)
    return path
