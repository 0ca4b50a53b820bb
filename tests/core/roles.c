/* The role of each tensor of today's layers, by its name; and what such names settle
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edits.h"
#include "names/parts.h"
#include <string.h>

#define QKV(p) p "q_proj.weight 4,4;" p "k_proj.weight 4,4;" p "v_proj.weight 4,4;" p "o_proj.weight 4,4;"
#define NORMS(a, b) a " 4;" b " 4;"
#define LLAMA(p) QKV (p "self_attn.") NORMS (p "input_layernorm.weight", p "post_attention_layernorm.weight") \
  p "mlp.gate_proj.weight 6,4;" p "mlp.up_proj.weight 6,4;" p "mlp.down_proj.weight 4,6;"
#define MIMI(p) QKV (p "self_attn.") NORMS (p "input_layernorm.weight", p "post_attention_layernorm.weight") \
  NORMS (p "input_layernorm.bias", p "post_attention_layernorm.bias") p "mlp.fc1.weight 6,4;" p "mlp.fc2.weight 4,6;"
#define MOONSHINE(p) QKV (p "self_attn.") NORMS (p "input_layernorm.gamma", p "post_attention_layernorm.gamma") \
  p "mlp.fc1.weight 6,4;" p "mlp.fc2.weight 4,6;" p "mlp.fc1.bias 6;" p "mlp.fc2.bias 4;"
#define VOXTRAL(p) QKV (p "self_attn.") NORMS (p "self_attn_layer_norm.weight", p "final_layer_norm.weight") \
  p "mlp.gate_proj.weight 6,4;" p "mlp.up_proj.weight 6,4;" p "mlp.down_proj.weight 4,6;" p "mlp.down_proj.bias 4;"
#define TIMM(p) p "attn.qkv.weight 12,4;" p "attn.proj.weight 4,4;" NORMS (p "norm1.weight", p "norm2.weight") \
  p "mlp.fc1.weight 6,4;" p "mlp.fc2.weight 4,6;"
#define DINOV2(p) p "attention.attention.query.weight 4,4;" p "attention.attention.key.weight 4,4;" \
  p "attention.attention.value.weight 4,4;" p "attention.output.dense.weight 4,4;" \
  NORMS (p "norm1.weight", p "norm2.weight") p "mlp.fc1.weight 6,4;" p "mlp.fc2.weight 4,6;"

typedef struct
{
  CoRole role;
  const gchar *name;            /* after the path of the layer */
} Expected;

#define SCALES(one, two) {CO_ROLE_SCALE1, one}, {CO_ROLE_SCALE2, two}
#define SELF_ATTENTION {CO_ROLE_Q_WEIGHT, "self_attn.q_proj.weight"}, {CO_ROLE_K_WEIGHT, "self_attn.k_proj.weight"}, \
  {CO_ROLE_V_WEIGHT, "self_attn.v_proj.weight"}, {CO_ROLE_OUT_WEIGHT, "self_attn.o_proj.weight"}
#define GATED {CO_ROLE_GATE_WEIGHT, "mlp.gate_proj.weight"}, {CO_ROLE_LINEAR1_WEIGHT, "mlp.up_proj.weight"}, \
  {CO_ROLE_LINEAR2_WEIGHT, "mlp.down_proj.weight"}
#define PLAIN {CO_ROLE_LINEAR1_WEIGHT, "mlp.fc1.weight"}, {CO_ROLE_LINEAR2_WEIGHT, "mlp.fc2.weight"}

/* *INDENT-OFF* */
static const struct
{
  const gchar *title, *tensors, *path, *norm;
  Expected expected[16];
  gboolean rms, unit_offset, rotary;    /* by the names */
} files[] = {
  { "transformers' LlamaModel", LLAMA ("layers.0.") LLAMA ("layers.1.") "norm.weight 4", "layers.0", "norm",
      { SELF_ATTENTION, GATED, {CO_ROLE_NORM1_WEIGHT, "input_layernorm.weight"},
        {CO_ROLE_NORM2_WEIGHT, "post_attention_layernorm.weight"} }, .rms = TRUE, .rotary = TRUE },
  { "transformers' LlamaModel", LLAMA ("model.layers.0.") "model.layers.0.self_attn.q_norm.weight 2;"
      "model.layers.0.self_attn.k_norm.weight 2;model.layers.0.self_attn.q_proj.bias 4;model.layers.0.self_attn.k_proj.bias 4;"
      "model.layers.0.self_attn.v_proj.bias 4", "model.layers.0", NULL,
      { SELF_ATTENTION, GATED, {CO_ROLE_Q_NORM_WEIGHT, "self_attn.q_norm.weight"}, {CO_ROLE_K_NORM_WEIGHT, "self_attn.k_norm.weight"},
        {CO_ROLE_Q_BIAS, "self_attn.q_proj.bias"}, {CO_ROLE_V_BIAS, "self_attn.v_proj.bias"} }, .rms = TRUE, .rotary = TRUE },
  /* the same names with biases in the norms: those are layer norms */
  { "transformers' LlamaModel", LLAMA ("layers.0.") "layers.0.input_layernorm.bias 4;layers.0.post_attention_layernorm.bias 4",
      "layers.0", NULL, { {CO_ROLE_NORM1_BIAS, "input_layernorm.bias"} }, .rotary = TRUE },
  { "transformers' MimiTransformerModel", MIMI ("layers.0.") "layers.0.self_attn_layer_scale.scale 4;"
      "layers.0.mlp_layer_scale.scale 4", "layers.0", NULL,
      { SELF_ATTENTION, PLAIN, SCALES ("self_attn_layer_scale.scale", "mlp_layer_scale.scale"),
        {CO_ROLE_NORM1_WEIGHT, "input_layernorm.weight"}, {CO_ROLE_NORM2_BIAS, "post_attention_layernorm.bias"} },
      .rotary = TRUE },
  { "transformers' MoonshineStreamingEncoder", MOONSHINE ("layers.0.") "final_norm.gamma 4", "layers.0", "final_norm",
      { SELF_ATTENTION, PLAIN, {CO_ROLE_NORM1_WEIGHT, "input_layernorm.gamma"},
        {CO_ROLE_NORM2_WEIGHT, "post_attention_layernorm.gamma"}, {CO_ROLE_LINEAR1_BIAS, "mlp.fc1.bias"} },
      .unit_offset = TRUE },
  { "transformers' VoxtralRealtimeEncoder", VOXTRAL ("layers.0.") "norm.weight 4", "layers.0", "norm",
      { SELF_ATTENTION, GATED, {CO_ROLE_NORM1_WEIGHT, "self_attn_layer_norm.weight"},
        {CO_ROLE_NORM2_WEIGHT, "final_layer_norm.weight"}, {CO_ROLE_LINEAR2_BIAS, "mlp.down_proj.bias"} },
      .rms = TRUE, .rotary = TRUE },
  { "timm's VisionTransformer", TIMM ("blocks.0.") "blocks.0.ls1.gamma 4;blocks.0.ls2.gamma 4;blocks.0.attn.q_norm.weight 2;"
      "blocks.0.attn.q_norm.bias 2;blocks.0.attn.k_norm.weight 2;blocks.0.attn.k_norm.bias 2", "blocks.0", NULL,
      { {CO_ROLE_IN_WEIGHT, "attn.qkv.weight"}, SCALES ("ls1.gamma", "ls2.gamma"), {CO_ROLE_Q_NORM_WEIGHT, "attn.q_norm.weight"},
        {CO_ROLE_Q_NORM_BIAS, "attn.q_norm.bias"}, {CO_ROLE_K_NORM_BIAS, "attn.k_norm.bias"} } },
  { "transformers' Dinov2Encoder", DINOV2 ("encoder.layer.0.") "encoder.layer.0.layer_scale1.lambda1 4;"
      "encoder.layer.0.layer_scale2.lambda1 4", "encoder.layer.0", NULL,
      { SCALES ("layer_scale1.lambda1", "layer_scale2.lambda1"), {CO_ROLE_NORM1_WEIGHT, "norm1.weight"}, PLAIN } },
  { "transformers' Dinov2Encoder", DINOV2 ("layer.0.") "layer.0.layer_scale_1.lambda1 4;layer.0.layer_scale_2.lambda1 4",
      "layer.0", NULL, { SCALES ("layer_scale_1.lambda1", "layer_scale_2.lambda1") } },
  { "torch.nn.TransformerEncoder", LAYER ("layers.0.") ";layers.0.layer_scale_1.scale 4;layers.0.layer_scale_2.scale 4",
      "layers.0", NULL, { SCALES ("layer_scale_1.scale", "layer_scale_2.scale") } },
};
/* *INDENT-ON* */

static gboolean
find (CoParts * parts, CoSettings * settings, const gchar * tensors,
    const gchar * edits, CoCheckpoint ** file, GError ** error)
{
  g_autoptr (GBytes) bytes = edits_write (tensors, edits);
  g_autoptr (CoOptions) options = co_options_new ();
  gboolean ok;

  *file = co_checkpoint_load_bytes (bytes, "model", NULL);
  g_assert_nonnull (*file);
  g_assert_true (co_settings_read (settings, *file, options, NULL));
  ok = co_parts_find (parts, *file, settings, error);
  if (!ok)
    co_settings_clear (settings);
  return ok;
}

static gboolean
warns (const CoParts * parts, const gchar * words)
{
  for (guint i = 0; i < parts->warnings->len; i++)
    if (strstr (g_ptr_array_index (parts->warnings, i), words))
      return TRUE;
  return FALSE;
}

static void
test_roles (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (CoCheckpoint) file = NULL;
    g_autoptr (GError) error = NULL;
    CoParts parts;
    CoSettings settings;
    const CoLayerParts *layer;

    g_test_message ("%s", files[i].tensors);
    find (&parts, &settings, files[i].tensors, "", &file, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (parts.scheme->title, ==, files[i].title);
    layer = &g_array_index (parts.layers, CoLayerParts, 0);
    g_assert_cmpstr (layer->path, ==, files[i].path);
    for (const Expected * e = files[i].expected; e->name; e++) {
      g_autofree gchar *name = g_strdup_printf ("%s.%s", files[i].path, e->name);

      if (!layer->tensors[e->role])
        g_error ("no tensor in the role of %s", name);
      g_assert_cmpstr (layer->tensors[e->role]->name, ==, name);
    }
    g_assert_cmpstr (parts.encoder_norm.name, ==, files[i].norm);
    g_assert_cmpint (settings.norm_type, ==, files[i].rms ? CO_NORM_RMS : CO_NORM_LAYER);
    g_assert_cmpint (settings.norm_unit_offset, ==, files[i].unit_offset);
    g_assert_cmpint (warns (&parts, "rope_theta: "), ==, files[i].rotary);
    co_parts_clear (&parts);
    co_settings_clear (&settings);
  }
}

/* What metadata says wins over the names, unless it cannot be. */
static void
test_said (void)
{
  g_autoptr (CoCheckpoint) file = NULL, other = NULL, third = NULL, moonshine = NULL;
  g_autoptr (GError) error = NULL;
  CoParts parts;
  CoSettings settings;

  g_assert_true (find (&parts, &settings, LLAMA ("layers.0."), "@norm_type=layer;@rope_theta=500000;@activation=silu", &file,
          NULL));
  g_assert_cmpint (settings.norm_type, ==, CO_NORM_LAYER);
  g_assert_cmpuint (parts.warnings->len, ==, 0);
  co_parts_clear (&parts);
  co_settings_clear (&settings);

  /* biases beside norms without one: asked about, until it is said */
  g_assert_true (find (&parts, &settings, LAYER ("layers.0."), "-layers.0.norm1.bias;-layers.0.norm2.bias", &other, NULL));
  g_assert_true (warns (&parts, "norm_type=rms"));
  co_parts_clear (&parts);
  co_settings_clear (&settings);
  g_assert_true (find (&parts, &settings, LAYER ("layers.0."), "-layers.0.norm1.bias;-layers.0.norm2.bias;@norm_type=layer",
          &third, NULL));
  g_assert_cmpuint (parts.warnings->len, ==, 0);
  co_parts_clear (&parts);
  co_settings_clear (&settings);

  g_assert_false (find (&parts, &settings, MOONSHINE ("layers.0."), "@norm_unit_offset=false", &moonshine, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "norm_unit_offset is false"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/roles/names", test_roles);
  g_test_add_func ("/roles/said", test_said);
  return g_test_run ();
}
