/* libcontinual: which safetensors files are taken, with what in them, and which are refused, and why
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <weights/safetensors.h>
#include <weights/table.h>

/* Calls @check with each line of DIRECTORY/MANIFEST, split at its tabs. */
static void
foreach_line (const gchar * directory,
    void (*check) (const gchar * path, gchar ** fields, gpointer data),
    gpointer data)
{
  g_autofree gchar *folder = g_build_filename (g_getenv
      ("CONTINUAL_TEST_DATA"), "safetensors", directory, NULL);
  g_autofree gchar *path = g_build_filename (folder, "MANIFEST", NULL);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), >, 10);
  for (gchar ** line = lines; **line; line++) {
    g_auto (GStrv) fields = g_strsplit (*line, "\t", -1);
    g_autofree gchar *file = g_build_filename (folder, fields[0], NULL);

    g_test_message ("%s", *line);
    check (file, fields, data);
  }
}

static CoSafetensors *
load (const gchar * path)
{
  g_autoptr (GError) error = NULL;
  CoSafetensors *file = co_safetensors_load (path, &error);

  g_assert_no_error (error);
  g_assert_nonnull (file);
  return file;
}

static void
check_tensor (const CoTensor * tensor, const gchar * shape,
    const gchar * expected)
{
  g_auto (GStrv) dims = g_strsplit (shape, ",", -1);
  g_auto (GStrv) values = g_strsplit (expected, " ", -1);
  gsize n = 1;

  g_assert_nonnull (tensor);
  g_assert_cmpuint (tensor->n_dims, ==, g_strv_length (dims));
  for (gsize i = 0; i < tensor->n_dims; i++) {
    g_assert_cmpuint (tensor->dims[i], ==, g_ascii_strtoull (dims[i], NULL,
            10));
    n *= tensor->dims[i];
  }
  g_assert_cmpuint (tensor->n_elements, ==, n);
  g_assert_cmpuint (g_strv_length (values), ==, n);
  g_assert_nonnull (tensor->data);
  g_assert_cmpuint ((guintptr) tensor->data % 64, ==, 0);
  for (gsize i = 0; i < n; i++) {
    float value = (float) g_ascii_strtod (values[i], NULL);

    g_assert_cmpmem (&tensor->data[i], sizeof value, &value, sizeof value);
  }
}

/* @data: counts the lines about tensors of each file. */
static void
check_valid (const gchar * path, gchar ** fields, gpointer data)
{
  GHashTable *n_lines = data;
  g_autoptr (CoSafetensors) file = load (path);
  gboolean is_tensor = fields[1] && !g_str_has_prefix (fields[1], "__");

  g_assert_cmpstr (co_safetensors_get_name (file), ==, path);
  if (is_tensor)
    check_tensor (co_safetensors_lookup (file, fields[1]), fields[2],
        fields[3]);
  else if (g_strcmp0 (fields[1], "__buffer__") == 0)
    g_assert_cmpstr (co_table_lookup (co_safetensors_get_buffers (file),
            fields[2]), ==, fields[3]);
  else if (fields[1])
    g_assert_cmpstr (co_safetensors_get_metadata (file, fields[2]), ==,
        fields[3]);
  g_hash_table_insert (n_lines, g_strdup (path),
      GSIZE_TO_POINTER (GPOINTER_TO_SIZE (g_hash_table_lookup (n_lines, path))
          + is_tensor));
}

static void
test_valid (void)
{
  g_autoptr (GHashTable) n_lines =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer path, n;

  foreach_line ("valid", check_valid, n_lines);
  g_hash_table_iter_init (&iter, n_lines);
  while (g_hash_table_iter_next (&iter, &path, &n)) {
    g_autoptr (CoSafetensors) file = load (path);
    gsize n_bytes = 0;

    g_assert_cmpuint (co_safetensors_get_n_tensors (file), ==,
        GPOINTER_TO_SIZE (n));
    g_assert_null (co_safetensors_lookup (file, "no such tensor"));
    g_assert_null (co_safetensors_lookup (file, "i64"));
    g_assert_null (co_table_lookup (co_safetensors_get_buffers (file), "a"));
    g_assert_null (co_safetensors_get_metadata (file, "no such key"));
    for (gsize i = 0; i < GPOINTER_TO_SIZE (n); i++) {
      const CoTensor *tensor = co_safetensors_get_tensor (file, i);

      if (i > 0)
        g_assert_cmpint (strcmp (co_safetensors_get_tensor (file, i - 1)->name,
                tensor->name), <, 0);
      g_assert_true (co_safetensors_lookup (file, tensor->name) == tensor);
      n_bytes += tensor->n_elements * sizeof (float);
    }
    g_assert_cmpuint (co_safetensors_get_n_bytes (file), ==, n_bytes);
  }
}

static void
check_invalid (const gchar * path, gchar ** fields, gpointer data)
{
  g_autoptr (GError) error = NULL;
  CoSafetensors *file = co_safetensors_load (path, &error);

  g_assert_error (error, CO_ERROR, CO_ERROR_CORRUPT);
  g_assert_null (file);
  g_assert_true (g_str_has_prefix (error->message, path));
  if (!strstr (error->message, fields[1]))
    g_error ("expected \"%s\" in \"%s\"", fields[1], error->message);
  g_assert_nonnull (strstr (error->message, "; "));     /* what to do */
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_invalid (void)
{
  foreach_line ("invalid", check_invalid, NULL);
}

static gboolean
is_valid (const guint8 * data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (CoSafetensors) file =
      co_safetensors_load_bytes (bytes, "mutant", &error);

  g_assert_true ((file != NULL) == (error == NULL));
  return file != NULL;
}

/* A file cut anywhere, or with something behind it, is not a file; and any other byte anywhere does no
 * harm. */
static void
check_mutants (const gchar * path, gchar ** fields, gpointer data)
{
  g_autofree gchar *text = NULL;
  g_autofree guint8 *mutant = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  for (gsize n = 0; n < size; n++)
    g_assert_false (is_valid ((guint8 *) text, n));

  mutant = g_malloc0 (size + 1);
  memcpy (mutant, text, size);
  g_assert_true (is_valid (mutant, size));
  g_assert_false (is_valid (mutant, size + 1));
  for (gsize i = 0; i < size; i++) {
    const guint8 bytes[] = { 0, '0', '9', '"', '[', '}', ' ', 0x7f, 0xff };

    for (gsize j = 0; j < G_N_ELEMENTS (bytes); j++) {
      mutant[i] = bytes[j];
      is_valid (mutant, size);
    }
    mutant[i] = text[i];
  }
}

static void
test_mutants (void)
{
  foreach_line ("valid", check_mutants, NULL);
}

static void
check_nesting (const gchar * before, gchar c, const gchar * message)
{
  const guint64 size = strlen (before) + 200000;
  const guint64 length = GUINT64_TO_LE (size);
  g_autoptr (GByteArray) array = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  g_byte_array_append (array, (const guint8 *) &length, sizeof length);
  g_byte_array_append (array, (const guint8 *) before, strlen (before));
  g_byte_array_set_size (array, sizeof length + size);
  memset (array->data + array->len - 200000, c, 200000);
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&array));
  g_assert_null (co_safetensors_load_bytes (bytes, "nested", &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, message));
}

static void
test_nesting (void)
{
  check_nesting ("", '[', "begins with '{'");
  check_nesting ("{\"a\":", '[', "maximum parsing depth");
  check_nesting ("{\"__metadata__\":", '[', "maximum parsing depth");
  check_nesting ("", '{', "header in JSON");
}

/* What is loaded is the reader's own: the bytes it came from may go or change. */
static void
test_ownership (void)
{
  static const gchar header[] =
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
      "\"__metadata__\":{\"k\":\"v\"}}";
  const guint64 length = GUINT64_TO_LE (strlen (header));
  const float values[] = { 1, -2 };
  gsize size = sizeof length + strlen (header) + sizeof values;
  guint8 *data = g_malloc (size);
  GBytes *bytes;
  CoSafetensors *file, *again;

  memcpy (data, &length, sizeof length);
  memcpy (data + sizeof length, header, strlen (header));
  for (gsize i = 0; i < 2; i++) {
    guint32 bits;

    memcpy (&bits, &values[i], sizeof bits);
    bits = GUINT32_TO_LE (bits);
    memcpy (data + size - sizeof values + 4 * i, &bits, sizeof bits);
  }
  bytes = g_bytes_new_static (data, size);
  file = co_safetensors_load_bytes (bytes, "model", NULL);
  g_assert_nonnull (file);
  memset (data, 0xff, size);
  g_bytes_unref (bytes);
  g_free (data);

  again = co_safetensors_ref (file);
  g_assert_true (again == file);
  co_safetensors_unref (file);
  check_tensor (co_safetensors_lookup (again, "a"), "2", "1 -2");
  g_assert_cmpstr (co_safetensors_get_metadata (again, "k"), ==, "v");
  g_assert_cmpstr (co_safetensors_get_name (again), ==, "model");
  co_safetensors_unref (again);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/safetensors/valid", test_valid);
  g_test_add_func ("/safetensors/invalid", test_invalid);
  g_test_add_func ("/safetensors/mutants", test_mutants);
  g_test_add_func ("/safetensors/nesting", test_nesting);
  g_test_add_func ("/safetensors/ownership", test_ownership);
  return g_test_run ();
}
