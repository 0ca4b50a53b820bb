# From the parts of forward() to the names, tensors and settings of a model file
# SPDX-License-Identifier: LGPL-2.1-or-later
import json
import re

import torch
from torch import nn

from .chain import check_order, common_module, parts_of
from .flow import Fixed
from .layers import softmax_attention, torch_layer
from .model import Model, Refused
from .own_blocks import is_heads, write_block

ACTIVATIONS = ("relu", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid", "elu", "leaky_relu", "identity")
OPERATION_NAMES = ACTIVATIONS + ("softmax", "log_softmax")
# Left out of a name by the loader
WRAPPERS = ("module", "_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module", "_forward_module", "fn",
            "_ff_block")


# What a norm may call its gain
GAINS = ("weight", "w", "g", "gamma", "gain", "scale")


class Namer:
    """Names of entries: the state dict's where they are free, and mean nothing else"""

    def __init__(self):
        self.taken = set()

    def take(self, wanted, instead):
        parts = [part for part in wanted.split(".") if part not in WRAPPERS]
        name = ".".join(parts) or instead
        if name in OPERATION_NAMES or ":" in name:
            name = instead
        free, i = name, 1
        while any((free + ".").startswith(other + ".") or other.startswith(free + ".") for other in self.taken):
            free, i = f"{name.replace('.', '_')}_{i}", i + 1
        self.taken.add(free)
        return free


def source_name(made_of, *endings):
    """The one parameter that something is made of, without its last name where that is one of endings; "" for none"""
    sources = sorted(made_of.sources)
    if len(sources) != 1 and made_of.exact is None:
        return ""
    name = made_of.exact or sources[0]
    head, _, tail = name.rpartition(".")
    return head if tail in endings and head else name


class Layout:
    """What is written for a chain of parts"""

    def __init__(self, module, run):
        self.module, self.run = module, run
        self.model, self.namer, self.entries = Model(), Namer(), []
        self.tensors = named_tensors(module)
        self.parts = parts_of(run.flow.node)
        self.first, self.last = check_order(self.parts)
        self.query_index, self.counted = None, False

    def write(self):
        core = self.parts[self.first:self.last + 1]
        before, after = self.parts[:self.first], self.parts[self.last + 1:]
        encoder, own_norm = self.encoder_names(core, after)
        for part in before:
            self.put(part)
        self.put_encoder(core, encoder)
        if own_norm:
            self.put_norm(own_norm, after.pop(0))
        for part in after:
            self.put(part)
        if self.model.facts.values.get("norm_type") == "layer" and not is_heads(core[0]):
            del self.model.facts.values["norm_type"]  # the default, for the names that torch gives
        if self.model.facts.values.get("rope_theta", 0) is None:
            del self.model.facts.values["rope_theta"]
        self.model.facts.say("layout", json.dumps(self.entries, ensure_ascii=False), "forward()")
        return self.model

    # ---- the encoder ----

    def encoder_names(self, core, after):
        """Prefixes of the layers' tensors, and the name of the norm that belongs to them, if one follows"""
        if len({is_heads(part) for part in core}) > 1:
            raise Refused("some layers have an nn.MultiheadAttention, others an attention written by hand: model files have "
                          "layers of one library")
        names = [part.name for part in core]
        if core[0].op == "block":
            names = [common_module(part) for part in core]
        own_list = is_heads(core[0])  # the names of their libraries have no norm in the list's module
        lists = {re.sub(r"\.?\d+$", "", name) for name in names}
        numbers = [re.search(r"(\d+)$", name) for name in names]
        others = [name for part in self.parts for name in source_names(part)]
        norm = after[0] if after and after[0].op == "norm" and after[0].weight else None
        norm_name = source_name(norm.weight[1], *GAINS) if norm else None
        wanted, inner = None, "layers."
        if core[0].op == "attention":
            wanted, inner = names[0], ""
        elif len(lists) == 1 and all(numbers) and [int(m[1]) for m in numbers] == list(range(len(core))):
            wanted = lists.pop()
            if own_list or not wanted.endswith(".layers"):
                inner = "" if wanted else inner
            else:
                parent = wanted[:-len(".layers")]
                if not any(name.startswith(parent + ".") and name != norm_name for name in others) or not parent:
                    wanted = parent
                else:
                    inner = ""
        elif len(core) == 1:
            wanted = names[0]
        name = self.namer.take(wanted or "encoder", "encoder")
        self.entry = name
        own = norm_name if norm and inner and norm_name == f"{wanted}.norm" else None
        if core[0].op == "attention":
            return [name + "."], None
        return [f"{name}.{inner}{i}." for i in range(len(core))], f"{name}.norm" if own else None

    def put_encoder(self, core, prefixes):
        self.entries.append(self.entry)
        for part, prefix in zip(core, prefixes):
            if part.op == "layer":
                self.model.facts.say("norm_type", "layer", part.name)
                torch_layer(self.model, part.name, self.original(part.name), prefix)
            elif part.op == "attention":
                softmax_attention(self.model, part.name, self.original(part.name), prefix)
            else:
                write_block(self, part, prefix)

    def original(self, name):
        return self.module.get_submodule(name) if name else self.module

    # ---- the parts around it ----

    def put(self, part):
        getattr(self, "write_" + part.op)(part)

    def put_tensor(self, name, item, shape=None):
        """item: a tensor and what it is made of; as the module has it, if it is one of its own"""
        tensor, made_of = item
        own = self.tensors.get(made_of.exact)
        if own is not None and own.shape == tensor.shape:
            tensor = own.detach()
        elif tensor.dtype == torch.float64:
            tensor = tensor.float()
        self.model.tensors[name] = tensor if shape is None else tensor.reshape(shape)

    def put_linear(self, name, part):
        self.put_tensor(name + ".weight", part.weight)
        if part.bias is not None:
            self.put_tensor(name + ".bias", part.bias)

    def put_norm(self, name, part):
        self.say_norm(part.kind, part.eps, name)
        if part.weight is None:
            self.model.tensors[name + ".weight"] = torch.ones(part.size)
        else:
            self.put_tensor(name + ".weight", part.weight)
        if part.bias is not None:
            self.put_tensor(name + ".bias", part.bias)

    def say_norm(self, kind, eps, name):
        self.model.facts.say("norm_type", kind, name)
        self.model.facts.say("layer_norm_eps", eps, name)

    def named(self, made_of, instead, *endings):
        name = self.namer.take(source_name(made_of, *endings), instead)
        self.entries.append(name)
        return name

    def write_linear(self, part):
        self.put_linear(self.named(part.weight[1], "linear", "weight"), part)

    def write_norm(self, part):
        name = self.namer.take(source_name(part.weight[1], *GAINS) if part.weight else "norm", "norm")
        self.entries.append(name)
        self.put_norm(name, part)

    def write_batch_norm(self, part):
        name = self.named(part.mean[1], "batch_norm", "running_mean")
        n = part.mean[0].shape[0]
        eps = self.model.facts.values.setdefault("batch_norm_eps", part.eps)
        self.put_tensor(name + ".running_mean", part.mean)
        for key, value in (("weight", torch.ones(n)), ("bias", torch.zeros(n))):
            self.put_tensor(f"{name}.{key}", getattr(part, key) or (value, Fixed()))
        if eps == part.eps:
            self.put_tensor(name + ".running_var", part.var)
        else:  # a file has one epsilon: the deviation goes into the gain
            gain = self.model.tensors[name + ".weight"].double().cpu() / torch.sqrt(part.var[0].double() + part.eps)
            self.model.tensors[name + ".weight"] = gain.float()
            self.model.tensors[name + ".running_var"] = torch.full((n,), 1 - eps)

    def write_each(self, part):
        """A batch norm with a variance of 1 is a map of each feature."""
        n = part_width(self.parts, part, self.run)
        eps = self.model.facts.values.setdefault("batch_norm_eps", 1e-5)
        name = self.named(part.made_of, "normalize")
        for key, value in (("running_mean", part.minus), ("running_var", torch.tensor(1 - eps)), ("weight", part.times),
                           ("bias", part.plus)):
            self.model.tensors[f"{name}.{key}"] = value.double().expand(n).float().contiguous()

    def write_scale(self, part):
        self.entries.append(f"scale:{part.number!r}")

    def write_positions(self, part):
        source = source_name(part.made_of)
        whole = self.tensors.get(source)
        n, width = part.table.shape
        self.counted = True
        table = part.table.float() if part.table.dtype == torch.float64 else part.table
        if whole is not None and whole.dim() > 1 and whole.shape[-1] == width:
            first_rows = whole.detach().cpu().reshape(-1, width)[:n].to(part.table.dtype)
            if torch.equal(first_rows, part.table):
                table = whole.detach()  # all of it: the window may be set longer
        owner = source.rpartition(".")[0]
        if source.endswith(".weight") and isinstance(self.original(owner), nn.Embedding):
            name = self.namer.take(owner, "positions")
            self.entries.append("positions:" + name)
            self.model.tensors[name + ".weight"] = table.reshape(-1, width)
            return
        name = self.namer.take(source_name(part.made_of, "pe", "weight", "pattern"), "positions")
        self.entries.append(name)
        fits = table.dim() == 2 or table.dim() == 3 and 1 in table.shape[:2] and table.shape[:2] != (1, 1)
        self.model.tensors[name] = table if fits else table.reshape(-1, width)

    def write_token(self, part):
        name = self.named(part.made_of, "cls_token", "weight")
        whole = self.tensors.get(part.made_of.exact)
        if whole is not None and whole.numel() == part.token.numel():
            token = whole.detach()
        else:
            token = part.token.float() if part.token.dtype == torch.float64 else part.token
        self.model.tensors[name] = token.reshape(1, 1, -1)

    def write_pool(self, part):
        self.entries.append("pool:" + part.kind)

    def write_row(self, part):
        has_token = any(other.op == "token" for other in self.parts)
        if any(other.op == "attention" for other in self.parts):  # a bare one has no pools
            self.query_index = part.row - part.rows
        elif part.row == part.rows - 1:
            self.entries.append("pool:last")
        elif part.row == 0:
            self.entries.append("pool:cls" if has_token else "pool:first")
        elif has_token:
            raise Refused(f"{part.place}: row {part.row} of the window is taken: beside a class token that is "
                          "possible for the class token, the first and the last row")
        else:
            self.query_index = part.row

    def write_activation(self, part):
        self.entries.append(part.name)

    def write_softmax(self, part):
        self.entries.append("softmax")

    def write_log_softmax(self, part):
        self.entries.append("log_softmax")


def named_tensors(module):
    found = {}
    for name, part in module.named_modules():
        for table in (part._parameters, part._buffers):
            found.update({f"{name}.{key}".lstrip("."): tensor for key, tensor in table.items() if tensor is not None})
    return found


def source_names(part):
    """Names of the parameters that a part around the encoder is made of"""
    if part.op in ("layer", "block", "attention"):
        return []
    items = [getattr(part, key, None) for key in ("weight", "mean")]
    made_of = [item[1] for item in items if isinstance(item, tuple)] + [getattr(part, "made_of", None)]
    return [name.rpartition(".")[0] if name.endswith((".weight", ".running_mean")) else name
            for m in made_of if m is not None for name in m.sources]


def part_width(parts, part, run):
    """Features that a part takes: those of the last one before it that says so"""
    width = run.width
    for other in parts[:parts.index(part)]:
        if other.op == "linear":
            width = other.weight[0].shape[0]
    return width
