#!/usr/bin/env python3
"""Trains the sample model on scikit-learn's handwritten digits and writes digits.onnx and digits_heldout.npz beside this script.

Needs torch, scikit-learn, onnx, onnxruntime and numpy (README.md says how). The network is written once, in network(), and read by two
interpreters: TorchOps trains it, OnnxOps writes it node by node, so that nothing is folded or fused on the way into the file.
"""
import pathlib

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = pathlib.Path(__file__).resolve().parent
SEED, HELD_OUT, EPOCHS, BATCH = 7, 450, 24, 50
SCALE, MEAN, STD = 4.0, 0.305, 0.376  # 8x8 digits become 32x32; mean and deviation of the pixels


def conv_block(ops, scope, x, channels, size, act="relu", groups=1):
    x = ops.conv(f"{scope}/conv", x, channels, size, groups=groups, bias=False)
    x = ops.batch_norm(f"{scope}/norm", x)
    return ops.act(f"{scope}/{act}", x, act) if act else x


def residual_block(ops, scope, x, channels, project):
    y = conv_block(ops, f"{scope}/first", x, channels, 3)
    y = conv_block(ops, f"{scope}/second", y, channels, 3, act=None)
    if project:
        x = conv_block(ops, f"{scope}/shortcut", x, channels, 1, act=None)
    return ops.act(f"{scope}/relu", ops.add(f"{scope}/residual_add", y, x), "relu")


def squeeze_excite(ops, scope, x, channels, squeezed):
    gate = ops.global_pool(f"{scope}/pool", x)
    gate = ops.act(f"{scope}/relu", ops.conv(f"{scope}/reduce", gate, squeezed, 1), "relu")
    gate = ops.act(f"{scope}/hard_sigmoid", ops.conv(f"{scope}/expand", gate, channels, 1), "hard_sigmoid")
    return ops.mul(f"{scope}/scale", x, gate)


def mobile_block(ops, scope, x, channels, wide, size, act):
    y = conv_block(ops, f"{scope}/expand", x, wide, 1, act)
    y = conv_block(ops, f"{scope}/depthwise", y, wide, size, act, groups=wide)
    y = squeeze_excite(ops, f"{scope}/squeeze_excite", y, wide, wide // 4)
    y = conv_block(ops, f"{scope}/project", y, channels, 1, act=None)
    return ops.add(f"{scope}/residual_add", y, x)


def branch_block(ops, scope, x):
    a = conv_block(ops, f"{scope}/a/reduce", x, 32, 1)
    a = conv_block(ops, f"{scope}/a/spatial", a, 48, 3)
    b = ops.max_pool(f"{scope}/b/pool", x, 3, 1)
    b = conv_block(ops, f"{scope}/b/project", b, 48, 1)
    return ops.concat(f"{scope}/concat", a, b)


def network(ops, x):
    """image N x 1 x 8 x 8 in [0, 1] -> probability N x 10."""
    x = ops.upsample("preprocess/resize", x)
    x = ops.normalise("preprocess", x)
    x = conv_block(ops, "stem", x, 32, 3)
    x = residual_block(ops, "block1", x, 32, project=False)
    x = residual_block(ops, "block2", x, 64, project=True)
    x = mobile_block(ops, "block3", x, 64, 96, 3, "hard_swish")
    x = branch_block(ops, "block4", x)
    x = ops.max_pool("block5/pool", x, 2, 2)
    x = conv_block(ops, "block5/reduce", x, 64, 3)
    x = mobile_block(ops, "block6", x, 64, 96, 5, "hard_swish_decomposed")
    x = ops.flatten("head/flatten", ops.global_pool("head/pool", x))
    x = ops.act("head/relu", ops.gemm("head/hidden", x, 64), "relu")
    return ops.softmax("head/probability", ops.gemm("head/logits", x, 10))


class TorchOps:
    """Runs the network in torch; makes each layer's parameters when it is met first."""

    def __init__(self):
        self.modules = torch.nn.ModuleDict()

    def layer(self, name, make):
        key = name.replace("/", "__")
        if key not in self.modules:
            self.modules[key] = make()
        return self.modules[key]

    def conv(self, name, x, channels, size, groups=1, bias=True):
        return self.layer(name, lambda: torch.nn.Conv2d(x.shape[1], channels, size, padding=size // 2, groups=groups, bias=bias))(x)

    def batch_norm(self, name, x):
        return self.layer(name, lambda: torch.nn.BatchNorm2d(x.shape[1]))(x)

    def gemm(self, name, x, features):
        return self.layer(name, lambda: torch.nn.Linear(x.shape[1], features))(x)

    def act(self, name, x, kind):
        return {"relu": F.relu, "hard_sigmoid": F.hardsigmoid, "hard_swish": F.hardswish, "hard_swish_decomposed": F.hardswish}[kind](x)

    def max_pool(self, name, x, size, stride):
        return F.max_pool2d(x, size, stride, padding=(size - 1) // 2)

    def upsample(self, name, x):
        return F.interpolate(x, scale_factor=SCALE, mode="bilinear", align_corners=False)

    def normalise(self, scope, x):
        return (x - MEAN) / STD

    def softmax(self, name, x):
        return x  # the loss wants logits

    def global_pool(self, name, x):
        return x.mean((2, 3), keepdim=True)

    def add(self, name, a, b):
        return a + b

    def mul(self, name, a, b):
        return a * b

    def concat(self, name, *parts):
        return torch.cat(parts, 1)

    def flatten(self, name, x):
        return x.flatten(1)


class OnnxOps:
    """Writes the network as ONNX nodes with the trained parameters; tensors are names."""

    def __init__(self, modules):
        self.modules, self.nodes, self.initializers = modules, [], []

    def constant(self, name, value):
        self.initializers.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def parameters(self, name, *kinds):
        module = self.modules[name.replace("/", "__")]
        values = [(kind, getattr(module, kind)) for kind in kinds]
        return [self.constant(f"{name}.{kind}", value.detach().numpy()) for kind, value in values if value is not None]

    def node(self, op, name, inputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [f"{name}:out"], name=name, **attributes))
        return f"{name}:out"

    def conv(self, name, x, channels, size, groups=1, bias=True):
        return self.node("Conv", name, [x, *self.parameters(name, "weight", "bias")], kernel_shape=[size, size],
                         pads=[size // 2] * 4, strides=[1, 1], group=groups)

    def batch_norm(self, name, x):
        inputs = [x, *self.parameters(name, "weight", "bias", "running_mean", "running_var")]
        return self.node("BatchNormalization", name, inputs, epsilon=1e-5)

    def gemm(self, name, x, features):
        return self.node("Gemm", name, [x, *self.parameters(name, "weight", "bias")], transB=1)

    def act(self, name, x, kind):
        if kind == "relu":
            return self.node("Relu", name, [x])
        if kind == "hard_swish":
            return self.node("HardSwish", name, [x])
        if kind == "hard_sigmoid":
            return self.node("HardSigmoid", name, [x], alpha=1 / 6, beta=0.5)
        scope = name.rpartition("/")[0]
        return self.node("Mul", f"{scope}/hard_swish/mul", [x, self.act(f"{scope}/hard_swish/hard_sigmoid", x, "hard_sigmoid")])

    def max_pool(self, name, x, size, stride):
        return self.node("MaxPool", name, [x], kernel_shape=[size, size], strides=[stride, stride], pads=[(size - 1) // 2] * 4)

    def upsample(self, name, x):
        return self.node("Resize", name, [x, "", self.constant(f"{name}.scales", [1, 1, SCALE, SCALE])],
                         mode="linear", coordinate_transformation_mode="half_pixel")

    def normalise(self, scope, x):
        centred = self.node("Sub", f"{scope}/centre", [x, self.constant(f"{scope}/centre.mean", MEAN)])
        return self.node("Div", f"{scope}/scale", [centred, self.constant(f"{scope}/scale.deviation", STD)])

    def softmax(self, name, x):
        return self.node("Softmax", name, [x], axis=1)

    def global_pool(self, name, x):
        return self.node("GlobalAveragePool", name, [x])

    def add(self, name, a, b):
        return self.node("Add", name, [a, b])

    def mul(self, name, a, b):
        return self.node("Mul", name, [a, b])

    def concat(self, name, *parts):
        return self.node("Concat", name, list(parts), axis=1)

    def flatten(self, name, x):
        return self.node("Flatten", name, [x], axis=1)


def augment(images):
    """Shifts by up to one pixel of the 8x8 grid, turns by up to 10 degrees, scales by up to 10 %."""
    count = len(images)
    angle = (torch.rand(count) - 0.5) * 0.35
    scale = 1 + (torch.rand(count) - 0.5) * 0.2
    matrix = torch.stack([torch.stack([scale * angle.cos(), -scale * angle.sin(), (torch.rand(count) - 0.5) * 0.3], 1),
                          torch.stack([scale * angle.sin(), scale * angle.cos(), (torch.rand(count) - 0.5) * 0.3], 1)], 1)
    return F.grid_sample(images, F.affine_grid(matrix, images.shape, align_corners=False), align_corners=False)


def train(images, labels):
    torch.manual_seed(SEED)
    images, labels = torch.from_numpy(images), torch.from_numpy(labels)
    ops = TorchOps()
    network(ops, images[:2])
    steps = EPOCHS * (len(images) // BATCH)
    optimizer = torch.optim.AdamW(ops.modules.parameters(), lr=3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for epoch in range(EPOCHS):
        total = 0.0
        for batch in torch.randperm(len(images))[:len(images) // BATCH * BATCH].split(BATCH):
            loss = F.cross_entropy(network(ops, augment(images[batch])), labels[batch], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * BATCH
        print(f"epoch {epoch + 1}/{EPOCHS}: loss {total / len(images):.4f}", flush=True)
    return ops.modules.eval()


def write_onnx(modules, path):
    ops = OnnxOps(modules)
    network(ops, "image")
    ops.nodes[-1].output[0] = "probability"
    graph = helper.make_graph(ops.nodes, "digits", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
                              [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 10])], ops.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="strobe train_sample.py")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    print(f"{path.name}: {len(graph.node)} nodes, {path.stat().st_size / 1e6:.2f} MB")


def main():
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    train_x, test_x, train_y, test_y = train_test_split(images, labels.astype(np.int64), test_size=HELD_OUT, random_state=SEED, stratify=labels)
    np.savez(HERE / "digits_heldout.npz", image=test_x, label=test_y)
    torch.set_num_threads(2)
    write_onnx(train(train_x, train_y), HERE / "digits.onnx")
    import onnxruntime
    session = onnxruntime.InferenceSession(str(HERE / "digits.onnx"))
    right = (session.run(None, {"image": test_x})[0].argmax(1) == test_y).sum()
    print(f"held-out accuracy with onnxruntime: {right} of {len(test_y)} = {right / len(test_y):.2%}")


if __name__ == "__main__":
    main()
