/* libcontinual: the work of loading grows with the number of tensors, not with its square, whatever their names
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocations.h"
#include <string.h>

#include <glib/gstdio.h>
#include <continual/continual.h>
#include <model/model.h>
#include <weights/checkpoint.h>

#define MANY 20000
#define N_LAYERS 400

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
/* @n layers of one feature, all in one tensor's worth of numbers */
static GBytes *
make_layers (guint n)
{
  const struct
  {
    const gchar *name, *shape;
    guint bytes;
  } tensors[] = {
    {"self_attn.in_proj_weight", "3,1", 12}, {"self_attn.in_proj_bias", "3", 12},
    {"self_attn.out_proj.weight", "1,1", 4}, {"self_attn.out_proj.bias", "1", 4},
    {"linear1.weight", "1,1", 4}, {"linear1.bias", "1", 4},
    {"linear2.weight", "1,1", 4}, {"linear2.bias", "1", 4},
    {"norm1.weight", "1", 4}, {"norm1.bias", "1", 4},
    {"norm2.weight", "1", 4}, {"norm2.bias", "1", 4},
  };
  g_autoptr (GString) header = g_string_new ("{\"__metadata__\":{\"nhead\":\"1\","
      "\"sequence_len\":\"2\",\"attention\":\"deep\"}");
  GByteArray *file = g_byte_array_new ();
  guint64 at = 0, length;

  for (guint l = 0; l < n; l++)
    for (gsize i = 0; i < G_N_ELEMENTS (tensors); i++) {
      g_string_append_printf (header, ",\"layers.%u.%s\":{\"dtype\":\"F32\","
          "\"shape\":[%s],\"data_offsets\":[%" G_GUINT64_FORMAT ",%"
          G_GUINT64_FORMAT "]}", l, tensors[i].name, tensors[i].shape, at,
          at + tensors[i].bytes);
      at += tensors[i].bytes;
    }
  g_string_append (header, "}");
  length = GUINT64_TO_LE ((guint64) header->len);
  g_byte_array_append (file, (const guint8 *) &length, sizeof length);
  g_byte_array_append (file, (const guint8 *) header->str, header->len);
  length = file->len;
  g_byte_array_set_size (file, length + at);
  memset (file->data + length, 0, at);
  return g_byte_array_free_to_bytes (file);
}

static CoModel *
load_layers (guint n, Work * work)
{
  g_autoptr (GBytes) bytes = make_layers (n);
  g_autoptr (GError) error = NULL;
  CoModel *model;

  n_compared = 0;
  allocations_begin ();
  model = co_model_load_bytes (bytes, NULL, &error);
  work->allocations = allocations_end ();
  work->n_compared = n_compared;
  g_assert_no_error (error);
  g_assert_cmpuint (co_model_get_info (model)->n_layers, ==, n);
  return model;
}

static guint64 n_sizes;

static gsize
counted_size (const CoAttention * self)
{
  n_sizes++;
  return co_single_output_state_size (self);
}

/* How often the size of a layer's state is asked for where offsets are summed, in a step, and in a snapshot that is restored */
static guint64
count_sizes (CoModel * model)
{
  static CoAttentionClass counted;
  const gsize n = model->stack.n_layers;
  const float x = 1;
  float y;
  CoStream *stream;
  GBytes *state;

  counted = co_single_output_class;
  counted.state_size = counted_size;
  for (gsize l = 0; l < n; l++)
    model->stack.layers[l].attention.klass = &counted;
  n_sizes = 0;
  co_stack_lay_out_state (&model->stack);
  g_assert_cmpuint (n_sizes, >=, n);
  stream = co_stream_new (model, 1);
  co_stream_forward_step (stream, &x, &y);
  state = co_stream_get_state (stream);
  g_assert_true (co_stream_set_state (stream, state, NULL));
  g_bytes_unref (state);
  co_stream_unref (stream);
  return n_sizes;
}

static void
test_layers (void)
{
  Work half, whole;
  g_autoptr (CoModel) few = load_layers (N_LAYERS / 2, &half);
  g_autoptr (CoModel) many = load_layers (N_LAYERS, &whole);

  check_linear (half, whole, N_LAYERS);
  g_assert_cmpuint (count_sizes (many), <, 2.2 * count_sizes (few));
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
  g_test_add_func ("/linear/layers", test_layers);
#endif
  return g_test_run ();
}
