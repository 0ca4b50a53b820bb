# What a tensor inside forward() is: the vectors on their way, a constant, or something a layout cannot say
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch

BY_HAND = ("if this is an attention written by hand: expected linear maps of one input, view() to heads, perhaps norms of the "
           "heads, rotary positions and repeated key heads, then scaled_dot_product_attention() or softmax, and a linear "
           "map; modules of timm, vit-pytorch and OpenAI's whisper are saved under their own names with safetensors' "
           "save_file(), see docs/model-files.md")


class Unsayable(Exception):
    """An operation that a layout has no word for. axes: how much it looks like a wrong guess of the input's axes. 0: not
    at all; 1: it mixes vectors that the module may not mean to mix; 2: it would fail on a larger batch"""

    def __init__(self, reason, axes=0):
        super().__init__(reason)
        self.reason, self.axes = reason, axes


class Node:
    """One operation on all vectors, and what it is applied to. place: where forward() does it"""

    def __init__(self, op, prev, place="", **fields):
        self.op, self.prev, self.place = op, prev, place
        self.__dict__.update(fields)

    def chain(self):
        """The operations from the input to this one"""
        found, node = [], self
        while node.op != "input":
            found.append(node)
            node = node.prev
        return found[::-1]

    def since(self, ancestor):
        """The operations behind `ancestor`; None if it is none"""
        found, node = [], self
        while node is not ancestor:
            if node.op == "input":
                return None
            found.append(node)
            node = node.prev
        return found[::-1]


class Fixed:
    """Does not depend on the input. sources: the parameters and buffers it is made of; exact: the one that it is"""

    def __init__(self, sources=frozenset(), exact=None):
        self.sources, self.exact = sources, exact


class Lost:
    """Depends on the input in a way that a layout cannot say"""

    def __init__(self, reason, axes=0):
        self.reason, self.axes = reason, axes


class Flow:
    """The vectors. axes: for each axis of the tensor the labels that are laid out along it, of B (batch), T (time)
    and C (features), or behind an attention H (heads) and D (features of one); () is an axis of length 1"""

    def __init__(self, node, axes, sizes):
        self.node, self.axes, self.sizes = node, tuple(tuple(axis) for axis in axes), dict(sizes)
        whole = ("H", "D") if "H" in self.labels else ("D",)
        if whole in self.axes:  # the heads are features again
            self.axes = tuple(("C",) if axis == whole else axis for axis in self.axes)
            self.sizes["C"] = self.sizes.pop("D") * self.sizes.pop("H")

    def then(self, op, place, **fields):
        return Flow(Node(op, self.node, place, **fields), self.axes, self.sizes)

    def laid_out(self, axes):
        return Flow(self.node, axes, self.sizes)

    def resized(self, label, size):
        """The same with another length along a label; None: without it"""
        sizes = {key: n for key, n in self.sizes.items() if key != label}
        if size is not None:
            sizes[label] = size
        axes = [tuple(x for x in axis if size is not None or x != label) for axis in self.axes]
        return Flow(self.node, axes, sizes)

    @property
    def shape(self):
        return tuple(length(axis, self.sizes) for axis in self.axes)

    @property
    def labels(self):
        return [label for axis in self.axes for label in axis]

    def index(self, dim):
        return dim + len(self.axes) if dim < 0 else dim

    def along(self, dim):
        return self.axes[self.index(dim)]

    def features_last(self, what):
        if self.axes[-1] != ("C",):
            raise Unsayable(f"{what} is applied across {spell(self.axes[-1])}, not to each vector's features: a "
                            "layout has nothing that mixes vectors but the encoder and one pool", axes=1)

    def features_at(self, dim, what):
        if self.along(dim) != ("C",):
            raise Unsayable(f"{what} is taken across {spell(self.along(dim))}, not across each vector's "
                            "features", axes=1)


def length(axis, sizes):
    n = 1
    for label in axis:
        n *= sizes[label]
    return n


def spell(axis):
    names = {"B": "the batch", "T": "time", "C": "features", "H": "heads", "D": "a head's features"}
    return " and ".join(names[label] for label in axis) or "an axis of length 1"


# ---- the same numbers, laid out another way ----

def permuted(flow, order):
    return flow.laid_out([flow.axes[flow.index(dim)] for dim in order])


def reshaped(flow, shape):
    """As view() and reshape() do it: labels stay in their order, axes are joined or taken apart"""
    left, axes = flow.labels, []
    for n in shape:
        axis, have = [], 1
        while left and (have < n or (n == 1 and not axis and flow.sizes[left[0]] == 1)):
            have *= flow.sizes[left[0]]
            axis.append(left.pop(0))
        if have != n:
            raise Unsayable(f"the shape {flow.shape} becomes {tuple(shape)}, which cuts {spell(axis)} apart"
                            + (f"; {BY_HAND}" if axis == ["C"] else ""), axes=int(axis != ["C"]))
        axes.append(axis)
    if any(flow.sizes[label] != 1 for label in left) or "T" in left:
        raise Unsayable(f"the shape {flow.shape} becomes {tuple(shape)}")
    return flow.laid_out(one_feature(flow, axes))


def one_feature(flow, axes):
    """Of vectors of one feature without an axis for it, a new axis is the one"""
    new = next((i for i in reversed(range(len(axes))) if not len(axes[i])), None)
    if "C" not in flow.labels and new is not None:
        axes[new] = ("C",)
    return axes


def squeezed(flow, dims):
    dims = {flow.index(dim) for dim in dims}
    gone = [axis for i, axis in enumerate(flow.axes) if i in dims and length(axis, flow.sizes) == 1]
    if any("T" in axis for axis in gone):
        raise Unsayable("the axis of time, of length 1 here, is left out: export with a longer window")
    return flow.laid_out([axis for i, axis in enumerate(flow.axes)
                          if i not in dims or length(axis, flow.sizes) != 1])


def unsqueezed(flow, dim):
    dim = dim + len(flow.axes) + 1 if dim < 0 else dim
    return flow.laid_out(one_feature(flow, [*flow.axes[:dim], (), *flow.axes[dim:]]))


# ---- constants beside the vectors ----

def arranged(flow, tensor):
    """A tensor of the flow's shape as (B, T, C), without the labels that the flow does not have"""
    labels = flow.labels
    tensor = tensor.reshape([flow.sizes[label] for label in labels])
    order = [label for label in "BTC" if label in labels]
    return tensor.permute([labels.index(label) for label in order]), order


def constant(flow, tensor):
    """What a constant is to the vectors: ("number", ()), ("vector", (C)) or ("table", (T, C))"""
    tensor = tensor.detach()
    if tensor.numel() == 1 and tensor.dim() <= len(flow.axes):
        return "number", tensor.reshape(())
    if len(tensor.shape) > len(flow.axes) or any(
            n not in (1, m) for n, m in zip(tensor.shape[::-1], flow.shape[::-1])):
        raise Unsayable(f"a constant of shape {tuple(tensor.shape)} makes more of the vectors {flow.shape}", axes=2)
    full, order = arranged(flow, tensor.expand(flow.shape))
    if "B" in order:
        if not torch.equal(full, full[:1].expand_as(full)):
            raise Unsayable("a constant that differs within the batch is used: does it depend on the data, or is it "
                            "random?", axes=1)
        full, order = full[0], order[1:]
    if "T" not in order or flow.sizes["T"] == 1:
        return "vector", full.reshape(-1)
    varies = not torch.equal(full, full[:1].expand_as(full))
    # zeros along time are a table that has not been trained yet
    along_time = any("T" in axis and n != 1 for axis, n in zip(flow.axes[::-1], tensor.shape[::-1]))
    if varies or (along_time and not full.any()):
        return "table", full if "C" in order else full[:, None]
    return "vector", full[0].reshape(-1)
