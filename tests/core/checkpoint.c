/* libcontinual: checkpoints in files, folders and shards: which are loaded, with what in them, and which are refused
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <weights/checkpoint.h>

#define INDEX "model.safetensors.index.json"

typedef struct
{
  gchar *folder;
} Fixture;

/* What somebody else does while the loader reads: called before the read number @read_until_change. */
static void (*change) (const gchar * folder);
static const gchar *changed_folder;
static gint reads_until_change;

ssize_t pread (int fd, void *data, size_t size, off_t offset);

/* Stands in for the C library's. */
__attribute__ ((visibility ("default")))
ssize_t
pread (int fd, void *data, size_t size, off_t offset)
{
  if (change && reads_until_change-- == 0)
    change (changed_folder);
  return lseek (fd, offset, SEEK_SET) < 0 ? -1 : read (fd, data, size);
}

static void
set_up (Fixture * self, gconstpointer data)
{
  self->folder = g_dir_make_tmp ("continual-XXXXXX", NULL);
  g_assert_nonnull (self->folder);
}

static void
remove_all (const gchar * folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_assert_cmpint (g_remove (path), ==, 0);
  }
}

static void
tear_down (Fixture * self, gconstpointer data)
{
  remove_all (self->folder);
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
}

/* Writes under another name and renames: what was read before is another file. */
static void
write_bytes (const gchar * folder, const gchar * name, gconstpointer data,
    gsize size)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, data, size, &error);
  g_assert_no_error (error);
}

static void
write_text (const gchar * folder, const gchar * name, const gchar * text)
{
  write_bytes (folder, name, text, strlen (text));
}

/* Writes a safetensors file. @tensors: names, separated by spaces, each of one float32 that is @value and the
 * tensor's number in @tensors; "NAME:TYPE" is 8 bytes of that type. @metadata: members of a JSON object, or NULL. */
static void
write_weights (const gchar * folder, const gchar * file, const gchar * tensors,
    float value, const gchar * metadata)
{
  g_auto (GStrv) names = g_strsplit (tensors, " ", -1);
  g_autoptr (GString) header = g_string_new ("{");
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GByteArray) content = g_byte_array_new ();
  guint64 length;

  for (gchar ** name = names; *name && **name; name++) {
    gchar *type = strchr (*name, ':');
    guint8 data[8] = { 0 };
    float number = value + (name - names);
    guint32 bits;
    gsize begin = bytes->len, size = type ? 8 : 4;

    memcpy (&bits, &number, sizeof bits);
    bits = GUINT32_TO_LE (bits);
    memcpy (data, &bits, sizeof bits);
    g_byte_array_append (bytes, data, size);
    if (type)
      *type++ = '\0';
    g_string_append_printf (header, "\"%s\":{\"dtype\":\"%s\",\"shape\":[%d],"
        "\"data_offsets\":[%zu,%u]},", *name, type ? type : "F32",
        type && strcmp (type, "BOOL") == 0 ? 8 : 1, begin, bytes->len);
  }
  g_string_append_printf (header, "\"__metadata__\":{%s}}",
      metadata ? metadata : "");
  length = GUINT64_TO_LE ((guint64) header->len);
  g_byte_array_append (content, (const guint8 *) &length, sizeof length);
  g_byte_array_append (content, (const guint8 *) header->str, header->len);
  g_byte_array_append (content, bytes->data, bytes->len);
  write_bytes (folder, file, content->data, content->len);
}

static CoCheckpoint *
load (const gchar * folder, const gchar * file)
{
  g_autofree gchar *path = g_build_filename (folder, file, NULL);
  g_autoptr (GError) error = NULL;
  CoCheckpoint *self = co_checkpoint_load (path, &error);

  g_assert_no_error (error);
  g_assert_nonnull (self);
  g_assert_cmpstr (co_checkpoint_get_name (self), ==, path);
  return self;
}

/* @...: fragments of the message, and NULL. */
static void
check_refused (const gchar * path, CoError code, ...)
{
  g_autoptr (GError) error = NULL;
  const gchar *fragment;
  va_list args;

  g_assert_null (co_checkpoint_load (path, &error));
  g_assert_error (error, CO_ERROR, (gint) code);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_nonnull (strstr (error->message, "expected"));
  g_assert_nonnull (strstr (error->message, "found"));
  g_assert_nonnull (strstr (error->message, "; "));     /* what to do */
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  va_start (args, code);
  while ((fragment = va_arg (args, const gchar *))) {
    if (!strstr (error->message, fragment))
      g_error ("expected \"%s\" in \"%s\"", fragment, error->message);
  }
  va_end (args);
}

static void
check_value (const CoCheckpoint * self, const gchar * name, float value)
{
  const CoTensor *tensor = co_checkpoint_lookup (self, name);

  if (!tensor)
    g_error ("there is no %s", name);
  g_assert_cmpstr (tensor->name, ==, name);
  g_assert_cmpuint (tensor->n_elements, ==, 1);
  g_assert_cmpfloat (tensor->data[0], ==, value);
}

/* @names: of all tensors, sorted, separated by spaces. */
static void
check_names (const CoCheckpoint * self, const gchar * names)
{
  g_autoptr (GString) found = g_string_new (NULL);

  for (gsize i = 0; i < co_checkpoint_get_n_tensors (self); i++)
    g_string_append_printf (found, "%s%s", i ? " " : "",
        co_checkpoint_get_tensor (self, i)->name);
  g_assert_cmpstr (found->str, ==, names);
}

static void
check_keys (const CoCheckpoint * self, const gchar * keys)
{
  g_autofree gchar *found = g_strjoinv (" ",
      (gchar **) co_checkpoint_get_metadata_keys (self));

  g_assert_cmpstr (found, ==, keys);
}

static void
test_file (Fixture * self, gconstpointer data)
{
  g_autoptr (CoCheckpoint) file = NULL;
  CoCheckpoint *again;

  write_text (self->folder, "config.json", "{}");
  write_weights (self->folder, "a.safetensors", "w b n:I64", 1,
      "\"z\":\"1\",\"a\":\"2\"");
  file = load (self->folder, "a.safetensors");
  check_names (file, "b w");
  check_value (file, "w", 1);
  check_value (file, "b", 2);
  check_keys (file, "a z");
  g_assert_null (co_checkpoint_lookup (file, "n"));
  g_assert_cmpstr (co_checkpoint_get_buffer_dtype (file, "n"), ==, "I64");
  g_assert_null (co_checkpoint_get_buffer_dtype (file, "w"));
  g_assert_cmpstr (co_checkpoint_get_metadata (file, "z"), ==, "1");
  g_assert_null (co_checkpoint_get_metadata (file, "y"));
  g_assert_cmpuint (co_checkpoint_get_n_bytes (file), ==, 8);
  /* A file is no folder, whatever is beside it. */
  g_assert_null (co_checkpoint_get_config (file));

  again = co_checkpoint_ref (file);
  g_assert_true (again == file);
  co_checkpoint_unref (again);
  check_value (file, "b", 2);
}

static void
test_bytes (Fixture * self, gconstpointer data)
{
  g_autoptr (CoCheckpoint) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL, broken = NULL;
  g_autofree gchar *path = NULL;
  gchar *content;
  gsize size;

  write_weights (self->folder, "a.safetensors", "x.w", 3,
      "\"y.w\":\"x.w\"");
  path = g_build_filename (self->folder, "a.safetensors", NULL);
  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  bytes = g_bytes_new_take (content, size);
  file = co_checkpoint_load_bytes (bytes, "model", &error);
  g_assert_no_error (error);
  check_names (file, "x.w y.w");
  g_assert_cmpstr (co_checkpoint_get_name (file), ==, "model");
  g_assert_null (co_checkpoint_get_config (file));

  broken = g_bytes_new_from_bytes (bytes, 0, size - 1);
  g_assert_null (co_checkpoint_load_bytes (broken, "model", &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_CORRUPT);
}

static void
test_folder (Fixture * self, gconstpointer data)
{
  const gchar *text = "{\"model_type\": \"bert\"}\n";
  g_autoptr (CoCheckpoint) bare = NULL, whole = NULL;

  write_weights (self->folder, "model.safetensors", "w n:I64", 1,
      "\"format\":\"pt\"");
  bare = load (self->folder, NULL);
  g_assert_null (co_checkpoint_get_config (bare));

  write_text (self->folder, "config.json", text);
  write_text (self->folder, "optimizer.bin", "anything");
  whole = load (self->folder, NULL);
  g_assert_cmpstr (co_checkpoint_get_config (whole), ==, text);
  check_names (whole, "w");
  check_keys (whole, "format");
  g_assert_cmpstr (co_checkpoint_get_buffer_dtype (whole, "n"), ==, "I64");
  g_assert_cmpuint (co_checkpoint_get_n_bytes (whole), ==, 4);
}

static void
test_no_weights (Fixture * self, gconstpointer data)
{
  g_autofree gchar *under = g_build_filename (self->folder, "none", NULL);

  check_refused (under, CO_ERROR_NOT_FOUND, "found none", NULL);
  check_refused (self->folder, CO_ERROR_NOT_FOUND, "an empty folder", NULL);
  write_text (self->folder, "config.json", "{}");
  write_text (self->folder, "pytorch_model.bin", "x");
  check_refused (self->folder, CO_ERROR_NOT_FOUND, "model.safetensors or "
      INDEX ", found 'config.json', 'pytorch_model.bin'; save the model with "
      "save_pretrained()", NULL);
  write_text (self->folder, "\x1b[2J", "");
  for (gint i = 0; i < 8; i++) {
    g_autofree gchar *name = g_strdup_printf ("%d", i);

    write_text (self->folder, name, "");
  }
  check_refused (self->folder, CO_ERROR_NOT_FOUND,
      "'\\u001b[2J', '0', '1', '2', '3', '4', '5', '6' and others", NULL);
}

/* What an index or a config may not say. *INDENT-OFF* */
static const struct
{
  const gchar *name, *index, *config;
  const gchar *fragment;
} broken_texts[] = {
  { "up", "{\"weight_map\":{\"a\":\"../s1.safetensors\"}}", NULL, "found '../s1.safetensors'" },
  { "absolute", "{\"weight_map\":{\"a\":\"/etc/s1.safetensors\"}}", NULL, "by its plain name" },
  { "under", "{\"weight_map\":{\"a\":\"x/s1.safetensors\"}}", NULL, "by its plain name" },
  { "backslash", "{\"weight_map\":{\"a\":\"..\\\\s1.safetensors\"}}", NULL, "by its plain name" },
  { "empty-name", "{\"weight_map\":{\"a\":\"\"}}", NULL, "by its plain name NAME.safetensors, found ''" },
  { "dots", "{\"weight_map\":{\"a\":\"..\"}}", NULL, "by its plain name" },
  { "suffix", "{\"weight_map\":{\"a\":\".safetensors\"}}", NULL, "by its plain name" },
  { "pickle", "{\"weight_map\":{\"a\":\"pytorch_model.bin\"}}", NULL, "by its plain name" },
  { "number", "{\"weight_map\":{\"a\":1}}", NULL, "weight_map: expected tensor 'a' in a file of this folder" },
  { "null", "{\"weight_map\":{\"a\":null}}", NULL, "found null" },
  { "nul", "{\"weight_map\":{\"a\":\"s1.safetensors\\u0000\"}}", NULL, "an index in JSON" },
  { "nothing", "{\"weight_map\":{}}", NULL, "found an object of 0 members" },
  { "no-map", "{\"metadata\":{}}", NULL, "an object of tensor names and file names, found nothing" },
  { "list", "{\"weight_map\":[\"a\"]}", NULL, "found an array of 1 items" },
  { "list-outside", "[]", NULL, "expected an index in JSON, found an array" },
  { "empty", "", NULL, "expected an index in JSON, found an error" },
  { "twice", "{\"weight_map\":{\"a\":\"s1.safetensors\",\"a\":\"s1.safetensors\"}}", NULL, "duplicate object key" },
  { "map-twice", "{\"weight_map\":{\"a\":\"s1.safetensors\"},\"weight_map\":{}}", NULL, "duplicate object key" },
  { "behind", "{\"weight_map\":{\"a\":\"s1.safetensors\"}}{}", NULL, "end of file expected" },
  { "config-list", NULL, "[]", "expected a configuration in JSON, found an array of 0 items" },
  { "config-twice", NULL, "{\"a\":1,\"a\":2}", "duplicate object key" },
  { "config-broken", NULL, "{\"a\":", "expected a configuration in JSON, found an error" },
  { "config-empty", NULL, "", "expected a configuration in JSON, found an error" },
  { "config-utf-8", NULL, "{\"a\":\"\xff\"}", "unable to decode byte 0xff" },
};
/* *INDENT-ON* */

static void
test_broken_texts (Fixture * self, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (broken_texts); i++) {
    g_test_message ("%s", broken_texts[i].name);
    write_weights (self->folder, "s1.safetensors", "a", 1, NULL);
    if (broken_texts[i].config) {
      write_weights (self->folder, "model.safetensors", "a", 1, NULL);
      write_text (self->folder, "config.json", broken_texts[i].config);
    } else {
      write_text (self->folder, INDEX, broken_texts[i].index);
    }
    check_refused (self->folder, CO_ERROR_CORRUPT, broken_texts[i].fragment,
        broken_texts[i].config ? "config.json" : INDEX, NULL);
    remove_all (self->folder);
  }
}

/* Jansson skips a NUL behind a number or a word; the text would be another one for whoever reads it as a string. */
static void
test_nul (Fixture * self, gconstpointer data)
{
  const gchar *const texts[] = { "{\"a\":1\0}", "{\"a\":null\0}", "{\0  \"a\":1}" };
  const gsize sizes[] = { 8, 11, 9 };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    write_weights (self->folder, "model.safetensors", "a", 1, NULL);
    write_bytes (self->folder, "config.json", texts[i], sizes[i]);
    check_refused (self->folder, CO_ERROR_CORRUPT,
        "expected a configuration in JSON, found a NUL at its byte", NULL);
    remove_all (self->folder);
  }
}

/* Nesting as deep as memory, and files larger than they may be, which are not read */
static void
test_large_texts (Fixture * self, gconstpointer data)
{
  const gchar *const names[] = { "config.json", INDEX };
  const gsize limits[] = { 1 << 20, 1 << 24 };
  g_autofree gchar *nested = g_strnfill (200000, '[');
  g_autofree gchar *objects = g_strconcat ("{\"a\":", nested, NULL);

  for (gsize i = 0; i < 2; i++) {
    g_autofree gchar *path = g_build_filename (self->folder, names[i], NULL);

    write_weights (self->folder, "model.safetensors", "a", 1, NULL);
    write_text (self->folder, names[i], nested);
    check_refused (self->folder, CO_ERROR_CORRUPT, names[i],
        "maximum parsing depth", NULL);
    write_text (self->folder, names[i], objects);
    check_refused (self->folder, CO_ERROR_CORRUPT, "maximum parsing depth",
        NULL);
    g_assert_cmpint (truncate (path, limits[i]), ==, 0);
    check_refused (self->folder, CO_ERROR_CORRUPT, "in JSON", NULL);
    g_assert_cmpint (truncate (path, limits[i] + 1), ==, 0);
    check_refused (self->folder, CO_ERROR_CORRUPT, "expected at most ", NULL);
    g_assert_cmpint (truncate (path, G_GINT64_CONSTANT (1) << 40), ==, 0);
    check_refused (self->folder, CO_ERROR_CORRUPT, "expected at most ", NULL);
    remove_all (self->folder);
  }
}

static const gchar *const whole_map = "{\"metadata\":{\"total_size\":12},"
    "\"weight_map\":{\"a.w\":\"s1.safetensors\",\"c.w\":\"s1.safetensors\","
    "\"b.w\":\"s2.safetensors\",\"n\":\"s2.safetensors\"}}";

static void
write_shards (const gchar * folder)
{
  write_weights (folder, "s1.safetensors", "c.w a.w", 10,
      "\"format\":\"pt\",\"k\":\"1\"");
  write_weights (folder, "s2.safetensors", "b.w n:I64", 20,
      "\"format\":\"pt\"");
  write_text (folder, INDEX, whole_map);
}

static void
test_shards (Fixture * self, gconstpointer data)
{
  g_autoptr (CoCheckpoint) whole = NULL;

  write_shards (self->folder);
  write_text (self->folder, "config.json", "{}");
  whole = load (self->folder, NULL);
  check_names (whole, "a.w b.w c.w");
  check_value (whole, "c.w", 10);
  check_value (whole, "a.w", 11);
  check_value (whole, "b.w", 20);
  check_keys (whole, "format k");
  g_assert_cmpstr (co_checkpoint_get_metadata (whole, "k"), ==, "1");
  g_assert_cmpstr (co_checkpoint_get_config (whole), ==, "{}");
  g_assert_cmpstr (co_checkpoint_get_buffer_dtype (whole, "n"), ==, "I64");
  g_assert_cmpuint (co_checkpoint_get_n_bytes (whole), ==, 12);
}

static void
test_broken_shards (Fixture * self, gconstpointer data)
{
  g_autofree gchar *second = g_build_filename (self->folder, "s2.safetensors",
      NULL);

  write_shards (self->folder);
  g_assert_cmpint (g_remove (second), ==, 0);
  check_refused (self->folder, CO_ERROR_NOT_FOUND, "expected the shard "
      "'s2.safetensors', which " INDEX " names", NULL);
  g_assert_cmpint (symlink ("nowhere", second), ==, 0);
  check_refused (self->folder, CO_ERROR_NOT_FOUND, "'s2.safetensors'", NULL);

  /* a tensor that the map has not, has elsewhere, and alone has */
  g_assert_cmpint (g_remove (second), ==, 0);
  write_weights (self->folder, "s2.safetensors", "b.w n:I64 d.w", 20, NULL);
  check_refused (self->folder, CO_ERROR_CORRUPT, "tensor 'd.w'", "in no shard",
      "found it in 's2.safetensors'", NULL);
  write_weights (self->folder, "s2.safetensors", "b.w n:I64 m:BOOL", 20, NULL);
  check_refused (self->folder, CO_ERROR_CORRUPT, "tensor 'm'", "in no shard",
      NULL);
  write_weights (self->folder, "s2.safetensors", "b.w n:I64 a.w", 20, NULL);
  check_refused (self->folder, CO_ERROR_CORRUPT, "tensor 'a.w': expected it in "
      "'s1.safetensors'", "found it in 's2.safetensors'", NULL);
  write_weights (self->folder, "s2.safetensors", "n:I64", 20, NULL);
  check_refused (self->folder, CO_ERROR_CORRUPT, "tensor 'b.w': expected it in "
      "'s2.safetensors'", "found none of that name", NULL);
  write_weights (self->folder, "s2.safetensors", "b.w", 20, NULL);
  check_refused (self->folder, CO_ERROR_CORRUPT, "tensor 'n': expected it in "
      "'s2.safetensors'", "found none of that name", NULL);

  write_weights (self->folder, "s2.safetensors", "b.w n:I64", 20,
      "\"k\":\"2\"");
  check_refused (self->folder, CO_ERROR_CORRUPT, "metadata 'k': expected the "
      "same value", "found '1' and '2'", NULL);
  write_text (self->folder, "s2.safetensors", "PK\3\4");
  check_refused (self->folder, CO_ERROR_CORRUPT, "s2.safetensors: ", NULL);
}

/* Two models in one folder: nobody can tell which is meant. But a model of one shard may have an index. */
static void
test_both (Fixture * self, gconstpointer data)
{
  g_autoptr (CoCheckpoint) one = NULL;

  write_shards (self->folder);
  write_weights (self->folder, "model.safetensors", "a.w", 1, NULL);
  check_refused (self->folder, CO_ERROR_CORRUPT, "found both", NULL);
  write_text (self->folder, INDEX,
      "{\"weight_map\":{\"a.w\":\"model.safetensors\"}}");
  one = load (self->folder, NULL);
  check_names (one, "a.w");
}

static void
test_not_regular (Fixture * self, gconstpointer data)
{
  const gchar *const names[] = { "config.json", INDEX, "model.safetensors",
    "s1.safetensors"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path = g_build_filename (self->folder, names[i], NULL);
    gboolean is_shard = i == 1 || i == 3;

    if (is_shard)
      write_shards (self->folder);
    else
      write_weights (self->folder, "model.safetensors", "a", 1, NULL);
    g_remove (path);
    g_assert_cmpint (symlink (names[i], path), ==, 0);
    check_refused (self->folder, CO_ERROR_READ, names[i], NULL);
    g_assert_cmpint (g_remove (path), ==, 0);
    g_assert_cmpint (symlink ("/dev/zero", path), ==, 0);
    check_refused (self->folder, CO_ERROR_READ, names[i], "a device", NULL);
    g_assert_cmpint (g_remove (path), ==, 0);
    g_assert_cmpint (mkfifo (path, 0600), ==, 0);
    check_refused (self->folder, CO_ERROR_READ, names[i], "a FIFO", NULL);
    g_assert_cmpint (g_remove (path), ==, 0);
    g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
    check_refused (self->folder, CO_ERROR_READ, names[i], "a directory", NULL);
    g_assert_cmpint (g_rmdir (path), ==, 0);
    /* A link to nothing is not the same as no file. */
    g_assert_cmpint (symlink ("nowhere", path), ==, 0);
    check_refused (self->folder, CO_ERROR_NOT_FOUND, names[i], NULL);
    remove_all (self->folder);
  }
}

/* As in a hub's cache: every file of the folder is a link, and so is the folder. */
static void
test_links (Fixture * self, gconstpointer data)
{
  g_autofree gchar *blobs = g_dir_make_tmp ("continual-XXXXXX", NULL);
  g_autofree gchar *link = g_build_filename (blobs, "link", NULL);
  const gchar *const names[] = { "s1.safetensors", "s2.safetensors", INDEX };
  g_autoptr (CoCheckpoint) whole = NULL;

  write_shards (blobs);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *from = g_build_filename (self->folder, names[i], NULL);
    g_autofree gchar *to = g_build_filename (blobs, names[i], NULL);

    g_assert_cmpint (symlink (to, from), ==, 0);
  }
  g_assert_cmpint (symlink (self->folder, link), ==, 0);
  whole = load (link, NULL);
  check_names (whole, "a.w b.w c.w");
  remove_all (blobs);
  g_assert_cmpint (g_rmdir (blobs), ==, 0);
}

/* What save_model() writes, and metadata that only looks like it */
static void
test_aliases (Fixture * self, gconstpointer data)
{
  g_autoptr (CoCheckpoint) file = NULL;

  write_weights (self->folder, "a.safetensors",
      "emb.weight head.bias pos n:I64 2", 5,
      "\"head.weight\":\"emb.weight\","
      "\"aux.pos\":\"pos\","
      "\"bn.count\":\"n\","
      "\"head.bias\":\"emb.weight\","   /* a tensor: not removed */
      "\"positions\":\"pos\","  /* a setting */
      "\"modelspec.title\":\"My model\","
      "\"modelspec.architecture\":\"stable-diffusion-v1/lora\","
      "\"modelspec.weight\":\"1.5\","
      "\"a.b\":\"c.d\","
      "\"format\":\"pt\"");
  file = load (self->folder, "a.safetensors");
  check_names (file, "2 aux.pos emb.weight head.bias head.weight pos");
  check_value (file, "head.weight", 5);
  check_value (file, "head.bias", 6);
  check_value (file, "aux.pos", 7);
  g_assert_true (co_checkpoint_lookup (file, "head.weight")->data ==
      co_checkpoint_lookup (file, "emb.weight")->data);
  g_assert_cmpuint (co_checkpoint_get_n_bytes (file), ==, 16);
  g_assert_cmpstr (co_checkpoint_get_buffer_dtype (file, "bn.count"), ==,
      "I64");
  check_keys (file, "a.b format head.bias modelspec.architecture "
      "modelspec.title modelspec.weight positions");
  g_assert_cmpstr (co_checkpoint_get_metadata (file, "positions"), ==, "pos");
  g_assert_null (co_checkpoint_get_metadata (file, "head.weight"));
}

static void
test_broken_aliases (Fixture * self, gconstpointer data)
{
  g_autofree gchar *path = g_build_filename (self->folder, "a.safetensors",
      NULL);

  write_weights (self->folder, "a.safetensors", "emb.weight", 5,
      "\"head.weight\":\"gone.weight\"");
  check_refused (path, CO_ERROR_CORRUPT, "metadata 'head.weight': expected the "
      "tensor 'gone.weight'", NULL);
  write_weights (self->folder, "a.safetensors", "emb.weight", 5,
      "\"a.weight\":\"emb.weight\",\"b.weight\":\"a.weight\"");
  check_refused (path, CO_ERROR_CORRUPT, "metadata 'b.weight'", NULL);
  write_weights (self->folder, "a.safetensors", "emb.weight", 5,
      "\"a.bias\":\"b.bias\",\"b.bias\":\"a.bias\"");
  check_refused (path, CO_ERROR_CORRUPT, "metadata 'a.bias'", NULL);
  write_weights (self->folder, "a.safetensors", "blocks.0.gamma", 5,
      "\"blocks.1.gamma\":\"blocks.2.gamma\"");
  check_refused (path, CO_ERROR_CORRUPT, "metadata 'blocks.1.gamma'", NULL);
}

/* In another shard, told by the index, as huggingface_hub writes it */
static void
test_aliases_of_shards (Fixture * self, gconstpointer data)
{
  g_autoptr (CoCheckpoint) whole = NULL;

  write_weights (self->folder, "s1.safetensors", "a.w", 1, NULL);
  write_weights (self->folder, "s2.safetensors", "b.w", 2,
      "\"d.w\":\"a.w\"");
  write_text (self->folder, INDEX,
      "{\"metadata\":{\"total_size\":8,\"c.w\":\"b.w\",\"nested\":{\"x\":[]}},"
      "\"weight_map\":{\"a.w\":\"s1.safetensors\",\"b.w\":\"s2.safetensors\"}}");
  whole = load (self->folder, NULL);
  check_names (whole, "a.w b.w c.w d.w");
  check_value (whole, "c.w", 2);
  check_value (whole, "d.w", 1);
  check_keys (whole, "");
}

/* Another file of the same size, with the same time of change as it had */
static void
replace_second (const gchar * folder)
{
  write_weights (folder, "s2.safetensors", "b.w n:I64", 30,
      "\"format\":\"pt\"");
}

static void
replace_first (const gchar * folder)
{
  write_weights (folder, "s1.safetensors", "c.w a.w", 30,
      "\"format\":\"pt\",\"k\":\"1\"");
}

static void
replace_index (const gchar * folder)
{
  write_text (folder, INDEX, whole_map);
}

static void
replace_config (const gchar * folder)
{
  write_text (folder, "config.json", "{\"a\":2}");
}

static void
remove_index (const gchar * folder)
{
  g_autofree gchar *path = g_build_filename (folder, INDEX, NULL);

  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
save_single (const gchar * folder)
{
  write_weights (folder, "model.safetensors", "a.w", 1, NULL);
}

/* The loader saw half of each of two saves, which do not fit together. */
static void
save_other (const gchar * folder)
{
  write_weights (folder, "s1.safetensors", "c.w", 30, NULL);
  write_weights (folder, "s2.safetensors", "b.w a.w", 30, NULL);
  write_text (folder, INDEX, "{\"weight_map\":{\"c.w\":\"s1.safetensors\","
      "\"a.w\":\"s2.safetensors\",\"b.w\":\"s2.safetensors\"}}");
}

/* Somebody saves while the folder is read, before any of the reads. @data: what they do. */
static void
test_changed (Fixture * self, gconstpointer data)
{
  gboolean with_config = data == replace_config;
  gint n_refused = 0, n_reads = 0;
  gboolean done = FALSE;

  for (gint i = 0; !done; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (CoCheckpoint) whole = NULL;

    remove_all (self->folder);
    write_shards (self->folder);
    if (with_config)
      write_text (self->folder, "config.json", "{\"a\":1}");
    changed_folder = self->folder;
    reads_until_change = i;
    change = data;
    whole = co_checkpoint_load (self->folder, &error);
    done = reads_until_change >= 0;
    n_reads = i;
    change = NULL;
    if (whole) {
      /* The change came before the file was looked at, or not at all: what was loaded is one of the two. */
      const float *b = co_checkpoint_lookup (whole, "b.w")->data;
      const float *c = co_checkpoint_lookup (whole, "c.w")->data;
      gboolean both_old = *b == 20 && *c == 10;

      g_assert_true (done || data == replace_second || data == replace_first);
      g_assert_true (both_old || data != save_other);
      if (done)
        g_assert_true (both_old);
      else if (data == replace_second)
        g_assert_cmpfloat (*b, ==, 30);
      else
        g_assert_cmpfloat (*c, ==, 30);
      continue;
    }
    g_assert_error (error, CO_ERROR, CO_ERROR_READ);
    g_assert_nonnull (strstr (error->message,
            "changed while it was read"));
    n_refused++;
  }
  g_test_message ("%d of %d refused", n_refused, n_reads);
  g_assert_cmpint (n_refused, >, 0);
}

/* Equal for the same files, and different for each change of any of them; nothing is read. */
static void
test_identity (Fixture * self, gconstpointer data)
{
  void (*const changes[]) (const gchar *) = { replace_first, replace_second,
    replace_index, replace_config, save_single, remove_index
  };
  g_autofree gchar *none = g_build_filename (self->folder, "none", NULL);
  g_autofree gchar *fifo = g_build_filename (self->folder, "s3.safetensors",
      NULL);
  g_autofree gchar *slashed = g_strconcat (self->folder, "/", NULL);
  g_autofree gchar *before = NULL;

  g_assert_null (co_checkpoint_identity (none));
  write_shards (self->folder);
  before = co_checkpoint_identity (self->folder);
  reads_until_change = G_MAXINT;
  change = replace_first;       /* counts reads, and does nothing */
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++) {
    g_autofree gchar *same = co_checkpoint_identity (slashed);
    gchar *after;

    g_assert_nonnull (before);
    g_assert_cmpstr (before, ==, same);
    changes[i] (self->folder);
    after = co_checkpoint_identity (self->folder);
    g_assert_cmpstr (before, !=, after);
    g_free (before);
    before = after;
  }
  g_assert_cmpint (reads_until_change, ==, G_MAXINT);
  change = NULL;

  write_shards (self->folder);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_null (co_checkpoint_identity (self->folder));
  g_assert_null (co_checkpoint_identity (fifo));
}

/* In place, with the size and the time of change that it had: what is left is the inode's own time. */
static void
test_identity_of_file (Fixture * self, gconstpointer data)
{
  g_autofree gchar *path = g_build_filename (self->folder, "a.safetensors",
      NULL);
  g_autofree gchar *before = NULL, *same = NULL, *after = NULL;
  struct stat st;
  struct timespec times[2];

  write_weights (self->folder, "a.safetensors", "a", 1, NULL);
  before = co_checkpoint_identity (path);
  same = co_checkpoint_identity (path);
  g_assert_nonnull (before);
  g_assert_cmpstr (before, ==, same);
  g_assert_cmpint (stat (path, &st), ==, 0);
  times[0] = st.st_atim;
  times[1] = st.st_mtim;
  do {                          /* until the clock of the file system ticks */
    g_usleep (1000);
    g_free (after);
    g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
    after = co_checkpoint_identity (path);
  } while (strcmp (before, after) == 0);
}

/* A folder without an index: other files are none of its own. */
static void
test_identity_of_others (Fixture * self, gconstpointer data)
{
  g_autofree gchar *before = NULL, *after = NULL, *last = NULL;

  save_single (self->folder);
  before = co_checkpoint_identity (self->folder);
  write_text (self->folder, "other.safetensors", "x");
  write_text (self->folder, "readme.md", "x");
  after = co_checkpoint_identity (self->folder);
  g_assert_cmpstr (before, ==, after);
  save_single (self->folder);
  last = co_checkpoint_identity (self->folder);
  g_assert_cmpstr (before, !=, last);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func, data) \
  g_test_add ("/checkpoint/" path, Fixture, data, set_up, func, tear_down)
  ADD ("file", test_file, NULL);
  ADD ("bytes", test_bytes, NULL);
  ADD ("folder", test_folder, NULL);
  ADD ("no-weights", test_no_weights, NULL);
  ADD ("broken-texts", test_broken_texts, NULL);
  ADD ("nul", test_nul, NULL);
  ADD ("large-texts", test_large_texts, NULL);
  ADD ("shards", test_shards, NULL);
  ADD ("broken-shards", test_broken_shards, NULL);
  ADD ("both", test_both, NULL);
  ADD ("not-regular", test_not_regular, NULL);
  ADD ("links", test_links, NULL);
  ADD ("aliases", test_aliases, NULL);
  ADD ("aliases/broken", test_broken_aliases, NULL);
  ADD ("aliases/shards", test_aliases_of_shards, NULL);
  ADD ("changed/first", test_changed, replace_first);
  ADD ("changed/second", test_changed, replace_second);
  ADD ("changed/index", test_changed, replace_index);
  ADD ("changed/config", test_changed, replace_config);
  ADD ("changed/index-removed", test_changed, remove_index);
  ADD ("changed/single-saved", test_changed, save_single);
  ADD ("changed/all", test_changed, save_other);
  ADD ("identity/folder", test_identity, NULL);
  ADD ("identity/file", test_identity_of_file, NULL);
  ADD ("identity/others", test_identity_of_others, NULL);
  return g_test_run ();
}
