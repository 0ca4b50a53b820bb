/* gst-continual: any bytes are a list of labels, each of them text, or refused
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/labelsfile.h"
#include <jansson.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 * data, size_t size);

static gint fd;
static gchar *path;             /* of what is in fd */

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_LEVEL_MASK);
  json_object_seed (1);
  fd = memfd_create ("labels", MFD_CLOEXEC);
  g_assert (fd >= 0);
  path = g_strdup_printf ("/proc/self/fd/%d", fd);
  return 0;
}

/* @empty: whether there may be none */
static void
check (gchar ** labels, const GError * error, gboolean empty)
{
  if (!labels) {
    g_assert (error->domain == GST_RESOURCE_ERROR
        || error->domain == GST_STREAM_ERROR);
    return;
  }
  g_assert (error == NULL);
  g_assert (empty || labels[0]);
  for (gsize i = 0; labels[i]; i++)
    g_assert (*labels[i]);
}

int
LLVMFuzzerTestOneInput (const guint8 * data, size_t size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_auto (GStrv) from_file = NULL, from_property = NULL;
  g_autoptr (GError) error = NULL, other = NULL;

  g_assert (ftruncate (fd, 0) == 0);
  g_assert (pwrite (fd, data, size, 0) == (gssize) size);
  from_file = labels_file_read (path, &error);
  check (from_file, error, FALSE);
  for (gsize i = 0; from_file && from_file[i]; i++)
    g_assert (g_utf8_validate (from_file[i], -1, NULL));
  from_property = labels_list_parse (text, &other);
  check (from_property, other, TRUE);
  return 0;
}
