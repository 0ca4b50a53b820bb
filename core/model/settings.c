/* libcontinual: a model's hyper-parameters
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/settings.h"
#include <math.h>
#include <string.h>

const gchar *const co_kind_names[] = {
  "single-output", "retroactive", "deep", "recurrent-full",
  "recurrent-linear", "kernel", NULL
};

static const gchar *const warm_up_names[] = { "drop", "partial", NULL };
static const gchar *const at_max_names[] = { "error", "drop-oldest", NULL };
static const gchar *const architecture_names[] = { "any", "encoder", "decoder", NULL };
/* In the order of co_formats */
static const gchar *const precision_names[] = { "float32", "bfloat16", "int8", NULL };
static const gchar *const cross_names[] = { "full", "linear", NULL };
/* In the order of co_feature_maps and co_feature_transforms */
static const gchar *const map_names[] = { "elu", "favor", "random-fourier",
  "smoothed-random-fourier", "generalized", NULL
};
static const gchar *const transform_names[] = { "elu", "relu", "square", "exp",
  "expmod", "identity", "expplus", NULL
};

typedef enum
{
  INTEGER,                      /* gint64 from min to max */
  NUMBER,                       /* gdouble from min to max */
  BOOLEAN,                      /* gboolean */
  NAME,                         /* gint, index in names */
  TEXT                          /* gchar * */
} Type;

typedef struct
{
  const gchar *key, *alias;     /* alias: another key of the metadata that means the same */
  Type type;
  gsize offset;
  const gchar *fallback;
  gdouble min, max;
  const gchar *const *names;
} Setting;

#define AT(member) G_STRUCT_OFFSET (CoSettings, member)
#define MAX_COUNT 16777216

static const Setting settings[] = {
  {"nhead", "num_heads", INTEGER, AT (nhead), "0", 1, MAX_COUNT},
  {"sequence_len", NULL, INTEGER, AT (sequence_len), "0", 1, MAX_COUNT},
  {"attention", NULL, NAME, AT (kind), "single-output", .names = co_kind_names},
  {"activation", NULL, NAME, AT (activation), "relu",.names =
        co_activation_names},
  {"layer_norm_eps", NULL, NUMBER, AT (layer_norm_eps), "1e-5", 0, 1},
  {"norm_first", NULL, BOOLEAN, AT (norm_first), "false"},
  {"query_index", NULL, INTEGER, AT (query_index), "-1", -MAX_COUNT, MAX_COUNT},
  {"add_zero_attn", NULL, BOOLEAN, AT (add_zero_attn), "false"},
  {"warm_up", NULL, NAME, AT (partial), "drop",.names = warm_up_names},
  {"max_len", NULL, INTEGER, AT (max_len), "4096", 1, MAX_COUNT},
  {"at_max", NULL, NAME, AT (drop_oldest), "error",.names = at_max_names},
  {"precision", NULL, NAME, AT (precision), "float32",.names =
        precision_names},
  {"feature_map", NULL, NAME, AT (feature_map), "elu",.names = map_names},
  {"kernel_fn", NULL, NAME, AT (kernel_fn), "relu",.names =
        co_activation_names},
  {"n_dims", NULL, INTEGER, AT (n_dims), "0", 1, MAX_COUNT},
  {"softmax_temp", NULL, NUMBER, AT (softmax_temp), "0", 1e-12, 1e12},
  {"smoothing", NULL, NUMBER, AT (smoothing), "1", 0, 1e12},
  {"feature_transform", NULL, NAME, AT (feature_transform), "exp",.names =
        transform_names},
  {"num_random_features", NULL, INTEGER, AT (num_random_features), "256", 0,
      MAX_COUNT},
  {"scale", NULL, NUMBER, AT (scale), "0", 1e-12, 1e12},
  {"causal_chunk_length", NULL, INTEGER, AT (chunk_len), "1", 1, MAX_COUNT},
  {"causal_window_length", NULL, INTEGER, AT (window_len), "3", 1, MAX_COUNT},
  {"causal_window_decay", NULL, NUMBER, AT (decay), "none", 0, 1},
  {"cache", NULL, BOOLEAN, AT (cache), "false"},
  {"architecture", NULL, NAME, AT (architecture), "any",.names =
        architecture_names},
  {"self_attention", NULL, NAME, AT (self_attention), "recurrent-full",.names =
        co_kind_names},
  {"cross_attention", NULL, NAME, AT (cross_attention), "full",.names =
        cross_names},
  {"labels", NULL, TEXT, AT (labels)},
  {"embed", NULL, TEXT, AT (embed), "embed"},
  {"positions", NULL, TEXT, AT (positions), "positions"},
  {"encoder", NULL, TEXT, AT (encoder)},
  {"norm", NULL, TEXT, AT (norm), "norm"},
  {"head", NULL, TEXT, AT (head), "head"},
};

/* Names are written with - or _. */
static gboolean
same_name (const gchar * a, const gchar * b)
{
  for (; *a && *b; a++, b++)
    if (*a != *b && !(strchr ("-_", *a) && strchr ("-_", *b)))
      return FALSE;
  return *a == *b;
}

static gchar *
expected (const Setting * setting)
{
  switch (setting->type) {
    case INTEGER:
      return g_strdup_printf ("a whole number from %.0f to %.0f", setting->min,
          setting->max);
    case NUMBER:
      return g_strdup_printf ("a number from %g to %g", setting->min,
          setting->max);
    case BOOLEAN:
      return g_strdup ("true or false");
    default:{
      g_autofree gchar *names = g_strjoinv (", ", (gchar **) setting->names);
      return g_strdup_printf ("one of %s", names);
    }
  }
}

static gboolean
parse (const Setting * setting, const gchar * value, gpointer to)
{
  gchar *end;

  switch (setting->type) {
    case INTEGER:{
      gint64 n;
      if (!g_ascii_string_to_signed (value, 10, setting->min, setting->max, &n,
              NULL))
        return FALSE;
      *(gint64 *) to = n;
      return TRUE;
    }
    case NUMBER:{
      gdouble x = g_ascii_strtod (value, &end);
      if (end == value || *end != '\0' || !isfinite (x) || x < setting->min
          || x > setting->max)
        return FALSE;
      *(gdouble *) to = x;
      return TRUE;
    }
    case BOOLEAN:
      *(gboolean *) to = g_ascii_strcasecmp (value, "true") == 0
          || g_str_equal (value, "1");
      return *(gboolean *) to || g_ascii_strcasecmp (value, "false") == 0
          || g_str_equal (value, "0");
    case NAME:
      for (gint i = 0; setting->names[i]; i++)
        if (same_name (setting->names[i], value)) {
          *(gint *) to = i;
          return TRUE;
        }
      return FALSE;
    case TEXT:
      *(gchar **) to = g_strdup (value);
      return TRUE;
  }
  return FALSE;
}

/* str () of Python's None, where no value means something of its own */
static gboolean
is_none (const Setting * setting, const gchar * value)
{
  gdouble unused;

  return setting->type == NUMBER && g_ascii_strcasecmp (value, "none") == 0
      && !parse (setting, setting->fallback, &unused);
}

gboolean
co_settings_read (CoSettings * self, const CoSafetensors * file,
    const CoOptions * options, GError ** error)
{
  memset (self, 0, sizeof *self);
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++) {
    const Setting *setting = &settings[i];
    gpointer to = (guint8 *) self + setting->offset;
    const gchar *value = options ? co_options_get (options, setting->key) : NULL;
    gboolean from_file = value == NULL;

    if (from_file)
      value = co_safetensors_get_metadata (file, setting->key);
    if (!value && setting->alias)
      value = co_safetensors_get_metadata (file, setting->alias);
    if (value && is_none (setting, value))
      value = NULL;
    if (value && parse (setting, value, to))
      continue;
    if (value) {
      g_autofree gchar *what = expected (setting);
      g_autofree gchar *found = g_utf8_make_valid (value, -1);
      g_set_error (error, CO_ERROR, CO_ERROR_SETTING,
          "%s: %s '%s' of %s: expected %s; correct it, or leave it out for the default",
          co_safetensors_get_name (file), from_file ? "metadata" : "option",
          found, setting->key, what);
      co_settings_clear (self);
      return FALSE;
    }
    /* Defaults stand outside the range where no value means something of its own: 0, or no decay. */
    if (setting->fallback && !parse (setting, setting->fallback, to)) {
      if (setting->type == INTEGER)
        *(gint64 *) to = 0;
      else
        *(gdouble *) to = to == &self->decay ? -1 : 0;
    }
  }
  return TRUE;
}

gchar *
co_settings_to_string (const CoSettings * self)
{
  GString *s = g_string_new (NULL);
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++) {
    gconstpointer from = (const guint8 *) self + settings[i].offset;

    if (settings[i].type == TEXT)       /* labels, and names of parts */
      continue;
    g_string_append_printf (s, "%s=", settings[i].key);
    if (settings[i].type == INTEGER)
      g_string_append_printf (s, "%" G_GINT64_FORMAT "\n",
          *(const gint64 *) from);
    else if (settings[i].type == NUMBER)
      g_string_append_printf (s, "%s\n", g_ascii_dtostr (number,
              sizeof number, *(const gdouble *) from));
    else
      g_string_append_printf (s, "%d\n", *(const gint *) from);
  }
  return g_string_free (s, FALSE);
}

void
co_settings_clear (CoSettings * self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    if (settings[i].type == TEXT)
      g_clear_pointer ((gchar **) ((guint8 *) self + settings[i].offset),
          g_free);
}

const gchar *
co_settings_find_key (const gchar * key, GError ** error)
{
  g_autoptr (GString) known = g_string_new (NULL);
  g_autofree gchar *found = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++) {
    if (same_name (settings[i].key, key) || (settings[i].alias
            && same_name (settings[i].alias, key)))
      return settings[i].key;
    g_string_append_printf (known, "%s%s", i ? ", " : "", settings[i].key);
  }
  found = g_utf8_make_valid (key, -1);
  g_set_error (error, CO_ERROR, CO_ERROR_SETTING,
      "there is no hyper-parameter '%s'; there are %s", found, known->str);
  return NULL;
}
