/* co_model_describe(), and continual-inspect, which prints it
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edits.h"
#include <continual/continual.h>
#include <glib/gstdio.h>
#include <string.h>

#define CLASSIFIER "@num_heads=2;@sequence_len=5;@activation=gelu;@labels=[\"yes\",\"no\"];proj.weight 4,5;proj.bias 4;" \
  "@layout=[\"proj\",\"pos\",\"scale:2\",\"encoder\",\"pool:mean\",\"head\",\"softmax\"];pos 1,6,4;" LAYER ("encoder.layers.0.") \
  ";encoder.norm.weight 4;encoder.norm.bias 4;head.weight 2,4"

static CoModel *
load (const gchar * content, CoOptions * options)
{
  g_autoptr (GBytes) bytes = edits_write (content, "");
  g_autoptr (GError) error = NULL;
  CoModel *self = co_model_load_bytes (bytes, options, &error);

  g_assert_no_error (error);
  return self;
}

static void
assert_line (const gchar * text, const gchar * line)
{
  if (!strstr (text, line))
    g_error ("expected \"%s\" in:\n%s", line, text);
}

/* All that a person wants to know of a model, and where each value is from */
static void
test_classifier (void)
{
  static const gchar *const lines[] = {
    "kind           single-output\n", "layout         in the order of forward(), from: file\n",
    "  proj         linear (4, 5)\n", "  pos          positions (1, 6, 4)\n", "  scale:2      scale\n",
    "  encoder      1 layer of torch.nn.TransformerEncoder, feed-forward 6, norm 'encoder.norm'\n",
    "  pool:mean    pool\n", "  head         linear (2, 4) without bias\n", "  softmax      softmax\n",
    "input          vectors of 5 features\n", "1 of width 4, 2 heads\n", "output         1 position of 2 features\n",
    "window         5 vectors\n", "first output   with vector 5\n", "latency        0 vectors\n",
    "  nhead                  2              file\n", "  sequence_len           5              file\n",
    "  activation             gelu           file\n", "  norm_first             true           option\n",
    "  layer_norm_eps         1e-05          assumed default\n", "labels         2\n  'yes'\n  'no'\n",
    "6 rows and recycle",
  };
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (CoModel) model = NULL;
  g_autofree gchar *text = NULL, *macs = NULL, *state = NULL, *weights = NULL;
  const CoModelInfo *info;

  co_options_set (options, "norm_first", "true", NULL);
  model = load (CLASSIFIER, options);
  text = co_model_describe (model);
  info = co_model_get_info (model);
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    assert_line (text, lines[i]);
  macs = g_strdup_printf ("cost           %" G_GUINT64_FORMAT " multiply-accumulates", info->macs);
  state = g_strdup_printf ("state          %" G_GSIZE_FORMAT " bytes", info->state_bytes);
  weights = g_strdup_printf ("weights        %" G_GSIZE_FORMAT " bytes", info->model_bytes);
  assert_line (text, macs);
  assert_line (text, state);
  assert_line (text, weights);
  /* What does not apply is not said. */
  g_assert_null (strstr (text, "causal_chunk_length"));
  g_assert_null (strstr (text, "cross_attention"));
  g_assert_true (g_utf8_validate (text, -1, NULL));
}

static void
test_attention (void)
{
  g_autoptr (CoModel) model = load ("@nhead=2;@sequence_len=4;@query_index=-3;" ATTENTION, NULL);
  g_autofree gchar *text = co_model_describe (model);

  assert_line (text, "  (the whole)  1 attention of torch.nn.MultiheadAttention\n");
  assert_line (text, "queries of 4, keys of 4, values of 4 features\n");
  assert_line (text, "latency        2 vectors\n");
  assert_line (text, "  query_index            -3             file\n");
  assert_line (text, "warnings       none\n");
  g_assert_null (strstr (text, "layer_norm_eps"));
}

/* Names in a file are shown so that they can do no harm to a terminal. */
static void
test_hostile_names (void)
{
  g_autoptr (CoModel) model = load ("@nhead=2;@sequence_len=3;@layout=[\"\\u001b[2J\",\"encoder\"];@labels=[\"\\u001b\",\"a\\nb\","
      "\"c\",\"d\"];\x1b[2J.weight 4,5;" LAYER ("encoder.layers.0."), NULL);
  g_autofree gchar *text = co_model_describe (model);

  g_assert_null (strchr (text, '\x1b'));
  assert_line (text, "\\u001b[2J");
  assert_line (text, "  'a\\u000ab'\n");
}

static gboolean
run (const gchar ** argv, gchar ** out, gchar ** err)
{
  gint status;

  g_assert_true (g_spawn_sync (NULL, (gchar **) argv, NULL, 0, NULL, NULL, out, err, &status, NULL));
  return status == 0;
}

static void
test_program (void)
{
  g_autoptr (GBytes) bytes = edits_write ("@nhead=2;" LAYER ("a.layers.0.") ";b.weight 3", "");
  g_autofree gchar *folder = g_dir_make_tmp ("inspect-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "m.safetensors", NULL);
  g_autofree gchar *out = NULL, *err = NULL, *expected = NULL, *out2 = NULL, *err2 = NULL, *out3 = NULL, *err3 = NULL;
  const gchar *program = g_getenv ("CONTINUAL_INSPECT");
  const gchar *right[] = { program, path, "--prefix", "a", "--set", "sequence-len=3", NULL };
  const gchar *wrong[] = { program, path, NULL }, *no_file[] = { program, NULL };
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (CoModel) model = NULL;

  if (!program) {
    g_test_skip ("CONTINUAL_INSPECT says where the program is");
    return;
  }
  g_assert_true (g_file_set_contents (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), NULL));
  co_options_set (options, "prefix", "a", NULL);
  co_options_set (options, "sequence_len", "3", NULL);
  model = co_model_load (path, options, NULL);
  expected = co_model_describe (model);
  g_assert_true (run (right, &out, &err));
  g_assert_cmpstr (out, ==, expected);
  g_assert_cmpstr (err, ==, "");
  g_assert_false (run (wrong, &out2, &err2));
  g_assert_cmpstr (out2, ==, "");
  assert_line (err2, "nothing uses tensor 'b.weight'");
  g_assert_false (run (no_file, &out3, &err3));
  assert_line (err3, "expected one FILE or FOLDER");
  g_unlink (path);
  g_rmdir (folder);
}

/* What the last entry of a layout makes of the scores */
static void
test_scores (void)
{
  static const struct
  {
    const gchar *end;
    CoScores scores;
  } cases[] = {
    { "", CO_SCORES_LOGITS }, { ",\"log_softmax\"", CO_SCORES_LOGITS }, { ",\"identity\"", CO_SCORES_LOGITS },
    { ",\"softmax\"", CO_SCORES_PROBABILITIES }, { ",\"sigmoid\"", CO_SCORES_OTHER },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *layout = g_strdup_printf ("[\"proj\",\"encoder\",\"head\"%s]", cases[i].end);
    g_autoptr (CoOptions) options = co_options_new ();
    g_autoptr (CoModel) model = NULL;

    co_options_set (options, "layout", layout, NULL);
    model = load ("@num_heads=2;@sequence_len=5;proj.weight 4,5;proj.bias 4;" LAYER ("encoder.layers.0.")
        ";head.weight 2,4", options);
    g_assert_cmpint (co_model_get_info (model)->scores, ==, cases[i].scores);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/classifier", test_classifier);
  g_test_add_func ("/inspect/attention", test_attention);
  g_test_add_func ("/inspect/hostile-names", test_hostile_names);
  g_test_add_func ("/inspect/scores", test_scores);
  g_test_add_func ("/inspect/program", test_program);
  return g_test_run ();
}
