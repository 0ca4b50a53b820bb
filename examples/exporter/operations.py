# What each function of torch does to the vectors, as operations of a layout
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch

from .flow import (BY_HAND, Fixed, Flow, Lost, Unsayable, arranged, constant, permuted, reshaped, spell, squeezed, unsqueezed)
from .model import Refused, activation_name
from .trace import Tracked

OPERATIONS = {}


def operation(*names):
    def register(function):
        OPERATIONS.update(dict.fromkeys(names, function))
        return function
    return register


def flow_of(item):
    return item.about if isinstance(item, Tracked) and isinstance(item.about, Flow) else None


def as_constant(item):
    """Plain tensor and what it is made of, for a tensor or a number that is no vector"""
    if isinstance(item, Tracked):
        return item.raw, item.about
    if isinstance(item, torch.Tensor):
        return item.detach(), Fixed()
    return torch.tensor(float(item), dtype=torch.float64), Fixed()


# ---- laid out another way ----

@operation("contiguous", "clone", "detach", "data", "to", "float", "double", "type", "type_as", "cpu", "cuda", "alias", "requires_grad",
           "nan_to_num", "positive", "pos")
def same(call):
    if not call.raw.is_floating_point():
        raise Unsayable(f"the vectors are converted to {call.raw.dtype}: a model file computes with floating-point numbers")
    return reshaped(call.flow, call.raw.shape)


@operation("view", "reshape", "flatten", "unflatten", "view_as", "reshape_as", "ravel")
def reshape(call):
    flow = call.flow if call.name not in ("view_as", "reshape_as") else flow_of(call.args[0])
    return reshaped(flow, call.raw.shape)


@operation("expand", "expand_as", "broadcast_to")
def expand(call):
    flow = flow_of(call.args[0])
    if flow is None or tuple(call.raw.shape) != flow.shape:
        raise Unsayable("the vectors are repeated (expand), for which a layout has no operation")
    return flow


@operation("transpose", "swapaxes", "swapdims")
def transpose(call):
    order = list(range(len(call.flow.axes)))
    a, b = (call.flow.index(int(call.get(i, name, alias))) for i, name, alias in ((1, "dim0", "axis0"), (2, "dim1", "axis1")))
    order[a], order[b] = order[b], order[a]
    return permuted(call.flow, order)


@operation("t", "T", "mT", "adjoint", "H", "mH")
def transposed(call):
    order = list(range(len(call.flow.axes)))
    if call.name in ("mT", "adjoint", "mH"):
        order[-2:] = order[:-3:-1]
    else:
        order = order[::-1]
    return permuted(call.flow, order)


@operation("permute")
def permute(call):
    return permuted(call.flow, call.sizes(1, "dims"))


@operation("movedim", "moveaxis")
def movedim(call):
    source, target = (call.dims(i, name) for i, name in ((1, "source"), (2, "destination")))
    rank = len(call.flow.axes)
    places = {d % rank: s % rank for s, d in zip(source, target)}
    rest = iter(i for i in range(rank) if i not in places.values())
    return permuted(call.flow, [places[i] if i in places else next(rest) for i in range(rank)])


@operation("squeeze")
def squeeze(call):
    return squeezed(call.flow, call.dims(1, "dim") or range(len(call.flow.axes)))


@operation("unsqueeze")
def unsqueeze(call):
    return unsqueezed(call.flow, int(call.get(1, "dim")))


@operation("zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "new_zeros", "new_ones", "new_full",
           "new_empty", "new_tensor")
def made_beside(call):
    return Fixed()


@operation("dropout", "alpha_dropout", "dropout1d", "dropout2d", "feature_dropout", "feature_alpha_dropout")
def dropout(call):
    p, training = call.get(1, "p", default=0.5), call.get(2, "training", default=True)
    if training and p:
        raise Unsayable(f"{call.name}() drops in evaluation as well: pass training=self.training")
    return call.flow


# ---- arithmetic with constants ----

def arithmetic(call, a, b, op):
    """a op b, one of them the vectors"""
    left, right = flow_of(a), flow_of(b)
    if left and right:
        if op == "mul" and left.axes == right.axes:
            for value, gate in ((left, right), (right, left)):
                if gate.node.op == "activation" and gate.node.name == "sigmoid" and gate.node.prev is value.node:
                    return value.then("activation", call.place, name="silu")
        return combined(call, left, right, op)
    flow, other = (left, b) if left else (right, a)
    if flow is None:
        raise Unsayable(f"{call.name}() with {type(a).__name__} and {type(b).__name__}: a layout has no operation for that")
    value, made_of = as_constant(other)
    kind, value = constant(flow, value)
    if kind == "table":
        if op in ("add", "sub") and left or op == "add":
            return flow.then("positions", call.place, table=value if op == "add" else -value, made_of=made_of)
        raise Unsayable("each position is multiplied by a factor of its own, for which a layout has no operation")
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


def combined(call, left, right, op):
    """Two things that both depend on the vectors. An attention or a feed-forward that is added to what went into it is a
    branch of a layer."""
    if op == "add" and left.axes == right.axes:
        for base, branch in ((left, right), (right, left)):
            done = branch.node.since(base.node)
            if done is not None:
                return residual(call, base, branch, done)
    if op in ("add", "sub"):
        if all(any(node.op in ("pool", "row") for node in side.node.chain()) for side in (left, right)):
            raise Unsayable("two pools of the window are put together: a layout has one; train with one of them")
        if any(node.op == "pool" for node in left.node.chain() + right.node.chain()):
            raise Unsayable("vectors and a statistic of the window (mean, maximum, ...) are put together: a layout has one chain of "
                            "operations. Normalise features by constants from the training data, or with a LayerNorm or BatchNorm1d")
        raise Unsayable("two results that both depend on the vectors are put together: a layout has one chain of operations. "
                        "Train without the second branch")
    raise Unsayable("vectors are multiplied or divided by what depends on them (a gate, weights of a pooling, a norm): a layout has "
                    "one chain of operations. Train with a LayerNorm, or a plain pooling")


def residual(call, base, branch, done):
    ops = [node.op for node in done]
    if ops in (["attention"], ["norm", "attention"]):
        return base_with(base, branch, "attended", call.place, norm=done[0] if len(done) == 2 else None, attention=done[-1])
    if ops in (["linear", "activation", "linear"], ["norm", "linear", "activation", "linear"], ["linear", "linear"],
               ["norm", "linear", "linear"]):
        norm = done.pop(0) if ops[0] == "norm" else None
        return base_with(base, branch, "fed", call.place, norm=norm, linear1=done[0], linear2=done[-1],
                         activation=done[1].name if len(done) == 3 else "identity")
    if "layer" in ops:
        raise Unsayable("what goes into the encoder is added to what comes out of it (a residual around the encoder), for which a "
                        "layout has no operation: train without that addition; the encoder's layers have residuals inside")
    if not ops:
        raise Unsayable("the vectors are added to themselves: multiply by 2")
    raise Unsayable(f"the vectors are added to what {' and '.join(ops)} makes of them (a residual or an adapter), for which a "
                    "layout has no operation: train without it, or merge the adapter's weights into the layer beside it")


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


# ---- linear maps and norms ----

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
    return linear_node(call, flow, as_constant(weight), None if bias is None else as_constant(bias))


@operation("matmul", "rmatmul", "mm", "bmm")
def matmul(call):
    a, b = call.get(0, "input", "self"), call.get(1, "other", "mat2")
    if call.name == "rmatmul":
        a, b = b, a
    flow = flow_of(a)
    if flow and flow_of(b):
        raise Unsayable(f"vectors are multiplied with vectors, for which a layout has no operation; {BY_HAND}")
    if not flow:
        raise Unsayable("a matrix is multiplied with the vectors from the left, which mixes vectors: a layout has no operation for that")
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


@operation("layer_norm")
def layer_norm(call):
    flow, shape = call.flow, call.get(1, "normalized_shape")
    flow.features_last("a layer norm")
    if len(shape) != 1:
        raise Unsayable(f"a layer norm is taken over {tuple(shape)}, more than a vector's features")
    weight, bias = call.get(2, "weight"), call.get(3, "bias")
    return flow.then("norm", call.place, eps=call.get(4, "eps", default=1e-5), size=int(shape[0]),
                     weight=None if weight is None else as_constant(weight), bias=None if bias is None else as_constant(bias))


@operation("batch_norm")
def batch_norm(call):
    flow = call.flow
    mean, var, weight, bias = (call.get(i, name) for i, name in enumerate(
        ("running_mean", "running_var", "weight", "bias"), 1))
    if call.get(5, "training", default=False) or mean is None:
        raise Unsayable("a batch norm takes its statistics from the batch at hand (track_running_stats=False): train with running "
                        "statistics")
    flow.features_at(1, "a batch norm")
    return flow.then("batch_norm", call.place, eps=call.get(7, "eps", default=1e-5), **{
        key: None if item is None else as_constant(item) for key, item in (
            ("mean", mean), ("var", var), ("weight", weight), ("bias", bias))})


@operation("instance_norm", "group_norm", "local_response_norm", "normalize", "rms_norm", "norm", "std", "var", "std_mean", "var_mean",
           "vector_norm", "linalg_norm", "linalg_vector_norm", "native_layer_norm", "cosine_similarity")
def statistics(call):
    raise Unsayable(f"{call.name}() normalises by, or computes, a statistic that a layout has no operation for: expected a LayerNorm, a "
                    "BatchNorm1d in evaluation, or constants from the training data")


# ---- functions of each value ----

@operation("relu", "gelu", "silu", "tanh", "sigmoid", "elu", "leaky_relu", "swish", "clamp", "clamp_min", "clip", "threshold", "maximum",
           "selu", "celu", "relu6", "hardtanh", "hardswish", "hardsigmoid", "mish", "softplus", "softsign", "logsigmoid", "tanhshrink",
           "rrelu", "glu", "expit")
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
            raise Unsayable("the vectors are clamped, for which a layout has no operation: clamp them in front of the element, or train "
                            "without")
        raise Unsayable(f"{call.name}() is none of the activations that a layout has: relu, gelu, gelu_tanh, silu, tanh, sigmoid, elu, "
                        "leaky_relu, with torch's default parameters")
    return flow.then("activation", call.place, name=name)


def softmax_of(call, op):
    flow, dim = call.flow, call.get(1, "dim")
    if dim is None:  # torch's own choice
        dim = 0 if len(flow.axes) in (0, 1, 3) else 1
    axis = flow.along(int(dim))
    if axis == ("T",):
        raise Unsayable("a softmax is taken over time (a pooling by attention), for which a layout has no operation: pool by the mean, "
                        "the maximum, the last or first vector, or a class token", axes=0)
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
        raise Unsayable("log() is applied to the vectors, for which a layout has no operation: do it in front of the element")
    return Flow(call.flow.node.prev, call.flow.axes, call.flow.sizes).then("log_softmax", call.place)


@operation("argmax", "topk", "argsort", "sort", "max_pool1d_with_indices")
def choices(call):
    raise Unsayable(f"{call.name}() makes a decision of the scores: leave it out; classlabeler picks the best ones")


@operation("where", "masked_fill", "masked_select", "masked_scatter")
def masked(call):
    raise Unsayable(f"{call.name}() changes some of the vectors by a mask: a window here is always full, so train and export without "
                    "padding masks")


@operation("embedding")
def embedding(call):
    raise Unsayable("the input is a number that an nn.Embedding looks up: vectors enter a model file, so look up in front of the element "
                    "and export what follows")


# ---- over time ----

def pooled(call, kind, dims, keepdim):
    flow = call.flow
    axes = [flow.along(dim) for dim in dims]
    if not any(axes):  # of one vector
        return flow if keepdim else squeezed(flow, dims)
    if ("T",) not in axes or any(axis not in ((), ("T",)) for axis in axes):
        taken = " and ".join(spell(axis) for axis in axes)
        raise Unsayable(f"{call.name}() is taken over {taken}: expected over time alone", axes=any("B" in axis for axis in axes))
    made = flow.then("pool", call.place, kind=kind).resized("T", None)
    gone = {flow.index(dim) for dim in dims}
    return made if keepdim else made.laid_out([axis for i, axis in enumerate(made.axes) if i not in gone])


def all_dims(call, position=1):
    dims = call.dims(position, "dim", "axis")
    if not dims:
        raise Unsayable(f"{call.name}() is taken over everything, the batch as well: expected over time alone")
    return dims


@operation("mean")
def mean(call):
    return pooled(call, "mean", all_dims(call), call.get(2, "keepdim", default=False))


@operation("sum")
def sum_(call):
    flow = pooled(call, "mean", all_dims(call), call.get(2, "keepdim", default=False))
    return flow.then("affine", call.place, factor=float(call.flow.sizes["T"]), shift=0.0, made_of=Fixed())


@operation("amax")
def amax(call):
    return pooled(call, "max", all_dims(call), call.get(2, "keepdim", default=False))


@operation("max")
def max_(call):
    if call.dims(1, "dim", "axis") is None or isinstance(call.get(1, "dim", "other"), torch.Tensor):
        raise Unsayable("max() is taken over everything, or of two tensors: expected over time")
    return [pooled(call, "max", all_dims(call), call.get(2, "keepdim", default=False)),
            Lost("the index of a maximum is used, for which a layout has no operation")]


@operation("adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "max_pool1d")
def pool1d(call):
    flow = call.flow
    if flow.axes[-1] != ("T",):
        raise Unsayable(f"{call.name}() is taken over {spell(flow.axes[-1])}: expected over time", axes=1)
    kernel = flow.shape[-1] if "adaptive" in call.name else call.dims(1, "kernel_size")[0]
    if call.raw.shape[-1] != 1 or kernel != flow.shape[-1]:
        raise Unsayable(f"{call.name}() gives {call.raw.shape[-1]} vectors for a window, or leaves some out: expected one vector "
                        "for all of it")
    return pooled(call, "mean" if "avg" in call.name else "max", [-1], True)


def picked(call, flow, dim, i, keepdim):
    """One row of those along an axis"""
    axis, n = flow.along(dim), flow.shape[flow.index(dim)]
    i = i + n if i < 0 else i
    if axis == ("T",):
        flow = flow.then("row", call.place, row=i, rows=n).resized("T", None)
    elif "B" in axis and n > 1:
        raise Unsayable("one item of the batch is taken: is the encoder's batch_first what it was meant to be? Its default, False, "
                        "means (time, batch, features)", axes=1)
    elif axis and n > 1:
        raise Unsayable(f"a part of {spell(axis)} is taken, for which a layout has no operation: use a linear map")
    if keepdim:
        return flow
    return flow.laid_out([axis for j, axis in enumerate(flow.axes) if j != flow.index(dim)])


@operation("select")
def select(call):
    return picked(call, call.flow, int(call.get(1, "dim")), int(call.get(2, "index")), False)


@operation("narrow", "index_select")
def narrow(call):
    flow, dim = call.flow, int(call.get(1, "dim"))
    if call.name == "narrow":
        start, count = (int(call.get(i, key)) for i, key in ((2, "start"), (3, "length")))
        return flow if count == flow.shape[flow.index(dim)] else sliced(call, flow, dim, start, count)
    index = as_constant(call.get(2, "index"))[0]
    if index.numel() != 1:
        raise Unsayable("several vectors of the window are picked, for which a layout has no operation")
    return picked(call, flow, dim, int(index), True)


@operation("unbind", "split", "chunk", "tensor_split", "split_with_sizes")
def unbound(call):
    flow = call.flow
    dim = int(call.get(1, "dim", default=0) if call.name == "unbind" else call.get(2, "dim", default=0))
    if len(call.raw) == 1 and call.name != "unbind":
        return flow
    if len(call.raw) == flow.shape[flow.index(dim)] and flow.along(dim) == ("T",):
        return [picked(call, flow, dim, i, call.name != "unbind") for i in range(len(call.raw))]
    axis = flow.along(dim)
    raise Unsayable(f"{call.name}() cuts the vectors along {spell(axis)}, for which a layout has no operation"
                    + (f"; {BY_HAND}" if axis == ("C",) else ""), axes=int("B" in axis))


@operation("getitem")
def getitem(call):
    if flow_of(call.args[0]) is None:
        raise Unsayable("vectors are used as an index, for which a layout has no operation")
    flow, index = call.args[0].about, call.args[1]
    index = list(index) if isinstance(index, tuple) else [index]
    if any(isinstance(item, torch.Tensor) and item.dim() or isinstance(item, (list, bool)) for item in index):
        raise Unsayable("vectors are picked by a list of indices (the last ones before padding?): a window here is always full, so take "
                        "x[:, -1]")
    given = sum(item is not None and item is not Ellipsis for item in index)
    if Ellipsis in [item for item in index if not isinstance(item, torch.Tensor)]:
        at = next(i for i, item in enumerate(index) if item is Ellipsis)
        index[at:at + 1] = [slice(None)] * (len(flow.axes) - given)
    dim = 0
    for item in index:
        if item is None:
            flow = unsqueezed(flow, dim)
            dim += 1
        elif isinstance(item, slice):
            start, stop, step = slice(*(None if x is None else int(x) for x in (item.start, item.stop, item.step))).indices(
                flow.shape[dim])
            count = len(range(start, stop, step))
            if count != flow.shape[dim]:
                flow = sliced(call, flow, dim, start, count)
            dim += 1
        else:
            flow = picked(call, flow, dim, int(as_constant(item)[0]), False)
    return flow


def sliced(call, flow, dim, start, count):
    axis = flow.along(dim)
    if count == 1 and axis == ("T",):
        return picked(call, flow, dim, start, True)
    if axis == ("T",):
        has_token = any(node.op == "token" for node in flow.node.chain())
        raise Unsayable("the class token is taken away, or a part of the window is used: pool:mean and pool:max see every row, the class "
                        "token as well" if has_token else "a part of the window is used, for which a layout has no operation: export with "
                        "the window that is used")
    raise Unsayable(f"a part of {spell(axis)} is taken, for which a layout has no operation", axes="B" in axis)


@operation("cat", "concat", "concatenate")
def cat(call):
    items, dim = call.get(0, "tensors"), int(call.get(1, "dim", "axis", default=0))
    flows = [flow_of(item) for item in items]
    if sum(flow is not None for flow in flows) != 1:
        kinds = {node.kind for flow in flows if flow for node in flow.node.chain() if node.op == "pool"}
        what = f"a concatenation of {' and '.join(sorted(kinds))} pools" if len(kinds) > 1 else (
            "a concatenation of results that all depend on the vectors")
        raise Unsayable(f"{what}, for which a layout has no operation: train with one of them")
    at = next(i for i, flow in enumerate(flows) if flow)
    flow = flows[at]
    if flow.along(dim) != ("T",):
        raise Unsayable(f"a constant is put beside the vectors along {spell(flow.along(dim))}, for which a layout has no operation", axes=1)
    others = [as_constant(item) for item in items if flow_of(item) is None]
    if len(others) != 1 or others[0][0].shape[flow.index(dim)] != 1:
        raise Unsayable("more than one vector is put beside the window's: a layout has one class token")
    if at != 1:
        raise Unsayable("a class token is put behind the window's vectors: a layout has it before the first one")
    if any(node.op in ("token", "layer", "attention", "attended") for node in flow.node.chain()):
        raise Unsayable("a second token, or one behind the encoder, for which a layout has no operation")
    one = flow.resized("T", 1)
    row, order = arranged(one, others[0][0])
    row = row.reshape(row.shape[0], -1) if order[0] == "B" else row.reshape(1, -1)
    if not torch.equal(row, row[:1].expand_as(row)):
        raise Unsayable("the class token differs within the batch", axes=1)
    return flow.then("token", call.place, token=row[0], made_of=others[0][1]).resized("T", flow.sizes["T"] + 1)


@operation("cross_entropy", "nll_loss", "mse_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "l1_loss",
           "smooth_l1_loss", "kl_div", "ctc_loss")
def loss(call):
    raise Unsayable(f"forward() computes a loss ({call.name}): return the scores, and compute the loss outside")


@operation("scaled_dot_product_attention", "multi_head_attention_forward")
def own_attention(call):
    raise Unsayable(f"{call.name}() is called by hand; {BY_HAND}")


@operation("conv1d")
def conv1d(call):
    """With a kernel of one vector it is a linear map"""
    weight, made_of = as_constant(call.get(1, "weight"))
    settings = [call.get(i, key, default=value) for i, key, value in ((3, "stride", 1), (4, "padding", 0), (6, "groups", 1))]
    if weight.shape[-1] != 1 or any(item not in (value, (value,), [value]) for item, value in zip(settings, (1, 0, 1))):
        return front(call)
    flow, bias = call.flow, call.get(2, "bias")
    flow.features_at(1 if len(flow.axes) == 3 else 0, "a convolution")
    return linear_node(call, flow, (weight[..., 0], Fixed(made_of.sources)), None if bias is None else as_constant(bias))


@operation("conv2d", "conv3d", "conv_transpose1d", "unfold", "pad", "interpolate", "stft", "fft_rfft", "upsample")
def front(call):
    raise Unsayable(f"{call.name}() looks at several vectors at once, or makes more or fewer of them: run it before the encoder, in front "
                    "of the element, and export what follows")


@operation("cumsum", "flip", "roll", "gather", "scatter", "repeat", "repeat_interleave", "tile", "stack", "diff", "logsumexp")
def over_time(call):
    raise Unsayable(f"{call.name}() is applied to the vectors, for which a layout has no operation: train without it, or do it outside "
                    "of the exported module")


