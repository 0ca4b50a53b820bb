/* libcontinual: the work of loading grows with the number of tensors, not with its square, whatever their names
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocations.h"
#include <string.h>

#include <glib/gstdio.h>
#include <weights/checkpoint.h>

#define MANY 20000

#ifdef COUNTS_ALLOCATIONS
static guint64 n_compared;

/* Stands in for the C library's: what sorts, searches and hash tables compare is counted. */
__attribute__ ((visibility ("default")))
int
strcmp (const char *a, const char *b)
{
  n_compared++;
  for (; *a && *a == *b; a++, b++);
  return (guchar) * a - (guchar) * b;
}

/* The bits of @i as words of two letters, "Ez" and "FY", which GLib's g_str_hash() takes for the same */
static gchar *
make_name (guint i, gboolean collide)
{
  GString *name = g_string_new (NULL);

  if (!collide)
    return g_strdup_printf ("layers_%u", i);
  for (guint bit = 1; bit < 1 << 16; bit <<= 1)
    g_string_append (name, i & bit ? "Ez" : "FY");
  return g_string_free (name, FALSE);
}

typedef enum
{ TENSORS, BUFFERS, METADATA, ALIASES, DOTTED } Kind;

/* A file of @n things of this kind, and of one tensor 'a.w'. */
static GBytes *
make_file (Kind kind, guint n, gboolean collide)
{
  g_autoptr (GString) header = g_string_new
      ("{\"a.w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}");
  gboolean is_tensor = kind == TENSORS || kind == BUFFERS;
  GByteArray *file = g_byte_array_new ();
  guint64 length;

  if (!is_tensor)
    g_string_append (header, ",\"__metadata__\":{\"format\":\"pt\"");
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *name = make_name (i, collide);

    g_string_append_printf (header, ",\"%s%s\":", name,
        kind == ALIASES ? ".weight" : kind == DOTTED ? ".title" : "");
    if (is_tensor)
      g_string_append_printf (header, "{\"dtype\":\"%s\",\"shape\":[1],"
          "\"data_offsets\":[%u,%u]}", kind == TENSORS ? "F32" : "I32",
          4 + 4 * i, 8 + 4 * i);
    else
      g_string_append (header, kind == ALIASES ? "\"a.w\"" : "\"b.w\"");
  }
  g_string_append (header, is_tensor ? "}" : "}}");
  length = GUINT64_TO_LE ((guint64) header->len);
  g_byte_array_append (file, (const guint8 *) &length, sizeof length);
  g_byte_array_append (file, (const guint8 *) header->str, header->len);
  length = file->len;
  g_byte_array_set_size (file, length + 4 + (is_tensor ? 4 * n : 0));
  memset (file->data + length, 0, file->len - length);
  return g_byte_array_free_to_bytes (file);
}

typedef struct
{
  Allocations allocations;
  guint64 n_compared;
} Work;

static void
check_linear (Work half, Work whole, guint n)
{
  g_test_message ("%u names: %u allocations of %zu bytes, %" G_GUINT64_FORMAT
      " comparisons", n, whole.allocations.n, whole.allocations.bytes,
      whole.n_compared);
  g_assert_cmpuint (whole.allocations.n, <, 2.2 * half.allocations.n);
  g_assert_cmpuint (whole.allocations.bytes, <, 2.5 * half.allocations.bytes);
  g_assert_cmpuint (whole.n_compared, <, 2.5 * half.n_compared);
  /* Not too few: then they are not counted. */
  g_assert_cmpuint (whole.n_compared, >, n);
}

static Work
load_bytes (Kind kind, guint n, gboolean collide)
{
  g_autoptr (GBytes) bytes = make_file (kind, n, collide);
  g_autoptr (GError) error = NULL;
  g_autoptr (CoCheckpoint) file = NULL;
  Work work;

  n_compared = 0;
  allocations_begin ();
  file = co_checkpoint_load_bytes (bytes, "many", &error);
  work.allocations = allocations_end ();
  work.n_compared = n_compared;
  g_assert_no_error (error);
  g_assert_cmpuint (co_checkpoint_get_n_tensors (file), ==,
      1 + (kind == TENSORS || kind == ALIASES ? n : 0));
  return work;
}

static void
test_names (gconstpointer data)
{
  const Kind kind = GPOINTER_TO_INT (data);

  for (gint collide = 0; collide < 2; collide++)
    check_linear (load_bytes (kind, MANY / 2, collide),
        load_bytes (kind, MANY, collide), MANY);
}

/* An index of @n tensors, in @n_shards shards */
static Work
load_shards (guint n, guint n_shards)
{
  g_autofree gchar *folder = g_dir_make_tmp ("continual-XXXXXX", NULL);
  g_autofree gchar *index = g_build_filename (folder,
      "model.safetensors.index.json", NULL);
  g_autoptr (GString) map = g_string_new ("{\"weight_map\":{");
  g_autoptr (GError) error = NULL;
  g_autoptr (CoCheckpoint) whole = NULL;
  Work work;

  for (guint shard = 0; shard < n_shards; shard++) {
    g_autofree gchar *file = g_strdup_printf ("s%u.safetensors", shard);
    g_autofree gchar *path = g_build_filename (folder, file, NULL);
    g_autoptr (GString) header = g_string_new ("{");
    guint64 length;

    for (guint i = shard; i < n; i += n_shards) {
      g_string_append_printf (header, "%s\"t%u.w\":{\"dtype\":\"F32\","
          "\"shape\":[0],\"data_offsets\":[0,0]}", header->len > 1 ? "," : "",
          i);
      g_string_append_printf (map, "%s\"t%u.w\":\"%s\"", i || shard ? "," : "",
          i, file);
    }
    g_string_append (header, "}");
    length = GUINT64_TO_LE ((guint64) header->len);
    g_string_prepend_len (header, (const gchar *) &length, sizeof length);
    g_assert_true (g_file_set_contents (path, header->str, header->len, NULL));
  }
  g_string_append (map, "}}");
  g_assert_true (g_file_set_contents (index, map->str, map->len, NULL));

  n_compared = 0;
  allocations_begin ();
  whole = co_checkpoint_load (folder, &error);
  work.allocations = allocations_end ();
  work.n_compared = n_compared;
  g_assert_no_error (error);
  g_assert_cmpuint (co_checkpoint_get_n_tensors (whole), ==, n);

  for (guint shard = 0; shard < n_shards; shard++) {
    g_autofree gchar *file = g_strdup_printf ("s%u.safetensors", shard);
    g_autofree gchar *path = g_build_filename (folder, file, NULL);

    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (g_remove (index), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return work;
}

static void
test_shards (void)
{
  check_linear (load_shards (MANY / 2, 4), load_shards (MANY, 4), MANY);
  check_linear (load_shards (100, 100), load_shards (200, 200), 200);
}
#endif

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#ifdef COUNTS_ALLOCATIONS
#define ADD(path, kind) \
  g_test_add_data_func ("/linear/" path, GINT_TO_POINTER (kind), test_names)
  ADD ("tensors", TENSORS);
  ADD ("buffers", BUFFERS);
  ADD ("metadata", METADATA);
  ADD ("aliases", ALIASES);
  ADD ("dotted", DOTTED);
  g_test_add_func ("/linear/shards", test_shards);
#endif
  return g_test_run ();
}
