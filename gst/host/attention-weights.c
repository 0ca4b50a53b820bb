/* gst-continual: attention weights as a second tensor of each output
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/attention-weights.h"

#include <string.h>

gsize
attention_weights_get_size (AttentionWeights self, const CoModelInfo * info)
{
  gsize head = info->n_positions * info->n_weights;

  return self == ATTENTION_WEIGHTS_NONE ? 0 :
      self == ATTENTION_WEIGHTS_MEAN ? head : info->n_heads * head;
}

void
attention_weights_read (AttentionWeights self, const CoModelInfo * info,
    const float *weights, float *to)
{
  const gsize n = attention_weights_get_size (self, info);

  memcpy (to, weights, n * sizeof (float));
  if (self != ATTENTION_WEIGHTS_MEAN)
    return;
  for (gsize h = 1; h < info->n_heads; h++)
    for (gsize i = 0; i < n; i++)
      to[i] += weights[h * n + i];
  for (gsize i = 0; i < n; i++)
    to[i] /= info->n_heads;
}

/* The dimensions of the weights, in the same spelling as those of the @outputs. */
static gchar *
spell (AttentionWeights self, const CoModelInfo * info, const gchar * outputs)
{
  g_auto (GStrv) sizes = g_strsplit (outputs, ":", -1);
  const gsize n = g_strv_length (sizes);
  const guint64 streams = n > 2 ? g_ascii_strtoull (sizes[2], NULL, 10) : 1;
  const guint64 dims[4] = { info->n_weights, info->n_positions,
    self == ATTENTION_WEIGHTS_HEADS ? info->n_heads : 1, streams
  };
  GString *s = g_string_new (NULL);
  gsize last = 3;

  /* Four dimensions if the outputs have four, else no trailing 1s. */
  while (n < 4 && last > 0 && dims[last] == 1)
    last--;
  for (gsize i = 0; i <= last; i++)
    g_string_append_printf (s, "%s%" G_GUINT64_FORMAT, i ? ":" : "", dims[i]);
  return g_string_free (s, FALSE);
}

GstCaps *
attention_weights_add_to_caps (AttentionWeights self,
    const CoModelInfo * info, GstCaps * caps)
{
  GstCaps *res;

  if (self == ATTENTION_WEIGHTS_NONE)
    return caps;
  res = gst_caps_new_empty ();
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *s = gst_structure_copy (gst_caps_get_structure (caps, i));
    const gchar *outputs = gst_structure_get_string (s, "dimensions");

    /* An int cannot hold the dimensions of two tensors. */
    if (gst_structure_has_field (s, "dimensions") && !outputs) {
      gst_structure_free (s);
      continue;
    }
    gst_structure_set (s, "num_tensors", G_TYPE_INT, 2, "types", G_TYPE_STRING,
        "float32,float32", NULL);
    if (outputs && info) {
      g_autofree gchar *weights = spell (self, info, outputs);
      g_autofree gchar *both = g_strconcat (outputs, ",", weights, NULL);

      gst_structure_set (s, "dimensions", G_TYPE_STRING, both, NULL);
    }
    gst_caps_append_structure (res, s);
  }
  gst_caps_unref (caps);
  return res;
}

GstCaps *
attention_weights_drop_from_caps (AttentionWeights self, GstCaps * caps)
{
  if (self == ATTENTION_WEIGHTS_NONE || gst_caps_is_any (caps))
    return caps;
  caps = gst_caps_make_writable (caps);
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *s = gst_caps_get_structure (caps, i);
    const gchar *both = gst_structure_get_string (s, "dimensions");

    gst_structure_set (s, "num_tensors", G_TYPE_INT, 1, "types", G_TYPE_STRING,
        "float32", NULL);
    if (both) {
      g_autofree gchar *outputs = g_strndup (both, strcspn (both, ","));

      gst_structure_set (s, "dimensions", G_TYPE_STRING, outputs, NULL);
    }
  }
  return caps;
}
