# From a tree of modules to embedding, positions, layers, norms and head
# SPDX-License-Identifier: LGPL-2.1-or-later
import torch
from torch import nn

from .layers import bare_fast, layer_writer, softmax_attention
from .model import Model, Refused, class_name, plain

SOFTMAX = ("single-output", "retroactive", "deep", "recurrent-full")


def join(name, child):
    return f"{name}.{child}" if name else child


class Positions:
    def __init__(self, name, table):
        shape = tuple(table.shape)
        if len(shape) < 2 or table.numel() != shape[-1] * max(shape[:-1]):
            raise Refused(f"{name} has the shape {shape}: expected a table of positions (P, E)")
        self.table = table


def positions_of(name, module):
    """The one table of a child that adds table[t mod P]"""
    tables = [t for t in list(module.parameters()) + list(module.buffers()) if t.is_floating_point()]
    if len(tables) != 1:
        raise Refused(f"{name}: expected one table of positions, found {len(tables)} tensors")
    return Positions(name, tables[0])


NOTHING = (nn.Identity, nn.modules.dropout._DropoutNd)
TORCH_ONLY = (nn.Transformer, nn.TransformerDecoder, nn.TransformerDecoderLayer)
WHOLE = (nn.MultiheadAttention, nn.Linear, nn.LayerNorm)


def is_own_class(module):
    return not isinstance(module, (nn.Sequential, nn.ModuleList, nn.TransformerEncoder))


def pieces(name, module, positions):
    """The parts of a module in the order of use, as (name, part). positions: the name of the part that is one"""
    module = plain(module)
    if isinstance(module, NOTHING):
        return []
    if isinstance(module, torch.jit.ScriptModule):
        raise Refused(f"{name or 'the module'} is scripted, its attributes are gone: export it before torch.jit")
    if isinstance(module, TORCH_ONLY):
        raise Refused(f"{name or 'the module'} is a {class_name(module)}: model files have decoders as fast_transformers' "
                      "TransformerDecoder names its parts; copy the weights into one")
    if name == positions or class_name(module) == "RecyclingPositionalEncoding":
        return [(name, positions_of(name, module))]
    if layer_writer(module) or isinstance(module, WHOLE) or hasattr(module, "inner_attention"):
        return [(name, module)]
    found = [(join(name, key), Positions(join(name, key), parameter)) for key, parameter in module._parameters.items()
             if parameter is not None and join(name, key) == positions]
    children = {key: child for key, child in module._modules.items() if child is not None}
    shared = [key for key, child in children.items() if list(child.parameters())
              and [id(other) for other in children.values()].count(id(child)) > 1]
    if shared:
        raise Refused(f"{join(name, shared[0])} is used {len(shared)} times: a model file has every layer once. Make each a layer of its own "
                      "(copy.deepcopy) and train on")
    for key, child in children.items():
        if (class_name(module) == "TransformerEncoder" and key == "layers" and len(child)
                and class_name(child[-1]) == "Lambda" and not isinstance(plain(child[-1]), nn.Sequential)):
            child = child[:-1]  # continual-inference's last one takes the newest position
        found += pieces(join(name, key), child, positions)
    if not children and not found:
        raise Refused(f"{name or 'the module'} is a {class_name(module)}, which a model file has no place for: expected an "
                      "embedding (Linear), positions, an encoder or attention, a LayerNorm, a head (Linear); if it adds "
                      f"table[t mod P] say positions={name!r}")
    if is_own_class(module):  # a parameter is registered at no place in particular
        tables = [part for part in found if isinstance(part[1], Positions)]
        others = [part for part in found if part not in tables]
        first = next((i for i, (_, part) in enumerate(others) if is_core(part)), len(others))
        found = others[:first] + tables + others[first:]
    return found


def is_core(part):
    return not isinstance(part, (Positions, nn.Linear, nn.LayerNorm))


def write_parts(model, parts):
    """Puts the parts under the names embed, positions, encoder, norm, head. They must stand in that order."""
    core = [i for i, (_, part) in enumerate(parts) if is_core(part)]
    if not core:
        raise Refused("there is no attention in this module: expected an encoder or an attention")
    first, last = core[0], core[-1]
    if core != list(range(first, last + 1)):
        raise Refused(f"{parts[first][0]} and {parts[last][0]} have something between them: a model file has one encoder "
                      "whose layers follow each other")
    bare = layer_writer(parts[first][1]) is None
    if bare and last > first:
        raise Refused(f"{parts[first][0]} and {parts[last][0]} are attentions without layers: a model file has one of them")
    before, after = parts[:first], parts[last + 1:]
    alone = not before and all(isinstance(part, nn.LayerNorm) for _, part in after) and len(after) < 2
    encoder = "" if alone else "attention." if bare else "encoder."
    for i, (name, part) in enumerate(parts[first:last + 1]):
        if not bare:
            layer_writer(part)(model, name or "the layer", part, f"{encoder}layers.{i}.")
        elif hasattr(part, "inner_attention"):
            bare_fast(model, name or "the attention", part, encoder)
        else:
            softmax_attention(model, name or "the attention", part, encoder)
    write_before(model, before)
    write_after(model, after, encoder)


def write_before(model, parts):
    for name, part in parts:
        if isinstance(part, nn.Linear) and not {"embed.weight", "positions.weight"} & set(model.tensors):
            model.put_linear("embed", part)
        elif isinstance(part, Positions) and "positions.weight" not in model.tensors:
            model.put("positions.weight", part.table)
            model.tensors["positions.weight"] = model.tensors["positions.weight"].reshape(-1, part.table.shape[-1])
        else:
            raise Refused(f"{name}, a {class_name(part)}, stands before the encoder: expected at most an embedding (Linear) "
                          "and then positions")


def write_after(model, parts, encoder):
    norms = [part for part in parts if isinstance(part[1], nn.LayerNorm)]
    head = [part for part in parts if not isinstance(part[1], nn.LayerNorm)]
    if len(norms) > 2 or len(head) > 1 or parts != norms + head or any(not isinstance(p, nn.Linear) for _, p in head):
        raise Refused(f"behind the encoder stand {', '.join(f'{n} ({class_name(p)})' for n, p in parts)}: expected at most "
                      "a LayerNorm and then a head (Linear)")
    for name, (_, part) in zip([encoder + "norm", "norm"] if encoder != "attention." else ["norm"], norms):
        model.put_norm(name, part)
    for _, part in head:
        model.put_linear("head", part)


def check_all_used(model, module):
    saved = module.state_dict(keep_vars=True)
    for name, tensor in saved.items():
        if torch.is_tensor(tensor) and tensor.is_floating_point() and id(tensor) not in model.used:
            raise Refused(f"nothing of the model file would use {name}: the module does something with it that a model file "
                          "cannot express")


def check_kinds(kinds):
    if len(set(kinds)) == 1:
        return
    if kinds[0] == "retroactive" and kinds[-1] == "single" and set(kinds[1:-1]) <= {"retroactive", "any"}:
        return
    raise Refused(f"its layers are {', '.join(kinds)}: expected one kind, or a retroactive one first and a single-output "
                  "one last as continual-inference's TransformerEncoder has them")


def own_kind(kinds):
    """What the layers say; None if they leave it open"""
    check_kinds(kinds)
    if kinds[-1] == "single":
        return "deep" if kinds[0] == "single" and len(kinds) > 1 else "single-output"
    return None if kinds[-1] == "any" else kinds[-1]


def choose_kind(model, wanted):
    own = own_kind(model.kinds)
    fast = any("query_projection" in name for name in model.tensors)
    if wanted is None:
        if own is None and model.decoder:
            raise Refused("a decoder with full attention is not causal by itself: say attention='recurrent-full' if it was "
                          "trained with a triangular mask")
        if own is None and fast:
            raise Refused("full attention of fast_transformers takes its mask in forward(): say attention='recurrent-full' "
                          "if it was trained with a triangular mask, or 'single-output' (with sequence_len) if without one")
        return own or "single-output"
    wanted = wanted.replace("_", "-")
    possible = [own] if own and own.startswith("recurrent") else ["recurrent-full"] if model.decoder else SOFTMAX
    if wanted not in possible:
        raise Refused(f"attention {wanted}: this module's weights are for {' or '.join(possible)}")
    return wanted


def say_kind(model, kind):
    if model.decoder:
        model.facts.say("architecture", "decoder", "it")
        model.facts.say("self_attention", kind, "it")
    else:
        model.facts.say("attention", kind, "it")


def describe_attributes(module, attention, positions):
    """By what the attributes say, for modules whose forward() is known: attentions, layers and encoders of torch, and what
    continual-inference and fast_transformers are made of"""
    model = Model()
    write_parts(model, pieces("", module, positions or "positions"))
    check_all_used(model, module)
    say_kind(model, choose_kind(model, attention))
    return model
