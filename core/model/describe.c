/* libcontinual: a model in words
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/describe.h"
#include "model/model.h"
#include "weights/quote.h"
#include <string.h>

static void line (GString * s, const gchar * name, const gchar * format, ...)
    G_GNUC_PRINTF (3, 4);

static void
line (GString * s, const gchar * name, const gchar * format, ...)
{
  va_list args;

  g_string_append_printf (s, "%-14s ", name);
  va_start (args, format);
  g_string_append_vprintf (s, format, args);
  va_end (args);
  g_string_append_c (s, '\n');
}

static const gchar *
plural (gsize n)
{
  return n == 1 ? "" : "s";
}

/* ---- parts ---- */

static void
append_shape (GString * s, const CoTensor * t)
{
  for (gsize i = 0; i < t->n_dims; i++)
    g_string_append_printf (s, "%s%" G_GSIZE_FORMAT, i ? ", " : " (", t->dims[i]);
  g_string_append_c (s, ')');
}

static void
append_encoder (GString * s, const CoParts * parts)
{
  const guint n = parts->layers->len;
  const CoTensor *linear1 = g_array_index (parts->layers, CoLayerParts, 0).tensors[CO_ROLE_LINEAR1_WEIGHT];

  g_string_append_printf (s, "%u %s%s of %s", n, parts->scheme->bare ? "attention" : "layer", plural (n),
      parts->scheme->title);
  if (linear1)
    g_string_append_printf (s, ", feed-forward %" G_GSIZE_FORMAT, linear1->dims[0]);
  if (parts->encoder_norm.weight)
    g_string_append_printf (s, ", norm '%s'", parts->encoder_norm.name);
}

static void
append_part (GString * s, const CoPart * p, const CoParts * parts)
{
  static const gchar *const types[] = {
    [CO_PART_LINEAR] = "linear",[CO_PART_NORM] = "layer norm",[CO_PART_BATCH_NORM] = "batch norm",
    [CO_PART_POSITIONS] = "positions",[CO_PART_CLASS_TOKEN] = "class token",[CO_PART_SCALE] = "scale",
    [CO_PART_POOL] = "pool",[CO_PART_ACTIVATION] = "activation",[CO_PART_SOFTMAX] = "softmax",
    [CO_PART_LOG_SOFTMAX] = "log softmax",
  };
  g_autofree gchar *quoted = co_quote (p->name);
  /* Without the quotes; the name may be from a file. */
  g_autofree gchar *name = g_strndup (quoted + 1, strlen (quoted) - 2);

  g_string_append_printf (s, "  %-12s ", *name ? name : "(the whole)");
  if (p->type == CO_PART_ENCODER)
    append_encoder (s, parts);
  else
    g_string_append (s, types[p->type]);
  if (p->weight)
    append_shape (s, p->weight);
  if (p->weight && !p->bias && (p->type == CO_PART_LINEAR || p->type == CO_PART_NORM))
    g_string_append (s, " without bias");
  g_string_append_c (s, '\n');
}

gchar *
co_describe_parts (const CoParts * parts)
{
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < parts->list->len; i++)
    append_part (s, &g_array_index (parts->list, CoPart, i), parts);
  return g_string_free (s, FALSE);
}

/* ---- the model ---- */

/* The choice of `attention` that the model is; a decoder has a choice of its own. */
static guint
kind_bit (const CoModelInfo * info)
{
  for (guint i = 0; i < CO_N_KINDS; i++)
    if (g_str_equal (co_kind_choices[i].name, info->kind))
      return 1u << i;
  return 0;
}

static gboolean
applies (const CoSetting * setting, const CoModelInfo * info)
{
  const guint scope = info->n_memory ? CO_FOR_DECODER : info->bare_attention ? CO_FOR_ATTENTION : CO_FOR_ENCODER;

  return (setting->scope & scope) && (setting->kinds & kind_bit (info));
}

static void
append_settings (GString * s, const CoModel * self)
{
  for (guint i = 0; i < CO_N_ROWS; i++) {
    const CoSetting *setting = co_setting_get (i);
    const CoSource source = self->settings.sources[i];
    g_autofree gchar *value = co_settings_get_text (&self->settings, i);
    g_autofree gchar *quoted = NULL;

    /* Texts are names of parts; the layout and the labels are lists of their own. */
    if (!applies (setting, &self->info) || i == CO_ROW_layout || i == CO_ROW_labels
        || (setting->type == CO_SETTING_TEXT && source == CO_SOURCE_DEFAULT))
      continue;
    quoted = value && setting->type == CO_SETTING_TEXT ? co_quote (value) : NULL;
    if (i == CO_ROW_nhead && !value)
      g_string_append_printf (s, "  %-22s %-14" G_GSIZE_FORMAT " tensors\n", setting->key, self->info.n_heads);
    else
      g_string_append_printf (s, "  %-22s %-14s %s\n", setting->key, quoted ? quoted : value ? value : "none",
          co_source_get_name (source));
  }
}

static void
append_layout (GString * s, const CoModel * self)
{
  const CoSettings *settings = &self->settings;
  const gboolean listed = settings->layout || (settings->family && settings->family->layout
      && g_strv_contains (settings->family->prefixes, settings->prefix ? settings->prefix : ""));

  line (s, "layout", "in the order of forward(), from: %s", settings->layout
      ? co_source_get_name (settings->sources[CO_ROW_layout]) : listed ? "family" : "the tensors' names");
  g_string_append (s, self->parts);
}

gchar *
co_model_describe (const CoModel * self)
{
  GString *s = g_string_new (NULL);
  const CoModelInfo *i;

  g_return_val_if_fail (self != NULL, NULL);

  i = &self->info;
  line (s, "model", "%s", self->name);
  if (self->settings.family)
    line (s, "model_type", "%s", self->settings.family->model_type);
  line (s, "kind", "%s%s", i->n_memory ? "decoder, " : "", i->kind);
  append_layout (s, self);
  if (i->bare_attention)
    line (s, "input", "queries of %" G_GSIZE_FORMAT ", keys of %" G_GSIZE_FORMAT ", values of %" G_GSIZE_FORMAT
        " features", i->n_inputs, i->n_keys, i->n_values);
  else
    line (s, "input", "vectors of %" G_GSIZE_FORMAT " feature%s", i->n_inputs, plural (i->n_inputs));
  if (i->n_memory)
    line (s, "memory", "vectors of %" G_GSIZE_FORMAT " features", i->n_memory);
  line (s, "layers", "%" G_GSIZE_FORMAT " of width %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT " head%s", i->n_layers,
      i->d_model, i->n_heads, plural (i->n_heads));
  line (s, "output", "%" G_GSIZE_FORMAT " position%s of %" G_GSIZE_FORMAT " feature%s", i->n_positions,
      plural (i->n_positions), i->n_outputs, plural (i->n_outputs));
  if (i->sequence_len)
    line (s, "window", "%" G_GSIZE_FORMAT " vectors", i->sequence_len);
  line (s, "first output", "with vector %" G_GSIZE_FORMAT, i->warm_up);
  line (s, "latency", "%" G_GSIZE_FORMAT " vectors", i->delay + i->chunk_len - 1);
  line (s, "cost", "%" G_GUINT64_FORMAT " multiply-accumulates in a step of one stream", i->macs);
  line (s, "weights", "%" G_GSIZE_FORMAT " bytes", i->model_bytes);
  line (s, "state", "%" G_GSIZE_FORMAT " bytes for each stream", i->state_bytes);
  line (s, "settings", "value and source");
  append_settings (s, self);
  if (i->n_labels) {
    line (s, "labels", "%" G_GSIZE_FORMAT, i->n_labels);
    for (gsize l = 0; l < i->n_labels; l++) {
      g_autofree gchar *quoted = co_quote (i->labels[l]);
      g_string_append_printf (s, "  %s\n", quoted);
    }
  } else {
    line (s, "labels", "none");
  }
  line (s, "warnings", "%s", i->n_warnings ? "" : "none");
  for (gsize w = 0; w < i->n_warnings; w++)
    g_string_append_printf (s, "  %s\n", i->warnings[w]);
  return g_string_free (s, FALSE);
}
