# torch's functions that lay the vectors out another way, or leave them as they are
# SPDX-License-Identifier: LGPL-2.1-or-later
from .flow import Fixed, Unsayable, permuted, reshaped, squeezed, unsqueezed
from .table import flow_of, operation


@operation("contiguous", "clone", "detach", "data", "to", "float", "double", "type", "type_as", "cpu", "cuda", "alias",
           "requires_grad", "nan_to_num", "positive", "pos")
def same(call):
    if not call.raw.is_floating_point():
        raise Unsayable(f"the vectors are converted to {call.raw.dtype}: a model file computes with floating-point "
                        "numbers")
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
    a = call.flow.index(int(call.get(1, "dim0", "axis0")))
    b = call.flow.index(int(call.get(2, "dim1", "axis1")))
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


@operation("zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "new_zeros", "new_ones",
           "new_full", "new_empty", "new_tensor")
def made_beside(call):
    return Fixed()


@operation("dropout", "alpha_dropout", "dropout1d", "dropout2d", "feature_dropout", "feature_alpha_dropout")
def dropout(call):
    p, training = call.get(1, "p", default=0.5), call.get(2, "training", default=True)
    if training and p:
        raise Unsayable(f"{call.name}() drops in evaluation as well: pass training=self.training")
    return call.flow
