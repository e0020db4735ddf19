"""Runs each model of a folder in ONNX Runtime, on inputs and against logits that lie beside it; see run-onnxruntime.

Prints one line for each and exits 1 at the first that is wrong.
"""
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file


def check(path):
    onnx.checker.check_model(str(path), full_check=True)
    values = load_file(str(path.with_suffix(".safetensors")))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    classes = json.loads(session.get_modelmeta().custom_metadata_map["shufflenetd.classes"])
    images, wanted = values["images"], values["logits"]
    if wanted.shape != (len(images), len(classes)):
        sys.exit(f"WRONG: {path}: logits {wanted.shape} for {len(images)} images and {len(classes)} classes")
    worst = 0.0
    for count in (len(images), 1):
        (logits,) = session.run(["logits"], {"images": images[:count]})
        if logits.shape != wanted[:count].shape or not np.isfinite(logits).all():
            sys.exit(f"WRONG: {path}: logits {logits.shape}, or some that are no finite numbers")
        worst = max(worst, float(np.abs(logits - wanted[:count]).max()))
    if worst > 2e-5 * max(1.0, float(np.abs(wanted).max())):
        sys.exit(f"WRONG: {path}: logits differ by {worst}")
    print(f"{path.name}: {len(images)} images of {images.shape[2]} px, {len(classes)} classes, logits within {worst:.1e}")


models = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
for model in models:
    check(model)
if len(models) < 5:
    sys.exit(f"WRONG: only {len(models)} models found in {sys.argv[1]}")
