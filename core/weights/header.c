/* libcontinual: the header of a safetensors file
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "header.h"

#include <string.h>

#include "fail.h"
#include "json.h"
#include "quote.h"
#include "table.h"

#define METADATA "__metadata__"
#define LENGTH_SIZE 8
#define MAX_LENGTH 100000000    /* the format's own limit */
#define FLOATS "F32, F16, BF16 or F64 (integers and booleans are skipped)"
#define SAVE_AGAIN "copy it again, or save it again with safetensors.torch.save_file()"

#define corrupt(error, file, ...) \
  co_fail (error, CO_ERROR_CORRUPT, file, __VA_ARGS__)

static guint64
read_length (const guint8 * start)
{
  guint64 length;

  memcpy (&length, start, sizeof length);
  return GUINT64_FROM_LE (length);
}

gboolean
co_header_check_start (const guint8 * start, guint64 size,
    const gchar * file, GError ** error)
{
  guint64 length;

  if (size < LENGTH_SIZE)
    return corrupt (error, file, "expected a safetensors file, which begins "
        "with the 8 bytes of its header's length, found %" G_GUINT64_FORMAT
        " bytes in all; " SAVE_AGAIN, size);

  length = read_length (start);
  if (length > MAX_LENGTH)
    return corrupt (error, file, "expected a header of at most %d bytes, found "
        "a length of %" G_GUINT64_FORMAT ": this is not a safetensors file; "
        SAVE_AGAIN, MAX_LENGTH, length);
  if (length > size - LENGTH_SIZE)
    return corrupt (error, file, "expected a header of %" G_GUINT64_FORMAT
        " bytes, found %" G_GUINT64_FORMAT " bytes after its length: the file "
        "is truncated or not safetensors; " SAVE_AGAIN, length,
        size - LENGTH_SIZE);
  if (length < 2)
    return corrupt (error, file, "expected a header of at least 2 bytes ({}), "
        "found a length of %" G_GUINT64_FORMAT "; " SAVE_AGAIN, length);
  if (start[LENGTH_SIZE] != '{')
    return corrupt (error, file, "expected a header that begins with '{', "
        "found byte 0x%02x: this is not a safetensors file; " SAVE_AGAIN,
        start[LENGTH_SIZE]);
  return TRUE;
}

static gboolean
parse_size (const json_t * value, gsize * size)
{
  json_int_t number;

  if (!json_is_integer (value))
    return FALSE;
  number = json_integer_value (value);
  if (number < 0 || (guint64) number > G_MAXSIZE)
    return FALSE;
  *size = number;
  return TRUE;
}

static gboolean
parse_shape (CoTensor * tensor, const json_t * shape, const gchar * quoted,
    const gchar * file, GError ** error)
{
  g_autofree gchar *found = NULL;
  gsize n = 1;                  /* product of the non-zero dimensions: no partial product may overflow either */
  gboolean empty = FALSE;

  if (!json_is_array (shape) || json_array_size (shape) > CO_TENSOR_MAX_DIMS) {
    found = co_json_describe (shape);
    return corrupt (error, file, "tensor %s: expected a shape, an array of at "
        "most %d dimensions, found %s; " SAVE_AGAIN, quoted,
        CO_TENSOR_MAX_DIMS, found);
  }

  tensor->n_dims = json_array_size (shape);
  for (gsize i = 0; i < tensor->n_dims; i++) {
    const json_t *dim = json_array_get (shape, i);

    if (!parse_size (dim, &tensor->dims[i])) {
      found = co_json_describe (dim);
      return corrupt (error, file, "tensor %s: expected dimension %"
          G_GSIZE_FORMAT " to be a whole number, not negative, found %s; "
          SAVE_AGAIN, quoted, i, found);
    }
    if (tensor->dims[i] == 0)
      empty = TRUE;
    else if (!g_size_checked_mul (&n, n, tensor->dims[i]))
      return corrupt (error, file, "tensor %s: expected a shape that memory "
          "can hold, found dimensions whose product overflows; " SAVE_AGAIN,
          quoted);
  }
  tensor->n_elements = empty ? 0 : n;
  return TRUE;
}

/* Types of safetensors that no model here can use, and what to do about a tensor of one */
static const struct
{
  const gchar *prefix, *todo;
} unusable[] = {
  {"F8_", "dequantize it, or load an unquantized checkpoint and save that"},
  {"F6_", "dequantize it, or load an unquantized checkpoint and save that"},
  {"F4", "dequantize it, or load an unquantized checkpoint and save that"},
  {"C64", "models with complex weights cannot run here; leave the tensor out of "
        "the file if the model does not use it"},
  {"C128", "models with complex weights cannot run here; leave the tensor out of "
        "the file if the model does not use it"},
  {"", "convert it with tensor.float(), or leave it out of the file"},
};

static const gchar *
get_dtype_todo (const json_t * value)
{
  const gchar *name = json_is_string (value) ? json_string_value (value) : "";
  gsize i = 0;

  while (!g_str_has_prefix (name, unusable[i].prefix))
    i++;
  return unusable[i].todo;
}

static gboolean
parse_dtype (CoDtype * dtype, const json_t * value, const gchar * quoted,
    const gchar * file, GError ** error)
{
  g_autofree gchar *found = NULL;

  if (json_is_string (value)
      && co_dtype_parse (json_string_value (value), dtype))
    return TRUE;
  found = co_json_describe (value);
  return corrupt (error, file, "tensor %s: expected a dtype of " FLOATS
      ", found %s; %s", quoted, found, get_dtype_todo (value));
}

static gboolean
parse_offsets (CoHeaderEntry * entry, const json_t * offsets,
    const gchar * quoted, const gchar * file, GError ** error)
{
  g_autofree gchar *found = NULL;
  gsize expected;

  if (!json_is_array (offsets) || json_array_size (offsets) != 2) {
    found = co_json_describe (offsets);
    return corrupt (error, file, "tensor %s: expected data_offsets, an array "
        "of 2 numbers, found %s; " SAVE_AGAIN, quoted, found);
  }
  for (gsize i = 0; i < 2; i++) {
    const json_t *offset = json_array_get (offsets, i);

    if (!parse_size (offset, i == 0 ? &entry->begin : &entry->end)) {
      found = co_json_describe (offset);
      return corrupt (error, file, "tensor %s: expected data_offsets to be "
          "whole numbers, not negative, found %s; " SAVE_AGAIN, quoted, found);
    }
  }

  if (!g_size_checked_mul (&expected, entry->tensor.n_elements,
          co_dtype_get_size (entry->dtype)))
    return corrupt (error, file, "tensor %s: expected a shape that memory can "
        "hold, found %" G_GSIZE_FORMAT " elements of %s; " SAVE_AGAIN, quoted,
        entry->tensor.n_elements, co_dtype_get_name (entry->dtype));
  if (entry->end < entry->begin || entry->end - entry->begin != expected)
    return corrupt (error, file, "tensor %s: expected data_offsets %"
        G_GSIZE_FORMAT " bytes apart for %" G_GSIZE_FORMAT " elements of %s, "
        "found %" G_GSIZE_FORMAT " to %" G_GSIZE_FORMAT "; " SAVE_AGAIN,
        quoted, expected, entry->tensor.n_elements,
        co_dtype_get_name (entry->dtype), entry->begin, entry->end);
  return TRUE;
}

static gboolean
parse_entry (CoHeaderEntry * entry, const gchar * quoted, const json_t * info,
    const gchar * file, GError ** error)
{
  g_autofree gchar *found = NULL;

  if (!json_is_object (info) || json_object_size (info) != 3) {
    found = co_json_describe (info);
    return corrupt (error, file, "tensor %s: expected an object of dtype, "
        "shape and data_offsets, found %s; " SAVE_AGAIN, quoted, found);
  }
  return parse_dtype (&entry->dtype, json_object_get (info, "dtype"), quoted,
      file, error)
      && parse_shape (&entry->tensor, json_object_get (info, "shape"), quoted,
      file, error)
      && parse_offsets (entry, json_object_get (info, "data_offsets"), quoted,
      file, error);
}

static gboolean
parse_metadata (GArray * metadata, json_t * object, const gchar * file,
    GError ** error)
{
  g_autofree gchar *found = NULL;
  const char *key;
  json_t *value;

  if (!json_is_object (object)) {
    found = co_json_describe (object);
    return corrupt (error, file, METADATA ": expected an object, found %s; "
        "save the file again with a dict of strings as metadata", found);
  }
  json_object_foreach (object, key, value) {
    if (!json_is_string (value)) {
      g_autofree gchar *quoted = co_quote (key);

      found = co_json_describe (value);
      return corrupt (error, file, METADATA ": expected the value of %s to be "
          "a string, found %s; save the file again with str() of it", quoted,
          found);
    }
    co_table_add (metadata, key, json_string_value (value));
  }
  co_table_sort (metadata);
  return TRUE;
}

static gint
compare_offsets (gconstpointer a, gconstpointer b)
{
  const CoHeaderEntry *x = a, *y = b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  if (x->end != y->end)
    return x->end < y->end ? -1 : 1;
  return strcmp (x->tensor.name, y->tensor.name);
}

/* The data must be that of the tensors, one after another, with no gap and nothing behind. */
static gboolean
check_tiling (const CoHeader * self, gsize data_size, const gchar * file,
    GError ** error)
{
  gsize expected = 0;

  for (guint i = 0; i < self->entries->len; i++) {
    const CoHeaderEntry *entry =
        &g_array_index (self->entries, CoHeaderEntry, i);

    if (entry->begin != expected) {
      g_autofree gchar *quoted = co_quote (entry->tensor.name);

      return corrupt (error, file, "tensor %s: expected its data at byte %"
          G_GSIZE_FORMAT ", where the data before it ends, found %"
          G_GSIZE_FORMAT ": %s; " SAVE_AGAIN, quoted, expected, entry->begin,
          entry->begin < expected ? "they overlap" : "there is a gap");
    }
    expected = entry->end;
  }
  if (expected != data_size)
    return corrupt (error, file, "expected %" G_GSIZE_FORMAT " bytes of data "
        "for its tensors, found %" G_GSIZE_FORMAT ": %s; " SAVE_AGAIN, expected,
        data_size, data_size < expected ? "the file is truncated"
        : "something was added to the file");
  return TRUE;
}

static gboolean
parse_members (CoHeader * self, json_t * root, const gchar * file,
    GError ** error)
{
  const char *name;
  json_t *info;

  json_object_foreach (root, name, info) {
    g_autofree gchar *quoted = co_quote (name);
    CoHeaderEntry *entry;

    if (strcmp (name, METADATA) == 0) {
      if (!parse_metadata (self->metadata, info, file, error))
        return FALSE;
      continue;
    }
    g_array_set_size (self->entries, self->entries->len + 1);
    entry = &g_array_index (self->entries, CoHeaderEntry,
        self->entries->len - 1);
    entry->tensor.name = g_strdup (name);
    if (!parse_entry (entry, quoted, info, file, error))
      return FALSE;
  }
  return TRUE;
}

/* Moves integers and booleans from the entries to the buffers. */
static void
skip_buffers (CoHeader * self)
{
  guint n = 0;

  for (guint i = 0; i < self->entries->len; i++) {
    CoHeaderEntry *entry = &g_array_index (self->entries, CoHeaderEntry, i);
    const CoHeaderEntry moved = *entry;

    if (!co_dtype_is_float (entry->dtype)) {
      co_table_add (self->buffers, entry->tensor.name,
          co_dtype_get_name (entry->dtype));
      continue;
    }
    /* What is behind the last one kept is freed below. */
    *entry = g_array_index (self->entries, CoHeaderEntry, n);
    g_array_index (self->entries, CoHeaderEntry, n++) = moved;
  }
  g_array_set_size (self->entries, n);
  co_table_sort (self->buffers);
}

static void
clear_entry (gpointer data)
{
  CoHeaderEntry *entry = data;

  g_free ((gpointer) entry->tensor.name);
}

void
co_header_clear (CoHeader * self)
{
  g_clear_pointer (&self->entries, g_array_unref);
  g_clear_pointer (&self->metadata, g_array_unref);
  g_clear_pointer (&self->buffers, g_array_unref);
}

gboolean
co_header_parse (CoHeader * self, const guint8 * data, gsize size,
    const gchar * file, GError ** error)
{
  json_t *root;
  gsize length;
  gboolean ok;

  if (!co_header_check_start (data, size, file, error))
    return FALSE;
  length = read_length (data);

  root = co_json_parse ((const gchar *) data + LENGTH_SIZE, length, file,
      "a header", SAVE_AGAIN, error);
  if (root == NULL)
    return FALSE;

  self->data_start = LENGTH_SIZE + length;
  self->entries = g_array_new (FALSE, TRUE, sizeof (CoHeaderEntry));
  g_array_set_clear_func (self->entries, clear_entry);
  self->metadata = co_table_new ();
  self->buffers = co_table_new ();
  ok = parse_members (self, root, file, error);
  json_decref (root);

  if (ok) {
    g_array_sort (self->entries, compare_offsets);
    ok = check_tiling (self, size - self->data_start, file, error);
  }
  if (ok)
    skip_buffers (self);
  else
    co_header_clear (self);
  return ok;
}
