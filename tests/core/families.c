/* What config.json says of a model, and what of it is refused
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edits.h"
#include <continual/continual.h>
#include <glib/gstdio.h>
#include <string.h>

#define PAIR(name, out, in) name ".weight " out "," in ";" name ".bias " out
#define NORM(name) name ".weight 4;" name ".bias 4"
#define BERT(p) PAIR (p "attention.self.query", "4", "4") ";" PAIR (p "attention.self.key", "4", "4") ";" \
  PAIR (p "attention.self.value", "4", "4") ";" PAIR (p "attention.output.dense", "4", "4") ";" \
  NORM (p "attention.output.LayerNorm") ";" PAIR (p "intermediate.dense", "6", "4") ";" \
  PAIR (p "output.dense", "4", "6") ";" NORM (p "output.LayerNorm")
#define VIT(p) PAIR (p "attention.attention.query", "4", "4") ";" PAIR (p "attention.attention.key", "4", "4") ";" \
  PAIR (p "attention.attention.value", "4", "4") ";" PAIR (p "attention.output.dense", "4", "4") ";" \
  NORM (p "layernorm_before") ";" NORM (p "layernorm_after") ";" PAIR (p "intermediate.dense", "6", "4") ";" \
  PAIR (p "output.dense", "4", "6")
#define WAV2VEC2(p) PAIR (p "attention.q_proj", "4", "4") ";" PAIR (p "attention.k_proj", "4", "4") ";" \
  PAIR (p "attention.v_proj", "4", "4") ";" PAIR (p "attention.out_proj", "4", "4") ";" NORM (p "layer_norm") ";" \
  PAIR (p "feed_forward.intermediate_dense", "6", "4") ";" PAIR (p "feed_forward.output_dense", "4", "6") ";" \
  NORM (p "final_layer_norm")
#define WHISPER(p) PAIR (p "self_attn.q_proj", "4", "4") ";" p "self_attn.k_proj.weight 4,4;" \
  PAIR (p "self_attn.v_proj", "4", "4") ";" PAIR (p "self_attn.out_proj", "4", "4") ";" NORM (p "self_attn_layer_norm") ";" \
  PAIR (p "fc1", "6", "4") ";" PAIR (p "fc2", "4", "6") ";" NORM (p "final_layer_norm")

#define QKV(p) p "self_attn.q_proj.weight 4,4;" p "self_attn.k_proj.weight 4,4;" p "self_attn.v_proj.weight 4,4;" \
  p "self_attn.o_proj.weight 4,4;"
#define MIMI(p) QKV (p) NORM (p "input_layernorm") ";" NORM (p "post_attention_layernorm") ";" \
  p "mlp.fc1.weight 6,4;" p "mlp.fc2.weight 4,6;" p "self_attn_layer_scale.scale 4;" p "mlp_layer_scale.scale 4"
#define MOONSHINE(p) QKV (p) p "input_layernorm.gamma 4;" p "post_attention_layernorm.gamma 4;" \
  PAIR (p "mlp.fc1", "6", "4") ";" PAIR (p "mlp.fc2", "4", "6")
#define GATED(p) p "mlp.gate_proj.weight 6,4;" p "mlp.up_proj.weight 6,4;" p "mlp.down_proj.weight 4,6;"
#define VOXTRAL(p) QKV (p) p "self_attn.q_proj.bias 4;" p "self_attn.v_proj.bias 4;" p "self_attn.o_proj.bias 4;" GATED (p) \
  p "mlp.down_proj.bias 4;" p "self_attn_layer_norm.weight 4;" p "final_layer_norm.weight 4"
#define LLAMA(p) QKV (p) GATED (p) p "input_layernorm.weight 4;" p "post_attention_layernorm.weight 4"
#define QKV_BIASES(p) p "self_attn.q_proj.bias 4;" p "self_attn.k_proj.bias 4;" p "self_attn.v_proj.bias 4"

/* *INDENT-OFF* */
static const struct
{
  const gchar *name, *tensors;
} files[] = {
  { "bert", "embeddings.word_embeddings.weight 7,4;" BERT ("encoder.layer.0.") ";" BERT ("encoder.layer.1.")
      ";pooler.dense.weight 4,4;pooler.dense.bias 4" },
  { "bert-head", "bert.embeddings.x.weight 7,4;" BERT ("bert.encoder.layer.0.") ";cls.weight 3,4" },
  { "vit", "embeddings.cls_token 1,1,4;" VIT ("encoder.layer.0.") ";layernorm.weight 4;layernorm.bias 4" },
  { "wav2vec2", "encoder.layer_norm.weight 4;encoder.layer_norm.bias 4;encoder.pos_conv_embed.conv.weight 4,2,3;"
      WAV2VEC2 ("encoder.layers.0.") ";masked_spec_embed 4" },
  { "hubert", "hubert.encoder.layer_norm.weight 4;" WAV2VEC2 ("hubert.encoder.layers.0.") ";lm_head.weight 3,4" },
  { "whisper", "encoder.conv1.weight 4,2,3;encoder.conv1.bias 4;encoder.conv2.weight 4,4,3;encoder.conv2.bias 4;"
      "encoder.embed_positions.weight 5,4;" WHISPER ("encoder.layers.0.") ";encoder.layer_norm.weight 4;"
      "encoder.layer_norm.bias 4;" WHISPER ("decoder.layers.0.") ";decoder.embed_tokens.weight 7,4" },
  { "mimi", "encoder.layers.0.conv.weight 4,1,7;" MIMI ("encoder_transformer.layers.0.") ";downsample.conv.weight 4,4,4;"
      MIMI ("decoder_transformer.layers.0.") ";decoder.layers.0.conv.weight 4,4,7" },
  { "moonshine-encoder", "embedder.conv1.weight 8,4,5;embedder.comp.log_k ;" MOONSHINE ("layers.0.") ";" MOONSHINE ("layers.1.")
      ";final_norm.gamma 4" },
  { "moonshine", "model.encoder.embedder.conv1.weight 8,4,5;" MOONSHINE ("model.encoder.layers.0.") ";"
      MOONSHINE ("model.encoder.layers.1.") ";model.encoder.final_norm.gamma 4;model.decoder.norm.weight 4;proj_out.weight 9,4" },
  { "voxtral-encoder", "embedder.conv1.weight 4,4,3;" VOXTRAL ("layers.0.") ";norm.weight 4" },
  { "voxtral", "audio_tower.embedder.conv1.weight 4,4,3;" VOXTRAL ("audio_tower.layers.0.") ";audio_tower.norm.weight 4;"
      "language_model.model.norm.weight 4" },
  { "llama", "embed_tokens.weight 9,4;" LLAMA ("layers.0.") ";norm.weight 4" },
  { "llama-lm", "model.embed_tokens.weight 9,4;" LLAMA ("model.layers.0.") ";model.layers.0.self_attn.rotary_emb.inv_freq 1;"
      "model.norm.weight 4;lm_head.weight 9,4" },
  { "qwen2", LLAMA ("layers.0.") ";" QKV_BIASES ("layers.0.") ";" LLAMA ("layers.1.") ";" QKV_BIASES ("layers.1.") ";norm.weight 4" },
  { "qwen3", LLAMA ("layers.0.") ";layers.0.self_attn.q_norm.weight 2;layers.0.self_attn.k_norm.weight 2;norm.weight 4" },
};

#define HEADS "\"num_attention_heads\":2,\"num_key_value_heads\":2"
#define ONE HEADS ",\"num_hidden_layers\":1"
#define MIMI_CONFIG "\"model_type\":\"mimi\"," ONE
#define MOONSHINE_CONFIG "\"model_type\":\"moonshine_streaming_encoder\"," HEADS ",\"num_hidden_layers\":2"
#define VOXTRAL_CONFIG "\"model_type\":\"voxtral_realtime_encoder\"," ONE ",\"head_dim\":2"
#define LLAMA_CONFIG "\"model_type\":\"llama\"," ONE
#define MISTRAL_CONFIG "\"model_type\":\"mistral\"," ONE
#define QWEN2_CONFIG "\"model_type\":\"qwen2\"," HEADS ",\"num_hidden_layers\":2"
#define QWEN3_CONFIG "\"model_type\":\"qwen3\"," ONE ",\"head_dim\":2"

#define BERT_CONFIG "\"model_type\":\"bert\",\"num_attention_heads\":2,\"num_hidden_layers\":2"
#define WHISPER_CONFIG "\"model_type\":\"whisper\",\"encoder_attention_heads\":2,\"max_source_positions\":5,\"encoder_layers\":1"

/* Each line must be in co_model_describe(). */
static const struct
{
  const gchar *file, *edits, *config, *options, *lines[8];
} taken[] = {
  { "bert", "", "{" BERT_CONFIG ",\"hidden_act\":\"gelu_new\",\"layer_norm_eps\":1e-3}", "sequence_len=3",
      { "model_type     bert", "nhead                  2              config", "activation             gelu-tanh      config",
        "layer_norm_eps         0.001          config", "norm_first             false          family",
        "prefix                 'encoder'      family", "sequence_len           3              option" } },
  /* what transformers assumes */
  { "bert", "", "{" BERT_CONFIG "}", "sequence_len=3", { "activation             gelu           family",
      "layer_norm_eps         1e-12          family" } },
  { "bert", "", "{" BERT_CONFIG ",\"hidden_act\":null,\"position_embedding_type\":\"absolute\",\"is_decoder\":false}",
      "sequence_len=3", { "activation             gelu           family" } },
  /* metadata over config.json, options over both */
  { "bert", "@nhead=4;@activation=relu", "{" BERT_CONFIG "}", "sequence_len=3 activation=tanh",
      { "nhead                  4              file", "activation             tanh           option" } },
  { "bert-head", "", "{\"model_type\":\"bert\",\"num_attention_heads\":2}", "sequence_len=3", { "'bert.encoder' family" } },
  { "bert", "", "{" BERT_CONFIG "}", "sequence_len=3 prefix=encoder.layer", { "prefix                 'encoder.layer' option" } },
  { "vit", "", "{\"model_type\":\"vit\",\"num_attention_heads\":2,\"num_hidden_layers\":1,\"hidden_act\":\"silu\"}",
      "sequence_len=3", { "norm_first             true           family", "activation             silu           config" } },
  { "wav2vec2", "", "{\"model_type\":\"wav2vec2\",\"num_attention_heads\":2,\"adapter_attn_dim\":null}", "sequence_len=3",
      { "norm_first             false          family", "'encoder.layers' family", "layer_norm_eps         1e-05          family" } },
  { "wav2vec2", "", "{\"model_type\":\"wav2vec2\",\"num_attention_heads\":2,\"do_stable_layer_norm\":true}", "sequence_len=3",
      { "norm_first             true           config" } },
  { "wav2vec2", "", "{\"model_type\":\"wav2vec2\",\"num_attention_heads\":2}", "sequence_len=3 prefix=encoder",
      { "beside the layers does not run", "prefix=encoder.layers" } },
  { "hubert", "", "{\"model_type\":\"hubert\",\"num_attention_heads\":2}", "sequence_len=3", { "'hubert.encoder.layers' family" } },
  { "whisper", "", "{" WHISPER_CONFIG "}", "",
      { "sequence_len           5              config", "position_index         window         family",
        "norm_first             true           family", "from: family", "positions:embed_positions", "  layer_norm " } },
  { "whisper", "", "{" WHISPER_CONFIG "}", "prefix=encoder.layers",
      { "position_index         recycle        assumed default", "sequence_len           5              config" } },
  /* ---- rotary positions, windows, biases ---- */
  { "mimi", "", "{" MIMI_CONFIG "}", "", { "kind           deep", "sequence_len           250            family",
      "norm_type              layer          family", "layer_norm_eps         1e-05          family",
      "rope_theta             10000          family", "'encoder_transformer' family", "warnings       none" } },
  { "mimi", "", "{" MIMI_CONFIG ",\"sliding_window\":3,\"norm_eps\":0.01,\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":500.5}}",
      "prefix=decoder_transformer", { "sequence_len           3              config", "layer_norm_eps         0.01           config",
      "rope_theta             500.5          config", "num_key_value_heads    2              config", "warnings       none" } },
  { "mimi", "+encoder_transformer.layers.0.self_attn.q_proj.bias 4;+encoder_transformer.layers.0.self_attn.k_proj.bias 4;"
      "+encoder_transformer.layers.0.self_attn.v_proj.bias 4;+encoder_transformer.layers.0.self_attn.o_proj.bias 4",
      "{" MIMI_CONFIG ",\"attention_bias\":true}", "", { "kind           deep" } },
  { "moonshine-encoder", "", "{" MOONSHINE_CONFIG "}", "", { "kind           deep", "attention_windows      '[[16,3],[16,3]]' family",
      "norm_unit_offset       true           family", "rope_theta             none", "from: family", "  final_norm ",
      "warnings       none" } },
  { "moonshine-encoder", "", "{" MOONSHINE_CONFIG ",\"sliding_windows\":[[6,0],[7,2],[1,1]]}", "",
      { "attention_windows      '[[6,0],[7,1]]' config" } },
  { "moonshine", "", "{\"model_type\":\"moonshine_streaming\",\"num_attention_heads\":9,\"encoder_config\":{" MOONSHINE_CONFIG "}}", "",
      { "nhead                  2              config", "'model.encoder' family", "'[[16,3],[16,3]]' family" } },
  { "voxtral-encoder", "", "{" VOXTRAL_CONFIG ",\"activation_function\":\"gelu\"}", "",
      { "sequence_len           750            family", "norm_type              rms            family",
        "activation             silu           family", "layer_norm_eps         1e-05          family", "  norm ", "warnings       none" } },
  { "voxtral", "", "{\"model_type\":\"voxtral_realtime\",\"audio_config\":{" VOXTRAL_CONFIG ",\"sliding_window\":4}}", "",
      { "sequence_len           4              config", "'audio_tower'  family" } },
  { "voxtral", "*model.", "{\"model_type\":\"voxtral_realtime\",\"audio_config\":{" VOXTRAL_CONFIG "}}", "", { "'model.audio_tower' family" } },
  { "llama", "", "{" LLAMA_CONFIG "}", "", { "kind           recurrent-full", "attention              recurrent-full family",
      "layer_norm_eps         1e-06          family", "norm_type              rms            family",
      "activation             silu           family", "rope_theta             10000          family", "warnings       none" } },
  { "llama-lm", "", "{" LLAMA_CONFIG ",\"rope_scaling\":null,\"rope_theta\":5e5,\"pretraining_tp\":2,\"head_dim\":null}", "max_len=9",
      { "rope_theta             500000         config", "'model'        family", "max_len                9              option" } },
  /* rope_scaling is taken before rope_parameters, unless it is empty */
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_scaling\":{\"type\":\"default\"},\"rope_parameters\":{\"rope_type\":\"yarn\"},\"rope_theta\":7.0}",
      "", { "rope_theta             7              config" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_scaling\":{},\"rope_parameters\":{\"rope_theta\":8,\"partial_rotary_factor\":1.0}}", "",
      { "rope_theta             8              config" } },
  { "llama", "+layers.0.self_attn.q_proj.bias 4;+layers.0.self_attn.k_proj.bias 4;+layers.0.self_attn.v_proj.bias 4;"
      "+layers.0.self_attn.o_proj.bias 4", "{" LLAMA_CONFIG ",\"attention_bias\":true,\"mlp_bias\":false}", "", { "recurrent-full" } },
  { "llama", "", "{" MISTRAL_CONFIG "}", "", { "sequence_len           4096           family", "kind           deep" } },
  { "llama", "", "{" MISTRAL_CONFIG ",\"sliding_window\":5,\"layer_types\":[\"sliding_attention\"]}", "",
      { "sequence_len           5              config" } },
  { "llama", "", "{\"model_type\":\"mistral\",\"num_attention_heads\":2,\"num_hidden_layers\":1,\"sliding_window\":null,"
      "\"num_key_value_heads\":null}", "",
      { "attention              recurrent-full config", "num_key_value_heads    none           assumed default" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"sliding_window\":5,\"max_window_layers\":0}", "", { "kind           recurrent-full" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"use_sliding_window\":true,\"sliding_window\":5,\"max_window_layers\":0}", "",
      { "kind           deep", "sequence_len           5              config" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"use_sliding_window\":true,\"sliding_window\":5}", "", { "kind           recurrent-full" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"use_sliding_window\":true,\"max_window_layers\":2}", "", { "kind           recurrent-full" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"use_sliding_window\":true,\"sliding_window\":null,\"max_window_layers\":0}", "",
      { "kind           recurrent-full" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"use_sliding_window\":true,\"layer_types\":[\"sliding_attention\",\"sliding_attention\"]}", "",
      { "kind           deep", "sequence_len           4096           family" } },
  { "qwen3", "", "{" QWEN3_CONFIG ",\"layer_types\":[\"full_attention\"]}", "", { "kind           recurrent-full", "warnings       none" } },
};

static const struct
{
  const gchar *file, *edits, *config, *options;
  CoError code;
  const gchar *fragments[3];
} refused[] = {
  /* a family that is not known */
  { "bert", "", "{\"model_type\":\"gpt2\"}", "", CO_ERROR_SETTING, { "`model_type`", "'gpt2'", "bert, vit, wav2vec2" } },
  { "bert", "", "{\"num_attention_heads\":2}", "", CO_ERROR_SETTING, { "`model_type`", "found nothing" } },
  { "bert", "", "{\"model_type\":7}", "", CO_ERROR_SETTING, { "`model_type`", "found 7" } },
  /* a value that changes the computation */
  { "bert", "", "{" BERT_CONFIG ",\"position_embedding_type\":\"relative_key\"}", "sequence_len=3", CO_ERROR_SETTING,
      { "`position_embedding_type`", "'relative_key'", "absolute" } },
  { "bert", "", "{" BERT_CONFIG ",\"is_decoder\":true}", "sequence_len=3", CO_ERROR_SETTING, { "`is_decoder`", "causal mask" } },
  { "bert", "", "{" BERT_CONFIG ",\"add_cross_attention\":true}", "sequence_len=3", CO_ERROR_SETTING, { "`add_cross_attention`" } },
  { "bert", "", "{" BERT_CONFIG ",\"hidden_act\":\"quick_gelu\"}", "sequence_len=3", CO_ERROR_SETTING, { "`hidden_act`", "'quick_gelu'" } },
  { "bert", "", "{" BERT_CONFIG ",\"hidden_act\":[\"gelu\"]}", "sequence_len=3", CO_ERROR_SETTING, { "`hidden_act`", "an array" } },
  { "bert", "", "{" BERT_CONFIG ",\"layer_norm_eps\":\"small\"}", "sequence_len=3", CO_ERROR_SETTING, { "`layer_norm_eps`", "a number" } },
  { "bert", "", "{" BERT_CONFIG ",\"layer_norm_eps\":-1}", "sequence_len=3", CO_ERROR_SETTING, { "'-1'", "layer_norm_eps", "0 to 1" } },
  { "wav2vec2", "", "{\"model_type\":\"wav2vec2\",\"num_attention_heads\":2,\"adapter_attn_dim\":16}", "sequence_len=3",
      CO_ERROR_SETTING, { "`adapter_attn_dim`", "found 16", "adapter" } },
  { "wav2vec2", "", "{\"model_type\":\"wav2vec2\",\"do_stable_layer_norm\":1}", "sequence_len=3", CO_ERROR_SETTING,
      { "`do_stable_layer_norm`", "true or false" } },
  { "whisper", "", "{\"model_type\":\"whisper\",\"encoder_attention_heads\":2.5}", "", CO_ERROR_SETTING, { "`encoder_attention_heads`", "a whole number" } },
  { "whisper", "", "{" WHISPER_CONFIG "}", "norm_first=false", CO_ERROR_SETTING, { "norm_first is false", "option" } },
  /* tensors and config.json that disagree */
  { "bert", "", "{\"model_type\":\"bert\",\"num_attention_heads\":2,\"num_hidden_layers\":12}", "sequence_len=3", CO_ERROR_MODEL,
      { "`num_hidden_layers`", "12 layers", "found 2" } },
  { "bert", "", "{\"model_type\":\"bert\",\"num_attention_heads\":2,\"num_hidden_layers\":-1}", "sequence_len=3", CO_ERROR_SETTING,
      { "`num_hidden_layers`" } },
  { "bert", "", "{" BERT_CONFIG "}", "", CO_ERROR_SETTING, { "the window is not known" } },
  { "bert", "+encoder.extra.weight 4", "{" BERT_CONFIG "}", "sequence_len=3", CO_ERROR_MODEL, { "nothing uses tensor 'encoder.extra.weight'" } },
  { "whisper", "-encoder.layer_norm.weight;-encoder.layer_norm.bias", "{" WHISPER_CONFIG "}", "", CO_ERROR_MODEL,
      { "part 'layer_norm' of a whisper model" } },
  { "whisper", "", "{\"model_type\":\"whisper\",\"encoder_attention_heads\":2,\"max_source_positions\":9}", "", CO_ERROR_MODEL,
      { "embed_positions", "9" } },
  /* ---- rotary positions, windows, biases ---- */
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0}}", "", CO_ERROR_SETTING,
      { "`rope_type`", "'llama3'", "scales the angles" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}}", "", CO_ERROR_SETTING, { "`type`", "'linear'" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_parameters\":{\"rope_type\":\"default\",\"mrope_section\":[1]}}", "", CO_ERROR_SETTING,
      { "`rope_parameters`", "not 'mrope_section'" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_parameters\":{\"full_attention\":{\"rope_theta\":5}}}", "", CO_ERROR_SETTING,
      { "not 'full_attention'" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_parameters\":[1]}", "", CO_ERROR_SETTING, { "`rope_parameters`", "an object" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_theta\":\"big\"}", "", CO_ERROR_SETTING, { "`rope_theta`", "a number" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_theta\":-3}", "", CO_ERROR_SETTING, { "'-3'", "rope_theta" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"partial_rotary_factor\":0.5}", "", CO_ERROR_SETTING, { "`partial_rotary_factor`", "whole heads" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"rope_parameters\":{\"partial_rotary_factor\":0.5}}", "", CO_ERROR_SETTING, { "`partial_rotary_factor`" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"attn_logit_softcapping\":50.0}", "", CO_ERROR_SETTING, { "`attn_logit_softcapping`", "capped" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"is_causal\":false}", "", CO_ERROR_SETTING, { "`is_causal`", "later" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"use_bidirectional_attention\":true}", "", CO_ERROR_SETTING, { "`use_bidirectional_attention`" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"sliding_window\":5}", "", CO_ERROR_SETTING, { "`sliding_window`", "found 5" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"layer_types\":[\"sliding_attention\"]}", "", CO_ERROR_SETTING, { "`layer_types`", "full_attention" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"quantization_config\":{\"bits\":4}}", "", CO_ERROR_SETTING, { "`quantization_config`", "quantized" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"hidden_act\":\"quick_gelu\"}", "", CO_ERROR_SETTING, { "`hidden_act`", "'quick_gelu'" } },
  { "llama", "", "{" LLAMA_CONFIG "}", "norm_first=false", CO_ERROR_SETTING, { "norm_first is false" } },
  { "llama", "-norm.weight", "{" LLAMA_CONFIG "}", "", CO_ERROR_MODEL, { "part 'norm' of a llama model" } },
  { "llama", "", "{\"model_type\":\"llama\"," HEADS "}", "", CO_ERROR_MODEL, { "`num_hidden_layers`", "32 layers", "found 1" } },
  /* biases that are not as config.json says */
  { "llama", "", "{" LLAMA_CONFIG ",\"attention_bias\":true}", "", CO_ERROR_MODEL,
      { "layer 'layers.0'", "`attention_bias` true", "a tensor 'self_attn.q_proj.bias'" } },
  { "llama", "+layers.0.mlp.down_proj.bias 4;+layers.0.mlp.up_proj.bias 6;+layers.0.mlp.gate_proj.bias 6", "{" LLAMA_CONFIG "}", "",
      CO_ERROR_MODEL, { "`mlp_bias` false", "no tensor 'mlp.gate_proj.bias'" } },
  { "llama", "", "{" LLAMA_CONFIG ",\"mlp_bias\":1}", "", CO_ERROR_SETTING, { "`mlp_bias`", "true or false" } },
  { "qwen2", "+layers.0.self_attn.o_proj.bias 4;+layers.1.self_attn.o_proj.bias 4", "{" QWEN2_CONFIG "}", "", CO_ERROR_MODEL,
      { "a qwen2 model", "no tensor 'self_attn.o_proj.bias'" } },
  { "llama", "", "{\"model_type\":\"qwen2\"," ONE "}", "", CO_ERROR_MODEL, { "a tensor 'self_attn.q_proj.bias'" } },
  { "voxtral-encoder", "+layers.0.self_attn.k_proj.bias 4", "{" VOXTRAL_CONFIG "}", "", CO_ERROR_MODEL, { "no tensor 'self_attn.k_proj.bias'" } },
  /* tensors beyond the ordinary ones of a layer */
  { "llama", "-layers.0.mlp.gate_proj.weight", "{" LLAMA_CONFIG "}", "", CO_ERROR_MODEL, { "layer 'layers.0'", "'mlp.gate_proj.weight', found none" } },
  { "qwen3", "-layers.0.self_attn.k_norm.weight", "{" QWEN3_CONFIG "}", "", CO_ERROR_MODEL, { "'self_attn.k_norm.weight', found none" } },
  { "mimi", "-encoder_transformer.layers.0.mlp_layer_scale.scale", "{" MIMI_CONFIG "}", "", CO_ERROR_MODEL, { "'mlp_layer_scale.scale', found none" } },
  { "qwen3", "", "{" LLAMA_CONFIG ",\"head_dim\":2}", "", CO_ERROR_MODEL, { "'layers.0.self_attn.q_norm.weight'", "none such in a llama model" } },
  { "mimi", "+encoder_transformer.layers.0.self_attn.q_proj.lora_A.weight 1,4", "{" MIMI_CONFIG "}", "", CO_ERROR_MODEL,
      { "nothing uses", "'layers.0.self_attn.q_proj.lora_A'" } },
  { "mimi", "", "{" MIMI_CONFIG ",\"is_causal\":false}", "", CO_ERROR_SETTING, { "`is_causal`", "later" } },
  { "voxtral-encoder", "", "{" VOXTRAL_CONFIG ",\"is_causal\":false}", "", CO_ERROR_SETTING, { "`is_causal`" } },
  /* windows */
  { "llama", "", "{" MISTRAL_CONFIG ",\"sliding_window\":0}", "", CO_ERROR_SETTING, { "`sliding_window`", "from 1" } },
  { "llama", "", "{" MISTRAL_CONFIG ",\"sliding_window\":2.5}", "", CO_ERROR_SETTING, { "`sliding_window`" } },
  { "llama", "", "{" MISTRAL_CONFIG ",\"layer_types\":[\"full_attention\"]}", "", CO_ERROR_SETTING, { "`layer_types`", "sliding_attention" } },
  { "mimi", "", "{" MIMI_CONFIG ",\"sliding_window\":null}", "", CO_ERROR_SETTING, { "`sliding_window`", "found null" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"use_sliding_window\":true,\"max_window_layers\":1}", "", CO_ERROR_SETTING,
      { "`max_window_layers`", "cannot mix", "found 1" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"use_sliding_window\":true,\"layer_types\":[\"full_attention\",\"sliding_attention\"]}", "",
      CO_ERROR_SETTING, { "`layer_types`", "cannot mix" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"layer_types\":[\"full_attention\"]}", "", CO_ERROR_SETTING, { "`layer_types`", "an array of 1" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"layer_types\":[\"linear_attention\",\"linear_attention\"]}", "", CO_ERROR_SETTING, { "`layer_types`" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"layer_types\":[\"sliding_attention\",\"sliding_attention\"]}", "", CO_ERROR_SETTING, { "`layer_types`", "full_attention" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"use_sliding_window\":\"yes\"}", "", CO_ERROR_SETTING, { "`use_sliding_window`", "true or false" } },
  { "qwen2", "", "{" QWEN2_CONFIG ",\"use_sliding_window\":true,\"max_window_layers\":\"all\"}", "", CO_ERROR_SETTING, { "`max_window_layers`" } },
  { "moonshine-encoder", "", "{" MOONSHINE_CONFIG ",\"sliding_windows\":[[6,1]]}", "", CO_ERROR_SETTING, { "`sliding_windows`", "an array of 1" } },
  { "moonshine-encoder", "", "{" MOONSHINE_CONFIG ",\"sliding_windows\":[[6,1],[0,2]]}", "", CO_ERROR_SETTING, { "`sliding_windows`", "at least 1" } },
  { "moonshine-encoder", "", "{" MOONSHINE_CONFIG ",\"sliding_windows\":[[6,1],[3,-1]]}", "", CO_ERROR_SETTING, { "`sliding_windows`" } },
  { "moonshine-encoder", "", "{" MOONSHINE_CONFIG ",\"sliding_windows\":[[6,1],[3,1,1]]}", "", CO_ERROR_SETTING, { "`sliding_windows`" } },
  { "moonshine-encoder", "", "{" MOONSHINE_CONFIG ",\"sliding_windows\":null}", "", CO_ERROR_SETTING, { "`sliding_windows`", "found null" } },
  { "moonshine", "", "{\"model_type\":\"moonshine_streaming\"}", "", CO_ERROR_MODEL, { "6 layers", "found 2" } },
  { "moonshine", "", "{\"model_type\":\"moonshine_streaming\",\"encoder_config\":[]}", "", CO_ERROR_SETTING, { "`encoder_config`", "an object" } },
  { "voxtral", "", "{\"model_type\":\"voxtral_realtime\",\"audio_config\":{\"model_type\":\"whisper\"}}", "", CO_ERROR_SETTING,
      { "`model_type`", "voxtral_realtime_encoder", "'whisper'" } },
  { "moonshine-encoder", "", "{" MOONSHINE_CONFIG "}", "norm_unit_offset=false", CO_ERROR_SETTING, { "norm_unit_offset is false" } },
};
/* *INDENT-ON* */

static gchar *
write_folder (const gchar * file, const gchar * edits, const gchar * config)
{
  gchar *folder = g_dir_make_tmp ("families-XXXXXX", NULL);
  g_autofree gchar *model = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *json = g_build_filename (folder, "config.json", NULL);
  g_autoptr (GBytes) bytes = NULL;
  gsize i = 0;

  while (!g_str_equal (files[i].name, file))
    i++;
  bytes = edits_write (files[i].tensors, edits);
  g_assert_true (g_file_set_contents (model, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), NULL));
  g_assert_true (g_file_set_contents (json, config, -1, NULL));
  return folder;
}

static CoModel *
load (const gchar * file, const gchar * edits, const gchar * config,
    const gchar * settings, GError ** error)
{
  g_autofree gchar *folder = write_folder (file, edits, config);
  g_autofree gchar *model = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *json = g_build_filename (folder, "config.json", NULL);
  g_autoptr (CoOptions) options = co_options_new ();
  g_auto (GStrv) pairs = g_strsplit (settings, " ", -1);
  CoModel *self;

  for (gsize i = 0; pairs[i]; i++) {
    g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);

    g_assert_true (co_options_set (options, pair[0], pair[1], NULL));
  }
  self = co_model_load (folder, options, error);
  g_unlink (model);
  g_unlink (json);
  g_rmdir (folder);
  return self;
}

static void
test_taken (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (taken); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (CoModel) model = load (taken[i].file, taken[i].edits, taken[i].config, taken[i].options, &error);
    g_autofree gchar *text = NULL;

    if (!model)
      g_error ("%s %s: %s", taken[i].config, taken[i].options, error->message);
    text = co_model_describe (model);
    for (gsize l = 0; l < G_N_ELEMENTS (taken[i].lines) && taken[i].lines[l]; l++)
      if (!strstr (text, taken[i].lines[l]))
        g_error ("%s %s: expected \"%s\" in:\n%s", taken[i].config, taken[i].options, taken[i].lines[l], text);
  }
}

static void
test_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (CoModel) model = load (refused[i].file, refused[i].edits, refused[i].config, refused[i].options, &error);

    if (model || error->code != (gint) refused[i].code)
      g_error ("%s %s: %s", refused[i].config, refused[i].options, model ? "taken" : error->message);
    for (gsize f = 0; f < G_N_ELEMENTS (refused[i].fragments) && refused[i].fragments[f]; f++)
      if (!strstr (error->message, refused[i].fragments[f]))
        g_error ("%s: expected \"%s\" in \"%s\"", refused[i].config, refused[i].fragments[f], error->message);
    g_assert_nonnull (strstr (error->message, "expected"));
    g_test_message ("%s", error->message);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/families/taken", test_taken);
  g_test_add_func ("/families/refused", test_refused);
  return g_test_run ();
}
