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

static const Setting *
find (const gchar * key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    if (same_name (settings[i].key, key)
        || (settings[i].alias && same_name (settings[i].alias, key)))
      return &settings[i];
  return NULL;
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
    if (value && parse (setting, value, to))
      continue;
    if (value) {
      g_autofree gchar *what = expected (setting);
      g_set_error (error, CO_ERROR, CO_ERROR_SETTING,
          "%s: %s '%s' of %s: expected %s; correct it, or leave it out for the default",
          co_safetensors_get_name (file), from_file ? "metadata" : "option",
          value, setting->key, what);
      co_settings_clear (self);
      return FALSE;
    }
    /* Defaults stand outside the range where a number must be given. */
    if (setting->fallback && !parse (setting, setting->fallback, to))
      *(gint64 *) to = 0;
  }
  return TRUE;
}

void
co_settings_clear (CoSettings * self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    if (settings[i].type == TEXT)
      g_clear_pointer ((gchar **) ((guint8 *) self + settings[i].offset),
          g_free);
}

struct _CoOptions
{
  GTree *values;                /* key to value, sorted */
};

static gint
compare_keys (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (a, b);
}

CoOptions *
co_options_new (void)
{
  CoOptions *self = g_new0 (CoOptions, 1);

  self->values = g_tree_new_full (compare_keys, NULL, NULL, g_free);
  return self;
}

static gboolean
copy_value (gpointer key, gpointer value, gpointer to)
{
  g_tree_insert (to, key, g_strdup (value));
  return FALSE;
}

CoOptions *
co_options_copy (const CoOptions * self)
{
  CoOptions *copy = co_options_new ();

  g_tree_foreach (self->values, copy_value, copy->values);
  return copy;
}

void
co_options_free (CoOptions * self)
{
  if (!self)
    return;
  g_tree_unref (self->values);
  g_free (self);
}

gboolean
co_options_set (CoOptions * self, const gchar * key, const gchar * value,
    GError ** error)
{
  const Setting *setting;

  g_return_val_if_fail (self != NULL && key != NULL, FALSE);

  setting = find (key);
  if (!setting) {
    GString *known = g_string_new (NULL);
    for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
      g_string_append_printf (known, "%s%s", i ? ", " : "", settings[i].key);
    g_set_error (error, CO_ERROR, CO_ERROR_SETTING,
        "there is no hyper-parameter '%s'; there are %s", key, known->str);
    g_string_free (known, TRUE);
    return FALSE;
  }
  if (value)
    g_tree_insert (self->values, (gpointer) setting->key, g_strdup (value));
  else
    g_tree_remove (self->values, setting->key);
  return TRUE;
}

const gchar *
co_options_get (const CoOptions * self, const gchar * key)
{
  return g_tree_lookup (self->values, key);
}

static gboolean
append_value (gpointer key, gpointer value, gpointer to)
{
  g_autofree gchar *escaped = g_strescape (value, NULL);

  g_string_append_printf (to, "%s=%s\n", (gchar *) key, escaped);
  return FALSE;
}

gchar *
co_options_to_string (const CoOptions * self)
{
  GString *s = g_string_new (NULL);

  if (self)
    g_tree_foreach (self->values, append_value, s);
  return g_string_free (s, FALSE);
}
