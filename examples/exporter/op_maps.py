# torch's functions that map each vector: linear maps, norms, activations
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch

from .flow import BY_HAND, Fixed, Flow, Node, Unsayable
from .model import Refused, activation_name
from .op_attention import eps_of
from .op_refused import reason_of
from .table import as_constant, flow_of, maybe_constant, operation
from .woven import Part


def linear_node(call, flow, weight, bias, out_axes=None):
    """weight: (D, C) as a tensor with what it is made of"""
    made = flow.then("linear", call.place, weight=weight, bias=bias).resized("C", weight[0].shape[0])
    return made if out_axes is None else made.laid_out(out_axes)


@operation("linear")
def linear(call):
    weight, bias = call.get(1, "weight"), call.get(2, "bias")
    if any(flow_of(item) for item in (weight, bias)):
        raise Unsayable("the weights of a linear map depend on the vectors")
    flow = call.flow
    flow.features_last("a linear map")
    return linear_node(call, flow, as_constant(weight), maybe_constant(bias))


def some_of(call, flow, rows):
    """Some outputs of the linear map that the vectors come from. of: all of them, for an attention that turns them apart"""
    node = flow.node
    weight, bias = ((None if item is None else (item[0][rows], Fixed(item[1].sources))) for item in (node.weight, node.bias))
    made = Flow(node.prev, flow.axes, flow.sizes).then("linear", node.place, weight=weight, bias=bias)
    made.node.of = Part(flow, call.args[0].raw, rows)
    return made.resized("C", len(rows))


def gated(call, gate, value):
    """act (gate x) * up x"""
    node = Node("gated", value.node.prev, call.place, gate=gate.node.prev, up=value.node, activation=gate.node.name)
    return Flow(node, value.axes, value.sizes)


@operation("matmul", "rmatmul", "mm", "bmm")
def matmul(call):
    a, b = call.get(0, "input", "self"), call.get(1, "other", "mat2")
    if call.name == "rmatmul":
        a, b = b, a
    flow = flow_of(a)
    if flow and flow_of(b):
        raise Unsayable(f"vectors are multiplied with vectors, for which a layout has no operation; {BY_HAND}")
    if not flow:
        raise Unsayable("a matrix is multiplied with the vectors from the left, which mixes vectors: a layout has no "
                        "operation for that")
    matrix, made_of = as_constant(b)
    if matrix.dim() > 2 and matrix.numel() == matrix.shape[-1] * matrix.shape[-2]:
        matrix = matrix.reshape(matrix.shape[-2:])
    if matrix.dim() != 2:
        raise Unsayable(f"the vectors are multiplied with a constant of shape {tuple(matrix.shape)}: expected a matrix")
    flow.features_last("a matrix product")
    return linear_node(call, flow, (matrix.T, Fixed(made_of.sources)), None)


@operation("einsum")
def einsum(call):
    equation, operands = call.args[0], call.args[1:]
    operands = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    parts = equation.replace(" ", "").split("->") if isinstance(equation, str) else []
    names = parts[0].split(",") if len(parts) == 2 else []
    if len(names) != 2 or len(operands) != 2 or any("." in part for part in parts) or all(flow_of(x) for x in operands):
        raise Unsayable(f"einsum('{equation}') is none that a layout has an operation for: write a linear map")
    first = 0 if flow_of(operands[0]) else 1
    flow, (matrix, made_of) = flow_of(operands[first]), as_constant(operands[1 - first])
    ours, theirs, out = names[first], names[1 - first], parts[1]
    shared, new = set(ours) & set(theirs), set(theirs) - set(ours)
    if (len(theirs) != 2 or len(shared) != 1 or len(new) != 1 or shared & set(out) or sorted(out) != sorted(
            (set(ours) - shared) | new)):
        raise Unsayable(f"einsum('{equation}') is none that a layout has an operation for: write a linear map")
    old, new = shared.pop(), new.pop()
    flow.features_at(ours.index(old), "a sum of products")
    if theirs.index(new) == 1:
        matrix = matrix.T
    axes = [("C",) if letter == new else flow.axes[ours.index(letter)] for letter in out]
    return linear_node(call, flow, (matrix, Fixed(made_of.sources)), None, axes)


@operation("conv1d")
def conv1d(call):
    """With a kernel of one vector it is a linear map"""
    weight, made_of = as_constant(call.get(1, "weight"))
    plain = all(call.get(i, key, default=value) in (value, (value,), [value])
                for i, key, value in ((3, "stride", 1), (4, "padding", 0), (6, "groups", 1)))
    if weight.shape[-1] != 1 or not plain:
        raise Unsayable(reason_of("conv1d"))
    flow, bias = call.flow, call.get(2, "bias")
    flow.features_at(1 if len(flow.axes) == 3 else 0, "a convolution")
    return linear_node(call, flow, (weight[..., 0], Fixed(made_of.sources)), maybe_constant(bias))


@operation("layer_norm")
def layer_norm(call):
    flow, shape = call.flow, call.get(1, "normalized_shape")
    flow.features_last("a layer norm")
    if len(shape) != 1:
        raise Unsayable(f"a layer norm is taken over {tuple(shape)}, more than a vector's features")
    weight, bias = call.get(2, "weight"), call.get(3, "bias")
    return flow.then("norm", call.place, kind="layer", eps=call.get(4, "eps", default=1e-5), size=int(shape[0]),
                     weight=maybe_constant(weight), bias=maybe_constant(bias))


@operation("rms_norm")
def rms_norm(call):
    flow, shape = call.flow, call.get(1, "normalized_shape")
    flow.features_last("an RMS norm")
    if len(shape) != 1:
        raise Unsayable(f"an RMS norm is taken over {tuple(shape)}, more than a vector's features")
    return flow.then("norm", call.place, kind="rms", eps=eps_of(call.get(3, "eps")), size=int(shape[0]),
                     weight=maybe_constant(call.get(2, "weight")), bias=None)


@operation("batch_norm")
def batch_norm(call):
    flow = call.flow
    mean, var, weight, bias = (call.get(i, name) for i, name in enumerate(
        ("running_mean", "running_var", "weight", "bias"), 1))
    if call.get(5, "training", default=False) or mean is None:
        raise Unsayable("a batch norm takes its statistics from the batch at hand (track_running_stats=False): train "
                        "with running statistics")
    flow.features_at(1, "a batch norm")
    return flow.then("batch_norm", call.place, eps=call.get(7, "eps", default=1e-5), **{
        key: maybe_constant(item) for key, item in (
            ("mean", mean), ("var", var), ("weight", weight), ("bias", bias))})


# ---- functions of each value ----

@operation("relu", "gelu", "silu", "tanh", "sigmoid", "elu", "leaky_relu", "swish", "clamp", "clamp_min", "clip",
           "threshold", "maximum", "selu", "celu", "relu6", "hardtanh", "hardswish", "hardsigmoid", "mish", "softplus",
           "softsign", "logsigmoid", "tanhshrink",
           "rrelu", "expit")
def activation(call):
    flow, function = call.flow, getattr(torch.nn.functional, call.name, None) or getattr(torch, call.name, None)
    if call.name == "expit":
        function = torch.sigmoid
    rest = tuple(as_constant(x)[0] if isinstance(x, torch.Tensor) else x for x in call.args[1:])
    named = {key: value for key, value in call.kwargs.items() if key not in ("inplace", "input")}
    try:
        name = activation_name(lambda x: function(x, *rest, **named), call.name)
    except Refused:
        name = "identity"
    if name == "identity":
        if call.name in ("clamp", "clip", "clamp_min", "hardtanh"):
            raise Unsayable("the vectors are clamped, for which a layout has no operation: clamp them in front of the "
                            "element, or train without")
        raise Unsayable(f"{call.name}() is none of the activations that a layout has: relu, gelu, gelu_tanh, silu, "
                        "tanh, sigmoid, elu, leaky_relu, with torch's default parameters")
    return flow.then("activation", call.place, name=name)


@operation("glu")
def glu(call):
    """Half of a linear map's outputs, times sigmoid of the other half"""
    flow = call.flow
    flow.features_at(int(call.get(1, "dim", default=-1)), "a gate")
    if flow.node.op != "linear":
        raise Unsayable("glu() is applied to what is no linear map's output: a layout has gated feed-forwards in layers only")
    value, gate = (some_of(call, flow, rows) for rows in torch.arange(len(flow.node.weight[0])).chunk(2))
    return gated(call, gate.then("activation", call.place, name="sigmoid"), value)


def softmax_of(call, op):
    flow, dim = call.flow, call.get(1, "dim")
    if dim is None:  # torch's own choice
        dim = 0 if len(flow.axes) in (0, 1, 3) else 1
    axis = flow.along(int(dim))
    if axis == ("T",):
        raise Unsayable("a softmax is taken over time (a pooling by attention), for which a layout has no operation: "
                        "pool by the mean, the maximum, the last or first vector, or a class token", axes=0)
    flow.features_at(int(dim), "a softmax")
    return flow.then(op, call.place)


@operation("softmax")
def softmax(call):
    return softmax_of(call, "softmax")


@operation("log_softmax")
def log_softmax(call):
    return softmax_of(call, "log_softmax")


@operation("log")
def log(call):
    if call.flow.node.op != "softmax":
        raise Unsayable("log() is applied to the vectors, for which a layout has no operation: do it in front of the "
                        "element")
    return Flow(call.flow.node.prev, call.flow.axes, call.flow.sizes).then("log_softmax", call.place)
