# An attention written by hand, found in what it is given: projections, heads, norms, rotary positions, mask
# SPDX-License-Identifier: LGPL-2.1-or-later
import math

import torch

from .flow import Fixed, Flow, Node, Unsayable
from .probes import Norm
from .rotary import close, turn_of
from .woven import Normed, Woven, ancestors

HIDDEN = -1e4  # a logit less than the others by so much, as people write masks


class Side:
    """Queries, keys or values. linear: the node that projects; rows (H, D): which of its outputs they are; norm: of each
    head, or None; turn: a Turn. The factor of queries is that of all logits, beside 1 / sqrt (D)"""

    def __init__(self, linear, rows, norm, turn):
        self.linear, self.rows, self.norm, self.turn = linear, rows, norm, turn

    @property
    def weight(self):
        tensor, made_of = self.linear.weight
        return tensor[self.rows.reshape(-1)], exact_if_whole(made_of, self.rows, len(tensor))

    @property
    def bias(self):
        if self.linear.bias is None:
            return None
        tensor, made_of = self.linear.bias
        return tensor[self.rows.reshape(-1)], exact_if_whole(made_of, self.rows, len(tensor))


def exact_if_whole(made_of, rows, n):
    whole = rows.numel() == n and bool((rows.reshape(-1) == torch.arange(n)).all())
    return made_of if whole else Fixed(made_of.sources)


# ---- where heads are from ----

def places(woven):
    """Of a tensor with places, as (B, T, …): the batch, the time and the feature of each number; None if mixed"""
    flow = woven.root
    labels = flow.labels
    index, where = woven.index, {}
    for label in reversed(labels):
        where[label] = index % flow.sizes[label]
        index = torch.div(index, flow.sizes[label], rounding_mode="floor")
    return where


def along(place, dim, n):
    """Whether `place` counts along an axis, and along no other"""
    shape = [1] * place.dim()
    shape[dim] = n
    return place.shape[dim] == n and bool((place == torch.arange(n).reshape(shape)).all())


def arranged_heads(woven):
    """The order of axes that makes it (B, T, H, D), and features (H, D); None if it is not made so. Of heads alone the axes
    are (T, H, D) or (T, D): the axis of the others is added."""
    if woven.index is None or not isinstance(woven.root, Flow):
        return None
    where, rank = places(woven), woven.index.dim()
    if "T" not in where or "C" not in where or rank < 2 or rank > 4:
        return None
    sizes = woven.root.sizes
    last = rank - 1
    for t in range(last):
        if not along(where["T"], t, sizes["T"]):
            continue
        others = [dim for dim in range(last) if dim != t]
        batch = [None] + others if "B" not in where or sizes["B"] == 1 else [
            dim for dim in others if along(where["B"], dim, sizes["B"])]
        for b in batch:
            heads = [dim for dim in others if dim != b]
            if len(heads) > 1:
                continue
            order = [b, t, heads[0] if heads else None, last]

            def arrange(x, order=order):
                x = x.permute([dim for dim in order if dim is not None])
                for i, dim in enumerate(order):
                    x = x.unsqueeze(i) if dim is None else x
                return x
            features = arrange(where["C"])
            if bool((features == features[:1, :1]).all()):
                return arrange, features[0, 0]
    return None


def linear_of(woven):
    """The linear map behind heads, with a factor on the way"""
    node, factor = woven.root.node, 1.0
    while node.op == "affine":
        value, shift = (torch.as_tensor(item).double().reshape(-1) for item in (node.factor, node.shift))
        if value.numel() != 1 or bool(shift.any()):
            raise Unsayable("queries, keys or values are changed feature by feature behind their linear map")
        factor, node = factor * value.item(), node.prev
    if node.op != "linear":
        raise Unsayable(f"queries, keys or values come from {node.op} itself: expected a linear map of their own, as q_proj, "
                        "k_proj and v_proj, or one for all three")
    return node, factor


def side_of(about, axes, what):
    """axes: the function that makes the tensor that the attention takes (B, T, H, D). Returns a Side"""
    after = axes(about.raw).double()
    anchor = None
    for item in ancestors(about):
        if isinstance(item, Normed):
            found = arranged_heads(item.source)
            if found and item.raw.dim() == item.source.raw.dim():
                anchor = (item, item.source, *found)
                break
            raise Unsayable(f"{what} are normed before they are heads")
        found = arranged_heads(item)
        if found and found[1].shape[-1] == after.shape[-1]:
            anchor = (item, item, *found)
            break
    if anchor is None:
        raise Unsayable(f"{what} are not the heads of one linear map: expected view() or reshape() of its outputs to heads",
                        axes=1)
    item, source, arrange, rows = anchor
    before = arrange(item.raw).double()
    heads, repeated = before.shape[2], after.shape[2]
    if before.shape[:2] != after.shape[:2] or repeated % heads:
        raise Unsayable(f"{what} of shape {tuple(about.raw.shape)} are not the heads of {tuple(source.raw.shape)}, each vector "
                        "its own: the axes of the attention are (batch, heads, time, features)", axes=1)
    times = repeated // heads
    if not torch.equal(after, after[:, :, ::times].repeat_interleave(times, 2)):
        raise Unsayable(f"{what} are repeated in another order than repeat_interleave()")
    turn = turn_of(before, after[:, :, ::times])
    rows, norm = once(rows, what), item.norm if isinstance(item, Normed) else None
    if norm is None and len(rows) == 1:
        source, norm = only_head(source)
    node, factor = linear_of(source)
    if norm is not None and factor != 1.0:
        raise Unsayable(f"{what} are scaled before their norm")
    turn.factor *= factor
    return Side(node, rows, norm, turn)


def only_head(woven):
    """Vectors that are one head, before their norm, and that norm; None: they have none"""
    root = woven.root
    if root.node.op != "norm":
        return woven, None
    node = root.node
    gain, bias = (None if item is None else item[0].double() for item in (node.weight, node.bias))
    before = Woven(woven, woven.raw, [], Flow(node.prev, root.axes, root.sizes), woven.index)
    return before, Norm(node.kind, node.eps, gain, bias)


def once(rows, what):
    """Heads that were repeated before they were changed, one time each"""
    times = len(rows) // len(torch.unique(rows[:, 0]))
    if not torch.equal(rows, rows[::times].repeat_interleave(times, 0)):
        raise Unsayable(f"{what} are repeated in another order than repeat_interleave()")
    return rows[::times]


# ---- masks ----

def window_of(visible):
    """visible (T, T), queries by keys: (left, right), the vectors that a query sees up to itself and after itself; None for
    all"""
    n = visible.shape[0]
    distance = torch.arange(n)[:, None] - torch.arange(n)
    seen = distance[visible]
    left, right = int(seen.max()) + 1, -int(seen.min())
    if left < 1 or right < 0 or not torch.equal(visible, (distance < left) & (distance >= -right)):
        raise Unsayable("the attention is given a mask that is neither causal nor a window: expected none, a causal one, or "
                        "the same number of vectors for each query")
    return (None if left >= n else left), (None if right >= n - 1 and right else right)


def visible_of(mask, is_causal, n, m):
    """From what scaled_dot_product_attention() takes"""
    if n != m:
        raise Unsayable(f"{n} queries attend to {m} keys: expected as many, of the same vectors")
    visible = torch.ones(n, m, dtype=torch.bool)
    if is_causal:
        visible = visible.tril()
    if mask is None:
        return visible
    if mask.dtype == torch.bool:
        seen = mask
    else:
        seen = mask > HIDDEN
        if bool((mask[seen] != 0).any()):
            raise Unsayable("the attention is given a mask that adds to the logits (relative positions, ALiBi): expected one "
                            "that hides only")
    seen = seen.expand(*seen.shape[:-2], n, m).reshape(-1, n, m)
    if not torch.equal(seen, seen[:1].expand_as(seen)):
        raise Unsayable("the mask differs between heads, or within the batch: a window here is always full, so train or "
                        "export without padding masks")
    return visible & seen[0]


def scale_of(logits, products):
    """Of logits (B, H, T, T), with what they are without: the scale, and what is visible"""
    seen = logits > HIDDEN
    if not torch.equal(seen, seen[:1, :1].expand_as(seen)):
        raise Unsayable("the mask differs between heads, or within the batch: a window here is always full, so train or "
                        "export without padding masks")
    a, b = products[seen], logits[seen]
    scale = ((a * b).sum() / (a * a).sum()).item()
    if not close(b, a * scale):
        raise Unsayable("logits are more than products of queries and keys by one number: a bias that is added (relative "
                        "positions, ALiBi) and capped logits are not understood")
    return scale, seen[0, 0]


# ---- the attention ----

def attend(call, given, scale, visible, explicit_mask):
    """The Flow behind an attention. given: query, key, value as Woven, of (B, H, T, D), (B, T, D) or (H, T, D); scale: of the
    products of queries and keys; visible (T, T); explicit_mask: whether it was a tensor, made for this window"""
    n_axes = given[0].raw.dim()

    def axes(x):
        if n_axes == 4:
            return x.transpose(1, 2)
        return x.unsqueeze(2) if batched else x.transpose(0, 1).unsqueeze(0)
    root = next((item.root for item in ancestors(given[2]) if isinstance(item.root, Flow)), None)
    if root is None:
        raise Unsayable("values are not the heads of a linear map")
    batched = n_axes == 4 or "B" in root.labels
    batch, first = root.sizes.get("B", 1), given[0].raw.shape[0]
    folded = n_axes == 3 and batched and first > batch
    if folded:  # the heads of a window are windows of a batch, for torch.bmm()
        if any(item.raw.shape[0] != first for item in given) or first % batch:
            raise Unsayable("queries, keys and values have not as many heads")
        given = [item.relaid(lambda x: x.reshape(batch, first // batch, *x.shape[1:])) for item in given]
        n_axes = 4
    query, key, value = (side_of(item, axes, what) for item, what in zip(given, ("queries", "keys", "values")))
    if value.norm is not None or value.turn.theta is not None:
        raise Unsayable("values are normed or turned by positions: expected queries and keys only")
    if not query.turn.same(key.turn):
        raise Unsayable("queries and keys are turned by other rotary positions")
    before = [side.linear.prev for side in (query, key, value)]
    if before[0] is not before[1] or before[0] is not before[2]:
        raise Unsayable("queries, keys and values are not of the same vectors: expected one input for all three")
    heads, size = query.rows.shape
    if key.rows.shape != value.rows.shape or key.rows.shape[1] != size or heads % len(key.rows):
        shapes = [tuple(side.rows.shape) for side in (key, value)]
        raise Unsayable(f"queries have {heads} heads of {size}, keys {shapes[0]}, values {shapes[1]}: expected heads of "
                        "one size, and as many values as keys, each for as many queries")
    factor = query.turn.factor * key.turn.factor * scale * math.sqrt(size)
    factor = 1.0 if math.isclose(factor, 1, rel_tol=1e-5) else factor
    if factor <= 0:
        raise Unsayable("the scale of the logits is not positive")
    query.turn.factor = factor
    n = visible.shape[0]
    call.trace.sure = True
    node = Node("heads", before[0], call.place, query=query, key=key, value=value, window=window_of(visible),
                explicit_mask=explicit_mask, tensors=tuple(side.weight[0] for side in (query, key, value)))
    labels = [("B",), ("H",), ("T",), ("D",)] if n_axes == 4 else [("B",), ("T",), ("C",)] if batched else [
        ("H",), ("T",), ("D",)]
    if folded:
        labels[:2] = [("B", "H")]
    sizes = {"T": n, **({"C": size} if ("C",) in labels else {"H": heads, "D": size})}
    if batched:
        sizes["B"] = batch
    return Flow(node, labels, sizes)
