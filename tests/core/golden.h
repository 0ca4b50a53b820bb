/* Golden cases: a model, inputs, and the outputs that the field's own libraries give in float64
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>
#include "weights/safetensors.h"
#include <jansson.h>
#include <string.h>

typedef struct
{
  gchar *name;
  CoModel *model;
  CoSafetensors *io;
  const float *x;               /* (n_steps, C), or the queries */
  const float *key, *value;     /* (n_steps, …) or NULL */
  const float *y;               /* (n_outputs, y_size) */
  const float *memory;          /* (n_memory, E) or NULL */
  gsize n_memory;
  gsize n_steps, n_outputs, y_size, first;
  gsize pts;                    /* the input whose time y[0] carries */
  gchar *properties;            /* of an element, beside the file: "prefix=encoder sequence-len=8" */
  gdouble atol;
  gboolean has_positions;
} Golden;

/* Of tests/golden, or of tests/golden-models */
static inline gchar *
golden_path (const gchar * name, const gchar * file)
{
  const gchar *data = g_getenv ("CONTINUAL_TEST_DATA");
  g_autofree gchar *folder = g_build_filename (data, "golden", name, NULL);

  return g_build_filename (data, g_file_test (folder, G_FILE_TEST_EXISTS) ?
      "golden" : "golden-models", name, file, NULL);
}

/* What an element's model-path is: the file, or the folder of a model with a config.json. Free it. */
static inline gchar *
golden_model_path (const gchar * name)
{
  g_autofree gchar *config = golden_path (name, "config.json");

  return g_file_test (config, G_FILE_TEST_EXISTS) ?
      golden_path (name, NULL) : golden_path (name, "model.safetensors");
}

static inline gint
golden_compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(gchar * const *) a, *(gchar * const *) b);
}

/* All cases of @folder, sorted, ended by NULL. */
static inline gchar **
golden_names_in (const gchar * folder)
{
  g_autofree gchar *path =
      g_build_filename (g_getenv ("CONTINUAL_TEST_DATA"), folder, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  GPtrArray *names = g_ptr_array_new ();
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir)))
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, golden_compare_names);
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (names, FALSE);
}

static inline gchar **
golden_names (void)
{
  return golden_names_in ("golden");
}

/* The model's file without its metadata, which goes to @options instead. */
static inline GBytes *
golden_strip (const gchar * path, CoOptions * options)
{
  g_autofree gchar *file = NULL;
  g_autofree gchar *header = NULL;
  gsize size;
  guint64 n;
  json_t *root, *value;
  const char *key;
  GByteArray *bytes = g_byte_array_new ();

  g_assert_true (g_file_get_contents (path, &file, &size, NULL));
  memcpy (&n, file, 8);
  root = json_loadb (file + 8, n, 0, NULL);
  json_object_foreach (json_object_get (root, "__metadata__"), key, value)
      g_assert_true (co_options_set (options, key, json_string_value (value),
          NULL));
  json_object_del (root, "__metadata__");
  header = json_dumps (root, JSON_COMPACT);
  json_decref (root);
  g_byte_array_append (bytes, (guint8 *) & (guint64) {
      strlen (header)}, 8);
  g_byte_array_append (bytes, (guint8 *) header, strlen (header));
  g_byte_array_append (bytes, (guint8 *) file + 8 + n, size - 8 - n);
  return g_byte_array_free_to_bytes (bytes);
}

static inline const float *
golden_tensor (CoSafetensors * io, const gchar * name)
{
  const CoTensor *t = co_safetensors_lookup (io, name);

  return t ? t->data : NULL;
}

/* "prefix=encoder sequence-len=8": the options are named as the properties. */
static inline CoOptions *
golden_parse_properties (const gchar * text)
{
  CoOptions *options = co_options_new ();
  g_auto (GStrv) pairs = g_strsplit (text, " ", -1);

  for (gsize i = 0; pairs[i]; i++) {
    g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);

    if (*pairs[i])
      g_assert_true (co_options_set (options, pair[0], pair[1], NULL));
  }
  return options;
}

/* @options: NULL, or empty, to be filled from the file's metadata and used in its place. */
static inline Golden *
golden_load (const gchar * name, CoOptions * options)
{
  g_autofree gchar *model_path = golden_model_path (name);
  g_autofree gchar *io_path = golden_path (name, "io.safetensors");
  g_autoptr (GError) error = NULL;
  Golden *g = g_new0 (Golden, 1);
  const CoModelInfo *info;
  const gchar *text;
  const CoTensor *y;

  g->name = g_strdup (name);
  g->io = co_safetensors_load (io_path, &error);
  g_assert_no_error (error);
  text = co_safetensors_get_metadata (g->io, "properties");
  g->properties = g_strdup (text ? text : "");
  if (options) {
    g_autoptr (GBytes) bytes = golden_strip (model_path, options);
    g->model = co_model_load_bytes (bytes, options, &error);
  } else {
    g_autoptr (CoOptions) given = golden_parse_properties (g->properties);
    g->model = co_model_load (model_path, given, &error);
  }
  g_assert_no_error (error);
  g->x = golden_tensor (g->io, "x");
  if (!g->x)
    g->x = golden_tensor (g->io, "query");
  g->key = golden_tensor (g->io, "key");
  g->value = golden_tensor (g->io, "value");
  g->memory = golden_tensor (g->io, "memory");
  if (g->memory)
    g->n_memory = golden_tensor (g->io, "memory_length")[0];
  y = co_safetensors_lookup (g->io, "y");
  g->y = y->data;
  g->n_outputs = y->dims[0];
  g->y_size = y->n_elements / y->dims[0];
  g->n_steps = co_safetensors_lookup (g->io, g->key ? "query" : "x")->dims[0];
  g->first = g_ascii_strtoull (co_safetensors_get_metadata (g->io, "first"),
      NULL, 10);
  info = co_model_get_info (g->model);
  text = co_safetensors_get_metadata (g->io, "pts");
  /* All of a chunk are answered with its last vector. */
  g->pts = text ? g_ascii_strtoull (text, NULL, 10) :
      info->chunk_len > 1 ? 0 : g->first - info->delay;
  g->atol = g_ascii_strtod (co_safetensors_get_metadata (g->io, "atol"), NULL);
  g->has_positions = g_str_has_prefix (name, "classifier-");
  return g;
}

static inline CoInput
golden_input (const Golden * g, gsize t)
{
  const CoModelInfo *info = co_model_get_info (g->model);

  return (CoInput) {
  .x = g->x + t * info->n_inputs,.key =
        g->key ? g->key + t * info->n_keys : NULL,.value =
        g->value ? g->value + t * info->n_values : NULL};
}

static inline CoStream *
golden_stream (const Golden * g)
{
  CoStream *stream = co_stream_new (g->model, 1);

  if (g->memory)
    co_stream_set_memory (stream, CO_ALL_STREAMS, g->memory, g->n_memory, NULL);
  return stream;
}

static inline void
golden_free (Golden * g)
{
  g_free (g->name);
  g_free (g->properties);
  co_model_unref (g->model);
  co_safetensors_unref (g->io);
  g_free (g);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Golden, golden_free)
