#!/usr/bin/env python3
"""Compares this library with transformers, whose code is the truth, on every family of models that config.json may name.

usage: CONTINUAL_LIB=build/core/libcontinual.so tests/interop/families.py [WORD...]    (only cases whose names have a WORD)

Makes the modules of each family with random weights at several sizes, alone and as part of a whole model, saves them with
save_pretrained() and as plain state dicts, runs the folders as they are through libcontinual in chunks of 1 and 7, and the
module in float64. Needs
torch and transformers 5.12; exits with 77 where they are missing. SPDX-License-Identifier: LGPL-2.1-or-later
"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "export"))

try:
    import torch
    import transformers as hf
    from safetensors.torch import save_file
    from transformers.models.moonshine_streaming.modeling_moonshine_streaming import MoonshineStreamingEncoder
except ImportError as error:
    print(f"SKIP: {error}: install torch and transformers")
    sys.exit(77)

import core

TOLERANCE = 1e-4
STEPS = 70
WINDOW = 6
DEFAULT_ROPE = {"rope_type": "default"}
PARTIAL = {"warm_up": "partial"}        # of no effect where there is no window


def randomize(model, seed):
    """Weights at which every part matters: those of the initialisation leave most branches near zero."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, parameter[0].numel() ** -0.5)
            else:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return model.eval()


# ---- the truth: outputs (T, E) of the module for vectors x (T, E) ----

def causal(part):
    return lambda model, x: part(model)(inputs_embeds=x[None], use_cache=False).last_hidden_state[0]


def mimi(name):
    return lambda model, x: getattr(model, name)(x[None])[0][0]


def moonshine(part):
    def run(model, x):
        encoder = part(model)
        encoder.embedder.forward = lambda values, padding_mask=None: (values, padding_mask)
        # Without a mask the module would see the whole sequence.
        return encoder(x[None], attention_mask=torch.ones(1, len(x), dtype=torch.bool)).last_hidden_state[0]

    return run


def windows(forward):
    """The newest position of each window"""
    return lambda model, x: torch.stack([forward(model, x[t : t + WINDOW][None])[0, -1] for t in range(len(x) - WINDOW + 1)])


def first(output):
    return output if torch.is_tensor(output) else output[0]


def layers(part):
    def forward(model, x):
        for layer in part(model):
            x = first(layer(x))
        return x

    return windows(forward)


def whisper(part):
    def forward(model, x):
        encoder = part(model)
        x = x + encoder.embed_positions.weight[: x.shape[1]]
        for layer in encoder.layers:
            x = first(layer(x, None))
        return encoder.layer_norm(x)

    return windows(forward)


# ---- cases: name, class of the model, its configuration, the truth, options of the library ----

def sizes(**more):
    """Two sizes; the second has fewer key heads, and heads whose size is not hidden_size / heads."""
    small = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4)
    large = dict(hidden_size=40, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
                 head_dim=12)
    return [("small", small | more), ("large", large | more)]


def without(config, *keys):
    return {key: value for key, value in config.items() if key not in keys}


def text_cases():
    variants = {
        "Llama": [{}, dict(rope_parameters=DEFAULT_ROPE | {"rope_theta": 500.0}, rms_norm_eps=0.01, hidden_act="gelu_new"),
                  dict(attention_bias=True, mlp_bias=True)],
        "Mistral": [dict(sliding_window=9), dict(sliding_window=None, rope_parameters=DEFAULT_ROPE | {"rope_theta": 1e6})],
        "Qwen2": [{}, dict(use_sliding_window=True, sliding_window=7, max_window_layers=0),
                  dict(use_sliding_window=True, sliding_window=7)],
        "Qwen3": [{}, dict(attention_bias=True, rms_norm_eps=0.01),
                  dict(use_sliding_window=True, sliding_window=5, layer_types=["sliding_attention"])],
    }
    for family, differences in variants.items():
        for i, different in enumerate(differences):
            for size, config in sizes(vocab_size=11, **different):
                if family == "Qwen2":  # it has no head_dim
                    config = without(config, "head_dim")
                if family == "Qwen3":
                    config.setdefault("head_dim", 6)
                if "layer_types" in config:
                    config["layer_types"] = config["layer_types"] * config["num_hidden_layers"]
                config = getattr(hf, family + "Config")(**config)
                name = f"{family.lower()}-{i}-{size}"
                yield name, getattr(hf, family + "Model"), config, causal(lambda m: m), PARTIAL
                yield name + "-lm", getattr(hf, family + "ForCausalLM"), config, causal(lambda m: m.model), PARTIAL


def streaming_cases():
    codec = dict(num_filters=2, upsampling_ratios=[2, 2], codebook_size=8, codebook_dim=8, num_quantizers=2,
                 vector_quantization_hidden_dimension=8)
    for different in dict(sliding_window=6), dict(sliding_window=11, attention_bias=True, hidden_act="silu", norm_eps=0.01):
        for size, config in sizes(**different):
            config = hf.MimiConfig(**config, **codec, upsample_groups=config["hidden_size"])
            for name in "encoder_transformer", "decoder_transformer":
                yield (f"mimi-{different['sliding_window']}-{size}-{name[:7]}", hf.MimiModel, config, mimi(name),
                       dict(prefix=name, **PARTIAL))

    pairs = [[5, 3], [7, 0], [4, 2]]
    for size, config in sizes(sliding_windows=pairs):
        encoder = hf.MoonshineStreamingEncoderConfig(**config, attention_bias=size == "large")
        whole = hf.MoonshineStreamingConfig(encoder_config=encoder.to_dict(), vocab_size=11, **without(config, "sliding_windows"))
        yield f"moonshine-{size}", MoonshineStreamingEncoder, encoder, moonshine(lambda m: m), PARTIAL
        yield f"moonshine-{size}-whole", hf.MoonshineStreamingModel, whole, moonshine(lambda m: m.encoder), PARTIAL
        yield (f"moonshine-{size}-asr", hf.MoonshineStreamingForConditionalGeneration, whole,
               moonshine(lambda m: m.model.encoder), PARTIAL)

    for size, config in sizes(sliding_window=8):
        heads = without(config, "num_key_value_heads")
        encoder = hf.VoxtralRealtimeEncoderConfig(**({"head_dim": 4} | heads), num_mel_bins=8, rms_norm_eps=0.01,
                                                  rope_parameters=DEFAULT_ROPE | {"rope_theta": 1e6})
        whole = hf.VoxtralRealtimeConfig(audio_config=encoder.to_dict(),
                                         text_config=dict(config, vocab_size=11, model_type="voxtral_realtime_text"))
        yield f"voxtral-{size}", hf.VoxtralRealtimeEncoder, encoder, causal(lambda m: m), PARTIAL
        yield (f"voxtral-{size}-whole", hf.VoxtralRealtimeForConditionalGeneration, whole,
               causal(lambda m: m.model.audio_tower), PARTIAL)


def window_cases():
    for size, config in sizes():
        config = without(config, "num_key_value_heads", "head_dim")
        N = dict(sequence_len=str(WINDOW))
        bert = hf.BertConfig(**config, vocab_size=11, hidden_act="gelu_new")
        yield f"bert-{size}", hf.BertModel, bert, layers(lambda m: m.encoder.layer), N
        yield f"bert-{size}-head", hf.BertForSequenceClassification, bert, layers(lambda m: m.bert.encoder.layer), N
        vit = hf.ViTConfig(**config, image_size=8, patch_size=4, qkv_bias=size == "small")
        yield f"vit-{size}", hf.ViTModel, vit, layers(lambda m: getattr(m, "layers", None) or m.encoder.layer), N
        yield (f"vit-{size}-head", hf.ViTForImageClassification, vit,
               layers(lambda m: getattr(m.vit, "layers", None) or m.vit.encoder.layer), N)
        for family in "Wav2Vec2", "Hubert":
            speech = getattr(hf, family + "Config")(
                **config, conv_dim=[8], conv_kernel=[3], conv_stride=[2], num_conv_pos_embeddings=4,
                num_conv_pos_embedding_groups=2, do_stable_layer_norm=size == "large", vocab_size=11,
                feat_extract_norm="layer" if size == "large" else "group", num_feat_extract_layers=1)
            name = family.lower()
            yield f"{name}-{size}", getattr(hf, family + "Model"), speech, layers(lambda m: m.encoder.layers), N
            yield (f"{name}-{size}-ctc", getattr(hf, family + "ForCTC"), speech,
                   layers(lambda m, name=name: getattr(m, name).encoder.layers), N)
        speech = hf.WhisperConfig(
            d_model=config["hidden_size"], encoder_layers=config["num_hidden_layers"], encoder_attention_heads=4,
            encoder_ffn_dim=config["intermediate_size"], decoder_layers=1, decoder_attention_heads=4, decoder_ffn_dim=8,
            max_source_positions=WINDOW, max_target_positions=4, num_mel_bins=4, vocab_size=11, pad_token_id=0,
            bos_token_id=1, eos_token_id=2, decoder_start_token_id=1)
        yield f"whisper-{size}", hf.WhisperModel, speech, whisper(lambda m: m.encoder), {}
        yield f"whisper-{size}-asr", hf.WhisperForConditionalGeneration, speech, whisper(lambda m: m.model.encoder), {}


def save(model, folder):
    """Under the names of the module itself; save_pretrained() may go back to older ones."""
    os.mkdir(folder)
    model.config.save_pretrained(folder)
    save_file({name: tensor.clone() for name, tensor in model.state_dict().items()},
              os.path.join(folder, "model.safetensors"))


def compare(name, klass, config, truth, options):
    model = randomize(klass(config).float(), len(name))
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        other = os.path.join(folder, "names")
        model.save_pretrained(folder)
        save(model, other)
        both = [core.Model(path, **options) for path in (folder, other)]
        x = torch.randn(STEPS, both[0].info.n_inputs)
        y = truth(model.double(), x.double())
        worst = 0
        for ours in both:
            for chunk in 1, 7:
                found = ours.run(x, chunk=chunk)[:, -1]
                if found.shape != y.shape:
                    raise core.Error(f"{tuple(found.shape)} in place of {tuple(y.shape)}")
                worst = max(worst, ((found - y).abs().max() / max(1, y.abs().max())).item())
    return worst


def main(words):
    failed = []
    hf.utils.logging.set_verbosity_error()
    hf.utils.logging.disable_progress_bar()
    for name, *case in [*text_cases(), *streaming_cases(), *window_cases()]:
        if words and not any(word in name for word in words):
            continue
        try:
            worst = compare(name, *case)
        except core.Error as error:
            print(f"FAIL {name}: {error}", flush=True)
            failed.append(name)
            continue
        ok = worst <= TOLERANCE
        print(f"{'ok  ' if ok else 'FAIL'} {name}: largest error {worst:.2g}", flush=True)
        if not ok:
            failed.append(name)
    if failed:
        sys.exit(f"{len(failed)} failed: {' '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
