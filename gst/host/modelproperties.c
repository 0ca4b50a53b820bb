/* gst-continual: the hyper-parameters of a model as properties of an element
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every property is made from a row of the core's table of settings. */
#include "host/modelproperties.h"

#include <string.h>

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

/* Choices are numbered from 1 on. */
#define AUTO 0

static const CoChoice switch_choices[] = { {"false", "No"}, {"true", "Yes"} };

static const CoChoice *
get_choices (const CoSetting * row, guint * n)
{
  if (row->n_choices) {
    *n = row->n_choices;
    return row->choices;
  }
  *n = G_N_ELEMENTS (switch_choices);
  return switch_choices;
}

/* "As the model says, or FALLBACK" */
static gchar *
describe_unset (const CoSetting * row)
{
  return row->fallback ? g_strdup_printf ("as the model says, or %s",
      row->fallback) : g_strdup ("as the model says");
}

/* The GEnum of the row's choices. It lives as long as the process, as do its strings. */
static GType
get_enum_type (const CoSetting * row)
{
  g_autofree gchar *name = g_strconcat ("GstContinual",
      row->choices_name ? row->choices_name : "Switch", NULL);
  g_autofree gchar *meaning = NULL;
  GType type = g_type_from_name (name);
  const CoChoice *choices;
  GEnumValue *values;
  guint n, used = 0;

  if (type)
    return type;
  choices = get_choices (row, &n);
  meaning = describe_unset (row);
  values = g_new0 (GEnumValue, 2 * n + 2);
  values[used++] = (GEnumValue) {
  AUTO, g_strconcat ("A", meaning + 1, NULL), "auto"};
  for (guint i = 0; i < n; i++)
    values[used++] = (GEnumValue) {
    (gint) i + 1, choices[i].blurb, choices[i].name};
  /* The spelling of metadata is accepted, too. It comes last, so that the first one is shown. */
  for (guint i = 0; i < n; i++)
    if (strchr (choices[i].name, '-'))
      values[used++] = (GEnumValue) {
      (gint) i + 1, "The same, as metadata may write it",
            g_strdelimit (g_strdup (choices[i].name), "-", '_')};
  return property_enum_get_type (name, values);
}

static gboolean
is_signed (const CoSetting * row)
{
  return row->min < 0 || row->unset < 0;
}

static GType
get_value_type (const CoSetting * row)
{
  switch (row->type) {
    case CO_SETTING_INTEGER:
      return is_signed (row) ? G_TYPE_INT : G_TYPE_UINT;
    case CO_SETTING_NUMBER:
      return G_TYPE_DOUBLE;
    case CO_SETTING_TEXT:
      return G_TYPE_STRING;
    case CO_SETTING_BOOLEAN:
    case CO_SETTING_CHOICE:
      return get_enum_type (row);
  }
  g_return_val_if_reached (G_TYPE_INVALID);
}

/* Adds what it means that the property is unset. */
static gchar *
make_blurb (const CoSetting * row)
{
  g_autofree gchar *meaning = describe_unset (row);
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  if (row->type == CO_SETTING_CHOICE || row->type == CO_SETTING_BOOLEAN)
    return g_strdup_printf ("%s (auto: %s)", row->blurb, meaning);
  if (row->type == CO_SETTING_TEXT)
    return g_strdup_printf ("%s (none: %s)", row->blurb, meaning);
  g_ascii_formatd (number, sizeof number, "%.10g", row->unset);
  return g_strdup_printf ("%s (%s: %s)", row->blurb, number, meaning);
}

/* The value that means "unset" is in the range of the property, whatever the range of the setting. */
static GParamSpec *
new_pspec (const CoSetting * row)
{
  const gdouble least = MIN (row->min, row->unset);
  const gdouble most = MAX (row->max, row->unset);
  const GType type = get_value_type (row);
  g_autofree gchar *text = make_blurb (row);
  /* It must live as long as the class. */
  const gchar *blurb = g_intern_string (text);

  switch (row->type) {
    case CO_SETTING_INTEGER:
      return type == G_TYPE_INT ? g_param_spec_int (row->property, row->nick,
          blurb, (gint) least, (gint) most, (gint) row->unset, FLAGS) :
          g_param_spec_uint (row->property, row->nick, blurb, (guint) least,
          (guint) most, (guint) row->unset, FLAGS);
    case CO_SETTING_NUMBER:
      return g_param_spec_double (row->property, row->nick, blurb, least, most,
          row->unset, FLAGS);
    case CO_SETTING_TEXT:
      return g_param_spec_string (row->property, row->nick, blurb, NULL, FLAGS);
    case CO_SETTING_BOOLEAN:
    case CO_SETTING_CHOICE:
      return g_param_spec_enum (row->property, row->nick, blurb, type, AUTO,
          FLAGS);
  }
  g_return_val_if_reached (NULL);
}

guint
model_properties_install (GObjectClass * klass, guint first_id,
    ModelElement kind)
{
  for (guint i = 0; i < co_setting_count (); i++) {
    const CoSetting *row = co_setting_get (i);

    if (row->property && (row->scope & kind))
      g_object_class_install_property (klass, first_id++, new_pspec (row));
  }
  return first_id;
}

/* @value is initialised to the row's type. */
static void
set_unset (const CoSetting * row, GValue * value)
{
  if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, (guint) row->unset);
  else if (G_VALUE_HOLDS_INT (value))
    g_value_set_int (value, (gint) row->unset);
  else if (G_VALUE_HOLDS_DOUBLE (value))
    g_value_set_double (value, row->unset);
  else
    g_value_reset (value);
}

void
model_properties_init (ModelProperties * self)
{
  const guint n = co_setting_count ();

  self->path = NULL;
  self->values = g_new0 (GValue, n);
  for (guint i = 0; i < n; i++) {
    const CoSetting *row = co_setting_get (i);

    if (!row->property)
      continue;
    g_value_init (&self->values[i], get_value_type (row));
    set_unset (row, &self->values[i]);
  }
}

void
model_properties_clear (ModelProperties * self)
{
  g_clear_pointer (&self->path, g_free);
  for (guint i = 0; i < co_setting_count (); i++)
    if (G_IS_VALUE (&self->values[i]))
      g_value_unset (&self->values[i]);
  g_clear_pointer (&self->values, g_free);
}

static GValue *
find_value (const ModelProperties * self, const GParamSpec * pspec)
{
  for (guint i = 0; i < co_setting_count (); i++)
    if (g_strcmp0 (co_setting_get (i)->property, pspec->name) == 0)
      return &self->values[i];
  return NULL;
}

gboolean
model_properties_set (ModelProperties * self, GstElement * element,
    const gboolean * running, const GValue * value, GParamSpec * pspec)
{
  GValue *to = find_value (self, pspec);
  gboolean refused;

  if (!to)
    return FALSE;
  GST_OBJECT_LOCK (element);
  refused = *running;
  if (!refused)
    g_value_copy (value, to);
  GST_OBJECT_UNLOCK (element);
  if (refused)
    property_warn_running (element, pspec);
  return TRUE;
}

gboolean
model_properties_get (const ModelProperties * self, GstElement * element,
    GValue * value, GParamSpec * pspec)
{
  const GValue *from = find_value (self, pspec);

  if (!from)
    return FALSE;
  GST_OBJECT_LOCK (element);
  g_value_copy (from, value);
  GST_OBJECT_UNLOCK (element);
  return TRUE;
}

/* As in a metadata string; NULL: unset. */
static gchar *
value_to_string (const CoSetting * row, const GValue * value)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];
  guint n;

  if (G_VALUE_HOLDS_UINT (value))
    return g_value_get_uint (value) == (guint) row->unset ? NULL :
        g_strdup_printf ("%u", g_value_get_uint (value));
  if (G_VALUE_HOLDS_INT (value))
    return g_value_get_int (value) == (gint) row->unset ? NULL :
        g_strdup_printf ("%d", g_value_get_int (value));
  if (G_VALUE_HOLDS_DOUBLE (value))
    return g_value_get_double (value) == row->unset ? NULL :
        g_strdup (g_ascii_dtostr (number, sizeof number,
            g_value_get_double (value)));
  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  return g_value_get_enum (value) == AUTO ? NULL :
      g_strdup (get_choices (row, &n)[g_value_get_enum (value) - 1].name);
}

CoOptions *
model_properties_get_options (const ModelProperties * self)
{
  CoOptions *options = co_options_new ();

  for (guint i = 0; i < co_setting_count (); i++) {
    const CoSetting *row = co_setting_get (i);
    g_autofree gchar *text =
        row->property ? value_to_string (row, &self->values[i]) : NULL;
    g_autoptr (GError) error = NULL;

    if (text && !co_options_set (options, row->key, text, &error))
      g_critical ("%s", error->message);
  }
  return options;
}
