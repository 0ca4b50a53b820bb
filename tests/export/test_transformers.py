#!/usr/bin/python3
# Modules of transformers: every family, alone, as a part and in a whole model, against the module itself
# SPDX-License-Identifier: LGPL-2.1-or-later
import copy
import sys
import unittest

from case import Case, Refused, export, windows

import core
import torch
from torch import nn

try:
    import transformers as T
    from transformers.models.moonshine_streaming.modeling_moonshine_streaming import MoonshineStreamingEncoder
except ImportError as error:
    print(f"SKIP: this Python, {sys.executable}, has no transformers 5 ({error})")
    sys.exit(77)

E, N = 32, 6
TEXT = dict(hidden_size=E, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            vocab_size=11)
WINDOW = dict(hidden_size=E, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
SPEECH = dict(WINDOW, num_conv_pos_embedding_groups=4)
MIMI = dict(TEXT, head_dim=8, sliding_window=7, num_filters=4, codebook_size=8, codebook_dim=8,
            vector_quantization_hidden_dimension=8, upsample_groups=E)
del MIMI["vocab_size"]
MOONSHINE = dict(WINDOW, num_key_value_heads=2, head_dim=8, sliding_windows=[[6, 3], [5, 0]])


def shaken(module):
    """Weights of every part matter"""
    for parameter in module.parameters():
        if parameter.dim() < 2:
            parameter.data.add_(0.3 * torch.randn_like(parameter))
        else:
            parameter.data.normal_(0, 1.5 / parameter.shape[-1] ** 0.5)
    return module.eval()


def whisper():
    return T.WhisperForConditionalGeneration(T.WhisperConfig(
        d_model=E, encoder_ffn_dim=48, decoder_ffn_dim=48, encoder_layers=2, decoder_layers=1, encoder_attention_heads=4,
        decoder_attention_heads=4, max_source_positions=10, num_mel_bins=5, vocab_size=99, pad_token_id=1, bos_token_id=1,
        eos_token_id=2, decoder_start_token_id=1))


# ---- what the library computes of x (1, T, E) ----

def of_embeddings(module, x):
    module = getattr(module, "model", module)
    return module(inputs_embeds=x, use_cache=False).last_hidden_state


def of_moonshine(module, x):
    module = module.model.encoder if hasattr(module, "model") else module
    mask = torch.ones(x.shape[:2], dtype=torch.bool)
    module.embedder.forward = lambda *args, **named: (x, mask)
    return module(torch.zeros(1, 9), attention_mask=mask).last_hidden_state


def entering(encoder, first, given, x):
    """What leaves the encoder if x enters its first layer in place of what comes there"""
    first.register_forward_pre_hook(lambda layer, args: (x, *args[1:]))
    return encoder(given)[0]


def of_speech(module, x):
    encoder = next(m for m in module.modules() if type(m).__name__.endswith(("Encoder", "EncoderStableLayerNorm"))
                   and hasattr(m, "pos_conv_embed"))
    if type(encoder).__name__.endswith("StableLayerNorm"):
        encoder.layer_norm = nn.Identity()  # behind the layers, where it does not run
    return entering(encoder, encoder.layers[0], torch.zeros_like(x), x)


def of_vit(module, x):
    module = module.vit
    module.embeddings.forward = lambda *args, **named: x
    module.layernorm = nn.Identity()
    return module(torch.zeros(1, 3, 224, 224, dtype=x.dtype)).last_hidden_state


def of_whisper(module, x):
    encoder = module.model.encoder
    mel = torch.zeros(1, 5, 2 * x.shape[1], dtype=x.dtype)
    return entering(encoder, encoder.layers[0], mel, x + encoder.embed_positions.weight)


class Families(Case):
    def truth(self, module, function, x):
        module = copy.deepcopy(module).double()
        for part in module.modules():
            if hasattr(getattr(part, "config", None), "_attn_implementation"):
                part.config._attn_implementation = "sdpa"
        with torch.no_grad():
            return function(module, x.double()[None])[0]

    def rows(self, module, function, expected, **says):
        """Every vector is answered by its row"""
        module = shaken(module)
        self.load(module, **says)
        self.assertEqual({key: self.metadata.get(key) for key in expected}, expected)
        x = torch.randn(40, E)
        options = {"warm_up": "partial"} if self.metadata["attention"] == "deep" else {}
        self.assert_near(core.Model(self.path("model.safetensors"), **options).run(x)[:, 0], self.truth(module, function, x))

    def window(self, module, function, expected, n=N, query=-1, **says):
        module = shaken(module)
        model = self.load(module, **says)
        self.assertEqual({key: self.metadata.get(key) for key in expected}, expected)
        x = torch.randn(n + 3, E)
        truth = torch.stack([self.truth(module, function, window) for window in windows(x, n)])
        self.assert_near(model.run(x), truth if self.metadata["attention"] == "retroactive" else truth[:, query][:, None])

    def test_llama(self):
        full = {"attention": "recurrent-full", "norm_type": "rms", "rope_theta": "10000.0", "num_key_value_heads": "2"}
        self.rows(T.LlamaModel(T.LlamaConfig(**TEXT)), of_embeddings, full)
        self.rows(T.LlamaModel(T.LlamaConfig(**TEXT, attention_bias=True, mlp_bias=True, head_dim=4)), of_embeddings,
                  {"head_dim": "4"})
        self.rows(T.LlamaForCausalLM(T.LlamaConfig(**TEXT, rope_parameters={"rope_type": "default", "rope_theta": 5e5})),
                  of_embeddings, {"rope_theta": "500000.0"}, max_len=64)
        self.assertEqual(self.metadata["max_len"], "64")

    def test_mistral(self):
        self.rows(T.MistralModel(T.MistralConfig(**TEXT, sliding_window=6)), of_embeddings,
                  {"attention": "deep", "sequence_len": "6"})
        self.rows(T.MistralForCausalLM(T.MistralConfig(**TEXT, sliding_window=None)), of_embeddings,
                  {"attention": "recurrent-full", "sequence_len": None})

    def test_qwen(self):
        self.rows(T.Qwen2ForCausalLM(T.Qwen2Config(**TEXT)), of_embeddings, {"attention": "recurrent-full"})
        self.rows(T.Qwen2Model(T.Qwen2Config(**TEXT, use_sliding_window=True, sliding_window=5, max_window_layers=0)),
                  of_embeddings, {"attention": "deep", "sequence_len": "5"})
        self.rows(T.Qwen3Model(T.Qwen3Config(**TEXT, head_dim=12)), of_embeddings, {"head_dim": "12"})

    def test_mimi(self):
        says = {"attention": "deep", "sequence_len": "7", "norm_type": "layer"}
        self.rows(T.MimiModel(T.MimiConfig(**MIMI)), lambda m, x: m.encoder_transformer(x)[0], says)
        self.rows(T.MimiModel(T.MimiConfig(**MIMI)), lambda m, x: m.decoder_transformer(x)[0], says,
                  prefix="decoder_transformer")
        self.rows(T.MimiModel(T.MimiConfig(**MIMI)).encoder_transformer, lambda m, x: m(x)[0], says)

    def test_moonshine(self):
        says = {"attention": "deep", "attention_windows": "[[6, 2], [5, 0]]", "norm_unit_offset": "true", "rope_theta": None}
        self.rows(MoonshineStreamingEncoder(T.MoonshineStreamingEncoderConfig(**MOONSHINE)), of_moonshine, says)
        self.rows(T.MoonshineStreamingForConditionalGeneration(T.MoonshineStreamingConfig(
            **{**WINDOW, "num_key_value_heads": 4}, encoder_config=MOONSHINE, vocab_size=20)), of_moonshine, says)

    def test_voxtral(self):
        self.rows(T.VoxtralRealtimeEncoder(T.VoxtralRealtimeEncoderConfig(
            **WINDOW, head_dim=8, sliding_window=9, num_mel_bins=8)), of_embeddings,
            {"attention": "deep", "sequence_len": "9", "activation": "silu"})

    def test_bert(self):
        def make():
            return T.BertModel(T.BertConfig(**WINDOW, vocab_size=9))
        self.window(make(), lambda m, x: m.encoder(x)[0], {"norm_first": "false", "layer_norm_eps": "1e-12"}, sequence_len=N)
        self.window(make().encoder, lambda m, x: m(x)[0], {"attention": "retroactive"}, sequence_len=N,
                    attention="retroactive")
        self.window(T.BertForSequenceClassification(make().config), lambda m, x: m.bert.encoder(x)[0], {}, sequence_len=N)

    def test_vit(self):
        self.window(T.ViTForImageClassification(T.ViTConfig(**WINDOW)), of_vit, {"norm_first": "true"}, sequence_len=N,
                    query_index=0, query=0)

    def test_speech(self):
        self.window(T.Wav2Vec2Model(T.Wav2Vec2Config(**SPEECH)), of_speech, {"norm_first": "false"}, sequence_len=N)
        self.window(T.Wav2Vec2ForCTC(T.Wav2Vec2Config(**SPEECH, do_stable_layer_norm=True)), of_speech,
                    {"norm_first": "true"}, sequence_len=N)
        self.window(T.HubertModel(T.HubertConfig(**SPEECH)).encoder, of_speech, {}, sequence_len=N)

    def test_whisper(self):
        says = {"sequence_len": "10", "position_index": "window"}
        self.window(whisper(), of_whisper, says, n=10)
        self.window(whisper(), of_whisper, says, n=10, attention="retroactive")

    def test_half_precision(self):
        self.rows(T.LlamaModel._from_config(T.LlamaConfig(**TEXT), dtype=torch.bfloat16), of_embeddings, {})
        self.assert_refused("rounded them", T.LlamaModel(T.LlamaConfig(**TEXT)).bfloat16())

    def test_a_whole_model_with_a_head_of_the_user(self):
        class Around(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.proj, self.inner = nn.Linear(E, E), inner

            def forward(self, x):
                return self.proj(self.inner(inputs_embeds=x, use_cache=False).last_hidden_state)
        self.rows(Around(T.MistralModel(T.MistralConfig(**TEXT, sliding_window=6))), lambda m, x: m(x),
                  {"attention": "deep", "sequence_len": "6", "layout": '["inner.layers", "inner.norm", "proj"]'})
        self.rows(Around(T.LlamaModel(T.LlamaConfig(**TEXT))), lambda m, x: m(x), {"attention": "recurrent-full"})
        self.rows(Around(T.LlamaModel(T.LlamaConfig(**TEXT))), lambda m, x: m.inner(inputs_embeds=x)[0], {}, prefix="inner")
        self.assert_refused("is not tried", Around(T.MistralModel(T.MistralConfig(**TEXT, sliding_window=5000))))


class Refusals(Case):
    def llama(self, **config):
        return T.LlamaModel(T.LlamaConfig(**TEXT, **config))

    def test_rotary_positions(self):
        for kind in ("linear", "dynamic", "yarn"):
            module = self.llama(rope_parameters={"rope_type": kind, "rope_theta": 1e4, "factor": 4.0})
            self.assert_refused(f"rope_type '{kind}'", module, verify=False)
        module = self.llama()
        module.rotary_emb.inv_freq[1:] /= 2
        self.assert_refused("are not theta^(-2i/d) of any theta", module, verify=False)

    def test_values_of_the_configuration(self):
        for key, value in (("attn_logit_softcapping", 30.0), ("is_causal", False), ("use_bidirectional_attention", True),
                           ("quantization_config", {"bits": 4})):
            module = self.llama()
            setattr(module.config, key, value)
            self.assert_refused(key, module, verify=False)
        self.assert_refused("is_decoder", T.BertModel(T.BertConfig(**WINDOW, vocab_size=9, is_decoder=True)), sequence_len=N,
                            verify=False)
        self.assert_refused("adapter_attn_dim", T.Wav2Vec2Model(T.Wav2Vec2Config(
            **SPEECH, do_stable_layer_norm=True, adapter_attn_dim=4)), sequence_len=N, verify=False)
        self.assert_refused("cannot mix layers", T.Qwen2Model(T.Qwen2Config(
            **TEXT, use_sliding_window=True, sliding_window=5, max_window_layers=1)), verify=False)
        self.assert_refused("activation of layers.0.mlp", self.llama(hidden_act="mish"), verify=False)

    def test_what_the_caller_says(self):
        mimi = T.MimiModel(T.MimiConfig(**MIMI))
        self.assert_refused("without the head", mimi, labels=["a", "b"])
        self.assert_refused("sequence_len=9: the window of MimiTransformerModel is 7", mimi, sequence_len=9)
        self.assert_refused("attention='recurrent-full'", mimi, attention="recurrent-full")
        self.assert_refused("prefix=nowhere", mimi, prefix="nowhere")
        self.assert_refused("attention='deep'", self.llama(), attention="deep", sequence_len=4)
        self.assert_refused("has positions for 10 vectors", whisper(), sequence_len=11)
        self.assert_refused("the window is not known", T.BertModel(T.BertConfig(**WINDOW, vocab_size=9)))
        self.assert_refused("holds no model of transformers", nn.Linear(3, 3), prefix="encoder")

    def test_other_models(self):
        self.assert_refused("holds no stack of layers that is understood", T.GPT2Model(T.GPT2Config(
            n_embd=E, n_layer=1, n_head=2, vocab_size=9, bos_token_id=1, eos_token_id=2)))
        module = self.llama()
        self.assert_refused("has no forward()", module.layers)

    def test_changed_parts(self):
        class Adapted(nn.Linear):
            pass
        module = self.llama()
        module.layers[1].self_attn.q_proj = Adapted(E, E, bias=False)
        self.assert_refused("layers.1.self_attn.q_proj is a Adapted", module, verify=False)
        module = self.llama()
        module.layers[0].register_forward_hook(lambda *args: None)
        self.assert_refused("layers.0 has hooks", module, verify=False)
        module = self.llama()
        module.register_forward_hook(lambda *args: None)
        self.assert_refused("LlamaModel has hooks", module, verify=False)
        module = self.llama()
        forward = module.layers[1].forward
        module.layers[1].forward = lambda *args, **kwargs: 2 * forward(*args, **kwargs)
        self.assert_refused("layers.1 has a forward() of its own", module, verify=False)
        module = self.llama()
        for layer in module.layers:
            layer.self_attn.is_causal = False
        self.assert_refused("is_causal is False", module, verify=False)
        module = self.llama()
        module.norm = nn.Identity()
        self.assert_refused("without weights", module, verify=False)
        module = self.llama()
        nn.utils.parametrizations.orthogonal(module.layers[0].self_attn.q_proj)
        self.assert_refused("parametriz", module, verify=False)
        module = self.llama()
        module.layers = module.layers[:1]
        self.assert_refused("num_hidden_layers", module, verify=False)

    def test_no_file_of_a_wrong_guess(self):
        module = shaken(self.llama())
        module.layers[0].self_attn.scaling *= 2
        self.assert_refused("differs from the module by", module)
        with self.assertRaises(Refused):
            export(module, self.path("none.safetensors"))
        with self.assertRaises(FileNotFoundError):
            open(self.path("none.safetensors"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
