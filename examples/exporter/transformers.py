# Modules of transformers: their layers under their own names, and what the names do not say
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The file holds the layers, with the norm and the positions that a folder of the same model would run (docs/families.md).
Norms, activations and frequencies are found in the modules, heads and windows in the configuration."""
import copy
import json

import torch
from torch import nn

from .model import Model, Refused, activation_name, class_name, library
from .parts import refuse_reparametrized
from .probes import is_norm_class, norm_of, theta_of

ACTIVATIONS = ("act_fn", "activation_fn", "intermediate_act_fn")
# Values of a configuration that can be run; without the attribute, or with None, the first one is meant
UNDERSTOOD = (
    ("quantization_config", (), "quantised weights"),
    ("is_decoder", (False,), "a causal mask"),
    ("add_cross_attention", (False,), "a second attention, to another sequence"),
    ("position_embedding_type", ("absolute",), "positions within the attention"),
    ("adapter_attn_dim", (), "an adapter in every layer"),
    ("attn_logit_softcapping", (), "logits that are capped"),
    ("use_bidirectional_attention", (False,), "attention to vectors that come later"),
    ("is_causal", (True,), "attention to vectors that come later"),
)


# ---- how a stack takes vectors, of shape (1, T, C) ----

def embeds(stack, x):
    return stack(inputs_embeds=x, use_cache=False)[0]


def embeds_first(stack, x):
    return stack(x, use_cache=False)[0]


def behind_embedder(stack, x):
    """The windows apply where there is a mask of padding; there is none here."""
    mask = torch.ones(x.shape[:2], dtype=torch.bool)
    stack.embedder.forward = lambda *args, **kwargs: (x, mask)
    return stack(torch.zeros(1, 1, dtype=x.dtype), attention_mask=mask)[0]


def one_by_one(stack, x):
    for layer in layers_of(stack):
        x = layer(x, None)
        x = x[0] if isinstance(x, tuple) else x
    return x


def between_positions_and_norm(stack, x):
    return stack.layer_norm(one_by_one(stack, x + stack.embed_positions.weight[:x.shape[1]]))


# ---- windows: the kind, and what says the window ----

def of_the_caller(config, n_layers):
    return {"attention": "single-output"}


def of_the_table(config, n_layers):
    return {"attention": "single-output", "sequence_len": config.max_source_positions, "position_index": "window"}


def of_each_layer(config, n_layers):
    pairs = [[int(left), max(0, int(right) - 1)] for left, right in config.sliding_windows[:n_layers]]
    if len(pairs) < n_layers:
        raise Refused(f"sliding_windows has {len(pairs)} pairs for {n_layers} layers")
    return {"attention": "deep", "attention_windows": pairs}


def all_so_far(config, n_layers):
    return {"attention": "recurrent-full"}


def sliding(config, n_layers):
    if config.sliding_window is None:
        return all_so_far(config, n_layers)
    return {"attention": "deep", "sequence_len": int(config.sliding_window)}


def sliding_by_type(config, n_layers):
    types = set(config.layer_types[:n_layers])
    if len(types) > 1:
        raise Refused(f"layer_types has {' and '.join(sorted(types))}: expected one of them for all layers, for this version "
                      "cannot mix layers with and without a window")
    return sliding(config, n_layers) if types == {"sliding_attention"} else all_so_far(config, n_layers)


class Family:
    """classes: of the stack; layers: its list; layout: with what is beside the list. feed: how it takes vectors; windows: what
    it says of the kind; norm_first: of the configuration, or of the stack"""

    def __init__(self, *classes, layers="layers", layout=None, feed, windows, norm_first):
        self.classes, self.layers, self.feed, self.windows, self.norm_first = classes, layers, feed, windows, norm_first
        self.layout = layout or [layers]


def stable(stack):
    return class_name(stack).endswith("StableLayerNorm")


FAMILIES = (
    Family("MimiTransformerModel", feed=embeds_first, windows=sliding, norm_first=True),
    Family("MoonshineStreamingEncoder", layout=["layers", "final_norm"], feed=behind_embedder, windows=of_each_layer,
           norm_first=True),
    Family("VoxtralRealtimeEncoder", layout=["layers", "norm"], feed=embeds, windows=sliding, norm_first=True),
    Family("LlamaModel", layout=["layers", "norm"], feed=embeds, windows=all_so_far, norm_first=True),
    Family("MistralModel", layout=["layers", "norm"], feed=embeds, windows=sliding, norm_first=True),
    Family("Qwen2Model", "Qwen3Model", layout=["layers", "norm"], feed=embeds, windows=sliding_by_type, norm_first=True),
    Family("BertEncoder", layers="layer", feed=one_by_one, windows=of_the_caller, norm_first=False),
    Family("ViTEncoder", layers="layer", feed=one_by_one, windows=of_the_caller, norm_first=True),
    Family("ViTModel", feed=one_by_one, windows=of_the_caller, norm_first=True),
    Family("Wav2Vec2Encoder", "Wav2Vec2EncoderStableLayerNorm", "HubertEncoder", "HubertEncoderStableLayerNorm",
           feed=one_by_one, windows=of_the_caller, norm_first=stable),
    Family("WhisperEncoder", layout=["positions:embed_positions", "layers", "layer_norm"], feed=between_positions_and_norm,
           windows=of_the_table, norm_first=True),
)
BY_CLASS = {name: family for family in FAMILIES for name in family.classes}
KNOWN = ", ".join(BY_CLASS)


def family_of(module):
    return BY_CLASS.get(class_name(module)) if library(module) == "transformers" else None


def layers_of(stack):
    return getattr(stack, family_of(stack).layers)


def is_of_transformers(module):
    return library(module) in ("transformers", "peft")


def find_stack(module, prefix):
    """The part that runs, and its name in the module"""
    root = module
    if prefix:
        try:
            root = module.get_submodule(prefix)
        except AttributeError as error:
            raise Refused(f"prefix={prefix}: {class_name(module)} has no such part: {error}") from error
    found = [(name, part) for name, part in root.named_modules() if family_of(part)]
    if found and "" in [name for name, _ in found]:
        found = [("", root)]
    if not found:
        raise Refused(f"{class_name(root)} of {library(root)} holds no stack of layers that is understood: expected one of "
                      f"{KNOWN}, or a model around one" + (". A list of layers does not say how it is run: export the module "
                                                           "that holds it" if isinstance(root, nn.ModuleList) else ""))
    name, stack = found[0]
    return stack, ".".join(filter(None, (prefix, name)))


# ---- what the module says ----

def check_config(config, where, checks):
    for key, values, why in checks:
        value = getattr(config, key, None)
        if value is not None and value not in values:
            raise Refused(f"{key}={value!r} of {where}: it means {why}, which a model file cannot say")


def check_calls(part, name):
    """Functions that others have put around the library's"""
    hooks = list(part._forward_hooks.values()) + list(part._forward_pre_hooks.values())
    if any(not getattr(hook, "__module__", "").startswith("transformers.") for hook in hooks):
        raise Refused(f"{name} has hooks (register_forward_hook), which may change what it computes: remove them before "
                      "the export")
    forward = vars(part).get("forward")
    if forward is not None and not getattr(forward, "__module__", "").startswith(("transformers.", "torch.")):
        raise Refused(f"{name} has a forward() of its own, set on the module: expected that of {class_name(part)}; remove it "
                      "before the export")


def check_classes(stack, names):
    """Parts that others have put in place of the library's: adapters, quantised maps"""
    check_calls(stack, class_name(stack))
    for name, part in stack.named_modules():
        if not any((name + ".").startswith(one + ".") for one in names):
            continue
        module = type(part).__module__
        if not module.startswith(("transformers.", "torch.nn.")):
            raise Refused(f"{name} is a {class_name(part)} of {library(part)}: expected a part of transformers or torch. An "
                          "adapter is merged into the weights first (merge_and_unload()), and quantised weights are "
                          "dequantised (dequantize())")
        maps = [key for key, tensor in part._parameters.items() if tensor is not None and tensor.dim() > 1]
        if maps and type(part) not in (nn.Linear, nn.Embedding) or any(
                type(tensor) not in (torch.Tensor, nn.Parameter) for tensor in part._parameters.values() if tensor is not None):
            raise Refused(f"{name} is a {class_name(part)} with {maps[0] if maps else 'weights'} of its own kind: expected an "
                          "nn.Linear with plain weights; quantised weights are dequantised first (dequantize())")
        check_calls(part, name)


def check_causal(stack, says):
    """sdpa follows the attribute where there is no mask"""
    if says["attention"] == "single-output" or "attention_windows" in says:
        return
    for name, part in stack.named_modules():
        if getattr(part, "is_causal", True) is False:
            raise Refused(f"{name}.is_causal is False: it means attention to vectors that come later, which {says['attention']} "
                          "does not have")


def say_norms(model, stack, names):
    norms = [(name, part) for name, part in stack.named_modules()
             if is_norm_class(part) and any((name + ".").startswith(one + ".") for one in names)]
    inner = [name for name, _ in norms]
    for name, part in norms:
        if any(name.startswith(other + ".") for other in inner):
            continue
        width = max((p.numel() for p in part.parameters()), default=0)
        if not width:
            raise Refused(f"{name}, a {class_name(part)}, has no weights: expected a norm with a gain")
        norm = norm_of(part, width)
        if norm is None:
            raise Refused(f"{name}, a {class_name(part)}, is no norm that a model file can say: expected a layer norm or an "
                          "RMS norm")
        model.facts.say("norm_type", norm.kind, name)
        model.facts.say("layer_norm_eps", norm.eps, name)
        if any(key.endswith("gamma") for key, _ in part.named_parameters()):
            model.facts.say("norm_unit_offset", True, name)


def say_activation(model, stack, layers):
    found = {}
    for name, part in stack.named_modules():
        if name.startswith(layers + "."):
            found.update({name: getattr(part, key) for key in ACTIVATIONS if getattr(part, key, None) is not None})
    for name, function in found.items():
        if not any(other.startswith(name + ".") for other in found):  # a layer may keep one that its feed-forward has
            model.facts.say("activation", activation_name(function, name), name)


def say_rotary(model, stack):
    """Layers share a module of frequencies, or have one each"""
    for name, part in stack.named_modules():
        inv_freq = getattr(part, "inv_freq", None)
        if inv_freq is None:
            continue
        kind = getattr(part, "rope_type", "default")
        if kind != "default" or getattr(part, "attention_scaling", 1.0) != 1.0:
            raise Refused(f"{name} has rotary positions of rope_type {kind!r}: expected 'default', for another type scales the "
                          "angles, which a model file cannot say")
        model.facts.say("rope_theta", theta_of(inv_freq, name), name)


def say_heads(model, stack, config, layers):
    model.facts.say("nhead", int(config.num_attention_heads), "the configuration")
    for name, part in stack.named_modules():
        if name.startswith(layers + ".") and hasattr(part, "head_dim") and hasattr(part, "k_proj"):
            size = int(part.head_dim)
            model.facts.say("head_dim", size, name)
            model.facts.say("num_key_value_heads", part.k_proj.weight.shape[0] // size, name)


def choose(says, wanted, sequence_len, stack):
    """What is written of the kind and the window"""
    said = says["attention"]
    if wanted is not None and wanted != said and (said, wanted) != ("single-output", "retroactive"):
        raise Refused(f"attention={wanted!r}: {class_name(stack)} is {said}" + (
            " or retroactive" if said == "single-output" else ", by its mask"))
    windows = says.get("sequence_len") if said == "deep" else says.get("attention_windows")
    if said == "deep" and sequence_len is not None and sequence_len != windows:
        raise Refused(f"sequence_len={sequence_len}: the window of {class_name(stack)} is {windows}: leave sequence_len out")
    if says.get("position_index") == "window" and (sequence_len or 0) > says["sequence_len"]:
        raise Refused(f"sequence_len={sequence_len}: {class_name(stack)} has positions for {says['sequence_len']} vectors")
    return {**says, "attention": wanted or said}


class Stack:
    """For the proof: layers that are run on vectors"""

    def __init__(self, stack, feed, width):
        self.stack, self.feed, self.width = stack, feed, width

    def rows(self, x):
        """x (T, C): (T, D) in double precision"""
        stack = copy.deepcopy(self.stack).cpu().double().eval()
        for part in stack.modules():
            config = getattr(part, "config", None)
            if hasattr(config, "_attn_implementation") and config._attn_implementation != "eager":
                config._attn_implementation = "sdpa"
        with torch.no_grad():
            return self.feed(stack, x.double()[None])[0].double()


def describe_transformers(module, prefix, attention, sequence_len):
    """The Model of the layers in a module of transformers"""
    stack, where = find_stack(module, prefix)
    family, config = family_of(stack), stack.config
    where = where or class_name(stack)
    names = [entry.split(":")[-1] for entry in family.layout]
    n_layers = len(layers_of(stack))
    for one, name in ((getattr(module, "config", None), class_name(module)), (config, where)):
        check_config(one, name, UNDERSTOOD if one is config else UNDERSTOOD[:1])
    check_classes(stack, names)
    refuse_reparametrized(layers_of(stack), f"{where}.{family.layers}")
    if getattr(config, "num_hidden_layers", n_layers) != n_layers:
        raise Refused(f"{where} has {n_layers} layers, its configuration says {config.num_hidden_layers}: set "
                      "config.num_hidden_layers to what is there")
    model = Model()
    for name, tensor in stack.state_dict().items():
        if name.startswith(tuple(one + "." for one in names)) and not name.endswith(".inv_freq"):
            model.put(name, tensor)
    for name in names:
        if not any(key.startswith(name + ".") for key in model.tensors):
            raise Refused(f"{where}.{name} is a {class_name(stack.get_submodule(name))} without weights: expected that of the "
                          "library")
    say_heads(model, stack, config, family.layers)
    say_norms(model, stack, names)
    say_activation(model, stack, family.layers)
    say_rotary(model, stack)
    before = family.norm_first(stack) if callable(family.norm_first) else family.norm_first
    model.facts.say("norm_first", before, where)
    wanted = attention.replace("_", "-") if attention else None
    says = family.windows(config, n_layers)
    check_causal(stack, says)
    model.facts.values.update(choose(says, wanted, sequence_len, stack))
    model.facts.values["layout"] = json.dumps(family.layout)
    model.run = Stack(stack, family.feed, int(config.hidden_size))
    return model
