#!/usr/bin/env python3
"""Does MindSpore itself load what this project writes, and read the same numbers?

    python3.11 -m venv /tmp/ms && /tmp/ms/bin/pip install 'numpy<2' mindspore==2.10.0
    CHECKPOINTS_OUT=/tmp/ours swift test --filter FilesForMindSpore
    /tmp/ms/bin/python Tests/TestSupport/Fixtures/golden/check_with_mindspore.py /tmp/ours [GOLDEN_DIR ...]

Prints one line for each file and exits 1 at the first thing that is wrong. With `--make FILE` it writes the fixture
`checkpoints/written_by_mindspore.ckpt` instead: every type MindSpore has, texts, slices and a checksum.
"""
import json
import pathlib
import sys

import mindspore as ms
import numpy as np
from mindspore import nn, ops
from mindspore.train import serialization
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).resolve().parent
STEMS = {3: (12, 24, 24, 48), 8: (16, 24, 24, 48)}
STAGES = {3: (120, 240, 360, 480), 8: (192, 384, 576, 768)}
SIZES = ("0.5x", "1.0x", "1.5x", "2.0x")


class Grouped(nn.Cell):
    """A grouped 1x1 convolution as one convolution for each group."""

    def __init__(self, inputs, outputs, groups):
        super().__init__()
        self.convs = nn.CellList([nn.Conv2d(inputs // groups, outputs // groups, 1) for _ in range(groups)])
        self.groups = groups

    def construct(self, x):
        parts = ops.chunk(x, self.groups, axis=1)
        return ops.cat([conv(part) for conv, part in zip(self.convs, parts)], axis=1)


class Unit(nn.Cell):
    def __init__(self, inputs, outputs, groups, first, stride):
        super().__init__()
        self.groups, self.stride = groups, stride
        middle, branch = outputs // 4, outputs - (inputs if stride == 2 else 0)
        self.branch_main_1 = nn.SequentialCell(
            [Grouped(inputs, middle, 1 if first else groups), nn.BatchNorm2d(middle), nn.ReLU()])
        self.branch_main_2 = nn.SequentialCell([
            nn.Conv2d(middle, middle, 3, stride, "pad", 1, group=middle), nn.BatchNorm2d(middle),
            Grouped(middle, branch, groups), nn.BatchNorm2d(branch)])
        self.pool = nn.AvgPool2d(3, 2, pad_mode="same")
        self.relu = nn.ReLU()

    def construct(self, x):
        y = self.branch_main_1(x)
        n, c, h, w = y.shape
        y = y.reshape(n, c // self.groups, self.groups, h, w).transpose(0, 2, 1, 3, 4).reshape(n, c, h, w)
        y = self.branch_main_2(y)
        return self.relu(x + y if self.stride == 1 else ops.cat((self.pool(x), y), axis=1))


class Network(nn.Cell):
    def __init__(self, size, groups, classes):
        super().__init__()
        index = SIZES.index(size)
        channels = STEMS[groups][index]
        self.first_conv = nn.SequentialCell(
            [nn.Conv2d(3, channels, 3, 2, "pad", 1), nn.BatchNorm2d(channels), nn.ReLU()])
        self.maxpool = nn.MaxPool2d(3, 2, "same")
        units = []
        for stage, repeats in enumerate((4, 8, 4)):
            outputs = STAGES[groups][index] << stage
            for unit in range(repeats):
                units.append(Unit(channels, outputs, groups, stage == 0 and unit == 0, 2 if unit == 0 else 1))
                channels = outputs
        self.features = nn.SequentialCell(units)
        self.classifier = nn.Dense(channels, classes)

    def construct(self, x):
        x = self.features(self.maxpool(self.first_conv(x)))
        return self.classifier(x.mean((2, 3)))


def demand(condition, sentence):
    if not condition:
        sys.exit(f"WRONG: {sentence}")


def same_values(found, wanted, names, where):
    for name in names:
        a, b = found[name].asnumpy(), wanted[name].asnumpy()
        demand(a.dtype == b.dtype and a.shape == b.shape, f"{where}: {name} is {a.dtype}{a.shape}")
        demand(a.tobytes() == b.tobytes(), f"{where}: {name} differs")


def check_network(path, golden):
    """A model file made from `golden/initial.ckpt`: every value, and the logits it was made with."""
    case = json.loads((golden / "case.json").read_text())
    wanted = ms.load_checkpoint(str(golden / "initial.ckpt"))
    if path.suffix == ".safetensors":
        found = ms.load_checkpoint(str(path), format="safetensors")
    else:
        found = ms.load_checkpoint(str(path), crc_check=True)
        demand(json.loads(found["shufflenetd.classes"]) == [f"klasse {i} 花" for i in range(case["classes"])],
               f"{path}: class names are {found.get('shufflenetd.classes')}")
        demand(json.loads(found["shufflenetd.preprocessing"]) == {"pixels": 224}, f"{path}: preprocessing")
    same_values(found, wanted, wanted, path)
    net = Network(case["size"], case["group"], case["classes"])
    missing, unused = ms.load_param_into_net(net, found, strict_load=True)
    demand(missing == [], f"{path}: not loaded {missing}")
    demand(all(name.startswith("shufflenetd.") for name in unused), f"{path}: unused {unused}")
    net.set_train(False)
    tensors = load_file(str(golden / "tensors.safetensors"))
    logits = net(ms.Tensor(tensors["input"])).asnumpy()
    difference = float(np.abs(logits - tensors["eval_logits"]).max())
    demand(difference <= 2e-5, f"{path}: logits differ by {difference}")
    print(f"{path.name}: {len(wanted)} arrays equal bit for bit, nothing missing, texts {unused}, "
          f"logits of {logits.shape[0]} images within {difference:.1e}")


def check_training(path, original):
    """A training file: the network, and the state of the optimiser."""
    wanted = ms.load_checkpoint(str(original))
    found = ms.load_checkpoint(str(path), crc_check=True)
    same_values(found, wanted, wanted, path)
    net = Network("0.5x", 3, 10)
    missing, _ = ms.load_param_into_net(net, found)
    demand(missing == [], f"{path}: not loaded {missing}")
    optimizer = nn.Momentum(net.trainable_params(), learning_rate=0.5, momentum=0.1, weight_decay=4e-5)
    missing, _ = ms.load_param_into_net(optimizer, found)
    demand(missing == [], f"{path}: not loaded into the optimiser {missing}")
    moments = [p for p in optimizer.get_parameters() if p.name.startswith("moments.")]
    demand(len(moments) == len(net.trainable_params()), f"{path}: {len(moments)} moments")
    for moment in moments:
        demand(np.array_equal(moment.asnumpy(), wanted[moment.name].asnumpy()), f"{path}: {moment.name} differs")
    step, rate = int(optimizer.global_step.asnumpy()[0]), float(optimizer.learning_rate.asnumpy())
    demand(step == int(wanted["global_step"].asnumpy()[0]), f"{path}: step {step}")
    print(f"{path.name}: {len(wanted)} entries equal bit for bit, optimiser at step {step} with rate {rate:.4g}, "
          f"{len(moments)} moments, run state {found['shufflenetd.run_state']}")


def check_varied(path):
    """Every type, as `SmallCheckpoint.varied` of the tests has it; the second file is cut in slices of 8 bytes."""
    found = ms.load_checkpoint(str(path), crc_check=True)
    for name, dtype, shape, values in [
            ("f32", np.float32, (2, 3), None), ("f64", np.float64, (3,), [np.pi, 5e-324, -np.inf]),
            ("f16", np.float16, (2,), [0.5, -65504]), ("i8", np.int8, (2,), [-128, 127]),
            ("i16", np.int16, (2,), [-2**15, 2**15 - 1]), ("i32", np.int32, (), -391),
            ("i64", np.int64, (1, 1, 2), [[[-2**63, 2**63 - 1]]]), ("u8", np.uint8, (3,), [0, 1, 255]),
            ("u16", np.uint16, (1,), [2**16 - 1]), ("u32", np.uint32, (1,), [2**32 - 1]),
            ("u64", np.uint64, (1,), [2**64 - 1]), ("bool", np.bool_, (3,), [True, False, True])]:
        array = found[name].asnumpy()
        demand(array.dtype == dtype and array.shape == shape, f"{path}: {name} is {array.dtype}{array.shape}")
        demand(values is None or np.array_equal(array, np.array(values, dtype)), f"{path}: {name} is {array}")
    demand(found["bf16"].dtype == ms.bfloat16 and found["bf16"].shape == (2,), f"{path}: bf16")
    if "text" in found:
        demand(found["text"] == "rosé, 花, 🌻" and found["no text"] == "", f"{path}: texts")
    print(f"{path.name}: {len(found)} entries as written")


class SliceOfEightBytes:
    """Stands in for MindSpore's SLICE_SIZE, a number of KiB: tensors are cut, texts (which cannot be) are not."""

    def __rmul__(self, other):
        return 8

    def __lt__(self, other):
        return False


def make(path):
    serialization.SLICE_SIZE = SliceOfEightBytes()
    ms.save_checkpoint(
        [{"name": name, "data": ms.Tensor(np.array(values, dtype))} for name, dtype, values in [
            ("f32", np.float32, [[1, -2.5], [0.1, 3]]), ("f64", np.float64, [np.pi]), ("f16", np.float16, [0.5, -2]),
            ("i8", np.int8, [-1]), ("i16", np.int16, [-2]), ("i32", np.int32, [-3]), ("i64", np.int64, [-4]),
            ("u8", np.uint8, [1]), ("u16", np.uint16, [2]), ("u32", np.uint32, [3]), ("u64", np.uint64, [4]),
            ("bool", np.bool_, [True, False])]]
        + [{"name": "bf16", "data": ms.Tensor([1, -2.5], ms.bfloat16)}],
        path, crc_check=True, append_dict={"epoch_num": 3, "lr": 0.25, "done": True, "note": "花 é", "none": ""})


if __name__ == "__main__":
    if sys.argv[1] == "--make":
        make(sys.argv[2])
        sys.exit()
    ours = pathlib.Path(sys.argv[1])
    checked = set()
    for folder in [HERE] + [pathlib.Path(p) for p in sys.argv[2:]]:
        for golden in sorted(folder.iterdir()):
            for path in sorted(ours.glob(f"{golden.name}.initial.*")):
                check_network(path, golden)
                checked.add(path)
    check_training(ours / "training.ckpt", HERE / "model_checkpoint" / "shufflenetv1-2_3.ckpt")
    check_varied(ours / "varied.ckpt")
    check_varied(ours / "sliced.ckpt")
    demand(len(checked) >= 2, f"only {len(checked)} networks found in {ours}")
    print(f"all good: MindSpore {ms.__version__} loads {len(checked) + 3} files")
