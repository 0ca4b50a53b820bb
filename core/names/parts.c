/* libcontinual: which tensor of a file is which part of a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/parts.h"
#include "names/place.h"
#include "weights/fail.h"
#include "weights/quote.h"
#include <string.h>

static void
part_clear (gpointer data)
{
  g_clear_pointer (&((CoPart *) data)->name, g_free);
}

static gboolean
fail_no_scheme (const GArray * named, const CoCheckpoint * file,
    GError ** error)
{
  g_autofree gchar *first = named->len ? co_quote (g_array_index (named, CoNamed, 0).tensor->name) : NULL;

  return co_fail (error, CO_ERROR_MODEL, co_checkpoint_get_name (file),
      "expected the state dict of an encoder of torch, continual-inference, fast_transformers, timm, whisper, vit-pytorch "
      "or transformers, or of one layer or attention, found %u tensors%s%s; see the names in docs/model-files.md",
      named->len, first ? " such as " : "", first ? first : "");
}

/* Pre-norm layers are known by some names. */
static gboolean
settle_norm_first (const CoParts * self, const CoCheckpoint * file,
    CoSettings * settings, GError ** error)
{
  const CoSource source = settings->sources[CO_ROW_norm_first];

  if (!self->scheme->norm_first || settings->norm_first)
    return TRUE;
  if (source >= CO_SOURCE_FAMILY)
    return co_fail (error, CO_ERROR_SETTING, co_checkpoint_get_name (file),
        "norm_first is false (from: %s): expected true, for the tensors have the names of %s, whose layers are pre-norm; "
        "leave norm_first out", co_source_get_name (source), self->scheme->title);
  settings->norm_first = TRUE;
  settings->sources[CO_ROW_norm_first] = CO_SOURCE_NAMES;
  return TRUE;
}

/* Gains are less 1 by the names of some norms. */
static gboolean
settle_norm_unit_offset (const CoParts * self, const CoCheckpoint * file,
    CoSettings * settings, GError ** error)
{
  const CoSource source = settings->sources[CO_ROW_norm_unit_offset];

  if (!self->scheme->offset_gain || settings->norm_unit_offset)
    return TRUE;
  if (source >= CO_SOURCE_FAMILY)
    return co_fail (error, CO_ERROR_SETTING, co_checkpoint_get_name (file),
        "norm_unit_offset is false (from: %s): expected true, for the norms of %s have tensors '%s', to which 1 is added; "
        "leave norm_unit_offset out", co_source_get_name (source), self->scheme->title, self->scheme->offset_gain);
  settings->norm_unit_offset = TRUE;
  settings->sources[CO_ROW_norm_unit_offset] = CO_SOURCE_NAMES;
  return TRUE;
}

static gboolean
has_norm_bias (const CoParts * self)
{
  for (guint i = 0; i < self->layers->len; i++) {
    const CoTensor *const *t = g_array_index (self->layers, CoLayerParts, i).tensors;

    if (t[CO_ROLE_NORM1_BIAS] || t[CO_ROLE_NORM2_BIAS])
      return TRUE;
  }
  return FALSE;
}

static void
settle_norm_type (const CoParts * self, CoSettings * settings)
{
  if (!self->scheme->rms_norm || settings->sources[CO_ROW_norm_type] != CO_SOURCE_DEFAULT || has_norm_bias (self))
    return;
  settings->norm_type = CO_NORM_RMS;
  settings->sources[CO_ROW_norm_type] = CO_SOURCE_NAMES;
}

/* A tensor of @layer by the end of its name; NULL: there is none. */
static const CoTensor *
find_tensor (const CoLayerParts * layer, const gchar * suffix)
{
  for (guint role = 0; role < CO_N_ROLES; role++) {
    const CoTensor *t = layer->tensors[role];

    if (t && co_name_ends (t->name, suffix))
      return t;
  }
  return NULL;
}

/* Each bias is there, or not, as the family says. */
static gboolean
check_biases (const CoParts * self, const CoCheckpoint * file,
    const CoSettings * settings, GError ** error)
{
  const CoFamilyBias *biases = settings->family ? settings->family->biases : NULL;

  for (guint b = 0; biases && biases[b].weights; b++) {
    const gboolean expected = settings->biases >> b & 1;

    for (guint i = 0; i < self->layers->len; i++)
      for (gsize w = 0; biases[b].weights[w]; w++) {
        const CoLayerParts *layer = &g_array_index (self->layers, CoLayerParts, i);
        g_autofree gchar *suffix = g_strconcat (biases[b].weights[w], ".bias", NULL);
        const CoTensor *found = find_tensor (layer, suffix);

        if (!found == !expected)
          continue;
        return co_fail (error, CO_ERROR_MODEL, co_checkpoint_get_name (file),
            "layer '%s' of a %s model%s%s%s: expected %s tensor '%s', found %s; save the whole model with its config.json",
            layer->path, settings->family->model_type, biases[b].key ? " with `" : "",
            biases[b].key ? biases[b].key : "", !biases[b].key ? "" : expected ? "` true" : "` false",
            expected ? "a" : "no", suffix, found ? "one" : "none");
      }
  }
  return TRUE;
}

/* Without a gate, a norm of heads or a scale, or with one, a layer computes another function. */
static gboolean
check_extras (const CoParts * self, const CoCheckpoint * file,
    const CoSettings * settings, GError ** error)
{
  static const CoRole roles[] = { CO_ROLE_GATE_WEIGHT, CO_ROLE_Q_NORM_WEIGHT, CO_ROLE_K_NORM_WEIGHT, CO_ROLE_SCALE1,
    CO_ROLE_SCALE2
  };
  const gchar *const none[] = { NULL };
  const gchar *const *extras;

  if (!settings->family)
    return TRUE;
  extras = settings->family->extras ? settings->family->extras : none;
  for (guint i = 0; i < self->layers->len; i++) {
    const CoLayerParts *layer = &g_array_index (self->layers, CoLayerParts, i);

    for (gsize e = 0; extras[e]; e++)
      if (!find_tensor (layer, extras[e]))
        return co_fail (error, CO_ERROR_MODEL, co_checkpoint_get_name (file),
            "layer '%s' of a %s model: expected a tensor '%s', found none; save the whole model with its config.json",
            layer->path, settings->family->model_type, extras[e]);
    for (gsize r = 0; r < G_N_ELEMENTS (roles); r++) {
      const CoTensor *t = layer->tensors[roles[r]];
      gboolean known = !t;

      for (gsize e = 0; !known && extras[e]; e++)
        known = co_name_ends (t->name, extras[e]);
      if (!known)
        return co_fail (error, CO_ERROR_MODEL, co_checkpoint_get_name (file),
            "tensor '%s': expected none such in a %s model, whose layers would not use it; correct `model_type` of "
            "config.json", t->name, settings->family->model_type);
    }
  }
  return TRUE;
}

static gboolean
check_n_layers (const CoParts * self, const CoCheckpoint * file,
    const CoSettings * settings, GError ** error)
{
  if (settings->n_layers == 0 || settings->n_layers == self->layers->len)
    return TRUE;
  return co_fail (error, CO_ERROR_MODEL, co_checkpoint_get_name (file),
      "`%s` of config.json: expected %" G_GINT64_FORMAT " layers, found %u; save the whole model, with all its shards",
      settings->family->n_layers, settings->n_layers, self->layers->len);
}

/* A family that counts positions in the window may run without its positions. */
static void
settle_position_index (const CoParts * self, CoSettings * settings)
{
  for (guint i = 0; i < self->list->len; i++)
    if (g_array_index (self->list, CoPart, i).type == CO_PART_POSITIONS)
      return;
  if (settings->sources[CO_ROW_position_index] == CO_SOURCE_FAMILY) {
    settings->position_index = CO_POSITION_RECYCLE;
    settings->sources[CO_ROW_position_index] = CO_SOURCE_DEFAULT;
  }
}

/* ---- warnings ---- */

static void warn (CoParts * self, const gchar * format, ...) G_GNUC_PRINTF (2, 3);

static void
warn (CoParts * self, const gchar * format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (self->warnings, g_strdup_vprintf (format, args));
  va_end (args);
}

/* Of modules with biases, norms without one are rather RMS norms, which have none; those subtract no mean. */
static void
warn_of_rms_norms (CoParts * self, const CoSettings * settings)
{
  const CoTensor *norm = NULL;
  gboolean biases = FALSE;

  if (settings->sources[CO_ROW_norm_type] != CO_SOURCE_DEFAULT)
    return;
  for (guint i = 0; i < self->layers->len; i++) {
    const CoTensor *const *t = g_array_index (self->layers, CoLayerParts, i).tensors;

    biases = biases || t[CO_ROLE_LINEAR1_BIAS] || t[CO_ROLE_OUT_BIAS];
    if (!norm && t[CO_ROLE_NORM1_WEIGHT] && !t[CO_ROLE_NORM1_BIAS])
      norm = t[CO_ROLE_NORM1_WEIGHT];
  }
  if (!norm && self->encoder_norm.weight && !self->encoder_norm.bias)
    norm = self->encoder_norm.weight;
  for (guint i = 0; i < self->list->len; i++) {
    const CoPart *p = &g_array_index (self->list, CoPart, i);

    if (!norm && p->type == CO_PART_NORM && !p->bias)
      norm = p->weight;
  }
  if (norm && biases && !self->scheme->offset_gain)
    warn (self, "norm '%s' has no bias, although linear maps have: it runs as a layer norm, but may be an RMS norm, whose "
        "outputs differ. If the model was trained with RMS norms, say norm_type=rms; if not, norm_type=layer", norm->name);
}

static void
warn_of_rotary (CoParts * self, const CoSettings * settings)
{
  if (self->scheme->rotary && settings->sources[CO_ROW_rope_theta] == CO_SOURCE_DEFAULT)
    warn (self, "rope_theta: nothing says it, and vectors have no positions, but layers of %s usually have rotary positions. "
        "Load the folder with its config.json, or say rope_theta", self->scheme->title);
}

static void
warn_of_activation (CoParts * self, const CoSettings * settings)
{
  if (self->scheme->activation && settings->sources[CO_ROW_activation] == CO_SOURCE_DEFAULT)
    warn (self, "activation: nothing says it, and %s is assumed, but layers of %s usually have %s. Say activation in the "
        "metadata, or set the property", co_activation_choices[settings->activation].name, self->scheme->title,
        self->scheme->activation);
}

/* Trained in a window, a table has N rows; a stream recycles at least 2N-1, so that no two vectors of a window have
 * positions in the wrong order. */
static void
warn_of_short_tables (CoParts * self, const CoSettings * settings)
{
  const gint64 N = settings->sequence_len;

  if (settings->sources[CO_ROW_position_index] != CO_SOURCE_DEFAULT || !(co_setting_get (CO_ROW_sequence_len)->kinds
          & (1u << settings->kind)))
    return;
  for (guint i = 0; i < self->list->len; i++) {
    const CoPart *p = &g_array_index (self->list, CoPart, i);
    const gsize *d = p->type == CO_PART_POSITIONS ? p->weight->dims : NULL;
    const gsize n_rows = !d ? 0 : p->weight->n_dims == 2 || d[0] != 1 ? d[0] : d[1];

    if (d && (gint64) n_rows < 2 * N - 1)
      warn (self, "positions '%s' have %" G_GSIZE_FORMAT " rows and recycle: vector t gets row t mod %" G_GSIZE_FORMAT
          ". A window of %" G_GINT64_FORMAT " vectors needs at least %" G_GINT64_FORMAT " rows for that. If the model was "
          "trained with positions counted in its window, say position_index=window; if not, position_index=recycle",
          p->name, n_rows, n_rows, N, 2 * N - 1);
  }
}

/* What is beside the layers may be left out, but not what is in one. A layer alone, "", has no inside by name. */
static gboolean
check_rest (CoPlacing * placing)
{
  const GArray *rest = placing->modules->list, *layers = placing->layers->layers;

  for (guint m = 0; m < rest->len; m++)
    for (guint l = 0; l < layers->len; l++) {
      const gchar *name = g_array_index (rest, CoModule, m).part.name;
      const gchar *path = g_array_index (layers, CoLayerParts, l).path;

      if (*path && co_name_is_under (name, path))
        return co_place_fail (placing, CO_ERROR_MODEL,
            "nothing uses module '%s' of layer '%s': expected the tensors of %s; save the model without it, or merge it "
            "into the weights", name, path, placing->layers->scheme->title);
    }
  return TRUE;
}

static void
warn_of_rest (CoPlacing * placing)
{
  const GArray *rest = placing->modules->list;
  g_autofree gchar *list = co_name_parent (g_array_index (placing->layers->layers, CoLayerParts, 0).path);
  g_autofree gchar *prefix = co_name_join (placing->prefix, list);

  if (rest->len > 0)
    warn (placing->parts, "'%s' and all else beside the layers does not run: of a %s model, only the layers do. "
        "prefix=%s says so without this warning", g_array_index (rest, CoModule, 0).part.name,
        placing->settings->family->model_type, prefix);
}

/* ---- all parts ---- */

static gboolean
runs_layers_only (const CoFamily * family)
{
  return family && g_strv_contains (family->not_run, "*");
}

static gboolean
place (CoPlacing * self, gboolean usual)
{
  const CoSettings *settings = self->settings;
  const gchar *layout = settings->layout;

  if (!layout && usual)
    layout = settings->family->layout;
  if (layout)
    return co_place_by_layout (self, layout);
  if (runs_layers_only (settings->family)) {
    if (!check_rest (self))
      return FALSE;
    warn_of_rest (self);
    g_array_set_size (self->modules->list, 0);
  }
  return co_place_by_names (self);
}

static gboolean
find (CoParts * self, const GArray * named, CoPlacing * placing,
    gboolean usual)
{
  co_layers_find (placing->layers, named);
  if (!placing->layers->scheme)
    return fail_no_scheme (named, placing->file, placing->error);
  self->scheme = placing->layers->scheme;
  co_modules_group (placing->modules, placing->layers->rest, self->scheme->offset_gain);
  return place (placing, usual);
}

gboolean
co_parts_find (CoParts * self, const CoCheckpoint * file,
    CoSettings * settings, GError ** error)
{
  gboolean usual = FALSE, ok;
  g_autoptr (GArray) named = co_named_find (file, settings, &usual, error);
  g_autofree gchar *prefix = co_name_strip (settings->prefix ? settings->prefix : "");
  CoLayers layers = { 0 };
  CoModules modules = { 0 };
  CoPlacing placing = { self, &layers, &modules, file, settings, prefix, error };

  *self = (CoParts) { 0 };
  if (!named)
    return FALSE;
  if (g_str_has_suffix (prefix, "."))
    prefix[strlen (prefix) - 1] = '\0';
  self->list = g_array_new (FALSE, TRUE, sizeof (CoPart));
  g_array_set_clear_func (self->list, part_clear);
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  ok = find (self, named, &placing, usual) && check_n_layers (self, file, settings, error)
      && settle_norm_first (self, file, settings, error) && settle_norm_unit_offset (self, file, settings, error)
      && check_biases (self, file, settings, error)
      && check_extras (self, file, settings, error);
  co_layers_clear (&layers);
  co_modules_clear (&modules);
  if (!ok) {
    co_parts_clear (self);
    return FALSE;
  }
  settle_position_index (self, settings);
  settle_norm_type (self, settings);
  warn_of_rms_norms (self, settings);
  warn_of_rotary (self, settings);
  warn_of_activation (self, settings);
  warn_of_short_tables (self, settings);
  return TRUE;
}

static void
layer_clear (gpointer data)
{
  g_free (((CoLayerParts *) data)->path);
}

void
co_parts_clear (CoParts * self)
{
  if (self->layers)
    g_array_set_clear_func (self->layers, layer_clear);
  g_clear_pointer (&self->layers, g_array_unref);
  g_clear_pointer (&self->list, g_array_unref);
  g_clear_pointer (&self->warnings, g_ptr_array_unref);
  part_clear (&self->encoder_norm);
  self->encoder_norm = (CoPart) { 0 };
}

gchar *
co_parts_to_string (const CoParts * self)
{
  GString *s = g_string_new (self->scheme->title);
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  for (guint i = 0; i < self->layers->len; i++) {
    const CoLayerParts *layer = &g_array_index (self->layers, CoLayerParts, i);

    g_string_append_printf (s, "\n%s", layer->path);
    for (guint role = 0; role < CO_N_ROLES; role++)
      if (layer->tensors[role])
        g_string_append_printf (s, " %s", layer->tensors[role]->name);
  }
  for (guint i = 0; i < self->list->len; i++) {
    const CoPart *p = &g_array_index (self->list, CoPart, i);

    g_string_append_printf (s, "\n%d %s %d %s %s", p->type, p->name, p->choice, g_ascii_dtostr (number, sizeof number,
            p->number), p->weight ? p->weight->name : "");
  }
  return g_string_free (s, FALSE);
}
