/* gst-continual: lists of labels, from files and from properties
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/labelsfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#define MAX_BYTES (16u << 20)
#define ADVICE "give one label a line, or a JSON array of strings"

static gboolean
read_all (gint fd, gchar * data, gsize size, gsize * n_read)
{
  *n_read = 0;
  while (*n_read < size) {
    gssize n = read (fd, data + *n_read, size - *n_read);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    if (n == 0)
      break;
    *n_read += (gsize) n;
  }
  return TRUE;
}

/* Reads a whole regular file, NUL-terminated. */
static gchar *
load (const gchar * path, gsize * size, GError ** error)
{
  struct stat st;
  gchar *data = NULL;
  /* O_NONBLOCK: do not block on a FIFO without a writer. */
  gint fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

  if (fd < 0) {
    gint e = errno;

    g_set_error (error, GST_RESOURCE_ERROR,
        e == ENOENT ? GST_RESOURCE_ERROR_NOT_FOUND :
        GST_RESOURCE_ERROR_OPEN_READ,
        "expected a file of labels at \"%s\", found that it can't be opened "
        "(%s): check labels-path", path, g_strerror (e));
    return NULL;
  }
  if (fstat (fd, &st) < 0 || !S_ISREG (st.st_mode)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
        "expected a regular file of labels at \"%s\", found something else: "
        "check labels-path", path);
    goto out;
  }
  if (st.st_size > (goffset) MAX_BYTES) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
        "expected at most %u bytes of labels in \"%s\", found %"
        G_GINT64_FORMAT ": " ADVICE, MAX_BYTES, path, (gint64) st.st_size);
    goto out;
  }
  data = g_malloc ((gsize) st.st_size + 1);
  if (!read_all (fd, data, (gsize) st.st_size, size)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        "expected to read \"%s\", found an error (%s): check the file", path,
        g_strerror (errno));
    g_clear_pointer (&data, g_free);
    goto out;
  }
  data[*size] = '\0';
out:
  close (fd);
  return data;
}

/* A JSON array of strings starts with [" or is []. A line [PAD] is a label. */
static gboolean
looks_like_json (const gchar * text)
{
  text += strspn (text, " \t\r\n");
  if (*text++ != '[')
    return FALSE;
  text += strspn (text, " \t\r\n");
  return *text == '"' || *text == ']';
}

static gchar **
parse_json (const gchar * text, gsize size, gchar ** why)
{
  json_error_t e;
  json_t *array = json_loadb (text, size, JSON_REJECT_DUPLICATES, &e);
  GPtrArray *res;
  gsize i;
  json_t *item;

  if (!array) {
    *why = g_strdup_printf ("a JSON error in line %d, column %d (%s)", e.line,
        e.column, e.text);
    return NULL;
  }
  res = g_ptr_array_new_with_free_func (g_free);
  json_array_foreach (array, i, item) {
    if (!json_is_string (item) || json_string_length (item) == 0) {
      *why = g_strdup_printf ("that element %" G_GSIZE_FORMAT " of the array "
          "is %s", i, json_is_string (item) ? "an empty string" :
          "not a string");
      g_ptr_array_unref (res);
      json_decref (array);
      return NULL;
    }
    g_ptr_array_add (res, g_strdup (json_string_value (item)));
  }
  json_decref (array);
  g_ptr_array_add (res, NULL);
  return (gchar **) g_ptr_array_free (res, FALSE);
}

static gchar **
parse_lines (const gchar * text, gchar ** why)
{
  gchar **lines = g_strsplit (text, "\n", -1);
  guint n = g_strv_length (lines);

  for (guint i = 0; i < n; i++)
    g_strstrip (lines[i]);
  while (n > 0 && !*lines[n - 1])
    g_clear_pointer (&lines[--n], g_free);
  for (guint i = 0; i < n; i++) {
    if (!*lines[i]) {
      *why = g_strdup_printf ("that line %u is empty", i + 1);
      g_strfreev (lines);
      return NULL;
    }
  }
  return lines;
}

gchar **
labels_file_read (const gchar * path, GError ** error)
{
  gchar *data, *text, *why = NULL;
  const gchar *end;
  gchar **labels = NULL;
  gsize size = 0;

  g_return_val_if_fail (path != NULL, NULL);

  data = load (path, &size, error);
  if (!data)
    return NULL;

  text = data;
  if (g_str_has_prefix (text, "\xef\xbb\xbf"))  /* a byte order mark */
    text += 3;
  size -= (gsize) (text - data);

  if (!g_utf8_validate (text, (gssize) size, &end))
    why = g_strdup_printf ("an invalid one at byte %" G_GSIZE_FORMAT,
        (gsize) (end - data));
  else if (looks_like_json (text))
    labels = parse_json (text, size, &why);
  else
    labels = parse_lines (text, &why);

  if (labels && !labels[0]) {
    why = g_strdup ("none");
    g_clear_pointer (&labels, g_strfreev);
  }
  if (!labels)
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
        "expected labels in UTF-8 in \"%s\", found %s: " ADVICE, path, why);
  g_free (why);
  g_free (data);
  return labels;
}

gchar **
labels_list_parse (const gchar * text, GError ** error)
{
  gchar *why = NULL;
  gchar **labels;
  guint n = 0;

  g_return_val_if_fail (text != NULL, NULL);

  if (!looks_like_json (text)) {
    labels = g_strsplit (text, ",", -1);
    for (guint i = 0; labels[i]; i++) {
      if (*g_strstrip (labels[i]))
        labels[n++] = labels[i];
      else
        g_free (labels[i]);
    }
    labels[n] = NULL;
    return labels;
  }
  labels = parse_json (text, strlen (text), &why);
  if (!labels)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "expected labels separated by commas, or a JSON array of strings, "
        "found \"%s\" with %s: write for example neither,silence", text, why);
  g_free (why);
  return labels;
}
