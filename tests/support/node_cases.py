#!/usr/bin/env python3
"""Writes the newest ONNX node backend cases, which the onnx package generates, in the standard folder layout, once:
<model cache>/node/<case>/model.onnx and test_data_set_0/input_0.pb, output_0.pb, ...   Run with the interpreter that venv.sh prints.
"""
import shutil
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

from common import model_cache, script_hash


def to_proto(value, info):
    """A value of a case as the protobuf message that its declared type asks for."""
    if isinstance(value, (onnx.TensorProto, onnx.SequenceProto, onnx.OptionalProto)):
        value.name = info.name
        return value
    kind = info.type.WhichOneof("value")
    if kind == "map_type":
        return numpy_helper.from_dict(value, info.name)
    if kind == "sequence_type":
        return numpy_helper.from_list(list(value), info.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name)
    return numpy_helper.from_array(np.asarray(value), info.name)


def write_case(case, folder):
    folder.mkdir(parents=True)
    onnx.save(case.model, folder / "model.onnx")
    graph = case.model.graph
    for index, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{index}"
        data.mkdir()
        for role, values, infos in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for position, (value, info) in enumerate(zip(values, infos, strict=True)):
                (data / f"{role}_{position}.pb").write_bytes(to_proto(value, info).SerializeToString())


def main():
    target = model_cache() / "node"
    stamp = target / "stamp"
    wanted = f"{onnx.__version__} {script_hash(__file__)}"
    if not (stamp.exists() and stamp.read_text() == wanted):
        from onnx.backend.test.case.node import collect_testcases
        warnings.simplefilter("ignore")
        partial = target.with_suffix(".part")
        for folder in (partial, target):
            shutil.rmtree(folder, ignore_errors=True)
        for case in collect_testcases(None):
            write_case(case, partial / case.name)
        (partial / "stamp").write_text(wanted)
        partial.rename(target)
    print(f"node cases are in {target}: {sum(1 for entry in target.iterdir() if entry.is_dir())}")


if __name__ == "__main__":
    main()
