/* No size in a file leads to an allocation that the file's own length does not justify
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocations.h"
#include "variants.h"
#include <glib/gstdio.h>
#include <string.h>
#include <weights/checkpoint.h>

/* What a few objects, a message and a hash table need, whatever the file */
#define ANY_FILE (64 * 1024)
/* JSON values of two bytes become objects of some sixty. */
#define TIMES 100

static void
begin (void)
{
#ifdef COUNTS_ALLOCATIONS
  allocations_begin ();
#endif
}

/* @times: by how much a byte of the file may grow */
static void
end (const gchar * name, gsize length, gsize times)
{
#ifdef COUNTS_ALLOCATIONS
  const Allocations found = allocations_end ();

  if (found.bytes > ANY_FILE + times * length)
    g_error ("%s of %zu bytes: %zu bytes allocated, the largest piece %zu",
        name, length, found.bytes, found.largest);
#endif
}

/* Every file that is sound or broken in some way, and what becomes of it as a model. */
static void
test_files (gconstpointer data)
{
  g_autofree gchar *folder = g_build_filename (g_getenv ("CONTINUAL_TEST_DATA"),
      "safetensors", data, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;
  guint n = 0;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_autofree gchar *content = NULL;
    g_autoptr (GError) error = NULL;
    gsize length;

    if (!g_str_has_suffix (name, ".safetensors"))
      continue;
    g_assert_true (g_file_get_contents (path, &content, &length, NULL));
    begin ();
    /* None of them is a model. */
    g_assert_null (co_model_load (path, NULL, &error));
    end (name, length, TIMES);
    g_assert_nonnull (error);
    n++;
  }
  g_assert_cmpuint (n, >, 10);
}

/* Texts beside the weights, which become many small values, or none, before they are refused. */
static void
test_texts (void)
{
  const gchar *const names[] = { "config.json", "model.safetensors.index.json" };
  const gchar *const starts[] = { "{\"weight_map\":[", "{\"weight_map\":{" };
  g_autofree gchar *folder = g_dir_make_tmp ("continual-XXXXXX", NULL);

  for (gsize i = 0; i < 4; i++) {
    g_autofree gchar *path = g_build_filename (folder, names[i % 2], NULL);
    g_autoptr (GString) text = g_string_new (starts[i / 2]);
    g_autoptr (GError) error = NULL;

    for (gint j = 0; j < 50000; j++) {
      if (i / 2)
        g_string_append_printf (text, "\"%06d\":[],", j);
      else
        g_string_append (text, "[],");
    }
    g_string_append (text, i / 2 ? "\"a\":1}}" : "[]]}");
    g_assert_true (g_file_set_contents (path, text->str, text->len, NULL));
    begin ();
    g_assert_null (co_checkpoint_load (folder, &error));
    end (names[i % 2], text->len, TIMES);
    g_assert_nonnull (error);
    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static const Variant *
find_variant (const gchar * name)
{
  const Variant *v = variants;

  while (v->name && !g_str_equal (v->name, name))
    v++;
  g_assert_nonnull (v->name);
  return v;
}

/* The file of a small model with @key set to @value */
static GBytes *
write_model (const gchar * variant, const gchar * key, const gchar * value)
{
  const Shape small = {.E = 8,.H = 2,.N = 4,.ff = 4 };
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autoptr (RefModel) m = ref_model_random (find_variant (variant), &small,
      random);
  g_autoptr (GBytes) bytes = ref_model_write (m, NULL);
  g_autofree gchar *entry = g_strdup_printf ("\"%s\":\"%s\",", key, value);
  g_autoptr (GString) file = g_string_new (NULL);
  gsize size;
  const gchar *data = g_bytes_get_data (bytes, &size);
  const gchar *start = "{\"__metadata__\":{";
  g_autofree gchar *word = g_strdup_printf ("\"%s\":\"", key);
  gchar *header, *old;
  guint64 length;

  memcpy (&length, data, sizeof length);
  header = g_strndup (data + 8, length);
  g_assert_true (g_str_has_prefix (header, start));
  g_string_append (file, start);
  g_string_append (file, entry);
  old = strstr (header, word);
  if (old)                      /* another key, which nothing reads */
    memset (old + 1, 'Z', 4);
  g_string_append (file, header + strlen (start));
  length = file->len;
  g_string_prepend_len (file, (const gchar *) &length, sizeof length);
  g_string_append_len (file, data + 8 + strlen (header), size - 8 -
      strlen (header));
  g_free (header);
  return g_string_free_to_bytes (g_steal_pointer (&file));
}

static const struct
{
  const gchar *variant, *key, *value;
} huge[] = {
  {"single-output/attention", "sequence_len", "16777216"},
  {"single-output/stack", "sequence_len", "16777216"},
  {"single-output/stack", "sequence_len", "10000"},
  {"retroactive/attention", "sequence_len", "16777216"},
  {"retroactive/classifier", "sequence_len", "10000"},
  {"deep/stack", "sequence_len", "16777216"},
  {"recurrent-full/stack", "max_len", "16777216"},
  {"decoder/full-full", "max_len", "16777216"},
  {"kernel/elu", "causal_window_length", "16777216"},
  {"kernel/chunks-relu", "causal_chunk_length", "16777216"},
};

/* Metadata that asks for windows of gigabytes: refused before they are reserved. As an option it is meant. */
static void
test_windows (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (huge); i++) {
    g_autoptr (GBytes) bytes = write_model (huge[i].variant, huge[i].key,
        huge[i].value);
    g_autoptr (GError) error = NULL;
    CoModel *model;

    begin ();
    model = co_model_load_bytes (bytes, NULL, &error);
    end (huge[i].variant, g_bytes_get_size (bytes), TIMES);
    g_assert_null (model);
    g_assert_error (error, CO_ERROR, CO_ERROR_SETTING);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, "fit into memory"));
    g_assert_nonnull (strstr (error->message, huge[i].key));
  }
}

static void
test_meant (void)
{
  g_autoptr (GBytes) bytes = write_model ("retroactive/stack",
      "sequence_len", "8000");
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (CoModel) model = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (co_model_load_bytes (bytes, NULL, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "out of proportion"));
  g_clear_error (&error);
  g_assert_true (co_options_set (options, "sequence_len", "8000", NULL));
  model = co_model_load_bytes (bytes, options, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (co_model_get_info (model)->state_bytes, >, 4000 * 8);

  /* More than any machine has, and more than 64 bits count */
  g_assert_true (co_options_set (options, "sequence_len", "16777216", NULL));
  g_assert_null (co_model_load_bytes (bytes, options, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "this machine"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/hostile/valid", "valid", test_files);
  g_test_add_data_func ("/hostile/invalid", "invalid", test_files);
  g_test_add_func ("/hostile/texts", test_texts);
  g_test_add_func ("/hostile/windows", test_windows);
  g_test_add_func ("/hostile/meant", test_meant);
  return g_test_run ();
}
