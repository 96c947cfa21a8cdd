#!/usr/bin/env python3
"""Writes <model cache>/minilm.onnx from the trained weights that models.py fetched (minilm/model.safetensors).

The graph is written in the primitive operators that exporters use (LayerNorm as ReduceMean/Sub/Pow/Sqrt/Div, GELU as Erf,
attention with Shape/Gather/Concat arithmetic), opset 17, batch and sequence dynamic, since recognising these forms is what is tested.
--check also runs it on a few sentences: similar ones must have closer embeddings than unrelated ones.
"""
import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common import finish, model_cache, script_hash


def read_safetensors(path):
    """The file: 8 bytes of header length, a JSON header with dtype, shape and offsets of each tensor, then the data."""
    blob = np.memmap(path, dtype=np.uint8, mode="r")
    length = int(blob[:8].view("<u8")[0])
    header = json.loads(bytes(blob[8:8 + length]))
    header.pop("__metadata__", None)
    types = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(blob[begin:end].tobytes(), types[entry["dtype"]]).reshape(entry["shape"])
    return tensors


class Graph:
    """Collects nodes and initializers; add() returns the name of the node's output."""

    def __init__(self):
        self.nodes, self.initializers = [], {}

    def constant(self, name, value):
        self.initializers[name] = np.ascontiguousarray(value)
        return name

    def scalar(self, scope, value):
        return self.constant(f"{scope}/value", np.array(value, np.float32))

    def add(self, op, name, inputs, **attributes):
        output = f"{name}_output"
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def constant_node(self, name, value):
        return self.add("Constant", name, [], value=numpy_helper.from_array(np.array(value, np.int64)))


class Bert:
    def __init__(self, weights, config):
        self.weights, self.config, self.graph = weights, config, Graph()
        self.heads = config["num_attention_heads"]
        self.hidden = config["hidden_size"]
        self.head_size = self.hidden // self.heads

    def weight(self, name):
        return self.graph.constant(name, self.weights[name])

    def dim(self, scope, tensor, axis):
        """Shape -> Gather -> Unsqueeze: one dim of a tensor as a vector of one element."""
        g = self.graph
        shape = g.add("Shape", f"{scope}/Shape_{axis}", [tensor])
        index = g.constant_node(f"{scope}/Constant_index_{axis}", axis)
        axes = g.constant_node(f"{scope}/Constant_axes_{axis}", [0])
        return g.add("Unsqueeze", f"{scope}/Unsqueeze_{axis}", [g.add("Gather", f"{scope}/Gather_{axis}", [shape, index], axis=0), axes])

    def reshape(self, scope, tensor, like, tail):
        """Reshape to [batch, sequence, *tail], with batch and sequence read from `like`."""
        g = self.graph
        parts = [self.dim(scope, like, 0), self.dim(scope, like, 1)]
        parts += [g.constant_node(f"{scope}/Constant_tail_{i}", [value]) for i, value in enumerate(tail)]
        return g.add("Reshape", f"{scope}/Reshape", [tensor, g.add("Concat", f"{scope}/Concat", parts, axis=0)])

    def linear(self, scope, name, tensor):
        """MatMul by the transposed weight, then Add of the bias in the order that exporters write it (bias first)."""
        g = self.graph
        kernel = g.constant(f"{name}.weight_transposed", self.weights[f"{name}.weight"].T)
        return g.add("Add", f"{scope}/Add", [self.weight(f"{name}.bias"), g.add("MatMul", f"{scope}/MatMul", [tensor, kernel])])

    def layer_norm(self, scope, name, tensor):
        g = self.graph
        mean = g.add("ReduceMean", f"{scope}/ReduceMean", [tensor], axes=[-1])
        centred = g.add("Sub", f"{scope}/Sub", [tensor, mean])
        square = g.add("Pow", f"{scope}/Pow", [centred, g.scalar(f"{scope}/two", 2.0)])
        variance = g.add("ReduceMean", f"{scope}/ReduceMean_1", [square], axes=[-1])
        shifted = g.add("Add", f"{scope}/Add", [variance, g.scalar(f"{scope}/epsilon", self.config["layer_norm_eps"])])
        normal = g.add("Div", f"{scope}/Div", [centred, g.add("Sqrt", f"{scope}/Sqrt", [shifted])])
        scaled = g.add("Mul", f"{scope}/Mul", [normal, self.weight(f"{name}.weight")])
        return g.add("Add", f"{scope}/Add_1", [scaled, self.weight(f"{name}.bias")])

    def gelu(self, scope, tensor):
        g = self.graph
        ratio = g.add("Div", f"{scope}/Div", [tensor, g.scalar(f"{scope}/sqrt2", np.sqrt(2.0))])
        shifted = g.add("Add", f"{scope}/Add", [g.add("Erf", f"{scope}/Erf", [ratio]), g.scalar(f"{scope}/one", 1.0)])
        return g.add("Mul", f"{scope}/Mul_1", [g.add("Mul", f"{scope}/Mul", [tensor, shifted]), g.scalar(f"{scope}/half", 0.5)])

    def embeddings(self):
        g, scope = self.graph, "/embeddings"
        words = g.add("Gather", f"{scope}/word_embeddings/Gather", [self.weight("embeddings.word_embeddings.weight"), "input_ids"])
        types = g.add("Gather", f"{scope}/token_type_embeddings/Gather", [self.weight("embeddings.token_type_embeddings.weight"), "token_type_ids"])
        # Position ids are the first S entries of a constant 0..511, as the exporter slices its buffer.
        ids = g.constant("embeddings.position_ids", np.arange(self.config["max_position_embeddings"], dtype=np.int64)[None])
        zero, one = (g.constant_node(f"{scope}/Constant_{i}", [i]) for i in (0, 1))
        sliced = g.add("Slice", f"{scope}/Slice", [ids, zero, self.dim(scope, "input_ids", 1), one])
        positions = g.add("Gather", f"{scope}/position_embeddings/Gather", [self.weight("embeddings.position_embeddings.weight"), sliced])
        total = g.add("Add", f"{scope}/Add_1", [g.add("Add", f"{scope}/Add", [words, types]), positions])
        return self.layer_norm(f"{scope}/LayerNorm", "embeddings.LayerNorm", total)

    def mask(self):
        """(1 - mask) * lowest float as B x 1 x 1 x S, added to the scores."""
        g = self.graph
        first = g.add("Unsqueeze", "/Unsqueeze", ["attention_mask", g.constant_node("/Constant_1", [1])])
        second = g.add("Unsqueeze", "/Unsqueeze_1", [first, g.constant_node("/Constant_2", [2])])
        floats = g.add("Cast", "/Cast", [second], to=TensorProto.FLOAT)
        return g.add("Mul", "/Mul", [g.add("Sub", "/Sub", [g.scalar("/one", 1.0), floats]), g.scalar("/lowest", np.finfo(np.float32).min)])

    def attention(self, scope, prefix, tensor, mask):
        g = self.graph

        def head(kind, permutation):
            projected = self.linear(f"{scope}/self/{kind}", f"{prefix}.self.{kind}", tensor)
            split = self.reshape(f"{scope}/self/{kind}/heads", projected, projected, [self.heads, self.head_size])
            return g.add("Transpose", f"{scope}/self/{kind}/Transpose", [split], perm=permutation)

        query, key, value = head("query", [0, 2, 1, 3]), head("key", [0, 2, 3, 1]), head("value", [0, 2, 1, 3])
        scores = g.add("MatMul", f"{scope}/self/MatMul", [query, key])
        scaled = g.add("Div", f"{scope}/self/Div", [scores, g.scalar(f"{scope}/self/scale", np.sqrt(self.head_size))])
        weights = g.add("Softmax", f"{scope}/self/Softmax", [g.add("Add", f"{scope}/self/Add", [scaled, mask])], axis=-1)
        mixed = g.add("MatMul", f"{scope}/self/MatMul_1", [weights, value])
        merged = g.add("Transpose", f"{scope}/self/Transpose", [mixed], perm=[0, 2, 1, 3])
        context = self.reshape(f"{scope}/self/merge", merged, merged, [self.hidden])
        projected = self.linear(f"{scope}/output/dense", f"{prefix}.output.dense", context)
        return self.layer_norm(f"{scope}/output/LayerNorm", f"{prefix}.output.LayerNorm", g.add("Add", f"{scope}/output/Add", [projected, tensor]))

    def layer(self, index, tensor, mask):
        g, scope, prefix = self.graph, f"/encoder/layer.{index}", f"encoder.layer.{index}"
        attended = self.attention(f"{scope}/attention", f"{prefix}.attention", tensor, mask)
        wide = self.gelu(f"{scope}/intermediate/act", self.linear(f"{scope}/intermediate/dense", f"{prefix}.intermediate.dense", attended))
        narrow = self.linear(f"{scope}/output/dense", f"{prefix}.output.dense", wide)
        return self.layer_norm(f"{scope}/output/LayerNorm", f"{prefix}.output.LayerNorm", g.add("Add", f"{scope}/output/Add", [narrow, attended]))

    def model(self):
        mask = self.mask()
        tensor = self.embeddings()
        for index in range(self.config["num_hidden_layers"]):
            tensor = self.layer(index, tensor, mask)
        self.graph.nodes[-1].output[0] = "last_hidden_state"
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
                  for name in ("input_ids", "attention_mask", "token_type_ids")]
        outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", self.hidden])]
        initializers = [numpy_helper.from_array(value, name) for name, value in self.graph.initializers.items()]
        graph = helper.make_graph(self.graph.nodes, "minilm", inputs, outputs, initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="strobe tests/support")


def word_pieces(text, vocabulary):
    """Greedy longest-match WordPiece over lower-case words; enough for plain English."""
    ids = [vocabulary["[CLS]"]]
    for word in text.lower().replace(".", " .").replace("?", " ?").split():
        start = 0
        while start < len(word):
            end = next(e for e in range(len(word), start, -1) if ("##" * (start > 0) + word[start:e]) in vocabulary)
            ids.append(vocabulary["##" * (start > 0) + word[start:end]])
            start = end
    return ids + [vocabulary["[SEP]"]]


def check(path, vocabulary_path):
    """Similar sentences are closer than unrelated ones; padding changes nothing."""
    import onnxruntime
    vocabulary = {word: index for index, word in enumerate(vocabulary_path.read_text(encoding="utf-8").splitlines())}
    session = onnxruntime.InferenceSession(path)
    sentences = ["A man is playing a guitar.", "Someone plays music on a guitar.", "The stock market fell sharply today after the news.", "Shares dropped a lot this morning."]
    encoded = [word_pieces(sentence, vocabulary) for sentence in sentences]
    ids = np.zeros((len(encoded), max(map(len, encoded))), np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(encoded):
        ids[row, :len(tokens)], mask[row, :len(tokens)] = tokens, 1
    hidden = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]
    row = min(range(len(encoded)), key=lambda index: len(encoded[index]))
    alone = session.run(None, {"input_ids": [encoded[row]], "attention_mask": [[1] * len(encoded[row])], "token_type_ids": [[0] * len(encoded[row])]})[0]
    drift = float(np.abs(hidden[row, :len(encoded[row])] - alone[0]).max())
    pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    cosine = pooled @ pooled.T
    similar, unrelated = (cosine[0, 1], cosine[2, 3]), (cosine[0, 2], cosine[0, 3], cosine[1, 2], cosine[1, 3])
    print(f"cosine of similar sentences {min(similar):.3f} or more, of unrelated ones {max(unrelated):.3f} or less; padding moves values by {drift:.1e}")
    assert min(similar) > 0.5 > 0.3 > max(unrelated) and drift < 1e-4


def main():
    cache = model_cache()
    source, target, stamp = cache / "minilm", cache / "minilm.onnx", cache / "minilm" / "stamp"
    if not (source / "model.safetensors").exists():
        finish([("minilm.onnx", "minilm/model.safetensors is not in the model cache; run models.py first")])
    made_by = script_hash(__file__)
    if not (target.exists() and stamp.exists() and stamp.read_text() == made_by):
        config = json.loads((source / "config.json").read_text())
        model = Bert(read_safetensors(source / "model.safetensors"), config).model()
        onnx.checker.check_model(model, full_check=True)
        partial = target.with_suffix(".part")
        onnx.save(model, partial)
        partial.rename(target)
        stamp.write_text(made_by)
        print(f"wrote {target}: {len(model.graph.node)} nodes")
    if "--check" in sys.argv[1:]:
        check(target, source / "vocab.txt")


if __name__ == "__main__":
    main()
