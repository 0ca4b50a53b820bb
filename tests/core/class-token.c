/* A class token is projected as any other row, whichever way a model computes it
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An operation between the positions and the layers makes a model recompute the class token with its window. Without one,
 * its projections are computed when the model is loaded. `scale:1.0` changes no number. */
#include "edits.h"
#include <continual/continual.h>
#include <math.h>
#include <string.h>

#define E 12
#define N 10
#define STEPS 24

#define BLOCK(p) p "norm1.weight 12;" p "norm1.bias 12;" p "attn.qkv.weight 36,12;" p "attn.qkv.bias 36;" \
  p "attn.proj.weight 12,12;" p "attn.proj.bias 12;" p "norm2.weight 12;" p "norm2.bias 12;" \
  p "mlp.fc1.weight 20,12;" p "mlp.fc1.bias 20;" p "mlp.fc2.weight 12,20;" p "mlp.fc2.bias 12"
#define NORMS(p) ";" p "attn.q_norm.weight 6;" p "attn.q_norm.bias 6;" p "attn.k_norm.weight 6;" p "attn.k_norm.bias 6"
#define META "@nhead=2;@sequence_len=10;@norm_first=true;@activation=gelu;@layer_norm_eps=1e-2;"
/* The first tensor. Numbers of a file repeat every 11, and so are the same behind it as without it. */
#define POSITIONS "pos_embed 1,11,12;@position_index=window;"

/* *INDENT-OFF* */
static const struct
{
  const gchar *name, *content;
} stacks[] = {
  { "layer", BLOCK ("blocks.0.") },
  { "stack", BLOCK ("blocks.0.") ";" BLOCK ("blocks.1.") },
  { "layer-norms-of-heads", BLOCK ("blocks.0.") NORMS ("blocks.0.") },
  { "stack-norms-of-heads", BLOCK ("blocks.0.") NORMS ("blocks.0.") ";" BLOCK ("blocks.1.") NORMS ("blocks.1.") },
};

/* Two ways to one result */
static const struct
{
  const gchar *name, *computed, *recomputed;
  gboolean zero;                /* all positions are 0 */
} ways[] = {
  { "window-positions",
    POSITIONS "@layout=[\"cls_token\",\"pos_embed\",\"blocks\",\"pool:cls\"]",
    POSITIONS "@layout=[\"cls_token\",\"pos_embed\",\"scale:1.0\",\"blocks\",\"pool:cls\"]" },
  { "mean-of-window-positions",
    POSITIONS "@layout=[\"cls_token\",\"pos_embed\",\"blocks\",\"pool:mean\"]",
    POSITIONS "@layout=[\"cls_token\",\"pos_embed\",\"scale:1.0\",\"blocks\",\"pool:mean\"]" },
  { "no-positions",
    "@layout=[\"cls_token\",\"blocks\",\"pool:cls\"]",
    POSITIONS "@layout=[\"cls_token\",\"pos_embed\",\"scale:1.0\",\"blocks\",\"pool:cls\"]", TRUE },
  { "newest-without-positions",
    "@layout=[\"cls_token\",\"blocks\",\"pool:last\"]",
    POSITIONS "@layout=[\"cls_token\",\"pos_embed\",\"scale:1.0\",\"blocks\",\"pool:last\"]", TRUE },
  { "mean-without-positions",
    "@layout=[\"cls_token\",\"blocks\",\"pool:mean\"]",
    POSITIONS "@layout=[\"cls_token\",\"pos_embed\",\"scale:1.0\",\"blocks\",\"pool:mean\"]", TRUE },
};
/* *INDENT-ON* */

/* Outputs from the first one on; returns how many */
static gsize
run (const gchar * stack, const gchar * way, gboolean zero, float *y /* (STEPS, E) */ )
{
  g_autofree gchar *content = g_strconcat (META, way, ";cls_token 1,1,12;", stack, NULL);
  g_autoptr (GBytes) written = edits_write (content, "");
  gsize size, header;
  g_autofree guint8 *bytes = g_bytes_unref_to_data (g_bytes_ref (written), &size);
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (CoModel) model = NULL;
  g_autoptr (CoStream) stream = NULL;
  gsize n = 0;
  float x[E];

  memcpy (&header, bytes, sizeof header);
  if (zero && g_str_has_prefix (way, POSITIONS))
    memset (bytes + 8 + header, 0, (N + 1) * E * sizeof (float));
  file = g_bytes_new (bytes, size);
  model = co_model_load_bytes (file, NULL, &error);
  g_assert_no_error (error);
  stream = co_stream_new (model, 1);
  for (gsize t = 0; t < STEPS; t++) {
    for (gsize i = 0; i < E; i++)
      x[i] = sin (3. * t + 1.7 * i);
    n += co_stream_forward_step (stream, x, y + n * E);
  }
  return n;
}

static void
test_ways (gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);
  const gchar *stack = stacks[i / G_N_ELEMENTS (ways)].content;
  const guint way = i % G_N_ELEMENTS (ways);
  float computed[STEPS * E], recomputed[STEPS * E];
  const gsize n = run (stack, ways[way].computed, ways[way].zero, computed);
  double largest = 0, error = 0;

  g_assert_cmpuint (n, ==, STEPS - N + 1);
  g_assert_cmpuint (run (stack, ways[way].recomputed, ways[way].zero, recomputed), ==, n);
  for (gsize j = 0; j < n * E; j++) {
    largest = MAX (largest, fabs (recomputed[j]));
    error = MAX (error, fabs (computed[j] - recomputed[j]));
  }
  g_assert_cmpfloat (largest, >, 0);
  g_assert_cmpfloat (error, <=, 1e-5 * largest);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (stacks) * G_N_ELEMENTS (ways); i++) {
    g_autofree gchar *name = g_strdup_printf ("/class-token/%s/%s", stacks[i / G_N_ELEMENTS (ways)].name,
        ways[i % G_N_ELEMENTS (ways)].name);

    g_test_add_data_func (name, GUINT_TO_POINTER (i), test_ways);
  }
  return g_test_run ();
}
