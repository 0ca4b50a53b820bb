# torch's functions along the window: pools, rows, a class token
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch

from .flow import BY_HAND, Fixed, Lost, Unsayable, arranged, spell, squeezed, unsqueezed
from .op_maps import some_of
from .table import as_constant, flow_of, operation


def pooled(call, kind, dims, keepdim):
    flow = call.flow
    axes = [flow.along(dim) for dim in dims]
    if not any(axes):  # of one vector
        return flow if keepdim else squeezed(flow, dims)
    if ("T",) not in axes or any(axis not in ((), ("T",)) for axis in axes):
        taken = " and ".join(spell(axis) for axis in axes)
        raise Unsayable(f"{call.name}() is taken over {taken}: expected over time alone",
                        axes=int(any("B" in axis for axis in axes)))
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
        raise Unsayable(f"{call.name}() gives {call.raw.shape[-1]} vectors for a window, or leaves some out: expected "
                        "one vector for all of it")
    return pooled(call, "mean" if "avg" in call.name else "max", [-1], True)


def picked(call, flow, dim, i, keepdim):
    """One row of those along an axis"""
    axis, n = flow.along(dim), flow.shape[flow.index(dim)]
    i = i + n if i < 0 else i
    if axis == ("T",):
        flow = flow.then("row", call.place, row=i, rows=n).resized("T", None)
    elif "B" in axis and n > 1:
        raise Unsayable("one item of the batch is taken: is the encoder's batch_first what it was meant to be? Its "
                        "default, False, means (time, batch, features)", axes=1)
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
    if axis == ("C",) and flow.node.op == "linear" and call.name != "unbind":
        ends = torch.tensor([0] + [item.shape[flow.index(dim)] for item in call.raw]).cumsum(0).tolist()
        return [some_of(call, flow, torch.arange(a, b)) for a, b in zip(ends, ends[1:])]
    raise Unsayable(f"{call.name}() cuts the vectors along {spell(axis)}, for which a layout has no operation"
                    + (f"; {BY_HAND}" if axis == ("C",) else ""), axes=int("B" in axis))


@operation("getitem")
def getitem(call):
    if flow_of(call.args[0]) is None:
        raise Unsayable("vectors are used as an index, for which a layout has no operation")
    flow, index = call.args[0].about, call.args[1]
    index = list(index) if isinstance(index, tuple) else [index]
    if any(isinstance(item, torch.Tensor) and item.dim() or isinstance(item, (list, bool)) for item in index):
        raise Unsayable("vectors are picked by a list of indices (the last ones before padding?): a window here is "
                        "always full, so take x[:, -1]")
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
            bounds = (None if x is None else int(x) for x in (item.start, item.stop, item.step))
            start, stop, step = slice(*bounds).indices(flow.shape[dim])
            count = len(range(start, stop, step))
            if step != 1 and count > 1 and flow.along(dim) != ("T",):
                raise Unsayable(f"every {step}th of {spell(flow.along(dim))} is taken, for which a layout has no operation")
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
        raise Unsayable("the class token is taken away, or a part of the window is used: pool:mean and pool:max see "
                        "every row, the class token as "
                        "well" if has_token else "a part of the window is used, for which a layout has no operation: "
                                                 "export with the window that is used")
    if axis == ("C",) and flow.node.op == "linear":
        return some_of(call, flow, torch.arange(start, start + count))
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
        raise Unsayable(f"a constant is put beside the vectors along {spell(flow.along(dim))}, for which a layout has "
                        "no operation", axes=1)
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
