/* libcontinual: any tensors of any names, shapes and hyper-parameters are a model that runs, or refused
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input describes a file in lines, so that mutants of it are files which the reader takes and the builder must
 * judge: `NAME D0 D1 …` is a tensor, `key=value` metadata, `!key=value` an option. (What bytes are a file is the
 * other target's.) A model is then stepped, its state taken and given back. */
#include <continual/continual.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define MAX_ELEMENTS 4096
/* Larger ones are loaded, but not run: that would take too long. */
#define MAX_STATE (1 << 19)
#define MAX_WINDOW 64
#define STEPS 5

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 * data, size_t size);

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_LEVEL_MASK);
  json_object_seed (1);
  return 0;
}

typedef struct
{
  json_t *header, *metadata;
  CoOptions *options;
  gsize n_elements;
} File;

/* FALSE: too large to be worth the time */
static gboolean
add_tensor (File * self, gchar * line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  json_t *shape = json_array (), *tensor;
  guint64 n = 1;

  for (gsize i = 1; words[0] && words[i] && i <= 8; i++) {
    guint64 d = MIN (g_ascii_strtoull (words[i], NULL, 10), 2 * MAX_ELEMENTS);
    json_array_append_new (shape, json_integer (d));
    n = MIN (n * d, 2 * MAX_ELEMENTS);
  }
  if (!words[0] || !g_utf8_validate (words[0], -1, NULL)
      || self->n_elements + n > MAX_ELEMENTS) {
    json_decref (shape);
    return words[0] == NULL || self->n_elements + n <= MAX_ELEMENTS;
  }
  if (json_object_get (self->header, words[0])) {
    json_decref (shape);
    return TRUE;
  }
  tensor = json_pack ("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
      "data_offsets", (json_int_t) (4 * self->n_elements),
      (json_int_t) (4 * (self->n_elements + n)));
  json_object_set_new (self->header, words[0], tensor);
  self->n_elements += n;
  return TRUE;
}

static gboolean
add_line (File * self, gchar * line)
{
  gchar *value = strchr (line, '=');

  if (!value)
    return *line == '\0' || add_tensor (self, line);
  *value++ = '\0';
  /* What an option asks for is given, if there is that much: not here. */
  if (*line == '!' && g_ascii_strtoull (value, NULL, 10) > MAX_ELEMENTS)
    return TRUE;
  if (*line == '!')
    co_options_set (self->options, line + 1, value, NULL);
  else if (g_utf8_validate (line, -1, NULL)
      && g_utf8_validate (value, -1, NULL))
    json_object_set_new (self->metadata, line, json_string (value));
  return TRUE;
}

/* The bytes of the file: its numbers are any between -1 and 1. */
static GBytes *
write_file (const File * self)
{
  g_autofree gchar *text = json_dumps (self->header, JSON_COMPACT);
  GByteArray *bytes = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE (strlen (text));
  guint32 x = 1;

  g_byte_array_append (bytes, (const guint8 *) &length, sizeof length);
  g_byte_array_append (bytes, (const guint8 *) text, strlen (text));
  for (gsize i = 0; i < self->n_elements; i++) {
    float f = (gint32) (x = x * 1664525 + 1013904223) / 2147483648.f;
    g_byte_array_append (bytes, (const guint8 *) &f, sizeof f);
  }
  return g_byte_array_free_to_bytes (bytes);
}

static void
check_info (const CoModelInfo * info)
{
  g_assert (info->n_inputs > 0 && info->n_outputs > 0 && info->n_keys > 0
      && info->n_values > 0 && info->n_heads > 0 && info->n_layers > 0);
  g_assert (info->n_positions > 0 && info->warm_up > 0 && info->chunk_len > 0);
  g_assert (info->state_bytes % 64 == 0);
  g_assert (info->n_labels == 0 || info->n_labels == info->n_outputs);
}

static void
run (CoModel * model)
{
  const CoModelInfo *info = co_model_get_info (model);
  g_autoptr (CoStream) stream = co_stream_new (model, 2);
  gsize capacity = co_stream_max_outputs (stream, STEPS);
  gsize width = MAX (info->n_inputs, MAX (info->n_keys, info->n_values));
  g_autofree float *x = g_new (float, 2 * STEPS * MAX (width, info->n_memory));
  g_autofree float *y =
      g_new (float, capacity * info->n_positions * info->n_outputs);
  g_autofree float *weights = g_new (float,
      capacity * info->n_heads * info->n_positions * info->n_weights);
  g_autoptr (GBytes) state = NULL;
  g_autoptr (GError) error = NULL;
  CoResult result = {.y = y,.weights = info->n_weights ? weights : NULL };
  CoInput input = {.x = x };

  for (gsize i = 0; i < 2 * STEPS * MAX (width, info->n_memory); i++)
    x[i] = sinf (i);
  if (info->bare_attention)
    input.key = input.value = x;
  if (info->n_memory)
    co_stream_set_memory (stream, -1, x, STEPS);
  g_assert (co_stream_forward_steps (stream, &input, STEPS, TRUE, &result)
      <= capacity);
  state = co_stream_get_state (stream);
  if (!co_stream_set_state (stream, state, &error))
    g_assert (g_error_matches (error, CO_ERROR, CO_ERROR_STATE));
  result.weights = NULL;
  co_stream_forward_steps (stream, &input, 1, TRUE, &result);
  co_stream_drain (stream, &result);
}

int
LLVMFuzzerTestOneInput (const guint8 * data, size_t size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 100);
  File file = { json_object (), json_object (), co_options_new (), 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (CoModel) model = NULL;
  gboolean ok = TRUE;

  for (gsize i = 0; ok && lines[i]; i++)
    ok = add_line (&file, lines[i]);
  json_object_set (file.header, "__metadata__", file.metadata);
  if (ok) {
    bytes = write_file (&file);
    model = co_model_load_bytes (bytes, file.options, &error);
    g_assert ((model != NULL) == (error == NULL));
    g_assert (!error || error->domain == CO_ERROR);
    g_assert (!error || g_utf8_validate (error->message, -1, NULL));
  }
  if (model) {
    const CoModelInfo *info = co_model_get_info (model);

    check_info (info);
    if (info->state_bytes <= MAX_STATE && info->sequence_len <= MAX_WINDOW)
      run (model);
  }
  json_decref (file.header);
  json_decref (file.metadata);
  co_options_free (file.options);
  return 0;
}
