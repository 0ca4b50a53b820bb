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

/* Jansson parses the header in here: half of the time would go to malloc() otherwise, and headers are the other
 * target's. */
static guint8 arena[4 << 20] __attribute__((aligned (16)));
static gsize n_taken;

static void *
take (size_t size)
{
  const gsize begin = n_taken;

  if (size > sizeof arena - begin - 15)
    return NULL;
  n_taken += (size + 15) & ~(gsize) 15;
  return arena + begin;
}

static void
leave (void *memory)
{
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  json_set_alloc_funcs (take, leave);
  g_log_set_always_fatal (G_LOG_LEVEL_MASK);
  json_object_seed (1);
  return 0;
}

typedef struct
{
  GString *tensors, *metadata;  /* members of JSON objects, each with a comma behind it */
  CoOptions *options;
  gsize n_elements;
} File;

static void
append_json (GString * json, const gchar * text)
{
  const gchar *end;

  g_string_append_c (json, '"');
  for (; *text; text = end) {
    for (end = text; (guchar) * end >= ' ' && *end != '"' && *end != '\\';)
      end++;
    g_string_append_len (json, text, end - text);
    if (*end)
      g_string_append_printf (json, "\\u%04x", *end++);
  }
  g_string_append_c (json, '"');
}

/* A member's name; FALSE, and nothing, if there is one already, or if it is no text. */
static gboolean
append_name (GString * object, const gchar * name, gchar value)
{
  const gsize before = object->len;
  gboolean again;

  append_json (object, name);
  g_string_append_c (object, ':');
  g_string_append_c (object, value);
  again = strstr (object->str, object->str + before) < object->str + before;
  g_string_truncate (object, again || !g_utf8_validate (name, -1, NULL)
      ? before : object->len - 1);
  return object->len > before;
}

/* FALSE: too large to be worth the time */
static gboolean
add_tensor (File * self, gchar * line)
{
  gchar *shape = line + strcspn (line, " ");
  guint64 n = 1, d;

  if (*shape)
    *shape++ = '\0';
  if (!append_name (self->tensors, line, '{'))
    return TRUE;
  g_string_append (self->tensors, "{\"dtype\":\"F32\",\"shape\":[");
  for (gsize i = 0; *shape && i < 8; i++) {
    d = g_ascii_strtoull (shape, &shape, 10);
    d = MIN (d, 2 * MAX_ELEMENTS);
    n = MIN (n * d, 2 * MAX_ELEMENTS);
    g_string_append_printf (self->tensors, "%s%u", i ? "," : "", (guint) d);
    shape += strcspn (shape, " ");
  }
  if (self->n_elements + n > MAX_ELEMENTS)
    return FALSE;
  g_string_append_printf (self->tensors,
      "],\"data_offsets\":[%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT "]},",
      4 * self->n_elements, 4 * (self->n_elements + n));
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
  if (*line == '!') {
    co_options_set (self->options, line + 1, value, NULL);
  } else if (g_utf8_validate (value, -1, NULL)
      && append_name (self->metadata, line, '"')) {
    append_json (self->metadata, value);
    g_string_append_c (self->metadata, ',');
  }
  return TRUE;
}

/* The bytes of the file: its numbers are any between -1 and 1. */
static GBytes *
write_file (const File * self)
{
  static float numbers[MAX_ELEMENTS];
  GByteArray *bytes = g_byte_array_new ();
  guint64 length;
  guint32 x = 1;

  for (gsize i = 0; numbers[0] == 0 && i < MAX_ELEMENTS; i++)
    numbers[i] = (gint32) (x = x * 1664525 + 1013904223) / 2147483648.f;
  g_string_truncate (self->metadata, MAX (self->metadata->len, 1) - 1);
  g_string_append_printf (self->tensors, "\"__metadata__\":{%s}}",
      self->metadata->str);
  length = GUINT64_TO_LE ((guint64) self->tensors->len);
  g_byte_array_append (bytes, (const guint8 *) &length, sizeof length);
  g_byte_array_append (bytes, (const guint8 *) self->tensors->str,
      self->tensors->len);
  g_byte_array_append (bytes, (const guint8 *) numbers,
      self->n_elements * sizeof *numbers);
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
  CoResult result = {.capacity = capacity,.y = y,.weights = info->n_weights ? weights : NULL };
  CoInput input = {.x = x };

  for (gsize i = 0; i < 2 * STEPS * MAX (width, info->n_memory); i++)
    x[i] = sinf (i);
  if (info->bare_attention)
    input.key = input.value = x;
  if (info->n_memory)
    co_stream_set_memory (stream, CO_ALL_STREAMS, x, STEPS, NULL);
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
  g_autoptr (GString) tensors = g_string_sized_new (8 * size + 256);
  g_autoptr (GString) metadata = g_string_sized_new (size + 64);
  g_autoptr (CoOptions) options = co_options_new ();
  File file = { tensors, metadata, options, 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (CoModel) model = NULL;

  n_taken = 0;
  g_string_append_c (tensors, '{');
  for (gchar * line = text, *next; line; line = next) {
    next = strchr (line, '\n');
    if (next)
      *next++ = '\0';
    if (!add_line (&file, line))
      return 0;
  }
  bytes = write_file (&file);
  model = co_model_load_bytes (bytes, options, &error);
  g_assert ((model != NULL) == (error == NULL));
  g_assert (!error || error->domain == CO_ERROR);
  g_assert (!error || g_utf8_validate (error->message, -1, NULL));
  if (model) {
    const CoModelInfo *info = co_model_get_info (model);

    check_info (info);
    if (info->state_bytes <= MAX_STATE && info->sequence_len <= MAX_WINDOW)
      run (model);
  }
  return 0;
}
