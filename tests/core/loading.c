/* What is refused when a model is loaded, and what is said then
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each case is a sound state dict and what was done to it, in a line of edits (edits.h). */
#include "edits.h"
#include <continual/continual.h>
#include <string.h>

#define PROJECTIONS(p) p "query_projection.weight 4,4;" p "key_projection.weight 4,4;" \
  p "value_projection.weight 4,4;" p "out_projection.weight 4,4"
#define TIMM(p) p "norm1.weight 4;" p "norm1.bias 4;" p "attn.qkv.weight 12,4;" p "attn.qkv.bias 12;" \
  p "attn.proj.weight 4,4;" p "attn.proj.bias 4;" p "norm2.weight 4;" p "norm2.bias 4;" p "mlp.fc1.weight 6,4;" \
  p "mlp.fc1.bias 6;" p "mlp.fc2.weight 4,6;" p "mlp.fc2.bias 4"
#define BERT(p) p "attention.self.query.weight 4,4;" p "attention.self.query.bias 4;" p "attention.self.key.weight 4,4;" \
  p "attention.self.key.bias 4;" p "attention.self.value.weight 4,4;" p "attention.self.value.bias 4;" \
  p "attention.output.dense.weight 4,4;" p "attention.output.dense.bias 4;" p "attention.output.LayerNorm.weight 4;" \
  p "attention.output.LayerNorm.bias 4;" p "intermediate.dense.weight 6,4;" p "intermediate.dense.bias 6;" \
  p "output.dense.weight 4,6;" p "output.dense.bias 4;" p "output.LayerNorm.weight 4;" p "output.LayerNorm.bias 4"
#define WINDOW "@nhead=2;@sequence_len=3;"

/* *INDENT-OFF* */
static const struct
{
  const gchar *name, *content;
} bases[] = {
  { "attention", WINDOW ATTENTION },
  { "keys-values", WINDOW "q_proj_weight 4,4;k_proj_weight 4,3;v_proj_weight 4,2;in_proj_bias 12;"
      "out_proj.weight 4,4;out_proj.bias 4" },
  { "encoder", WINDOW LAYER ("layers.0.") ";" LAYER ("layers.1.") ";norm.weight 4;norm.bias 4" },
  { "layer", WINDOW LAYER ("") },
  { "classifier", WINDOW "0.weight 4,5;0.bias 4;1.pe.weight 7,4;" LAYER ("2.layers.0.")
      ";3.weight 4;3.bias 4;4.weight 2,4;4.bias 2" },
  { "named", WINDOW "embed.weight 4,5;embed.bias 4;positions.weight 7,4;" LAYER ("encoder.layers.0.")
      ";norm.weight 4;norm.bias 4;head.weight 2,4;head.bias 2" },
  { "linear", "@nhead=2;@attention=recurrent_linear;" PROJECTIONS ("layers.0.attention.") ";"
      FEED_FORWARD ("layers.0.") },
  { "decoder", "@nhead=2;" PROJECTIONS ("layers.0.self_attention.") ";" PROJECTIONS ("layers.0.cross_attention.") ";"
      FEED_FORWARD ("layers.0.") ";layers.0.norm3.weight 4;layers.0.norm3.bias 4" },
  { "kernel", "@attention=kernel;@feature_transform=relu;@num_random_features=5;query.kernel 4,2,2;query.bias 2,2;"
      "key.kernel 4,2,2;key.bias 2,2;value.kernel 4,2,2;value.bias 2,2;attention_output.kernel 2,2,4;"
      "attention_output.bias 4;projection_matrix 5,2" },
  { "timm", WINDOW TIMM ("blocks.0.") ";" TIMM ("blocks.1.") },
  { "llama", WINDOW "@rope_theta=10000;" "layers.0.input_layernorm.weight 4;layers.0.post_attention_layernorm.weight 4;"
      "layers.0.self_attn.q_proj.weight 4,4;layers.0.self_attn.k_proj.weight 4,4;layers.0.self_attn.v_proj.weight 4,4;"
      "layers.0.self_attn.o_proj.weight 4,4;layers.0.mlp.gate_proj.weight 6,4;layers.0.mlp.up_proj.weight 6,4;"
      "layers.0.mlp.down_proj.weight 4,6" },
  { "bert", WINDOW BERT ("bert.encoder.layer.0.") ";" BERT ("bert.encoder.layer.1.") },
};

typedef struct
{
  const gchar *base, *edits;
  CoError code;
  const gchar *fragments[3];    /* of the message */
} Case;

#define MODEL CO_ERROR_MODEL
#define SETTING CO_ERROR_SETTING

static const Case refused[] = {
  /* a tensor is missing */
  { "attention", "-out_proj.weight", MODEL, { "'out_proj.weight' is missing" } },
  { "attention", "-in_proj_weight", MODEL, { "'in_proj_weight' is missing" } },
  { "attention", "-in_proj_bias", MODEL, { "'in_proj_bias' is missing" } },
  { "attention", "*model.;-model.out_proj.bias", MODEL, { "'model.out_proj.bias' is missing" } },
  { "layer", "-self_attn.in_proj_weight", MODEL, { "'self_attn.in_proj_weight' is missing" } },
  { "layer", "-linear1.weight", MODEL, { "'linear1.weight' is missing" } },
  { "layer", "-linear1.bias", MODEL, { "'linear1.bias' is missing" } },
  { "encoder", "-layers.0.self_attn.in_proj_weight", MODEL, { "'layers.0.self_attn.in_proj_weight' is missing" } },
  { "encoder", "-layers.1.self_attn.in_proj_weight", MODEL, { "'layers.1.self_attn.in_proj_weight' is missing" } },
  { "encoder", "-layers.1.linear1.weight", MODEL, { "'layers.1.linear1.weight' is missing" } },
  { "encoder", "-layers.1.linear2.bias", MODEL, { "'layers.1.linear2.bias' is missing" } },
  { "encoder", "-layers.0.norm2.bias", MODEL, { "'layers.0.norm2.bias' is missing" } },
  { "encoder", "-layers.0.self_attn.out_proj.bias", MODEL, { "'layers.0.self_attn.out_proj.bias' is missing" } },
  { "classifier", "-2.layers.0.linear1.weight", MODEL, { "'2.layers.0.linear1.weight' is missing" } },
  { "linear", "-layers.0.attention.query_projection.weight", MODEL, { "query_projection.weight' is missing" } },
  { "linear", "-layers.0.linear1.weight", MODEL, { "linear1.weight' is missing" } },
  { "decoder", "-layers.0.self_attention.query_projection.weight", MODEL, { "self_attention.query_projection.weight' is missing" } },
  { "decoder", "-layers.0.linear1.weight", MODEL, { "linear1.weight' is missing" } },
  { "decoder", "-layers.0.norm3.bias", MODEL, { "norm3.bias' is missing" } },
  { "kernel", "-query.kernel", MODEL, { "'query.kernel' is missing" } },
  { "kernel", "-value.bias", MODEL, { "'value.bias' is missing" } },
  { "keys-values", "-k_proj_weight", MODEL, { "'k_proj_weight' is missing" } },
  { "keys-values", "-v_proj_weight", MODEL, { "'v_proj_weight' is missing" } },
  { "encoder", "*x.;>x.norm.weight y.norm.weight;>x.norm.bias y.norm.bias", MODEL, { "nothing uses tensor 'y.norm.weight'" } },
  { "encoder", LAYER ("layers.3."), MODEL, { "layer 'layers.2' is missing" } },
  { "encoder", "-layers.1.linear2.weight", MODEL, { "'layers.1.linear2.weight' is missing" } },
  { "encoder", "-layers.0.norm1.weight", MODEL, { "'layers.0.norm1.weight' is missing" } },
  { "encoder", "-layers.1.norm2.weight", MODEL, { "'layers.1.norm2.weight' is missing" } },
  { "encoder", "-layers.1.self_attn.out_proj.weight", MODEL, { "'layers.1.self_attn.out_proj.weight' is missing" } },
  { "classifier", "-0.weight", MODEL, { "'0.weight' is missing" } },
  { "classifier", "-4.weight", MODEL, { "'4.weight' is missing" } },
  { "linear", "-layers.0.attention.key_projection.weight", MODEL, { "key_projection.weight' is missing" } },
  { "decoder", "-layers.0.norm3.weight", MODEL, { "norm3.weight' is missing" } },
  { "decoder", "-layers.0.cross_attention.value_projection.weight", MODEL, { "cross_attention.value_projection.weight' is missing" } },
  { "kernel", "-projection_matrix", MODEL, { "'projection_matrix' is missing", "(5, 2)" } },
  { "kernel", "-value.kernel", MODEL, { "'value.kernel' is missing" } },
  /* has another shape */
  { "attention", "=in_proj_weight 12,5", MODEL, { "'in_proj_weight'", "(15, 5)", "(12, 5)" } },
  { "attention", "=in_proj_weight 48", MODEL, { "'in_proj_weight'", "(48)" } },
  { "attention", "=in_proj_weight 0,4", MODEL, { "'in_proj_weight'", "(0, 4)" } },
  { "attention", "=in_proj_bias 11", MODEL, { "'in_proj_bias'", "(12)", "(11)" } },
  { "attention", "=out_proj.weight 4,5", MODEL, { "'out_proj.weight'", "expected 4", "found 5" } },
  { "attention", "=out_proj.bias 3", MODEL, { "'out_proj.bias'", "(4)", "(3)" } },
  { "classifier", "@layout=[\"scale:2.0\",\"0\",\"1\",\"2\",\"3\",\"4\"];=0.weight 0,1152921504606846976;=0.bias 0", MODEL,
      { "'0.weight'", "(0, 1152921504606846976)" } },
  { "kernel", "@num_key_value_heads=2;=key.kernel 4,1,2", MODEL, { "key" } },
  { "llama", "+layers.0.mlp.up_proj.bias 6;+layers.0.mlp.down_proj.bias 4", MODEL, { "both halves" } },
  { "timm", "+blocks.0.ls1.gamma 4;+blocks.0.ls2.gamma 4", MODEL, { "'blocks.1'", "'blocks.0.ls1.gamma'" } },
  { "timm", "+blocks.1.ls1.gamma 4;+blocks.1.ls2.gamma 4", MODEL, { "'blocks.0'", "'blocks.1.ls1.gamma'" } },
  { "timm", "+blocks.1.attn.q_norm.weight 2;+blocks.1.attn.k_norm.weight 2;+blocks.1.attn.q_norm.bias 2;"
      "+blocks.1.attn.k_norm.bias 2", MODEL, { "'blocks.0'", "'blocks.1.attn.q_norm.weight'" } },
  { "attention", "+bias_k 1,1,4", MODEL, { "'bias_k' stands alone" } },
  { "attention", "+bias_k 1,1,4;+bias_v 1,1,3", MODEL, { "'bias_v'", "(1, 1, 4)", "(1, 1, 3)" } },
  { "keys-values", "=k_proj_weight 5,3", MODEL, { "'k_proj_weight'" } },
  { "keys-values", "=in_proj_bias 13", MODEL, { "'in_proj_bias'", "(12)", "(13)" } },
  { "encoder", "=layers.0.linear1.weight 6,3", MODEL, { "'layers.0.linear1.weight'", "(any, 4)", "(6, 3)" } },
  { "encoder", "=layers.0.linear1.bias 7", MODEL, { "'layers.0.linear1.bias'", "(6)", "(7)" } },
  { "encoder", "=layers.0.linear2.weight 4,7", MODEL, { "'layers.0.linear2.weight'", "(4, 6)", "(4, 7)" } },
  { "encoder", "=layers.1.norm1.weight 5", MODEL, { "'layers.1.norm1.weight'", "(4)", "(5)" } },
  { "encoder", "=layers.1.norm2.bias 1,4", MODEL, { "'layers.1.norm2.bias'", "(4)", "(1, 4)" } },
  { "encoder", "=norm.weight 5", MODEL, { "'norm.weight'", "(4)", "(5)" } },
  { "encoder", "=layers.1.self_attn.in_proj_weight 18,6;=layers.1.self_attn.in_proj_bias 18;"
      "=layers.1.self_attn.out_proj.weight 6,6;=layers.1.self_attn.out_proj.bias 6", MODEL, { "'layers.1'", "4 features", "6" } },
  { "classifier", "=0.weight 5,5", MODEL, { "'0.weight'", "(4, 5)", "(5, 5)" } },
  { "classifier", "=0.bias 5", MODEL, { "'0.bias'", "(4)", "(5)" } },
  { "classifier", "=1.pe.weight 7,5", MODEL, { "'1.pe.weight'", "(any, 4)", "(7, 5)" } },
  { "classifier", "=1.pe.weight 0,4", MODEL, { "'1.pe.weight'", "(0, 4)" } },
  { "classifier", "=3.weight 5", MODEL, { "'3.weight'", "(4)", "(5)" } },
  { "classifier", "=4.weight 2,5", MODEL, { "'4.weight'", "(any, 4)", "(2, 5)" } },
  { "classifier", "=4.bias 3", MODEL, { "'4.bias'", "(2)", "(3)" } },
  { "kernel", "=query.kernel 4,4", MODEL, { "'query.kernel'", "(4, 4)" } },
  { "kernel", "=key.kernel 4,2,3", MODEL, { "'key.kernel'", "expected 4", "found 6" } },
  { "kernel", "=query.bias 4", MODEL, { "'query.bias'", "(2, 2)", "(4)" } },
  { "kernel", "=projection_matrix 6,2", MODEL, { "'projection_matrix'", "(5, 2)", "(6, 2)" } },
  { "kernel", "=projection_matrix 5,3", MODEL, { "'projection_matrix'", "(5, 2)", "(5, 3)" } },
  { "kernel", "=attention_output.kernel 2,3,4", MODEL, { "'attention_output.kernel'", "expected 4", "found 6" } },
  { "linear", "@feature_map=favor;+layers.0.attention.inner_attention.feature_map.omega 3,5", MODEL, { "omega'", "(2, any)", "(3, 5)" } },
  /* nothing uses it */
  { "attention", "+extra.weight 3", MODEL, { "nothing uses tensor 'extra.weight'" } },
  { "attention", "+k_proj_weight 4,4", MODEL, { "nothing uses tensor 'k_proj_weight'" } },
  { "linear", "@attention=recurrent_full;@feature_map=favor;+layers.0.attention.inner_attention.feature_map.omega 2,5",
      MODEL, { "nothing uses tensor 'layers.0.attention.inner_attention.feature_map.omega'" } },
  { "decoder", "+layers.0.cross_attention.inner_attention.feature_map.omega 2,5", MODEL,
      { "nothing uses tensor 'layers.0.cross_attention.inner_attention.feature_map.omega'" } },
  { "decoder", "@self_attention=recurrent_full;+layers.0.self_attention.inner_attention.feature_map.omega 2,5", MODEL,
      { "nothing uses tensor 'layers.0.self_attention.inner_attention.feature_map.omega'" } },
  { "attention", "+layers.0.weight 3", MODEL, { "nothing uses tensor 'layers.0.weight'" } },
  { "encoder", "+extra 3", MODEL, { "nothing uses tensor 'extra'" } },
  { "encoder", "+layers.0.extra.weight 3", MODEL, { "nothing uses tensor 'layers.0.extra.weight'" } },
  { "encoder", "+layers.0.norm4.weight 4", MODEL, { "nothing uses tensor 'layers.0.norm4.weight'" } },
  { "classifier", "+2.other.weight 4", MODEL, { "nothing uses tensor '2.other.weight'" } },
  { "classifier", "+5.weight 3,2", MODEL, { "nothing uses tensor" } },
  { "classifier", "+0.fn.weight 4,5", MODEL, { "'0.fn.weight' and '0.weight' have one name" } },
  { "classifier", "+1.pe.pattern 7,4", MODEL, { "nothing uses tensor '1.pe." } },
  { "classifier", "+2.layers.0.norm1.fn.weight 4", MODEL,
      { "'2.layers.0.norm1.fn.weight' and '2.layers.0.norm1.weight' have one name" } },
  { "named", "+tail.weight 2,2", MODEL, { "nothing uses tensor 'tail.weight'", "metadata" } },
  { "named", "@head=output", MODEL, { "nothing uses tensor 'head." } },
  { "named", "@encoder=other", MODEL, { "under 'other'", "found it under 'encoder'" } },
  { "kernel", "@num_random_features=0", MODEL, { "nothing uses tensor 'projection_matrix'" } },
  { "linear", "+layers.0.attention.inner_attention.feature_map.omega 2,5", MODEL, { "'layers.0'", "elu uses no random matrix" } },
  { "linear", "@feature_map=favor", MODEL, { "'layers.0'", "favor", "omega" } },
  { "encoder", "+extra.bias 3", MODEL, { "'extra.weight' is missing" } },
  /* not in the order that a model runs in */
  { "classifier", ">3.weight 5.weight;>3.bias 5.bias", MODEL, { "'4.weight' behind '5.weight'" } },
  { "classifier", ">1.pe.weight table;>0.weight 1.weight;>0.bias 1.bias;>table 0.pe.weight", MODEL,
      { "'0.pe.weight' behind '1.weight'" } },
  /* no scheme fits */
  { "attention", "-in_proj_weight;-in_proj_bias;-out_proj.weight;-out_proj.bias", MODEL, { "found 0 tensors" } },
  { "attention", "-in_proj_weight;-in_proj_bias;-out_proj.weight;>out_proj.bias conv.bias", MODEL, { "such as 'conv.bias'" } },
  { "attention", "*a.;+b.in_proj_weight 12,4;+b.out_proj.weight 4,4", MODEL, { "expected one attention, found 2" } },
  { "encoder", "+other.layers.0.self_attn.in_proj_weight 12,4;+other.layers.0.self_attn.out_proj.weight 4,4;"
      "+other.layers.0.linear1.weight 6,4;+other.layers.0.linear2.weight 4,6;+other.layers.0.norm1.weight 4;"
      "+other.layers.0.norm2.weight 4", MODEL, { "lie apart" } },
  { "encoder", "@architecture=decoder", MODEL, { "architecture decoder" } },
  { "decoder", "@architecture=encoder", MODEL, { "architecture encoder" } },
  /* what a state dict cannot say */
  { "attention", "@nhead", SETTING, { "number of heads is not known", "nhead", "heads" } },
  { "attention", "@sequence_len", SETTING, { "window is not known", "sequence_len", "sequence-len" } },
  { "attention", "@nhead=3", SETTING, { "3 heads do not divide", "4" } },
  { "attention", "@nhead=0", SETTING, { "'0' of nhead", "1 to" } },
  { "attention", "@nhead=-1", SETTING, { "'-1' of nhead" } },
  { "attention", "@nhead=two", SETTING, { "'two' of nhead", "whole number" } },
  { "attention", "@nhead=2.0", SETTING, { "'2.0' of nhead" } },
  { "attention", "@nhead=", SETTING, { "'' of nhead" } },
  { "attention", "@nhead;@num_heads=x", SETTING, { "'x' of nhead" } },
  { "attention", "@nhead=99999999999999999999", SETTING, { "of nhead" } },
  { "attention", "@sequence_len=0", SETTING, { "'0' of sequence_len" } },
  { "attention", "@sequence_len=16777217", SETTING, { "of sequence_len" } },
  { "attention", "@query_index=3", SETTING, { "query_index 3 is outside", "-3 to 2" } },
  { "attention", "@query_index=-4", SETTING, { "query_index -4 is outside" } },
  { "attention", "@query_index=newest", SETTING, { "'newest' of query_index" } },
  { "attention", "@query_index=0;@attention=retroactive", SETTING, { "query_index 0 with attention retroactive", "single-output" } },
  { "attention", "@query_index=-2;@attention=deep", SETTING, { "with attention deep" } },
  { "attention", "@attention=retroactive;@warm_up=partial", SETTING, { "warm_up partial with retroactive" } },
  { "attention", "@query_index=-2;@warm_up=partial", SETTING, { "warm_up partial with a query_index that looks back" } },
  { "attention", "@attention=linear", SETTING, { "'linear' of attention", "single-output, retroactive, deep" } },
  { "encoder", "@activation=swish", SETTING, { "'swish' of activation", "relu, gelu" } },
  { "encoder", "@layer_norm_eps=small", SETTING, { "'small' of layer_norm_eps" } },
  { "encoder", "@layer_norm_eps=-1e-5", SETTING, { "of layer_norm_eps" } },
  { "encoder", "@layer_norm_eps=nan", SETTING, { "of layer_norm_eps" } },
  { "encoder", "@layer_norm_eps=1e-5x", SETTING, { "of layer_norm_eps" } },
  { "encoder", "@norm_first=maybe", SETTING, { "'maybe' of norm_first", "true or false" } },
  { "attention", "@add_zero_attn=2", SETTING, { "'2' of add_zero_attn" } },
  { "attention", "@attention=kernel", MODEL, { "'projection_matrix' is missing" } },
  { "encoder", "@attention=kernel", SETTING, { "kernel", "alone" } },
  { "attention", "@attention=recurrent_linear;@add_zero_attn=true", SETTING, { "add_zero_attn with attention recurrent-linear" } },
  { "decoder", "@self_attention=deep", SETTING, { "'deep' of self_attention", "one of recurrent-full, recurrent-linear" } },
  { "decoder", "@norm_first=true", SETTING, { "norm_first with a decoder" } },
  { "decoder", "@cross_attention=half", SETTING, { "'half' of cross_attention" } },
  { "kernel", "@attention=deep;@sequence_len=3", SETTING, { "expected kernel" } },
  { "kernel", "@feature_transform=expplus", SETTING, { "expplus" } },
  { "kernel", "@num_heads=4", MODEL, { "expected 4 heads", "found 2" } },
  { "kernel", "@cache=true", SETTING, { "cache without causal_window_decay" } },
  { "kernel", "@cache=true;@causal_window_decay=None", SETTING, { "cache without causal_window_decay" } },
  { "encoder", "@layer_norm_eps=None", SETTING, { "'None' of layer_norm_eps" } },
  { "kernel", "@causal_window_decay=1.5", SETTING, { "of causal_window_decay" } },
  { "kernel", "@causal_chunk_length=0", SETTING, { "of causal_chunk_length" } },
  { "kernel", "@is_short_seq=true", SETTING, { "`is_short_seq`" } },
  { "kernel", "@add_zero_attn=true", SETTING, { "with attention kernel" } },
  /* a list of layers without its first ones: a shard is missing */
  { "layer", "*layers.1.", MODEL, { "'layers.0' is missing", "'layers.1' first", "shards" } },
  { "layer", "*model.encoder.layers.3.", MODEL, { "'model.encoder.layers.0' is missing" } },
  { "layer", "*blocks.1.", MODEL, { "'blocks.0' is missing" } },
  { "layer", "*encoder.layer.2.", MODEL, { "'encoder.layer.0' is missing" } },
  { "layer", "*h.1.", MODEL, { "'h.0' is missing" } },
  { "layer", "*x.layers.1.;@prefix=x.layers", MODEL, { "'x.layers.0' is missing" } },
  { "timm", TIMM ("blocks.3."), MODEL, { "'blocks.2' is missing", "'blocks.3' behind" } },
  /* a key that was meant */
  { "attention", "@num_heads=4", SETTING, { "nhead 2 and num_heads 4", "one number" } },
  { "attention", "@num_heads=", SETTING, { "nhead 2 and num_heads" } },
  { "attention", "@nhead;@n_head=2", SETTING, { "'n_head'", "`nhead`" } },
  { "attention", "@nhaed=2", SETTING, { "'nhaed'", "`nhead`" } },
  { "attention", "@Nhead=2", SETTING, { "'Nhead'", "`nhead`" } },
  { "attention", "@heads=2", SETTING, { "'heads'", "`nhead`" } },
  { "attention", "@num-heads=2", SETTING, { "'num-heads'", "`num_heads`" } },
  { "attention", "@sequence-len=3", SETTING, { "'sequence-len'", "`sequence_len`" } },
  { "encoder", "@activaton=gelu", SETTING, { "'activaton'", "`activation`" } },
  { "encoder", "@norm_frist=true", SETTING, { "'norm_frist'", "`norm_first`" } },
  { "encoder", "@layer_norm_ep=1e-6", SETTING, { "`layer_norm_eps`" } },
  { "encoder", "@position_idx=window", SETTING, { "'position_idx'", "`position_index`" } },
  { "attention", "@qurey_idnex=1", SETTING, { "'qurey_idnex'", "`query_index`" } },
  { "named", "@label=[]", SETTING, { "'label'", "`labels`" } },
  { "named", "@layuot=[]", SETTING, { "'layuot'", "`layout`" } },
  { "named", "@prefixx=a", SETTING, { "'prefixx'", "`prefix`" } },
  /* what names say */
  { "timm", "@norm_first=false", SETTING, { "norm_first is false", "timm", "file" } },
  { "timm", "=blocks.0.attn.qkv.weight 11,4;=blocks.0.attn.qkv.bias 11", MODEL, { "'blocks.0.attn.qkv.weight'", "11 rows" } },
  { "timm", "-blocks.1.mlp.fc1.bias", MODEL, { "'blocks.1.mlp.fc1.bias' is missing" } },
  { "timm", "+blocks.0.ls3.gamma 4", MODEL, { "nothing uses tensor 'blocks.0.ls3.gamma'" } },
  { "bert", "-bert.encoder.layer.1.attention.self.key.bias", MODEL, { "'bert.encoder.layer.1.attention.self.key.bias' is missing" } },
  { "bert", "+bert.pooler.dense.weight 4,4;+bert.pooler.dense.bias 4", MODEL,
      { "nothing uses tensor 'bert.pooler.dense.weight'", "'bert.encoder.layer'", "`prefix`" } },
  /* the part to run */
  { "encoder", "@prefix=model", SETTING, { "no tensor is under the prefix 'model'", "'layers', 'norm'" } },
  { "encoder", "*a.;" LAYER ("b.layers.0.") ";@prefix=c", SETTING, { "prefix 'c'", "'a', 'b'" } },
  { "encoder", "*a.;" LAYER ("b.layers.0."), MODEL, { "'a.layers.0' and 'b.layers.0' lie apart", "`prefix`" } },
  { "encoder", "+module.norm.weight 4", MODEL, { "'module.norm.weight' and 'norm.weight' have one name" } },
  { "encoder", "+layers.1._orig_mod.norm1.bias 4", MODEL, { "'layers.1._orig_mod.norm1.bias' and 'layers.1.norm1.bias' have one name" } },
  /* labels */
  { "classifier", "@labels=[\"a\"]", SETTING, { "labels", "2", "found 1" } },
  { "classifier", "@labels=[\"a\",\"b\",\"c\"]", SETTING, { "labels", "found 3" } },
  { "classifier", "@labels=[]", SETTING, { "labels", "found 0" } },
  { "classifier", "@labels=[\"a\",2]", SETTING, { "labels", "array of strings" } },
  { "classifier", "@labels={\"a\":\"b\"}", SETTING, { "labels", "array of strings" } },
  { "classifier", "@labels=[\"a\",\"b\"", SETTING, { "labels", "array of strings" } },
  { "classifier", "@labels=a, b", SETTING, { "labels", "array of strings" } },
  { "classifier", "@labels=", SETTING, { "labels" } },
};

/* What all those were before, and what looks odd and is none the less sound. */
static const Case taken[] = {
  { "attention", "" }, { "keys-values", "" }, { "encoder", "" }, { "layer", "" }, { "classifier", "" },
  { "named", "" }, { "linear", "" }, { "decoder", "" }, { "kernel", "" },
  { "attention", "*model." }, { "attention", "*module.encoder.self_attn." }, { "encoder", "*model." },
  { "encoder", "*module.encoder." }, { "encoder", "*encoder." }, { "classifier", "*model.net." },
  { "named", "*module." }, { "layer", "*encoder.layers.0." }, { "layer", "*model." }, { "decoder", "*decoder." },
  { "kernel", "*model." }, { "linear", "*module." },
  { "attention", "-in_proj_bias;-out_proj.bias" }, { "keys-values", "-in_proj_bias;-out_proj.bias" },
  { "encoder", "-norm.weight;-norm.bias" }, { "encoder", "-norm.bias" }, { "encoder", "-layers.0.linear1.bias;-layers.0.linear2.bias" },
  { "llama", "" }, { "llama", "+layers.0.mlp.up_proj.bias 6;+layers.0.mlp.down_proj.bias 4;+layers.0.mlp.gate_proj.bias 6" },
  { "timm", "" }, { "timm", "+blocks.0.ls1.gamma 4;+blocks.0.ls2.gamma 4;+blocks.1.ls1.gamma 4;+blocks.1.ls2.gamma 4" },
  { "layer", "*2.;" LAYER ("4.") },
  { "layer", "-norm1.bias;-norm2.bias" }, { "layer", "-self_attn.in_proj_bias;-self_attn.out_proj.bias" },
  { "kernel", "-query.bias;-key.bias;-value.bias;-attention_output.bias" },
  { "classifier", "-0.weight;-0.bias" }, { "classifier", "-1.pe.weight" },
  { "classifier", "-3.weight;-3.bias" }, { "classifier", "-4.weight;-4.bias" }, { "classifier", "-4.bias" },
  { "classifier", ">1.pe.weight 1.pe.pattern" },
  { "named", "@head=output;>head.weight output.weight;>head.bias output.bias" },
  { "named", "@encoder=encoder" },
  { "named", "@embed=a;@positions=b;@norm=c;@head=d;@encoder=encoder;>embed.weight a.weight;>embed.bias a.bias;"
      ">positions.weight b.weight;>norm.weight c.weight;>norm.bias c.bias;>head.weight d.weight;>head.bias d.bias" },
  { "attention", "@nhead;@num_heads=2" }, { "attention", "@attention=single-output" },
  { "attention", "@query_index=2" }, { "attention", "@query_index=-3" },
  { "attention", "@norm_first=FALSE" }, { "attention", "@unknown=key" },
  { "attention", "@sequence_len;@attention=recurrent_full" },
  { "attention", "+bias_k 1,1,4;+bias_v 1,1,4" },
  { "classifier", "@labels=[\"a\",\"b\"]" }, { "classifier", "@labels=[\"\u00e9\",\"\"]" },
  { "kernel", "@scale=None;@causal_window_decay=None;@softmax_temp=None" }, { "kernel", "@num_heads=2" }, { "kernel", "@cache=true;@causal_window_decay=0.5" },
  { "kernel", "@is_short_seq=false;@use_causal_windowed=true" },
  { "attention", "@num_heads=2" }, { "attention", "@num_heads=02" },
  { "attention", "@format=pt;@author=me;@note=x;@seed=1;@stage=2;@decoder=no;@layers=1;@name=x;@shape=x" },
  { "timm", "" }, { "timm", "@norm_first=true" }, { "timm", "-blocks.0.attn.qkv.bias;-blocks.1.attn.qkv.bias" },
  { "timm", "*model.;+model.norm.weight 4;+model.norm.bias 4;+model.head.weight 2,4" },
  { "bert", "" }, { "bert", "+bert.pooler.dense.weight 4,4;@prefix=bert.encoder" },
  { "layer", "*layers.0." }, { "layer", "*stages.3." }, { "layer", "*2.blocks.0." },
  { "layer", "*layers.1.;layers.0.weight 4,5;layers.0.bias 4;layers.2.weight 2,4" },
  { "encoder", "*a.;" LAYER ("b.layers.0.") ";@prefix=a" }, { "encoder", "*a.;" LAYER ("b.layers.0.") ";@prefix=b." },
  { "encoder", "*model.;+model2.weight 3;+modem.weight 3;@prefix=model" }, { "encoder", "*model.;+conv.weight 3,4,5;@prefix=model" }, { "encoder", "*module.model.;+conv.weight 3;@prefix=module.model" },
  { "encoder", "*module.model.;+module.conv.weight 3;@prefix=model" },
  { "named", ">encoder.layers.0.self_attn.in_proj_weight encoder._fsdp_wrapped_module.layers.0._checkpoint_wrapped_module."
      "self_attn.in_proj_weight;>embed.weight embed._orig_mod.weight;>head.weight module.head._forward_module.weight" },
};

/* What loads as it is, with a warning that has these words; without: none. */
static const struct
{
  const gchar *base, *edits, *fragments[3];
} warned[] = {
  { "classifier", "", { NULL } },
  { "classifier", "@sequence_len=4", { NULL } },
  { "classifier", "@sequence_len=5", { "'1'", "7 rows", "at least 9" } },
  { "classifier", "@sequence_len=5;@attention=deep", { "7 rows", "position_index=window" } },
  { "classifier", "@sequence_len=5;@attention=retroactive", { "7 rows" } },
  { "classifier", "@sequence_len=5;@position_index=recycle", { NULL } },
  { "classifier", "@sequence_len=5;@position_index=window", { NULL } },
  { "classifier", "@sequence_len;@attention=recurrent-full", { NULL } },
  { "encoder", "-norm.bias", { "'norm.weight'", "norm_type=rms", "norm_type=layer" } },
  { "layer", "-norm1.bias;-norm2.bias", { "'norm1.weight'", "RMS norm" } },
  { "layer", "-norm1.bias;-norm2.bias;-linear1.bias;-linear2.bias;-self_attn.in_proj_bias;-self_attn.out_proj.bias",
      { NULL } },
  { "named", "-norm.bias", { "'norm.weight'", "RMS norm" } },
  { "named", "-norm.bias;@norm_type=layer", { NULL } },
  { "timm", "", { "activation", "relu is assumed", "gelu" } },
  { "bert", "", { "relu is assumed", "transformers' BertEncoder" } },
  { "timm", "@activation=relu", { NULL } },
  { "encoder", "", { NULL } },
};
/* *INDENT-ON* */

static CoModel *
load (const Case * c, GError ** error)
{
  g_autoptr (GBytes) bytes = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bases); i++)
    if (g_str_equal (bases[i].name, c->base))
      bytes = edits_write (bases[i].content, c->edits);
  return co_model_load_bytes (bytes, NULL, error);
}

static void
test_refused (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GError) error = NULL;
  CoModel *model = load (c, &error);

  if (model || error->code != (gint) c->code)
    g_error ("%s %s: %s", c->base, c->edits, model ? "loaded" : error->message);
  g_assert_error (error, CO_ERROR, (gint) c->code);
  for (gsize i = 0; i < G_N_ELEMENTS (c->fragments) && c->fragments[i]; i++)
    if (!strstr (error->message, c->fragments[i]))
      g_error ("%s %s: expected \"%s\" in \"%s\"", c->base, c->edits,
          c->fragments[i], error->message);
  /* It says whose fault it is, what was expected and what to do. */
  g_assert_true (g_str_has_prefix (error->message, "model: "));
  g_assert_nonnull (strstr (error->message, "expected"));
  g_test_message ("%s", error->message);
}

/* Loads, and its numbers are finite. */
static void
test_taken (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (CoModel) model = load (c, &error);
  g_autoptr (CoStream) stream = NULL;
  g_autofree float *x = g_new0 (float, 64), *y = g_new0 (float, 64);

  if (!model)
    g_error ("%s %s: %s", c->base, c->edits, error->message);
  stream = co_stream_new (model, 1);
  if (co_model_get_info (model)->n_memory)
    co_stream_set_memory (stream, CO_ALL_STREAMS, x, 2, NULL);
  if (!g_str_equal (c->base, "keys-values"))
    for (gsize i = 0; i < 8; i++)
      if (co_stream_forward_step (stream, x, y) > 0)
        for (gsize d = 0; d < co_model_get_info (model)->n_outputs; d++)
          g_assert_true (y[d] * 0 == 0);
}

static void
test_warned (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  const Case c = { warned[i].base, warned[i].edits };
  g_autoptr (GError) error = NULL;
  g_autoptr (CoModel) model = load (&c, &error);
  const CoModelInfo *info;

  g_assert_no_error (error);
  info = co_model_get_info (model);
  g_assert_cmpuint (info->n_warnings, ==, warned[i].fragments[0] ? 1 : 0);
  for (gsize f = 0; f < G_N_ELEMENTS (warned[i].fragments) && warned[i].fragments[f]; f++)
    if (!strstr (info->warnings[0], warned[i].fragments[f]))
      g_error ("%s %s: expected \"%s\" in \"%s\"", c.base, c.edits, warned[i].fragments[f], info->warnings[0]);
}

/* An option wins over the file, with the same words. */
static void
test_options (void)
{
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = edits_write (bases[0].content, "");
  g_autoptr (CoModel) model = NULL, other = NULL;

  g_assert_false (co_options_set (options, "colour", "red", &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "'colour'"));
  g_clear_error (&error);

  g_assert_true (co_options_set (options, "num-heads", "4", &error));
  g_assert_true (co_options_set (options, "sequence-len", "9", &error));
  model = co_model_load_bytes (bytes, options, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (co_model_get_info (model)->n_heads, ==, 4);
  g_assert_cmpuint (co_model_get_info (model)->sequence_len, ==, 9);

  g_assert_true (co_options_set (options, "nhead", NULL, &error));
  other = co_model_load_bytes (bytes, options, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (co_model_get_info (other)->n_heads, ==, 2);

  g_assert_true (co_options_set (options, "sequence_len", "none", &error));
  g_assert_null (co_model_load_bytes (bytes, options, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "option 'none' of sequence_len"));
  g_clear_error (&error);
}

static void
add_cases (const gchar * group, const Case * cases, gsize n,
    GTestDataFunc function)
{
  for (gsize i = 0; i < n; i++) {
    g_autofree gchar *path = g_strdup_printf ("/loading/%s/%s-%zu", group,
        cases[i].base, i);
    g_test_add_data_func (path, &cases[i], function);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ("refused", refused, G_N_ELEMENTS (refused), test_refused);
  add_cases ("taken", taken, G_N_ELEMENTS (taken), test_taken);
  for (gsize i = 0; i < G_N_ELEMENTS (warned); i++) {
    g_autofree gchar *path = g_strdup_printf ("/loading/warned/%" G_GSIZE_FORMAT, i);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_warned);
  }
  g_test_add_func ("/loading/options", test_options);
  return g_test_run ();
}
