# A module of PyTorch as a model file: by what forward() does, or by what the attributes say where forward() is known
# SPDX-License-Identifier: LGPL-2.1-or-later
import copy

import torch
from torch import nn

from .forward import Run, Unseen, extra_arguments, follow
from .layers import is_co_layer
from .layout import Layout
from .own_kinds import OwnRows, kind_of_own, own_windows
from .model import Refused, class_name, library
from .parts import NO_DECODER, TORCH_ONLY, is_exact_encoder, refuse_reparametrized
from .transformers import describe_transformers, is_of_transformers
from .tree import choose_kind, describe_attributes, say_kind

LIBRARIES = ("continual", "fast_transformers")
# Of continual-inference; its layers are Sequentials of them
LIBRARY_CLASSES = ("RecyclingPositionalEncoding", "SingleOutputMultiheadAttention", "RetroactiveMultiheadAttention",
                   "RetroactiveLambda")
# Their modules attend by code of their own, but the loader knows their names
NAMED_LIBRARIES = ("timm", "transformers", "vit_pytorch", "whisper")
ROW_KINDS = ("deep", "recurrent-full")
ANY_LENGTH = 8
MAX_LEN = 4096  # the loader's own, if nothing is said
WINDOW_UNKNOWN = "the window is not known: say sequence_len=N, in vectors"


def is_library_part(part):
    return (library(part) in LIBRARIES or class_name(part) in LIBRARY_CLASSES or hasattr(part, "inner_attention")
            or is_co_layer(part) or class_name(part) == "Lambda" and hasattr(part, "fn"))


def of_a_library(module):
    return any(is_library_part(part) for part in module.modules())


def own_forward(module):
    """The class that has a forward() of its own around parts of a library; None if there is none"""
    for part in module.modules():
        if (not is_library_part(part) and type(part).forward.__module__.split(".")[0] not in LIBRARIES + ("torch",)
                and of_a_library(part)):
            return class_name(part)
    return None


def is_whole(module):
    return (is_exact_encoder(module) or isinstance(module, nn.TransformerEncoderLayer)
            or isinstance(module, nn.MultiheadAttention) and type(module).forward is nn.MultiheadAttention.forward)


def unwrapped(module):
    while True:
        if class_name(module) in ("DataParallel", "DistributedDataParallel"):
            module = module.module
        elif is_compiled(module):
            module = module._orig_mod
        else:
            break
    if any(is_compiled(part) for part in module.modules()):
        tensors = list(module.parameters()) + list(module.buffers())
        module = copy.deepcopy(module, {id(tensor): tensor for tensor in tensors})
        for part in module.modules():
            part._modules.update({key: child._orig_mod for key, child in part._modules.items() if is_compiled(child)})
    return module


def is_compiled(module):
    return class_name(module) == "OptimizedModule" and hasattr(module, "_orig_mod")


def describe_torch(module, attention, positions, sequence_len, query_index, max_len, prefix):
    """The Model of a module. model.run: how to run it for the proof; None where the attributes alone say what it is"""
    module = unwrapped(module)
    if is_of_transformers(module) or prefix and any(is_of_transformers(part) for part in module.modules()):
        return describe_transformers(module, prefix, attention, sequence_len)
    if prefix:
        raise Refused(f"prefix={prefix!r}: {class_name(module)} holds no model of transformers; export the part itself")
    if isinstance(module, torch.jit.ScriptModule):
        raise Refused("the module is scripted, its attributes are gone: export it before torch.jit")
    if isinstance(module, TORCH_ONLY):
        raise Refused(f"the module is a {class_name(module)}: {NO_DECODER}")
    refuse_reparametrized(module)
    if of_a_library(module):
        model = describe_attributes(module, attention, positions)
        name = own_forward(module)
        model.run = Unseen(module, name) if name else None
        return model
    if is_whole(module):
        model = describe_attributes(module, attention, positions)
        first = next(part for part in module.modules() if isinstance(part, nn.MultiheadAttention))
        width = first.embed_dim + (first.kdim + first.vdim if module is first else 0)
        model.run = Run(None, "BTC" if first.batch_first else "TBC", 2, width, 0, False, module)
        return model
    if type(module).forward is nn.Module.forward:
        raise Refused(f"{class_name(module)} has no forward(): expected a module that can be run")
    try:
        with torch.random.fork_rng(devices=[]):
            return describe_forward(module, attention, positions, sequence_len, query_index, max_len)
    except Refused as refused:
        named = next((part for part in module.modules() if library(part) in NAMED_LIBRARIES), None)
        if named is None:
            raise
        alone = "export it alone, or load it" if library(named) == "transformers" else "load it"
        raise Refused(f"{refused}. {class_name(named)} is of {library(named)}: {alone} under the names of its library "
                      "(save_pretrained(), or safetensors' save_file() with the settings that docs/model-files.md "
                      "names)") from refused


def describe_forward(module, attention, positions, sequence_len, query_index, max_len):
    wanted = attention.replace("_", "-") if attention else None
    n = sequence_len or ANY_LENGTH
    arguments, counters = extra_arguments(module, wanted in ROW_KINDS)
    unknown = not sequence_len and (wanted is None or wanted not in ("recurrent-full", "recurrent-linear", "kernel"))
    try:
        layout, table = followed(module, n, arguments)
        own = own_windows(module, layout, n, arguments)
    except Refused as refused:
        raise Refused(WINDOW_UNKNOWN) if unknown and refused.axes > 1 else refused
    says = kind_of_own(own, wanted, sequence_len) if own else {}
    if unknown and says.get("attention") not in ROW_KINDS:
        raise Refused(WINDOW_UNKNOWN)
    wanted = wanted or says.get("attention")
    counter = None
    if table is not None:
        rows = source_rows(layout, table, int(max_len or MAX_LEN) if wanted == "recurrent-full" else n)
        counter, whole_table = recycling(module, n, arguments, counters, rows)
        if counter is not None:
            table.table = whole_table
        elif wanted == "recurrent-full" and rows > n:  # a stream goes on to the end of the table
            layout, table = followed(module, rows, arguments)
    if positions and positions != "positions" and counter is None:
        raise Refused(f"positions={positions!r} says that its rows recycle over the stream, but forward() "
                      + ("adds none" if table is None else "counts them in the window: leave positions out"))
    model = layout.write()
    model.run, model.run.counter = layout.run, counter
    kind = wanted or "single-output" if own else choose_kind(model, wanted)
    check_kind(kind, wanted, layout, query_index)
    if table is not None and counter is None:
        say_positions(model, kind, table, max_len)
    if layout.query_index is not None and query_index is None:
        model.facts.say("query_index", layout.query_index, "forward()")
    say_kind(model, kind)
    if kind == "deep":
        model.facts.values.update(says)
    if own and kind in ROW_KINDS:
        model.run = OwnRows(layout.run)
    return model


def followed(module, n, arguments):
    """The Layout of a window of n vectors, and its part that adds positions, if there is one"""
    run = follow(module, n, arguments)
    run.arguments = arguments
    layout = Layout(module, run)
    return layout, next((part for part in layout.parts if part.op == "positions"), None)


def source_rows(layout, table, otherwise):
    """Rows of the longest table that positions are taken from; otherwise: if they are computed in forward()"""
    sources = [layout.tensors[name] for name in table.made_of.sources]
    return max([t.numel() // t.shape[-1] for t in sources if t.dim() > 1], default=otherwise)


def say_positions(model, kind, table, max_len):
    """Positions that are counted from the first vector that forward() sees"""
    if kind == "recurrent-full":
        limit = len(table.table)
        if max_len is not None and int(max_len) > limit:
            raise Refused(f"max_len={max_len}: forward() has positions for {limit} vectors")
        model.facts.values["max_len"] = int(max_len or limit)
    elif kind == "deep":
        raise Refused(f"{table.place}: positions are counted in the window, which attention='deep' has none of: train "
                      "with positions that recycle (continual-inference's RecyclingPositionalEncoding), or without any")
    else:
        model.facts.say("position_index", "window", "forward()")


def recycling(module, n, arguments, counters, rows):
    """A whole number that forward() takes beside the vectors may say at which row of the table the window begins: its name
    and the whole table, or None twice"""
    for name in counters if rows > 1 else ():
        tables = {start: table_at(module, n, {**arguments, name: start}) for start in (0, 1, rows - 1, rows, rows + 1)}
        if any(table is None for table in tables.values()) or torch.equal(tables[0], tables[1]):
            continue
        rest = [table_at(module, n, {**arguments, name: start}) for start in range(n, rows, n)]
        if any(table is None for table in rest):
            continue
        whole = torch.cat([tables[0]] + rest)[:rows]
        if all(torch.equal(table, whole[(torch.arange(n) + start) % rows]) for start, table in tables.items()):
            return name, whole
    return None, None


def table_at(module, n, arguments):
    """The positions of a window; None if there are none, or forward() does not take that"""
    try:
        _, table = followed(module, n, arguments)
    except Refused:
        return None
    return None if table is None else table.table


def check_kind(kind, wanted, layout, query_index):
    """Whether what forward() does can be had of a kind of attention"""
    pools = [part for part in layout.parts if part.op in ("pool", "row")]
    tokens = [part for part in layout.parts if part.op == "token"]
    entry = next((entry for entry in layout.entries if entry.startswith("pool:")), None)
    layers = sum(part.op in ("layer", "block") for part in layout.parts)
    if layout.run.causal and kind not in ROW_KINDS:
        newest = entry in (None, "pool:last") and query_index in (None, -1)
        if wanted != "single-output" or layers > 1 or not newest or tokens:
            raise Refused("forward() gives the encoder a causal mask: say attention='recurrent-full' (every vector "
                          "sees all before it), or 'deep' (every layer sees the last sequence_len of its inputs)")
    if tokens and not pools:
        raise Refused(f"{tokens[0].place}: a class token is added, but every row is returned: return the class "
                      "token's row, or a pool")
    if pools and query_index is not None:
        raise Refused(f"query_index={query_index}: forward() takes {'a pool' if entry else 'a row'} of the window "
                      "itself: leave it out")
    if pools and kind == "retroactive":
        raise Refused("attention='retroactive' answers with every row of the window, but forward() returns one: leave "
                      "attention out, or export a module that returns all rows")
    if kind in ROW_KINDS:
        if tokens or (pools and entry != "pool:last"):
            raise Refused(f"attention={kind!r} answers each vector with a row of its own, but forward() returns "
                          f"{entry or 'a row'} of the window: pool the newest one (x[:, -1]), or leave attention out")
