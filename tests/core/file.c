/* libcontinual: files that are no files, and files that change while they are read
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <weights/file.h>
#include <weights/safetensors.h>

typedef struct
{
  gchar *folder;
  gchar *path;                  /* a file that says "content" */
  gchar *other;                 /* nothing yet */
} Fixture;

static void
write_file (const gchar * path, const gchar * text)
{
  gint fd = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, strlen (text));
  close (fd);
}

static void
set_up (Fixture * self, gconstpointer data)
{
  self->folder = g_dir_make_tmp ("continual-XXXXXX", NULL);
  g_assert_nonnull (self->folder);
  self->path = g_build_filename (self->folder, "file", NULL);
  self->other = g_build_filename (self->folder, "other", NULL);
  write_file (self->path, "content");
}

static void
tear_down (Fixture * self, gconstpointer data)
{
  g_remove (self->path);
  g_remove (self->other);
  g_rmdir (self->folder);
  g_free (self->folder);
  g_free (self->path);
  g_free (self->other);
}

static void
check_refused (const gchar * path, CoError code, const gchar * fragment)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) again = NULL;
  CoFileStamp stamp;

  g_assert_null (co_file_read_path (path, G_MAXUINT64, &stamp, &error));
  g_assert_error (error, CO_ERROR, (gint) code);
  if (!strstr (error->message, fragment))
    g_error ("expected \"%s\" in \"%s\"", fragment, error->message);
  g_assert_null (co_safetensors_load (path, &again));
  g_assert_error (again, CO_ERROR, (gint) code);
}

static void
test_read (Fixture * self, gconstpointer data)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) empty = NULL;
  g_autoptr (GBytes) through = NULL;
  g_autoptr (GError) error = NULL;
  CoFileStamp stamp;

  bytes = co_file_read_path (self->path, G_MAXUINT64, &stamp, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      "content", 7);

  g_assert_cmpint (symlink (self->path, self->other), ==, 0);
  through = co_file_read_path (self->other, G_MAXUINT64, &stamp, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (bytes, through));

  write_file (self->path, "");
  empty = co_file_read_path (self->path, G_MAXUINT64, &stamp, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (empty), ==, 0);
}

static void
test_missing (Fixture * self, gconstpointer data)
{
  g_autofree gchar *under = g_build_filename (self->path, "file", NULL);

  check_refused (self->other, CO_ERROR_NOT_FOUND, "found none");
  check_refused (under, CO_ERROR_NOT_FOUND, "found none");
  check_refused ("", CO_ERROR_NOT_FOUND, "found none");
  g_assert_cmpint (symlink ("nowhere", self->other), ==, 0);
  check_refused (self->other, CO_ERROR_NOT_FOUND, "found none");
}

static void
test_not_regular (Fixture * self, gconstpointer data)
{
  check_refused (self->folder, CO_ERROR_READ, "found a directory");
  check_refused ("/dev/zero", CO_ERROR_READ, "found a device");
  /* One that has no writer: opening it as any file would never return. */
  g_assert_cmpint (mkfifo (self->other, 0600), ==, 0);
  check_refused (self->other, CO_ERROR_READ, "found a FIFO");
}

static void
test_unreadable (Fixture * self, gconstpointer data)
{
  g_assert_cmpint (symlink (self->other, self->other), ==, 0);
  check_refused (self->other, CO_ERROR_READ, g_strerror (ELOOP));

  g_assert_cmpint (chmod (self->path, 0), ==, 0);
  if (access (self->path, R_OK) == 0)
    g_test_skip ("root may read everything");
  else
    check_refused (self->path, CO_ERROR_READ, g_strerror (EACCES));
}

/* A terabyte of holes: refused by its first bytes, before any of it is in memory. */
static void
test_huge (Fixture * self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  if (truncate (self->path, G_GINT64_CONSTANT (1) << 40) != 0) {
    g_test_skip ("no sparse files here");
    return;
  }
  g_assert_null (co_safetensors_load (self->path, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_CORRUPT);
}

/* Sets the time of change to @seconds after what it was, whatever the granularity of the clock. */
static void
touch (Fixture * self, const struct stat *before, gint seconds)
{
  struct timespec times[2] = { before->st_atim, before->st_mtim };

  times[1].tv_sec += seconds;
  g_assert_cmpint (utimensat (AT_FDCWD, self->path, times, 0), ==, 0);
}

/* All that shows is the inode. */
static void
replace (Fixture * self)
{
  struct stat st;

  g_assert_cmpint (stat (self->path, &st), ==, 0);
  write_file (self->other, "CONTENT");
  g_assert_cmpint (g_rename (self->other, self->path), ==, 0);
  touch (self, &st, 0);
}

static void
remove_it (Fixture * self)
{
  g_assert_cmpint (g_remove (self->path), ==, 0);
}

/* All that shows is the size. */
static void
append (Fixture * self)
{
  struct stat st;

  g_assert_cmpint (stat (self->path, &st), ==, 0);
  write_file (self->path, "content and more");
  touch (self, &st, 0);
}

static void
cut (Fixture * self)
{
  struct stat st;

  g_assert_cmpint (stat (self->path, &st), ==, 0);
  g_assert_cmpint (truncate (self->path, 3), ==, 0);
  touch (self, &st, 0);
}

/* All that shows is the time. */
static void
rewrite (Fixture * self)
{
  struct stat st;

  g_assert_cmpint (stat (self->path, &st), ==, 0);
  write_file (self->path, "CONTENT");
  touch (self, &st, 10);
}

/* @data: what somebody does between the opening and the reading. */
static void
test_changed (Fixture * self, gconstpointer data)
{
  void (*change) (Fixture *) = data;
  g_autoptr (GError) error = NULL;
  CoFileStamp stamp;
  gint fd = co_file_open (self->path, &stamp, &error);

  g_assert_no_error (error);
  change (self);
  g_assert_null (co_file_read (fd, self->path, &stamp, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_READ);
  g_assert_nonnull (strstr (error->message,
          "changed while it was read; try again"));
  close (fd);
}

/* A stamp tells versions of a file apart, and says the same of the same one. */
static void
test_stamp (Fixture * self, gconstpointer data)
{
  CoFileStamp before, same, after;

  close (co_file_open (self->path, &before, NULL));
  close (co_file_open (self->path, &same, NULL));
  g_assert_cmpmem (&before, sizeof before, &same, sizeof same);
  g_assert_cmpuint (before.size, ==, 7);
  rewrite (self);
  close (co_file_open (self->path, &after, NULL));
  g_assert_cmpuint (after.inode, ==, before.inode);
  g_assert_cmpint (after.mtime, ==, before.mtime + 10);
}

/* A model of 1000 weights, all @value: the text of a safetensors file */
static GByteArray *
make_model (float value)
{
  static const gchar header[] =
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1000],\"data_offsets\":[0,4000]}}";
  const guint64 length = GUINT64_TO_LE (strlen (header));
  GByteArray *file = g_byte_array_new ();
  guint32 bits;

  g_byte_array_append (file, (const guint8 *) &length, sizeof length);
  g_byte_array_append (file, (const guint8 *) header, strlen (header));
  memcpy (&bits, &value, sizeof bits);
  bits = GUINT32_TO_LE (bits);
  for (gsize i = 0; i < 1000; i++)
    g_byte_array_append (file, (const guint8 *) &bits, sizeof bits);
  return file;
}

static gint stop;               /* atomic */

/* Saves model after model: in place, as a training script does, cut short, and by rename. */
static gpointer
save_models (gpointer data)
{
  Fixture *self = data;

  for (guint i = 0; !g_atomic_int_get (&stop); i++) {
    GByteArray *model = make_model (1 + i % 2);
    const gchar *path = i % 5 == 4 ? self->other : self->path;
    gsize size = i % 7 == 6 ? model->len / 2 : model->len;
    gint fd = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    g_assert_cmpint (write (fd, model->data, size), ==, size);
    close (fd);
    if (path == self->other)
      g_assert_cmpint (g_rename (self->other, self->path), ==, 0);
    g_byte_array_unref (model);
    g_usleep (i % 300);         /* else hardly a load gets through */
  }
  return NULL;
}

/* Whatever a load meets, it ends well: with a model, or with an error. */
static void
test_writer (Fixture * self, gconstpointer data)
{
  GThread *writer;
  gsize n_loaded = 0;

  g_atomic_int_set (&stop, FALSE);
  writer = g_thread_new ("writer", save_models, self);
  for (guint i = 0; i < 1000; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (CoSafetensors) file = co_safetensors_load (self->path, &error);

    if (file) {
      const CoTensor *tensor = co_safetensors_lookup (file, "a");

      g_assert_cmpuint (tensor->n_elements, ==, 1000);
      for (gsize j = 0; j < 1000; j++)
        g_assert_true (tensor->data[j] == 1 || tensor->data[j] == 2);
      n_loaded++;
    } else if (!g_error_matches (error, CO_ERROR, CO_ERROR_READ)) {
      g_assert_error (error, CO_ERROR, CO_ERROR_CORRUPT);
    }
  }
  g_atomic_int_set (&stop, TRUE);
  g_thread_join (writer);
  g_test_message ("%" G_GSIZE_FORMAT " of 1000 loads got a model", n_loaded);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func, data) \
  g_test_add ("/file/" path, Fixture, data, set_up, func, tear_down)
  ADD ("read", test_read, NULL);
  ADD ("missing", test_missing, NULL);
  ADD ("not-regular", test_not_regular, NULL);
  ADD ("unreadable", test_unreadable, NULL);
  ADD ("huge", test_huge, NULL);
  ADD ("changed/replaced", test_changed, replace);
  ADD ("changed/removed", test_changed, remove_it);
  ADD ("changed/appended", test_changed, append);
  ADD ("changed/cut", test_changed, cut);
  ADD ("changed/rewritten", test_changed, rewrite);
  ADD ("changed/by-a-writer", test_writer, NULL);
  ADD ("stamp", test_stamp, NULL);
  return g_test_run ();
}
