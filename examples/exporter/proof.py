# The written file, run by libcontinual, against the module in double precision
# SPDX-License-Identifier: LGPL-2.1-or-later
import contextlib
import copy
import functools

import torch
from torch import nn

from .flow import arranged
from .forward import Run, Unseen, copied
from .library import load_for_proof
from .model import Refused, class_name
from .rows import pairs_of

TOLERANCE = 1e-4
WHOLE = (nn.MultiheadAttention, nn.TransformerEncoder, nn.TransformerEncoderLayer)


def prove(path, run, values):
    """Raises Refused if the file at `path` gives other numbers than the module, or is not understood. run: a Run or an
    Unseen; values: its settings"""
    with seeded():
        if hasattr(run, "rows"):
            for y, truth in pairs_of(path, run, values):
                check(y, truth)
            return
        model = load_for_proof(path, values)
        try:
            if isinstance(run, Unseen):
                compare_unseen(model, run, values)
            else:
                compare(model, run, values)
        finally:
            model.close()


@contextlib.contextmanager
def seeded():
    """The caller's random numbers stay as they are"""
    state = torch.random.get_rng_state()
    torch.manual_seed(1)
    try:
        yield
    finally:
        torch.random.set_rng_state(state)


def compare(model, run, values):
    kind, n = values["attention"], int(values.get("sequence_len") or 0)
    by_rows = kind in ("deep", "recurrent-full")
    for y, truth in rows(model, run, values, kind, n) if by_rows else windows(model, run, values, n):
        check(y, truth)


def compare_unseen(model, run, values):
    """A forward() that was not followed must give the answers of the file for one of the usual layouts of its input"""
    what = (f"forward() of {run.name} is not followed, for it holds parts of a library; its children were taken in "
            "the order in which they are registered, and {}. Put them into an nn.Sequential or co.Sequential in the "
            "order of forward()")
    if values.get("attention") not in ("single-output", "retroactive"):
        raise Refused(what.format(f"that cannot be compared for attention={values.get('attention', 'of a decoder')!r}"))
    n, found = int(values["sequence_len"]), "it fails on every input that was tried"
    x = torch.randn(3, n, model.info.n_inputs)
    y = torch.cat([model.run(window)[-1:] for window in x])  # of fresh streams, for positions may recycle
    for axes in ("BTC", "TBC", "BCT"):
        try:
            out = ModuleInDouble(Run(None, axes, 1, x.shape[-1], n, False, run.owner)).answers(x)
        except Refused:
            continue
        for truth in usual_answers(out, axes, int(values.get("query_index", -1)), values["attention"]):
            if truth.numel() == y.numel() and near(y.flatten(), truth.flatten()):
                return
            found = "the numbers of the file are others than the module's"
    raise Refused(what.format(found))


def usual_answers(out, axes, query, attention):
    """What a module that gives `out` for each window may mean by it: (W, T, D), (W, D)"""
    rows = [window.squeeze() for window in out]
    for t in ((0, -1) if rows[0].dim() == 2 else ()):
        if attention == "retroactive":
            yield torch.stack([row if t == 0 else row.T for row in rows])
        else:
            yield torch.stack([row[query] if t == 0 else row[:, query] for row in rows])
    if rows[0].dim() < 2:
        yield torch.stack(rows)


def near(y, truth):
    return bool((y - truth).abs().max() <= TOLERANCE * max(1, truth.abs().max()))


def check(y, truth):
    if y.shape != truth.shape:
        raise Refused(f"libcontinual answers with {tuple(y.shape)}, the module with {tuple(truth.shape)}; nothing is "
                      "written")
    if not near(y, truth):
        error = (y - truth).abs().max().item()
        raise Refused(f"what libcontinual computes differs from the module by {error:.2g}, expected at most "
                      f"{TOLERANCE:g}: forward() does something that was not understood; nothing is written. Please "
                      "report the module. verify=False (--no-verify) writes the file regardless")


# ---- the two sides ----

def inputs(run, x):
    """x, or the query, key and value that it is made of for an attention alone"""
    alone = isinstance(run.owner, nn.MultiheadAttention)
    return x.split([run.owner.embed_dim, run.owner.kdim, run.owner.vdim], -1) if alone else [x]


def windows(model, run, values, n):
    t = n + min(n, 64, 20000 // n) + 3  # each answer may cost a window
    x = torch.randn(t, run.width)
    y = model.run(*inputs(run, x))[-(t - n + 1):]
    some = sorted({0, 1, (t - n) // 2, t - n - 1, t - n})
    truth = ModuleInDouble(run).windows(torch.stack([x[i:i + n] for i in some]), some)
    if len(y) != t - n + 1:
        raise Refused(f"libcontinual answers {len(y)} times to {t} vectors, expected {t - n + 1}; nothing is written")
    if truth.dim() == 3 and values["attention"] != "retroactive":
        truth = truth[:, int(values.get("query_index", -1))]
    y = y[some]
    yield (y[:, 0] if values["attention"] != "retroactive" else y), truth


def rows(model, run, values, kind, n):
    """Each vector answered by a row of its own: the module on the whole sequence, under the mask that says the same"""
    depth = sum(isinstance(part, nn.MultiheadAttention) for part in run.owner.modules())
    longest = 2 * n + depth * (n - 1) if kind == "deep" else min(24, int(values.get("max_len", 24)))
    for t in {longest, max(1, longest - 3)}:
        x = torch.randn(t, run.width)
        truth = ModuleInDouble(run, window=n if kind == "deep" else None, causal=True).windows(x[None], [0])
        y = model.run(*inputs(run, x))[:, 0]
        truth = truth[0][-len(y):] if truth.dim() == 3 else truth
        yield (y if len(truth) > 1 or len(y) == 1 else y[-1:]), truth


class ModuleInDouble:
    """A copy of the module, in evaluation mode. window, causal: the mask that its attentions get"""

    def __init__(self, run, window=None, causal=False):
        self.run, self.attention = run, functools.partial(masked_attention, window) if causal else cast_mask

    def module(self, dtype):
        module = copied(self.run.owner, dtype)
        for parameter in module.parameters():  # torch's fast path of inference has its own rounding
            parameter.requires_grad_(parameter.is_floating_point())
        for part in module.modules():
            if isinstance(part, nn.MultiheadAttention):
                part.forward = functools.partial(self.attention, type(part).forward, part)
        return module

    def windows(self, x, starts):
        """x (W, T, C): (W, T, D), or (W, D) where it pools"""
        if self.run.counter is not None or self.run.batch == 1:
            return torch.cat([self.one(x[i:i + 1], start) for i, start in enumerate(starts)])
        return self.one(x, 0)

    def answers(self, x):
        """What forward() returns for each window of (W, T, C) alone, as it is"""
        return [self.one(x[i:i + 1], 0) for i in range(len(x))]

    def one(self, x, start):
        sizes = dict(zip("BTC", x.shape))  # labels that the input lacks are of length 1
        axes = self.run.axes
        order = [label for label in axes if label in sizes] + [label for label in sizes if label not in axes]
        given = x.permute(["BTC".index(label) for label in order]).reshape([sizes.get(label, 1) for label in axes])
        arguments = dict(self.run.arguments)
        if self.run.counter is not None:
            arguments[self.run.counter] = start
        error = None
        for dtype in (torch.float64, torch.float32):
            try:
                with torch.enable_grad():
                    out = self.call(self.module(dtype), given.to(dtype), arguments)
                return self.arrange(out.detach().double(), x)
            except Exception as failed:  # forward() may insist on float32
                error = failed
        raise Refused(f"forward() fails on windows of shape {tuple(given.shape)}: {class_name(error)}: {error}")

    def call(self, module, given, arguments):
        if isinstance(module, nn.MultiheadAttention):
            return module(*inputs(self.run, given))[0]
        return module(given, **arguments)

    def arrange(self, out, x):
        if self.run.flow is None and not isinstance(self.run.owner, WHOLE):
            return out
        if self.run.flow is None:
            return out if self.run.axes == "BTC" else out.transpose(0, 1)
        flow = copy.copy(self.run.flow)
        flow.sizes = {**flow.sizes, "B": len(x)}
        if "T" in flow.sizes:
            flow.sizes["T"] = x.shape[1] + flow.sizes["T"] - self.run.n
        out, labels = arranged(flow, out)
        out = out if "B" in labels else out[None]
        return out if "C" in labels else out[..., None]


def masked_attention(window, forward, part, query, key, value, **named):
    """An attention under a causal mask; window: how many keys each query sees at most"""
    n = query.shape[1 if part.batch_first and query.dim() == 3 else 0]
    distance = torch.arange(n)[:, None] - torch.arange(n)
    hidden = (distance < 0) | (distance >= window) if window else distance < 0
    return forward(part, query, key, value, attn_mask=hidden, need_weights=False)


def cast_mask(forward, part, query, key, value, **named):
    """scaled_dot_product_attention() of torch 2.14 reads a float32 mask as float64 if the queries are"""
    mask = named.get("attn_mask")
    if mask is not None and mask.is_floating_point():
        named["attn_mask"] = mask.to(query.dtype)
    return forward(part, query, key, value, **named)
