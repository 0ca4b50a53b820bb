# torch's functions that add, multiply and so on
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch

from .flow import Fixed, Flow, Unsayable, constant
from .op_maps import gated
from .table import as_constant, flow_of, operation


def arithmetic(call, a, b, op):
    """a op b, one of them the vectors"""
    left, right = flow_of(a), flow_of(b)
    if left and right:
        if op == "mul" and left.axes == right.axes:
            for value, gate in ((left, right), (right, left)):
                if gate.node.op == "activation" and gate.node.name == "sigmoid" and gate.node.prev is value.node:
                    return value.then("activation", call.place, name="silu")
                if is_gate(gate.node, value.node):
                    return gated(call, gate, value)
        return combined(call, left, right, op)
    flow, other = (left, b) if left else (right, a)
    if flow is None:
        raise Unsayable(f"{call.name}() with {type(a).__name__} and {type(b).__name__}: a layout has no operation for "
                        "that")
    value, made_of = as_constant(other)
    kind, value = constant(flow, value)
    if kind == "table":
        if op in ("add", "sub") and left or op == "add":
            return flow.then("positions", call.place, table=value if op == "add" else -value, made_of=made_of)
        raise Unsayable("each position is multiplied by a factor of its own, for which a layout has no operation")
    if kind == "vector" and flow.node.op == "norm" and flow.axes[-1] == ("C",):
        whole = norm_with(call, flow, value, made_of, op)
        if whole is not None:
            return whole
    factor, shift = 1.0, 0.0
    if op == "add":
        shift = value
    elif op == "sub":
        factor, shift = (1.0, -value) if left else (-1.0, value)
    elif op == "mul" or left:
        factor = value if op == "mul" else 1 / value.double()
    else:
        raise Unsayable("a constant is divided by the vectors, for which a layout has no operation")
    return flow.then("affine", call.place, factor=factor, shift=shift, made_of=made_of)


def norm_with(call, flow, value, made_of, op):
    """A norm whose gain or bias is applied by forward() itself"""
    node = flow.node
    fields = {"weight": node.weight, "bias": node.bias}
    if op == "mul" and node.weight is None and node.bias is None:
        fields["weight"] = (value, made_of)
    elif op == "add" and node.bias is None and node.weight is not None and node.kind == "layer":
        fields["bias"] = (value, made_of)
    else:
        return None
    before = Flow(node.prev, flow.axes, flow.sizes)
    return before.then("norm", call.place, kind=node.kind, eps=node.eps, size=node.size, **fields)


def is_gate(gate, value):
    """Whether one is the activation of a linear map, the other a linear map of the same vectors"""
    return (gate.op == "activation" and gate.prev.op == "linear" and value.op == "linear"
            and gate.prev.prev is value.prev)


def combined(call, left, right, op):
    """Two things that both depend on the vectors. An attention or a feed-forward that is added to what went into it is
    a branch of a layer."""
    if op == "add" and left.axes == right.axes:
        for base, branch in ((left, right), (right, left)):
            done = branch.node.since(base.node)
            if done is not None:
                return residual(call, base, branch, done)
    if op in ("add", "sub"):
        if all(any(node.op in ("pool", "row") for node in side.node.chain()) for side in (left, right)):
            raise Unsayable("two pools of the window are put together: a layout has one; train with one of them")
        if any(node.op == "pool" for node in left.node.chain() + right.node.chain()):
            raise Unsayable("vectors and a statistic of the window (mean, maximum, ...) are put together: a layout "
                            "has one chain of operations. Normalise features by constants from the training data, or "
                            "with a LayerNorm or BatchNorm1d")
        raise Unsayable("two results that both depend on the vectors are put together: a layout has one chain of "
                        "operations. Train without the second branch")
    raise Unsayable("vectors are multiplied or divided by what depends on them (a gate, weights of a pooling, a "
                    "norm): a layout has one chain of operations. Train with a LayerNorm, or a plain pooling")


ATTENTIONS = (["attention"], ["heads", "linear"])
FEED_FORWARDS = (["linear", "activation", "linear"], ["linear", "linear"], ["gated", "linear"])


def residual(call, base, branch, done):
    ops = [node.op for node in done]
    inner = list(done)
    norm = inner.pop(0) if ops[:1] == ["norm"] else None
    scale = None
    while inner and inner[-1].op == "affine" and not torch.as_tensor(inner[-1].shift).any():
        part = inner.pop()
        factor = (torch.as_tensor(part.factor), getattr(part, "made_of", Fixed()))
        scale = factor if scale is None else (scale[0] * factor[0], Fixed(scale[1].sources | factor[1].sources))
    core = [node.op for node in inner]
    if core in ATTENTIONS:
        return base_with(base, branch, "attended", call.place, norm=norm, attention=inner[0], scale=scale,
                         out=inner[1] if len(inner) > 1 else None)
    if core in FEED_FORWARDS:
        gate = inner[0] if core[0] == "gated" else None
        activation = gate.activation if gate else inner[1].name if len(inner) == 3 else "identity"
        return base_with(base, branch, "fed", call.place, norm=norm, linear1=gate.up if gate else inner[0], linear2=inner[-1],
                         gate=gate.gate if gate else None, activation=activation, scale=scale)
    if "layer" in ops:
        raise Unsayable("what goes into the encoder is added to what comes out of it (a residual around the encoder), "
                        "for which a layout has no operation: train without that addition; the encoder's layers have "
                        "residuals inside")
    if not ops:
        raise Unsayable("the vectors are added to themselves: multiply by 2")
    raise Unsayable(f"the vectors are added to what {' and '.join(ops)} makes of them (a residual or an adapter), for "
                    "which a layout has no operation: train without it, or merge the adapter's weights into the layer "
                    "beside it")


def base_with(base, branch, op, place, **fields):
    made = base.then(op, place, **fields)
    return Flow(made.node, branch.axes, branch.sizes)


@operation("add", "radd", "iadd")
def add(call):
    alpha = call.get(2, "alpha", default=1)
    if alpha != 1:
        raise Unsayable("add() with alpha: write the product out")
    return arithmetic(call, call.get(0, "input", "self"), call.get(1, "other"), "add")


@operation("sub", "subtract", "isub")
def sub(call):
    if call.get(2, "alpha", default=1) != 1:
        raise Unsayable("sub() with alpha: write the product out")
    return arithmetic(call, call.get(0, "input", "self"), call.get(1, "other"), "sub")


@operation("rsub")
def rsub(call):
    return arithmetic(call, call.get(1, "other"), call.get(0, "input", "self"), "sub")


@operation("mul", "multiply", "rmul", "imul")
def mul(call):
    return arithmetic(call, call.get(0, "input", "self"), call.get(1, "other"), "mul")


@operation("div", "divide", "true_divide", "truediv", "idiv", "itruediv")
def div(call):
    if call.get(2, "rounding_mode") is not None:
        raise Unsayable("a division is rounded, for which a layout has no operation")
    return arithmetic(call, call.get(0, "input", "self"), call.get(1, "other"), "div")


@operation("rdiv", "rtruediv")
def rdiv(call):
    return arithmetic(call, call.get(1, "other"), call.get(0, "input", "self"), "div")


@operation("neg", "negative")
def neg(call):
    return call.flow.then("affine", call.place, factor=-1.0, shift=0.0, made_of=Fixed())
