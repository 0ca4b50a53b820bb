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
};

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
