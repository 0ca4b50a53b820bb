/* gst-continual: properties that are fields of a struct
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/propertytable.h"

#include "tensor/about.h"

#define GST_CAT_DEFAULT element_debug (element)

GType
property_enum_get_type (const gchar * name, const GEnumValue * values)
{
  static GMutex lock;
  GType type;

  g_mutex_lock (&lock);
  type = g_type_from_name (name);
  if (!type) {
    type = g_enum_register_static (name, values);
    gst_type_mark_as_plugin_api (type, 0);
  }
  g_mutex_unlock (&lock);
  return type;
}

static GParamSpec *
new_pspec (const PropertyRow * row)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | row->mutable;

  switch (row->type) {
    case PROPERTY_BOOLEAN:
      return g_param_spec_boolean (row->name, row->nick, row->blurb,
          row->fallback != 0, flags);
    case PROPERTY_UINT:
      return g_param_spec_uint (row->name, row->nick, row->blurb,
          (guint) row->min, (guint) row->max, (guint) row->fallback, flags);
    case PROPERTY_UINT64:
      return g_param_spec_uint64 (row->name, row->nick, row->blurb, row->min,
          row->max, row->fallback, flags);
    case PROPERTY_DOUBLE:
      return g_param_spec_double (row->name, row->nick, row->blurb, row->least,
          row->most, row->number, flags);
    case PROPERTY_CHOICE:
      return g_param_spec_enum (row->name, row->nick, row->blurb,
          property_enum_get_type (row->choices->name, row->choices->values),
          (gint) row->fallback, flags);
    case PROPERTY_TEXT:
      return g_param_spec_string (row->name, row->nick, row->blurb, row->text,
          flags);
  }
  g_return_val_if_reached (NULL);
}

guint
property_table_install (const PropertyTable * table, GObjectClass * klass,
    guint first_id)
{
  for (guint i = 0; i < table->n; i++)
    g_object_class_install_property (klass, first_id + i,
        new_pspec (&table->rows[i]));
  return first_id + table->n;
}

void
property_table_init (const PropertyTable * table, gpointer fields)
{
  for (guint i = 0; i < table->n; i++) {
    const PropertyRow *row = &table->rows[i];
    gpointer field = G_STRUCT_MEMBER_P (fields, row->offset);

    switch (row->type) {
      case PROPERTY_BOOLEAN:
      case PROPERTY_CHOICE:
        *(gint *) field = (gint) row->fallback;
        break;
      case PROPERTY_UINT:
        *(guint *) field = (guint) row->fallback;
        break;
      case PROPERTY_UINT64:
        *(guint64 *) field = row->fallback;
        break;
      case PROPERTY_DOUBLE:
        *(gdouble *) field = row->number;
        break;
      case PROPERTY_TEXT:
        *(gchar **) field = g_strdup (row->text);
        break;
    }
  }
}

void
property_table_clear (const PropertyTable * table, gpointer fields)
{
  for (guint i = 0; i < table->n; i++)
    if (table->rows[i].type == PROPERTY_TEXT)
      g_clear_pointer (&G_STRUCT_MEMBER (gchar *, fields,
              table->rows[i].offset), g_free);
}

static const PropertyRow *
find_row (const PropertyTable * table, const GParamSpec * pspec)
{
  for (guint i = 0; i < table->n; i++)
    if (g_str_equal (table->rows[i].name, pspec->name))
      return &table->rows[i];
  return NULL;
}

gboolean
property_table_write (const PropertyTable * table, gpointer fields,
    const GValue * value, GParamSpec * pspec)
{
  const PropertyRow *row = find_row (table, pspec);
  gpointer field;

  if (!row)
    return FALSE;
  field = G_STRUCT_MEMBER_P (fields, row->offset);
  switch (row->type) {
    case PROPERTY_BOOLEAN:
      *(gboolean *) field = g_value_get_boolean (value);
      break;
    case PROPERTY_CHOICE:
      *(gint *) field = g_value_get_enum (value);
      break;
    case PROPERTY_UINT:
      *(guint *) field = g_value_get_uint (value);
      break;
    case PROPERTY_UINT64:
      *(guint64 *) field = g_value_get_uint64 (value);
      break;
    case PROPERTY_DOUBLE:
      *(gdouble *) field = g_value_get_double (value);
      break;
    case PROPERTY_TEXT:
      g_free (*(gchar **) field);
      *(gchar **) field = g_value_get_string (value) || !row->not_null ?
          g_value_dup_string (value) : g_strdup (row->text);
      break;
  }
  return TRUE;
}

gboolean
property_table_read (const PropertyTable * table, gconstpointer fields,
    GValue * value, GParamSpec * pspec)
{
  const PropertyRow *row = find_row (table, pspec);
  gconstpointer field;

  if (!row)
    return FALSE;
  field = G_STRUCT_MEMBER_P (fields, row->offset);
  switch (row->type) {
    case PROPERTY_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) field);
      break;
    case PROPERTY_CHOICE:
      g_value_set_enum (value, *(const gint *) field);
      break;
    case PROPERTY_UINT:
      g_value_set_uint (value, *(const guint *) field);
      break;
    case PROPERTY_UINT64:
      g_value_set_uint64 (value, *(const guint64 *) field);
      break;
    case PROPERTY_DOUBLE:
      g_value_set_double (value, *(const gdouble *) field);
      break;
    case PROPERTY_TEXT:
      g_value_set_string (value, *(gchar * const *) field);
      break;
  }
  return TRUE;
}

gboolean
property_table_set (const PropertyTable * table, gpointer fields,
    GstElement * element, const gboolean * running, const GValue * value,
    GParamSpec * pspec)
{
  gboolean refused, found;

  GST_OBJECT_LOCK (element);
  refused = *running && (pspec->flags & GST_PARAM_MUTABLE_READY);
  found = refused ? find_row (table, pspec) != NULL :
      property_table_write (table, fields, value, pspec);
  GST_OBJECT_UNLOCK (element);
  if (refused && found)
    property_warn_running (element, pspec);
  return found;
}

gboolean
property_table_get (const PropertyTable * table, gconstpointer fields,
    GstElement * element, GValue * value, GParamSpec * pspec)
{
  gboolean found;

  GST_OBJECT_LOCK (element);
  found = property_table_read (table, fields, value, pspec);
  GST_OBJECT_UNLOCK (element);
  return found;
}

void
property_post_error (GstElement * element, const gchar * why)
{
  GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS, ("%c%s.",
          g_ascii_toupper (why[0]), why + 1), (NULL));
}

void
property_warn_running (GstElement * element, GParamSpec * pspec)
{
  GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
      ("The property %s was not changed: expected the state READY or NULL, "
          "found the element running; set %s before it starts.",
          pspec->name, pspec->name), (NULL));
}
