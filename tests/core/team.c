/* Threads that share a step: outputs are the same to the bit with any number; several streams share one pool
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variants.h"
#include "math/team.h"
#include <string.h>

/* ---- the pool ---- */

typedef struct
{
  gint *times;                  /* (n) how often each item was done */
  GThread *caller;
  gint helped;                  /* atomic: items that another thread did */
} Counted;

static void
count (gconstpointer data, gsize begin, gsize end)
{
  const Counted *c = data;

  for (gsize i = begin; i < end; i++)
    g_atomic_int_inc (&c->times[i]);
  if (g_thread_self () != c->caller)
    g_atomic_int_add ((gint *) &c->helped, (gint) (end - begin));
}

static void
check_items (gsize n, gsize least, guint n_threads, gint *helped)
{
  g_autofree gint *times = g_new0 (gint, n + 1);
  Counted c = { times, g_thread_self (), 0 };
  const guint before = co_team_enter (n_threads);

  co_team_run (count, &c, n, least);
  co_team_leave (before);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpint (times[i], ==, 1);
  g_assert_cmpint (times[n], ==, 0);
  if (n_threads == 1 || n < 2 * least)
    g_assert_cmpint (c.helped, ==, 0);
  *helped += c.helped > 0;
}

static void
test_items (void)
{
  gint helped = 0;

  for (gsize n = 0; n < 70; n++)
    for (gsize least = 1; least < 9; least += 3)
      for (guint n_threads = 1; n_threads <= 5; n_threads++)
        check_items (n, least, n_threads, &helped);
  /* Not at every call: a worker may wake too late. */
  for (guint i = 0; helped == 0 && i < 100000; i++)
    check_items (10000, 1, 2, &helped);
  g_assert_cmpint (helped, >, 0);
}

static gpointer
call_often (gpointer data)
{
  gint helped = 0;

  for (guint i = 0; i < 3000; i++)
    check_items (1 + i % 50, 1, 2 + i % 3, &helped);
  return NULL;
}

/* More callers than workers */
static void
test_callers (void)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_often, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* A part may call co_team_run() itself; co_team_leave() restores the caller's number of threads. */
static void
nested (gconstpointer data, gsize begin, gsize end)
{
  gint helped = 0;

  for (gsize i = begin; i < end; i++)
    check_items (20, 1, 3, &helped);
}

static void
test_nested (void)
{
  const guint before = co_team_enter (3);

  co_team_run (nested, NULL, 50, 1);
  g_assert_cmpuint (co_team_enter (2), ==, 3);
  co_team_leave (3);
  co_team_leave (before);
  g_assert_cmpuint (co_team_enter (1), ==, before);
}

/* ---- streams ---- */

static const Variant shared[] = {
  {"single-output", "single-output", 1,.classifier = TRUE},
  {"single-output-stack", "single-output", 3,.classifier = TRUE},
  {"retroactive", "retroactive", 2,.classifier = TRUE},
  {"deep", "deep", 2,.classifier = TRUE},
  {"recurrent-linear", "recurrent-linear", 2,.classifier = TRUE,.map = "elu"},
  {NULL}
};

/* Wide enough for products and updated sums to be shared */
static const Shape wide = {.H = 8,.E = 320,.N = 20,.ff = 1024,.L = 2 };

/* Under the thread sanitizer all of them would take minutes. */
#ifdef __SANITIZE_THREAD__
static const gchar *const precisions[] = { "float32" };
#else
static const gchar *const precisions[] = { "float32", "bfloat16", "int8" };
#endif

#define S 5

static gsize
run (CoModel * model, guint n_threads, const float *x, gsize T, gsize chunk, float *y)
{
  const CoModelInfo *info = co_model_get_info (model);
  g_autoptr (CoStream) stream = co_stream_new (model, S);
  const gsize size = info->n_positions * info->n_outputs;
  gsize n = 0;

  co_stream_set_n_threads (stream, n_threads);
  g_assert_cmpuint (co_stream_get_n_threads (stream), ==, n_threads);
  for (gsize t = 0; t < T; t += chunk) {
    CoResult result = {.y = y + n * size };

    result.capacity = co_stream_max_outputs (stream, chunk);
    n += co_stream_forward_steps (stream, &(CoInput) {
          .x = x + t * S * info->n_inputs}, chunk, TRUE, &result);
  }
  return n * size;
}

static void
test_streams (gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (data, &wide, random);
  g_autoptr (GBytes) file = ref_model_write (m, NULL);
  /* Some vectors more than the windows of all layers */
  const gsize chunk = 4, T = g_str_equal (((const Variant *) data)->kind, "deep") ? 44 : 24;

  for (guint p = 0; p < G_N_ELEMENTS (precisions); p++) {
    g_autoptr (CoOptions) options = co_options_new ();
    g_autoptr (CoModel) model = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree float *x = NULL, *y = NULL, *again = NULL;
    const CoModelInfo *info;
    gsize room, n;

    co_options_set (options, "precision", precisions[p], NULL);
    model = co_model_load_bytes (file, options, &error);
    g_assert_no_error (error);
    info = co_model_get_info (model);
    x = g_new (float, S * T * info->n_inputs);
    for (gsize i = 0; i < S * T * info->n_inputs; i++)
      x[i] = ref_normal (random);
    room = S * T * info->n_positions * info->n_outputs;
    y = g_new (float, room);
    again = g_new (float, room);
    n = run (model, 1, x, T, chunk, y);
    g_assert_cmpuint (n, >, 0);
    for (guint n_threads = 2; n_threads <= 3; n_threads++) {
      g_assert_cmpuint (run (model, n_threads, x, T, chunk, again), ==, n);
      g_assert_cmpmem (again, n * sizeof (float), y, n * sizeof (float));
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/team/items", test_items);
  g_test_add_func ("/team/callers", test_callers);
  g_test_add_func ("/team/nested", test_nested);
  for (const Variant * v = shared; v->name; v++) {
    g_autofree gchar *path = g_strdup_printf ("/team/streams/%s", v->name);

    g_test_add_data_func (path, v, test_streams);
  }
  return g_test_run ();
}
