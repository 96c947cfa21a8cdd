#!/usr/bin/env python3
"""Runs the real models in onnxruntime (FP32) on fixed-seed inputs and keeps inputs and outputs for the C++ tests.

Usage: oracle.py [MODEL...]   (all by default; run with the interpreter that venv.sh prints, after models.py and minilm_onnx.py)
Writes <model cache>/oracle/<model>__<case>.npz, uncompressed, arrays named "in:<tensor>" and "out:<tensor>", and index.json beside them:
{"cases": [{"model", "path", "case", "file", "made_by"}]}. A case is made anew only when this script or its model changed.
"""
import json
import pathlib
import sys
import zlib

import numpy as np

from common import finish, model_cache, script_hash
from random_weights import randomise

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "resources" / "sample"


def picture(rng, shape):
    """Images normalised to about [-1, 1]: light smooth background, dark strokes in rows as text has them, a little noise."""
    count, channels, height, width = shape
    coarse = rng.uniform(0.2, 0.9, (count, channels, height // 16 + 1, width // 16 + 1))
    image = coarse.repeat(16, 2).repeat(16, 3)[:, :, :height, :width]
    for n in range(count):
        for top in range(4, height - 12, 32):
            for left in range(4, width - 8, 7):
                if rng.random() < 0.7:
                    bottom, right = top + rng.integers(6, 20), left + rng.integers(1, 5)
                    image[n, :, top:bottom, left:right] = rng.uniform(-0.9, -0.5)
    return (image + rng.normal(0, 0.02, shape)).astype(np.float32)


def image_case(tensor, *shape):
    name = "x".join(map(str, shape))
    return name, lambda rng: {tensor: picture(rng, shape)}


def text_bytes(batch):
    """magika takes 1024 bytes of a file's start and end each; 256 stands for padding."""
    def make(rng):
        words = np.frombuffer(b"#include <vector>\nint main() { return value + 42; }\n// strobe\n" * 40, np.uint8)[:2048]
        rows = np.tile(words.astype(np.int32), (batch, 1))
        for row in range(1, batch):
            rows[row] = rng.integers(0, 256, 2048) if row % 2 else rows[row]
            rows[row, rng.integers(256, 2048):] = 256
        return {"bytes": rows}
    return f"{batch}x2048", make


def speech(batch, samples, rate=None):
    """Voiced sound: harmonics of a gliding pitch, with noise, and a state as some calls before left it."""
    def make(rng):
        time = np.arange(samples) / (rate or 16000)
        pitch = rng.uniform(90, 220, (batch, 1)) * (1 + 0.3 * time)
        wave = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 9))
        feeds = {"input": (0.2 * wave + rng.normal(0, 0.01, (batch, samples))).astype(np.float32),
                 "state": np.tanh(rng.normal(0, 0.5, (2, batch, 128))).astype(np.float32)}
        return feeds | ({"sr": np.array(rate, np.int64)} if rate else {})
    return f"{batch}x{samples}" + (f"_{rate // 1000}k" if rate else ""), make


def tokens(batch, length):
    """Ids within the vocabulary, [CLS] and [SEP] at the ends, the later rows padded."""
    def make(rng):
        ids = rng.integers(1000, 30522, (batch, length))
        mask = np.ones((batch, length), np.int64)
        ids[:, 0], ids[:, -1] = 101, 102
        for row in range(batch):
            end = length - int(rng.integers(1, length // 2)) if row or batch == 1 and length > 32 else length
            ids[row, end:], mask[row, end:] = 0, 0
        return {"input_ids": ids.astype(np.int64), "attention_mask": mask, "token_type_ids": np.zeros((batch, length), np.int64)}
    return f"{batch}x{length}", make


def digits(count):
    def make(rng):
        images = np.load(SAMPLE / "digits_heldout.npz")["image"]
        return {"image": images[rng.permutation(len(images))[:count]].astype(np.float32)}
    return f"{count}", make


RANDOM = "_random"  # such a model is made here, of the one without

CASES = {
    "digits": [digits(1), digits(7), digits(32)],
    "ocr_det": [image_case("x", 1, 3, 640, 640), image_case("x", 1, 3, 320, 480), image_case("x", 2, 3, 256, 256)],
    "ocr_rec": [image_case("x", 1, 3, 48, 320), image_case("x", 1, 3, 48, 136), image_case("x", 3, 3, 48, 480)],
    "ocr_cls": [image_case("x", 1, 3, 48, 192), image_case("x", 4, 3, 48, 192), image_case("x", 2, 3, 48, 128)],
    "detector": [image_case("images", 1, 3, 416, 416)],
    "captcha": [image_case("input1", 1, 1, 64, 160), image_case("input1", 1, 1, 64, 96), image_case("input1", 1, 1, 64, 328)],
    "magika": [text_bytes(1), text_bytes(4), text_bytes(16)],
    "vad": [speech(1, 512, 16000), speech(3, 576, 16000), speech(1, 256, 8000)],
    "vad16": [speech(1, 576)],
    "minilm": [tokens(1, 32), tokens(1, 128), tokens(4, 64)],
    **{f"light_{name}": [image_case(tensor, 1, 3, 224, 224)] for name, tensor in
       [("resnet50", "gpu_0/data_0"), ("squeezenet", "data_0"), ("densenet121", "data_0"),
        ("inception_v2", "data_0"), ("shufflenet", "gpu_0/data_0"), ("vgg19", "data_0")]},
    **{f"light_{name}{RANDOM}": [image_case(tensor, 1, 3, 224, 224)] for name, tensor in
       [("resnet50", "gpu_0/data_0"), ("squeezenet", "data_0"), ("densenet121", "data_0")]},
}


def model_path(model):
    return SAMPLE / "digits.onnx" if model == "digits" else model_cache() / f"{model}.onnx"


def shown_path(path):
    """As the index names a model: relative to the top of the tree when it lies there, so that every checkout agrees."""
    top = SAMPLE.parents[1]
    return str(path.relative_to(top) if path.is_relative_to(top) else path)


def seeded_inputs(model, case, make):
    return make(np.random.default_rng(zlib.crc32(f"{model}/{case}".encode())))


def run_cases(model, path, cases, folder):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    for case, make in cases:
        inputs = seeded_inputs(model, case, make)
        outputs = session.run(names, inputs)
        arrays = {f"in:{name}": value for name, value in inputs.items()} | {f"out:{name}": value for name, value in zip(names, outputs)}
        np.savez(folder / f"{model}__{case}.npz", **arrays)
        shown = "  ".join(f"{name} {list(value.shape)} in [{value.min():.3g}, {value.max():.3g}]" for name, value in zip(names, outputs))
        print(f"{model} {case}: {shown}", flush=True)


def main(wanted):
    if unknown := [name for name in wanted if name not in CASES]:
        sys.exit(f"unknown model {unknown[0]}; known: {' '.join(CASES)}")
    folder = model_cache() / "oracle"
    folder.mkdir(parents=True, exist_ok=True)
    index_file = folder / "index.json"
    known = {entry["file"]: entry for entry in json.loads(index_file.read_text())["cases"]} if index_file.exists() else {}
    skipped = []
    for model, cases in CASES.items():
        path = model_path(model)
        if wanted and model not in wanted:
            continue
        if model.endswith(RANDOM) and (source := model_path(model.removesuffix(RANDOM))).exists():
            randomise(source, path)
        if not path.exists():
            skipped.append((f"oracle of {model}", f"{path} is missing; run models.py and minilm_onnx.py first"))
            continue
        made_by = script_hash(__file__, path)
        entries = [{"model": model, "path": shown_path(path), "case": case, "file": f"{model}__{case}.npz", "made_by": made_by} for case, _ in cases]
        stale = [pair for pair, entry in zip(cases, entries) if known.get(entry["file"]) != entry or not (folder / entry["file"]).exists()]
        if stale:
            run_cases(model, path, stale, folder)
        known = {file: entry for file, entry in known.items() if entry["model"] != model} | {entry["file"]: entry for entry in entries}
        partial = index_file.with_suffix(".part")
        partial.write_text(json.dumps({"cases": list(known.values())}, indent=1))
        partial.rename(index_file)
    print(f"oracle is in {folder}: {len(known)} cases")
    finish(skipped)


if __name__ == "__main__":
    main(sys.argv[1:])
