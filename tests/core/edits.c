/* Files of made-up numbers, described in lines of edits
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edits.h"
#include <jansson.h>
#include <string.h>

typedef struct
{
  gchar *name;
  gchar *shape;
} Tensor;

typedef struct
{
  GPtrArray *tensors;           /* Tensor */
  json_t *metadata;
} File;

static void
tensor_free (gpointer data)
{
  Tensor *t = data;

  g_free (t->name);
  g_free (t->shape);
  g_free (t);
}

static void
file_clear (File * file)
{
  g_ptr_array_unref (file->tensors);
  json_decref (file->metadata);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (File, file_clear)

static Tensor *
find (File * file, const gchar * name)
{
  for (guint i = 0; i < file->tensors->len; i++) {
    Tensor *t = file->tensors->pdata[i];
    if (g_str_equal (t->name, name))
      return t;
  }
  g_error ("no tensor %s to edit", name);
  return NULL;
}

/* "NAME SHAPE" */
static void
add (File * file, const gchar * text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", 2);
  Tensor *t = g_new (Tensor, 1);

  *t = (Tensor) {
  g_strdup (words[0]), g_strdup (words[1])};
  g_ptr_array_add (file->tensors, t);
}

static void
edit (File * file, const gchar * text)
{
  g_auto (GStrv) words = NULL, pair = NULL;
  Tensor *t;

  if (*text == '\0')
    return;
  words = g_strsplit (text + 1, " ", 2);
  pair = g_strsplit (text + 1, "=", 2);
  switch (*text) {
    case '@':
      if (pair[1])
        json_object_set_new (file->metadata, pair[0], json_string (pair[1]));
      else
        g_assert_cmpint (json_object_del (file->metadata, pair[0]), ==, 0);
      break;
    case '-':
      g_ptr_array_remove (file->tensors, find (file, text + 1));
      break;
    case '+':
      add (file, text + 1);
      break;
    case '=':
      g_ptr_array_remove (file->tensors, find (file, words[0]));
      add (file, text + 1);
      break;
    case '>':
      t = find (file, words[0]);
      g_free (t->name);
      t->name = g_strdup (words[1]);
      break;
    case '*':
      for (guint i = 0; i < file->tensors->len; i++) {
        gchar *name;
        t = file->tensors->pdata[i];
        name = g_strconcat (text + 1, t->name, NULL);
        g_free (t->name);
        t->name = name;
      }
      break;
    default:
      add (file, text);
  }
}

static void
edit_all (File * file, const gchar * edits)
{
  g_auto (GStrv) lines = g_strsplit (edits, ";", -1);

  for (gsize i = 0; lines[i]; i++)
    edit (file, lines[i]);
}

static GBytes *
file_write (const File * file)
{
  json_t *header = json_object ();
  GByteArray *bytes = g_byte_array_new ();
  g_autofree gchar *text = NULL;
  g_autofree float *data = NULL;
  gsize total = 0;
  guint64 n;

  json_object_set (header, "__metadata__", file->metadata);
  for (guint i = 0; i < file->tensors->len; i++) {
    const Tensor *t = file->tensors->pdata[i];
    g_auto (GStrv) sizes = g_strsplit (t->shape, ",", -1);
    json_t *shape = json_array ();
    gsize count = 1;

    for (gsize d = 0; sizes[d]; d++) {
      gsize size = g_ascii_strtoull (sizes[d], NULL, 10);
      json_array_append_new (shape, json_integer (size));
      count *= size;
    }
    json_object_set_new (header, t->name, json_pack ("{s:s, s:o, s:[i, i]}",
            "dtype", "F32", "shape", shape, "data_offsets", (int) total * 4,
            (int) (total + count) * 4));
    total += count;
  }
  data = g_new (float, total + 1);
  for (gsize i = 0; i < total; i++)
    data[i] = (i % 11) / 11.f;
  text = json_dumps (header, JSON_COMPACT);
  json_decref (header);
  n = GUINT64_TO_LE (strlen (text));
  g_byte_array_append (bytes, (const guint8 *) &n, sizeof n);
  g_byte_array_append (bytes, (const guint8 *) text, strlen (text));
  g_byte_array_append (bytes, (const guint8 *) data, total * sizeof (float));
  return g_byte_array_free_to_bytes (bytes);
}

GBytes *
edits_write (const gchar * content, const gchar * edits)
{
  g_auto (File) file = { g_ptr_array_new_with_free_func (tensor_free),
    json_object ()
  };

  edit_all (&file, content);
  edit_all (&file, edits);
  return file_write (&file);
}
