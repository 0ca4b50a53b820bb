/* One file, one model: who shares weights, and who must not
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variants.h"
#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

typedef struct
{
  gchar *folder, *path, *other;
  GBytes *first, *second;       /* two models of one shape */
  gsize n;                      /* features */
} Fixture;

/* A file; with @other one that differs in its last number. */
static GBytes *
make (gboolean other, gsize * n)
{
  static const Variant variant = { "sharing", "single-output", 0 };
  const Shape shape = {.E = 6,.H = 2,.N = 2 };
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autoptr (RefModel) m = ref_model_random (&variant, &shape, random);

  *n = m->D;
  m->layers[0].self.out.w[m->D * m->D - 1] += other;
  return ref_model_write (m, NULL);
}

static void
write_file (const gchar * path, GBytes * bytes)
{
  g_assert_true (g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
          g_bytes_get_size (bytes), NULL));
}

static void
set_up (Fixture * self, gconstpointer data)
{
  self->folder = g_dir_make_tmp ("continual-XXXXXX", NULL);
  self->path = g_build_filename (self->folder, "a.safetensors", NULL);
  self->other = g_build_filename (self->folder, "b.safetensors", NULL);
  self->first = make (FALSE, &self->n);
  self->second = make (TRUE, &self->n);
  write_file (self->path, self->first);
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
  g_bytes_unref (self->first);
  g_bytes_unref (self->second);
}

static CoModel *
load (const gchar * path, const CoOptions * options)
{
  g_autoptr (GError) error = NULL;
  CoModel *model = co_model_load (path, options, &error);

  g_assert_no_error (error);
  return model;
}

static void
answer (CoModel * model, gsize n, float *y)
{
  g_autofree float *x = g_new (float, 2 * n);

  for (gsize i = 0; i < 2 * n; i++)
    x[i] = i % 5 - 2.f;
  co_model_forward (model, x, 2, y, NULL);
}

static void
test_same (Fixture * self, gconstpointer data)
{
  g_autoptr (CoOptions) one = co_options_new (), same = NULL, two = NULL;
  g_autoptr (CoModel) a = load (self->path, NULL), b = load (self->path, NULL);
  g_autoptr (CoModel) c = NULL, d = NULL, e = NULL, f = NULL, g = NULL;
  g_autofree gchar *detour = g_build_filename (self->folder, ".",
      "a.safetensors", NULL);

  g_assert_true (a == b);
  c = load (detour, one);       /* no options are none */
  g_assert_true (a == c);
  g_assert_cmpint (g_rename (self->path, self->other), ==, 0);
  g_assert_cmpint (g_rename (self->other, self->path), ==, 0);

  co_options_set (one, "sequence_len", "5", NULL);
  two = co_options_copy (one);
  co_options_set (two, "sequence_len", "6", NULL);
  same = co_options_copy (one);
  d = load (self->path, one);
  e = load (self->path, two);
  f = load (self->path, same);
  g_assert_true (d != a && e != a && d != e);
  g_assert_true (d == f);
  g_assert_cmpuint (co_model_get_info (d)->sequence_len, ==, 5);
  g_assert_cmpuint (co_model_get_info (e)->sequence_len, ==, 6);

  /* The same bytes elsewhere are another file. */
  write_file (self->other, self->first);
  g = load (self->other, NULL);
  g_assert_true (g != a);
}

/* Rewritten, even in place, in the same second, to the same size, the file is another; models of it stay. */
static void
test_rewritten (Fixture * self, gconstpointer data)
{
  g_autoptr (CoModel) before = load (self->path, NULL), after = NULL;
  g_autoptr (CoModel) in_place = NULL, back = NULL;
  g_autofree float *y = g_new (float, self->n), *y_before = g_new (float, self->n);
  g_autofree float *y_after = g_new (float, self->n);
  GStatBuf s;
  FILE *f;

  answer (before, self->n, y_before);
  g_assert_cmpint (g_stat (self->path, &s), ==, 0);
  write_file (self->path, self->second);
  after = load (self->path, NULL);
  g_assert_true (after != before);
  answer (after, self->n, y_after);
  g_assert_true (memcmp (y_before, y_after, self->n * sizeof (float)) != 0);
  answer (before, self->n, y);
  g_assert_cmpmem (y, self->n * sizeof (float), y_before,
      self->n * sizeof (float));

  g_usleep (20000);             /* more than the clock of file times ticks in */
  f = g_fopen (self->path, "r+");
  fwrite (g_bytes_get_data (self->first, NULL), 1,
      g_bytes_get_size (self->first), f);
  fclose (f);
  in_place = load (self->path, NULL);
  g_assert_true (in_place != after && in_place != before);
  answer (in_place, self->n, y);
  g_assert_cmpmem (y, self->n * sizeof (float), y_before,
      self->n * sizeof (float));

  /* A forged time of change does not hide it. */
  g_usleep (20000);
  f = g_fopen (self->path, "r+");
  fwrite (g_bytes_get_data (self->second, NULL), 1,
      g_bytes_get_size (self->second), f);
  fclose (f);
  utime (self->path, &(struct utimbuf) {
        s.st_mtime, s.st_mtime});
  back = load (self->path, NULL);
  answer (back, self->n, y);
  g_assert_cmpmem (y, self->n * sizeof (float), y_after,
      self->n * sizeof (float));
}

/* What streams keep outlives who loaded it, and what nobody keeps is loaded anew. */
static void
test_lifetime (Fixture * self, gconstpointer data)
{
  CoModel *model = load (self->path, NULL);
  CoStream *stream = co_stream_new (model, 1);
  g_autoptr (CoModel) again = NULL;
  g_autofree float *x = g_new0 (float, self->n), *y = g_new0 (float, self->n);

  co_model_unref (model);
  g_remove (self->path);
  co_stream_forward_step (stream, x, y);
  g_assert_cmpuint (co_stream_forward_step (stream, x, y), ==, 1);
  write_file (self->path, self->second);
  again = load (self->path, NULL);
  g_assert_true (again != co_stream_get_model (stream));
  co_stream_unref (stream);
}

static gpointer
load_often (gpointer path)
{
  for (guint i = 0; i < 200; i++) {
    CoModel *a = load (path, NULL), *b = load (path, NULL);
    g_assert_true (a == b);
    co_model_unref (a);
    co_model_unref (b);
  }
  return NULL;
}

static void
test_threads (Fixture * self, gconstpointer data)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("load", load_often, self->path);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
test_errors (Fixture * self, gconstpointer data)
{
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (CoModel) model = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (co_model_load (self->other, NULL, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, self->other));
  g_clear_error (&error);

  g_file_set_contents (self->other, "no model", -1, NULL);
  g_assert_null (co_model_load (self->other, NULL, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_CORRUPT);
  g_clear_error (&error);

  /* A failure is not remembered, of options neither. */
  co_options_set (options, "nhead", "5", NULL);
  g_assert_null (co_model_load (self->path, options, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, self->path));
  g_clear_error (&error);
  write_file (self->other, self->first);
  model = load (self->other, NULL);
}

int
main (int argc, char **argv)
{
  const struct
  {
    const gchar *path;
    void (*function) (Fixture *, gconstpointer);
  } tests[] = {
    {"/sharing/same", test_same},
    {"/sharing/rewritten", test_rewritten},
    {"/sharing/lifetime", test_lifetime},
    {"/sharing/threads", test_threads},
    {"/sharing/errors", test_errors},
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].function,
        tear_down);
  return g_test_run ();
}
