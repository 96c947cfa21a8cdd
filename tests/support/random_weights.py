"""Gives the onnx wheel's light_* models weights to speak of: theirs are constant, so every class gets the same score and errors cancel out."""
import zlib

import numpy as np
import onnx
from onnx import numpy_helper

from common import script_hash


def readers(graph):
    """(op, input index, node) for each tensor, seen through Unsqueeze."""
    found = {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            found.setdefault(name, []).append((node.op_type, index, node))
    for node in graph.node:
        if node.op_type == "Unsqueeze":
            found[node.input[0]] = found.get(node.output[0], [])
    return found


def feeds_sum(node, uses):
    return any(op == "Sum" for op, _, _ in uses.get(node.output[0], []))


def sample(rng, shape, use, uses, last):
    """Values that keep activations near unit variance; None for a tensor that is no weight."""
    op, index, node = use
    if op in ("Conv", "Gemm") and index == 1:
        fan_in = int(np.prod(shape[1:]))  # these models' Gemm has transB
        gain = 1.0 if node.output[0] == last else 2.0  # He: half of what comes in was cut off by Relu
        return rng.normal(0, np.sqrt(gain / fan_in), shape)
    if op in ("Conv", "Gemm") and index == 2:
        return rng.normal(0, 0.05, shape)
    if op == "BatchNormalization" and index in (1, 4):
        # A residual branch adds to what is there: a small scale keeps sixteen of them from growing without bound.
        return rng.uniform(0.8, 1.2, shape) * (0.3 if index == 1 and feeds_sum(node, uses) else 1)
    if op == "Mul":
        return rng.uniform(0.8, 1.2, shape)
    if op in ("BatchNormalization", "Add"):
        return rng.normal(0, 0.1, shape)
    return None


def randomise(source, target):
    """Writes `target`: the same graph with seeded He-initialised weights as initializers. Kept when source and script are the same."""
    stamp = script_hash(__file__, source)
    if target.exists() and onnx.load(target).doc_string == stamp:
        return
    model = onnx.load(source)
    graph, rng = model.graph, np.random.default_rng(zlib.crc32(source.stem.encode()))
    known = {tensor.name: tensor for tensor in graph.initializer}
    uses = readers(graph)
    last = [node for node in graph.node if node.op_type in ("Conv", "Gemm")][-1].output[0]
    shapes = {node.output[0]: tuple(numpy_helper.to_array(known[node.input[0]])) for node in graph.node if node.op_type == "ConstantOfShape"}
    shapes |= {name: tuple(tensor.dims) for name, tensor in known.items() if tensor.data_type == onnx.TensorProto.FLOAT}
    made = {}
    for name, shape in shapes.items():
        values = sample(rng, shape, uses[name][0], uses, last) if uses.get(name) else None
        if values is not None:
            made[name] = numpy_helper.from_array(values.astype(np.float32), name)
    kept = [node for node in graph.node if node.op_type != "ConstantOfShape" or node.output[0] not in made]
    initializers = [tensor for tensor in graph.initializer if tensor.name not in made] + list(made.values())
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(initializers)
    model.ir_version = max(model.ir_version, 4)  # before 4, every initializer had to be a graph input too
    model.doc_string = stamp
    partial = target.with_suffix(".part")
    onnx.save(model, partial)
    partial.rename(target)
