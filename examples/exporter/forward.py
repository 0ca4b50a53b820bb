# How forward() is called: which axes its input has, how wide it is, what else it takes
# SPDX-License-Identifier: LGPL-2.1-or-later
import copy
import inspect
import warnings

import torch
from torch import nn

from . import op_arithmetic, op_axes, op_maps, op_time  # noqa: F401 (they fill the table)
from .flow import Fixed, Flow, Lost, Node
from .model import Refused, class_name
from .op_attention import understood
from .op_refused import refuse
from .parts import CONVOLUTIONS, RECURRENT, catch_parts, refuse_reparametrized
from .table import OPERATIONS
from .trace import Trace, Tracked, tracked_in

BATCH = 2
# The axes of the input, as letters (1: an axis of length 1; without C a vector is one number), and the windows in a batch
INPUTS = [("BTC", BATCH), ("TBC", BATCH), ("BCT", BATCH), ("TC", 1), ("BTC", 1), ("TBC", 1), ("BCT", 1), ("CT", 1),
          ("B1TC", BATCH), ("B1CT", BATCH), ("BT", BATCH)]


class Failed(Exception):
    """forward() itself raises: this is no input for it"""


class Run:
    """One window followed to the output. flow: the output, None where forward() is known; axes, width, n: of the input;
    causal: a triangular mask was given; owner: the module; arguments: what else forward() takes; counter: the one that says
    at which row of its positions the window begins"""

    def __init__(self, flow, axes, batch, width, n, causal, owner):
        self.flow, self.axes, self.batch, self.width, self.n = flow, axes, batch, width, n
        self.causal, self.owner = causal, owner
        self.arguments, self.counter = {}, None


class Unseen:
    """A module whose forward(), of the class `name`, is not followed, for it holds parts of a library"""

    def __init__(self, owner, name):
        self.owner, self.name = owner, name


def copied(module, dtype=None):
    """A copy on the CPU in evaluation mode"""
    refuse_reparametrized(module)
    try:
        made = copy.deepcopy(module)
    except Exception as error:
        raise Refused(f"the module cannot be copied ({error}): export it as it was built, without what was computed "
                      "kept in it") from error
    made = made.cpu().eval()
    return made if dtype is None else cast(made, dtype)


def cast(module, dtype):
    """As module.to(dtype), but complex buffers (rotary positions) stay complex"""
    also = torch.complex128 if dtype == torch.float64 else torch.complex64
    turns = [(part, key, buffer.to(also)) for part in module.modules() for key, buffer in part._buffers.items()
             if buffer is not None and buffer.is_complex()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of their imaginary parts
        module = module.to(dtype)
    for part, key, buffer in turns:
        part._buffers[key] = buffer
    return module


def trace_dtype(module):
    types = {p.dtype for p in module.parameters()}
    return torch.float64 if types == {torch.float64} else torch.float32


def extra_arguments(module, causal_ok):
    """Arguments of forward() beside the vectors: those that must be given, and names of those with a number as default"""
    parameters = list(inspect.signature(module.forward).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if not positional and not any(p.kind == p.VAR_POSITIONAL for p in parameters):
        raise Refused("forward() takes no argument: expected the vectors of a window")
    given = {}
    for p in positional[1:] + [p for p in parameters if p.kind == p.KEYWORD_ONLY]:
        if p.default is p.empty:
            if causal_ok and "mask" in p.name:
                given[p.name] = None
                continue
            what = ("a window here is always full, and masks are not in a file: give it the default None if the "
                    "module was trained without, or say attention='recurrent-full' if it is a causal "
                    "mask" if "mask" in p.name or "len" in p.name else
                    "give it a default, or export a module that needs the vectors alone")
            raise Refused(f"forward() needs '{p.name}' beside the vectors: {what}")
    counters = [p.name for p in positional[1:] if type(p.default) is int]
    return given, counters


def track_parameters(trace, module):
    """Parameters and buffers as constants of known names"""
    made = {}
    for name, part in module.named_modules():
        for table in (part._parameters, part._buffers):
            for key, tensor in table.items():
                if tensor is not None:
                    full = f"{name}.{key}" if name else key
                    made.setdefault(id(tensor), trace.wrap(tensor.detach(), Fixed(frozenset([full]), full)))
                    table[key] = made[id(tensor)]


def widths(module):
    """How wide the input may be: what any part takes"""
    found = []
    for part in module.modules():
        for key in ("in_features", "num_features", "in_channels", "embed_dim", "input_size", "d_model"):
            found.append(getattr(part, key, None))
        if isinstance(part, nn.LayerNorm):
            found.append(part.normalized_shape[-1])
        if type(part).__module__.startswith("torch.nn"):
            continue
        for tensor in list(part._parameters.values()) + list(part._buffers.values()):
            if tensor is not None and tensor.dim():
                found += [tensor.shape[-1]] + ([tensor.shape[0]] if tensor.dim() == 2 else [])
    return [n for n in dict.fromkeys(found) if isinstance(n, int) and n > 0]


def run_forward(owner, module, axes, batch, width, n, arguments):
    """forward() on random inputs, twice: what is constant must be so"""
    trace = Trace(OPERATIONS, refuse, understood)
    module = copy.deepcopy(module, {id(p): p for p in module.parameters()})
    catch_parts(trace, module)
    track_parameters(trace, module)
    flows = []
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for windows in (batch, batch + 1 if batch > 1 else 1):
                sizes = {"B": windows, "T": n, "C": width}
                shape = [sizes.get(label, 1) for label in axes]
                x = torch.randn(shape, dtype=trace_dtype(owner))
                flow = Flow(Node("input", None), [(label,) if label in sizes else () for label in axes],
                            {label: sizes[label] for label in sizes if label in axes or label == "C"})
                flows.append(output(module(trace.wrap(x, flow), **arguments)))
    except Refused as refused:
        refused.settled = trace.sure or trace.reached and not refused.axes
        raise
    except (Exception, SystemExit) as error:
        lost = [t.about.reason for t in (ref() for ref in trace.alive) if t is not None and isinstance(t.about, Lost)]
        raise Failed((len(trace.alive), lost[0] if lost else "", error, tuple(shape))) from error
    if not same_constants(flows[0].node, flows[1].node):
        error = Refused("forward() computes something else each time, or its constants depend on the data, or on the "
                        "number of windows in the batch, in a way that cannot be followed: a model file has one "
                        "computation")
        error.settled = True
        raise error
    return Run(flows[0], axes, batch, width, n, trace.causal, owner)


def output(out):
    """The Flow that forward() returns"""
    inside = list(vars(out).values()) if hasattr(out, "__dataclass_fields__") else [out]
    depends = [t for t in tracked_in(inside) if isinstance(t.about, (Flow, Lost))]
    if not depends:
        raise Refused(f"what forward() returns, a {class_name(out)}, does not depend on the vectors, as far as "
                      "torch's own functions show")
    if len(depends) > 1 or not isinstance(out, Tracked):
        count = f"{len(depends)} output{'s' * (len(depends) > 1)}"
        raise Refused(f"forward() returns {count} in a {class_name(out)}: a model file has one, a tensor. Export a "
                      "module whose forward() returns one of them, once for each")
    about = depends[0].about
    if isinstance(about, Lost):
        error = Refused(about.reason)
        error.axes = about.axes
        raise error
    return about


def describe_failure(module, failures):
    """No input that was tried gets through forward()"""
    _, reason, error, shape = max(failures, key=lambda failure: failure[0])  # the one that came farthest
    if reason:
        return Refused(reason)
    for name, part in module.named_modules():
        if isinstance(part, CONVOLUTIONS + RECURRENT):
            return Refused(f"{name} is a {class_name(part)}, and forward() takes none of the inputs that were tried: "
                           "run it before the encoder, in front of the element, and export what follows")
    return Refused(f"forward() fails on a window of shape {shape}: {class_name(error)}: {error}. Tried were (batch, "
                   "time, features), (time, batch, features), (batch, features, time) and one window alone, as wide "
                   "as any part takes. Is sequence_len the window that it was trained with?")


def follow(module, n, arguments):
    """The Run of the input that forward() takes"""
    plain = copied(module, trace_dtype(module))
    batch_first = next((m.batch_first for m in module.modules() if isinstance(m, nn.MultiheadAttention)), True)
    inputs = INPUTS if batch_first else [INPUTS[1], INPUTS[0]] + INPUTS[2:]
    failures, refusals, understood = [], [], set()
    for axes, batch in inputs:
        if axes in understood:  # one window alone is tried where a batch of them fails
            continue
        for width in widths(module) if "C" in axes else [1]:
            try:
                return run_forward(module, plain, axes, batch, width, n, arguments)
            except Failed as failed:
                failures.append(failed.args[0])
            except Refused as refused:
                if refused.settled:
                    raise
                refusals.append(refused)
                understood.add(axes)
    for doubt in (0, 1):
        for refused in refusals:
            if refused.axes == doubt:
                raise refused
    if not failures:
        raise refusals[0]
    failed = describe_failure(module, failures)
    failed.axes = 2  # another window may not fail
    raise failed


def constants(node):
    """What an operation is given beside the vectors"""
    for value in vars(node).values():
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, (torch.Tensor, float, int, str)):
                yield item


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.shape == b.shape and torch.equal(a, b)
    return a == b


def same_constants(a, b):
    a, b = ([list(constants(node)) for node in chain.chain()] for chain in (a, b))
    return [len(one) for one in a] == [len(one) for one in b] and all(
        same(x, y) for one, other in zip(a, b) for x, y in zip(one, other))
