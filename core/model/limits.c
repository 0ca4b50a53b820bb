/* libcontinual: how much memory a file may request
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The weights are as long as the file, but a window is a number in it: a few digits can request any amount of memory. A
 * size given as an option is trusted; a size from a file only in proportion to the file's length. */
#include "model/limits.h"
#include "math/alloc.h"
#include "settings/settings.h"

/* A file may request this much plus so many times its weights: enough for 4096 vectors of the widest usual layers. */
#define TRUSTED_BYTES (64. * 1024 * 1024)
#define TRUSTED_TIMES 64
/* Vectors processed at once, and room for alignment */
#define ROWS 128

/* An upper bound of every size of a layer's state and scratch, in a type that does not overflow */
static double
upper_bound (const CoStack * stack, const CoLayer * layer)
{
  const CoAttention *a = &layer->attention;
  const double rows = ROWS * (double) MAX (a->chunk_len, 1) +
      a->sequence_len + a->n_fixed + a->query_back;
  const double width = (double) a->q.n_in + a->q.n_out + a->k.n_in +
      a->k.n_out + a->v.n_in + a->v.n_out + a->out.n_in + a->out.n_out +
      layer->linear1.n_out + stack->n_inputs + stack->n_outputs + ROWS;
  const double sums = (double) a->features.n_features * (a->d_value + 2.) *
      (2. * a->window_len + 8);

  return 64. * a->n_heads * (rows * (rows + width) + sums);
}

static gboolean
fail (const CoCheckpoint * file, GError ** error, double bytes,
    const gchar * found, const gchar * todo)
{
  g_set_error (error, CO_ERROR, CO_ERROR_SETTING,
      "%s: expected windows whose streams fit into memory, found %.3g MB for each, %s; correct sequence_len, "
      "attention_windows, max_len, causal_chunk_length or causal_window_length%s",
      co_checkpoint_get_name (file), bytes / 1e6, found, todo);
  return FALSE;
}

static gboolean
is_given (const CoOptions * options)
{
  const gchar *keys[] = { "sequence_len", "max_len", "causal_chunk_length",
    "causal_window_length", "attention_windows"
  };

  for (gsize i = 0; options && i < G_N_ELEMENTS (keys); i++)
    if (co_options_get (options, keys[i]))
      return TRUE;
  return FALSE;
}

/* Floats of a tensor in panels, whichever of its first two sizes is the outputs */
static double
padded_size (const CoTensor * tensor)
{
  const double a = tensor->n_dims > 0 ? tensor->dims[0] : 1;
  const double b = tensor->n_dims > 1 ? tensor->dims[1] : 1;
  const double rest = a * b > 0 ? tensor->n_elements / (a * b) : 0;

  return MAX ((a + CO_PANEL) * b, a * (b + CO_PANEL)) * rest;
}

/* What is built is in proportion to the file: each matrix in panels, alone or with others of its layer, and while one is built
 * a few copies of it, some in double. */
gboolean
co_limits_check_room (const CoCheckpoint * file, GError ** error)
{
  double sum = 0, largest = 0, bytes;
  gpointer probe;

  for (gsize i = 0; i < co_checkpoint_get_n_tensors (file); i++) {
    const double size = padded_size (co_checkpoint_get_tensor (file, i));

    sum += size;
    largest = MAX (largest, size);
  }
  bytes = sizeof (float) * (3 * sum + 12 * largest);
  probe = bytes < (double) G_MAXSSIZE ? g_try_malloc ((gsize) bytes + 1) : NULL;
  g_free (probe);
  if (probe)
    return TRUE;
  g_set_error (error, CO_ERROR, CO_ERROR_NO_SPACE,
      "%s: expected room for %.3g MB beside the file, to make a model of its weights, found less; use a smaller model, or "
      "a machine with more memory", co_checkpoint_get_name (file), bytes / 1e6);
  return FALSE;
}

gboolean
co_limits_check (const CoStack * stack, const CoCheckpoint * file,
    const CoOptions * options, GError ** error)
{
  const double memory = co_ram ();
  CoWork work;
  double bytes = 0;

  for (gsize l = 0; l < stack->n_layers; l++)
    bytes += upper_bound (stack, &stack->layers[l]);
  if (bytes < (double) G_MAXINT64 / 16)
    bytes = 2. * stack->state_size + co_work_lay_out (&work, stack,
        ROWS / 2, NULL);
  if (bytes > memory)
    return fail (file, error, bytes, "more than this machine has", "");
  if (bytes > TRUSTED_BYTES +
      TRUSTED_TIMES * (double) co_checkpoint_get_n_bytes (file)
      && !is_given (options))
    return fail (file, error, bytes,
        "which is out of proportion to the file",
        ", or give it as an option (a property) if you mean it");
  return TRUE;
}
