# KernelAttention of TensorFlow Models
# SPDX-License-Identifier: LGPL-2.1-or-later
from .model import Model, Refused, class_name

KERAS_WEIGHTS = [f"{part}/{kind}" for part in ("query", "key", "value", "attention_output") for kind in ("kernel", "bias")]


def describe_keras(layer):
    """KernelAttention of TensorFlow Models, by its attributes"""
    if not hasattr(layer, "_feature_transform"):
        raise Refused(f"{class_name(layer)} is a Keras attention without a feature transform: expected KernelAttention")
    for wrong, reason in (
            (not layer.use_causal_windowed, "use_causal_windowed=False: every vector attends to the whole sequence, which a "
             "stream does not have"),
            (layer._is_short_seq, "is_short_seq: it takes a softmax over the whole sequence, which a stream does not have"),
            (layer._begin_kernel, "begin_kernel: the vectors before it take a softmax over the whole sequence, which a "
             "stream does not have"),
            (layer._scale_by_length, "scale_by_length: it scales by the length of the whole sequence"),
            (layer.causal_padding == "left", "causal_padding='left': it depends on the length of the whole sequence"),
            (layer._feature_transform == "expplus", "feature_transform='expplus': it needs statistics of all queries and "
             "keys of the sequence before it can map the first one")):
        if wrong:
            raise Refused(f"KernelAttention with {reason}; train without it")
    model = Model()
    say = lambda key, value: model.facts.say(key, value, "the layer")
    say("attention", "kernel")
    say("num_heads", int(layer._num_heads))
    say("feature_transform", layer._feature_transform)
    say("scale", float(layer._scale))
    say("causal_chunk_length", int(layer.causal_chunk_length))
    say("causal_window_length", int(layer.causal_window_length))
    if layer.causal_window_decay is not None:
        say("causal_window_decay", float(layer.causal_window_decay))
    random = max(int(layer._num_random_features), 0)
    say("num_random_features", random)
    if random and layer._projection_matrix is None:
        raise Refused("the layer has num_random_features but no _projection_matrix: build it as it was trained")
    if random:
        model.tensors["projection_matrix"] = layer._projection_matrix
    for weight in layer.weights:
        path = (getattr(weight, "path", None) or weight.name).split(":")[0]
        name = next((n for n in KERAS_WEIGHTS if path == n or path.endswith("/" + n)), None)
        if name:
            model.tensors[name.replace("/", ".")] = weight
        elif "seed_generator" not in path:
            raise Refused(f"nothing of the model file would use the weight {path}")
    for name in KERAS_WEIGHTS[::2]:
        if name.replace("/", ".") not in model.tensors:
            raise Refused(f"the layer has no weight {name}: call it once on data so that it is built, or load its weights")
    return model
