/* gst-continual: properties that are fields of a struct
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* An enumeration with values that live as long as the process. The first call registers the type; later calls with
 * the same @name return it. Call it from class_init() or later; thread-safe. */
GType property_enum_get_type (const gchar * name,
    const GEnumValue * values /* terminated by a value with the name NULL */ );

/* An enumeration as a row of a PropertyTable names it. */
typedef struct
{
  const gchar *name;            /* of the GType */
  const GEnumValue *values;     /* terminated by a value with the name NULL */
} PropertyEnum;

/* Defines the PropertyEnum @variable; the arguments after @name are GEnumValues. */
#define PROPERTY_ENUM(variable, name, ...) \
    static const PropertyEnum variable = { name, \
      (const GEnumValue[]) { __VA_ARGS__, {0, NULL, NULL} } }

typedef enum
{
  PROPERTY_BOOLEAN,             /* field: gboolean */
  PROPERTY_UINT,                /* guint */
  PROPERTY_UINT64,              /* guint64 */
  PROPERTY_DOUBLE,              /* gdouble */
  PROPERTY_CHOICE,              /* an enum, or gint */
  PROPERTY_TEXT,                /* gchar *, owned */
} PropertyType;

/* One property: its type, the field that holds it, and what gst-inspect-1.0 shows. Only the ranges and defaults of
 * its type are used. Write rows with the macros below. */
typedef struct
{
  PropertyType type;
  GParamFlags mutable;          /* GST_PARAM_MUTABLE_READY or GST_PARAM_MUTABLE_PLAYING */
  gsize offset;                 /* of the field */
  const gchar *name, *nick, *blurb;
  guint64 min, max, fallback;   /* BOOLEAN, UINT, UINT64; CHOICE: fallback only */
  gdouble least, most, number;  /* DOUBLE: range and default */
  const gchar *text;            /* TEXT: default, or NULL */
  const PropertyEnum *choices;  /* CHOICE */
  gboolean not_null;            /* TEXT: NULL sets the default */
} PropertyRow;

#define ROW_BOOLEAN(Struct, field, when, name_, nick_, blurb_, default_) \
    { PROPERTY_BOOLEAN, GST_PARAM_MUTABLE_##when, G_STRUCT_OFFSET (Struct, field), name_, nick_, blurb_, \
      .fallback = default_ }
#define ROW_UINT(Struct, field, when, name_, nick_, blurb_, least_, most_, default_) \
    { PROPERTY_UINT, GST_PARAM_MUTABLE_##when, G_STRUCT_OFFSET (Struct, field), name_, nick_, blurb_, \
      .min = least_, .max = most_, .fallback = default_ }
#define ROW_UINT64(Struct, field, when, name_, nick_, blurb_, least_, most_, default_) \
    { PROPERTY_UINT64, GST_PARAM_MUTABLE_##when, G_STRUCT_OFFSET (Struct, field), name_, nick_, blurb_, \
      .min = least_, .max = most_, .fallback = default_ }
#define ROW_DOUBLE(Struct, field, when, name_, nick_, blurb_, least_, most_, default_) \
    { PROPERTY_DOUBLE, GST_PARAM_MUTABLE_##when, G_STRUCT_OFFSET (Struct, field), name_, nick_, blurb_, \
      .least = least_, .most = most_, .number = default_ }
#define ROW_CHOICE(Struct, field, when, name_, nick_, blurb_, choices_, default_) \
    { PROPERTY_CHOICE, GST_PARAM_MUTABLE_##when, G_STRUCT_OFFSET (Struct, field), name_, nick_, blurb_, \
      .choices = &choices_, .fallback = default_ }
#define ROW_TEXT(Struct, field, when, name_, nick_, blurb_, default_) \
    { PROPERTY_TEXT, GST_PARAM_MUTABLE_##when, G_STRUCT_OFFSET (Struct, field), name_, nick_, blurb_, .text = default_ }
/* NULL sets the default. */
#define ROW_TEXT_NOT_NULL(Struct, field, when, name_, nick_, blurb_, default_) \
    { PROPERTY_TEXT, GST_PARAM_MUTABLE_##when, G_STRUCT_OFFSET (Struct, field), name_, nick_, blurb_, .text = default_, \
      .not_null = TRUE }

typedef struct
{
  const PropertyRow *rows;      /* (n) */
  guint n;
} PropertyTable;

/* Defines the PropertyTable @variable of the array @rows. */
#define PROPERTY_TABLE(variable, rows) \
    const PropertyTable variable = { rows, G_N_ELEMENTS (rows) }

/* Installs one property per row with the ids from @first_id on. Returns the first id that is free. */
guint property_table_install (const PropertyTable * table, GObjectClass * klass,
    guint first_id);

/* Sets the fields of @fields to their defaults. They must be uninitialised or cleared. */
void property_table_init (const PropertyTable * table, gpointer fields);
/* Frees the texts. */
void property_table_clear (const PropertyTable * table, gpointer fields);

/* Copies between @value and the field of @pspec. The caller holds the lock of @fields. FALSE: @pspec is not in the
 * table. */
gboolean property_table_write (const PropertyTable * table, gpointer fields,
    const GValue * value, GParamSpec * pspec);
gboolean property_table_read (const PropertyTable * table,
    gconstpointer fields, GValue * value, GParamSpec * pspec);

/* The same under the object lock of @element. While *@running (read under that lock), a property that is
 * GST_PARAM_MUTABLE_READY keeps its value, and a warning message says so. */
gboolean property_table_set (const PropertyTable * table, gpointer fields,
    GstElement * element, const gboolean * running, const GValue * value,
    GParamSpec * pspec);
gboolean property_table_get (const PropertyTable * table,
    gconstpointer fields, GstElement * element, GValue * value,
    GParamSpec * pspec);

/* Posts @why, which begins with "expected" and is about properties, as an error message of @element. */
void property_post_error (GstElement * element, const gchar * why);

/* The warning message: @pspec was not changed, since @element runs. */
void property_warn_running (GstElement * element, GParamSpec * pspec);

G_END_DECLS
