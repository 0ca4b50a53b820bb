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
count (gconstpointer data, guint thread, gsize begin, gsize end)
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
nested (gconstpointer data, guint thread, gsize begin, gsize end)
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

/* Threads that are in a part at the same time have different numbers; what a part runs, it runs alone. */
typedef struct
{
  gint busy[CO_TEAM_MAX];       /* atomic */
} Numbers;

static void
run_alone (gconstpointer data, guint thread, gsize begin, gsize end)
{
  g_assert_cmpuint (thread, ==, 0);
  g_assert_true (g_thread_self () == data);
}

static void
take_number (gconstpointer data, guint thread, gsize begin, gsize end)
{
  Numbers *numbers = (Numbers *) data;

  g_assert_cmpuint (thread, <, 4);
  g_assert_true (g_atomic_int_compare_and_exchange (&numbers->busy[thread], FALSE, TRUE));
  co_team_run (run_alone, g_thread_self (), 20, 1);
  g_atomic_int_set (&numbers->busy[thread], FALSE);
}

static void
test_numbers (void)
{
  const guint before = co_team_enter (4);
  Numbers numbers = { {FALSE} };

  for (guint i = 0; i < 2000; i++)
    co_team_run (take_number, &numbers, 40, 1);
  co_team_leave (before);
}

/* ---- streams ---- */

/* Wide enough for products, updated sums and heads to be shared where they are worth it */
static const Shape wide = {.H = 8,.E = 320,.N = 20,.ff = 1024,.L = 2 };

static const Variant wide_variants[] = {
  {"single-output", "single-output", 1,.classifier = TRUE},
  {"single-output-stack", "single-output", 3,.classifier = TRUE},
  {"retroactive", "retroactive", 2,.classifier = TRUE},
  {"deep", "deep", 2,.classifier = TRUE},
  {"recurrent-linear", "recurrent-linear", 2,.classifier = TRUE,.map = "elu"},
  {NULL}
};

#define S 5

typedef struct
{
  CoModel *model;
  const CoModelInfo *info;
  gsize widths[3];              /* of queries, keys and values; 0: none of their own */
  gsize T;                      /* vectors of each stream */
  float *x[3];                  /* (T, S, width): chunks of all streams, one after another */
  guint8 *mask;                 /* (T, S) */
  RefMemory *memories[S];       /* of a decoder */
} Case;

static Case *
case_new (const Variant * variant, const Shape * shape, const gchar * precision,
    gsize T, GRand * random)
{
  g_autoptr (RefModel) m = ref_model_random (variant, shape, random);
  g_autoptr (GBytes) file = ref_model_write (m, NULL);
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (GError) error = NULL;
  Case *c = g_new0 (Case, 1);

  co_options_set (options, "precision", precision, NULL);
  if (g_str_equal (variant->kind, "recurrent-full") && !variant->fills)
    co_options_set (options, "max_len", "32", NULL);
  c->model = co_model_load_bytes (file, options, &error);
  g_assert_no_error (error);
  c->info = co_model_get_info (c->model);
  c->T = T;
  c->widths[0] = c->info->n_inputs;
  c->widths[1] = m->separate ? c->info->n_keys : 0;
  c->widths[2] = m->separate ? c->info->n_values : 0;
  for (guint i = 0; i < 3; i++) {
    c->x[i] = c->widths[i] ? g_new (float, S * T * c->widths[i]) : NULL;
    for (gsize j = 0; j < S * T * c->widths[i]; j++)
      c->x[i][j] = ref_normal (random);
  }
  c->mask = g_new (guint8, S * T);
  for (gsize i = 0; i < S * T; i++)
    c->mask[i] = g_rand_int_range (random, 0, 5) > 0;
  for (guint s = 0; m->decoder && s < S; s++)
    c->memories[s] = ref_memory_random (m, random);
  return c;
}

static void
case_free (Case * c)
{
  for (guint i = 0; i < 3; i++)
    g_free (c->x[i]);
  for (guint s = 0; s < S; s++)
    g_clear_pointer (&c->memories[s], ref_memory_free);
  g_free (c->mask);
  co_model_unref (c->model);
  g_free (c);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Case, case_free)

/* Everything that a call said: outputs, weights, and which vectors they answer */
static void
append (const Case * c, const CoResult * result, gsize n, GByteArray * said)
{
  const gsize y_size = c->info->n_positions * c->info->n_outputs;
  const gsize w_size = c->info->n_heads * c->info->n_positions * c->info->n_weights;

  g_byte_array_append (said, (guint8 *) result->y, n * y_size * sizeof (float));
  if (w_size)
    g_byte_array_append (said, (guint8 *) result->weights, n * w_size * sizeof (float));
  for (gsize i = 0; i < n; i++) {
    const guint64 tag[3] = { result->outputs[i].stream, result->outputs[i].step, result->outputs[i].age };

    g_byte_array_append (said, (guint8 *) tag, sizeof tag);
  }
}

/* What @repeats times the vectors of a case in chunks of @chunk, then a drain, and the states at the end say */
static GByteArray *
run (const Case * c, guint n_threads, gsize chunk, gsize repeats)
{
  const gsize y_size = c->info->n_positions * c->info->n_outputs;
  const gsize w_size = c->info->n_heads * c->info->n_positions * c->info->n_weights;
  g_autoptr (CoStream) stream = co_stream_new (c->model, S);
  const gsize capacity = MAX (co_stream_max_outputs (stream, chunk), co_stream_max_outputs (stream, 0));
  g_autofree float *y = g_new (float, capacity * y_size + 1);
  g_autofree float *weights = w_size ? g_new (float, capacity * w_size) : NULL;
  g_autofree CoOutput *outputs = g_new (CoOutput, capacity + 1);
  CoResult result = {.capacity = capacity,.y = y,.weights = weights,.outputs = outputs };
  GByteArray *said = g_byte_array_new ();
  g_autoptr (GChecksum) earlier = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GBytes) state = NULL;

  co_stream_set_n_threads (stream, n_threads);
  g_assert_cmpuint (co_stream_get_n_threads (stream), ==, n_threads);
  for (guint s = 0; c->memories[0] && s < S; s++)
    co_stream_set_memory (stream, s, c->memories[s]->x, c->memories[s]->n, NULL);
  for (gsize r = 0; r < repeats; r++)
    for (gsize t = 0; t < c->T; t += chunk) {
      CoInput input = {.x = c->x[0] + t * S * c->widths[0],.mask = c->mask + t * S };

      input.key = c->x[1] ? c->x[1] + t * S * c->widths[1] : NULL;
      input.value = c->x[2] ? c->x[2] + t * S * c->widths[2] : NULL;
      append (c, &result, co_stream_forward_steps (stream, &input, chunk, TRUE, &result), said);
      if (r + 1 < repeats) {    /* a million would not fit */
        g_checksum_update (earlier, said->data, said->len);
        g_byte_array_set_size (said, 0);
      }
    }
  append (c, &result, co_stream_drain (stream, &result), said);
  state = co_stream_get_state (stream);
  g_byte_array_append (said, g_bytes_get_data (state, NULL), g_bytes_get_size (state));
  g_byte_array_append (said, (const guint8 *) g_checksum_get_string (earlier), 64);
  return said;
}

static void
check (const Case * c, guint n_threads, gsize chunk, gsize repeats)
{
  g_autoptr (GByteArray) expected = run (c, 1, chunk, repeats);
  g_autoptr (GByteArray) found = run (c, n_threads, chunk, repeats);

  g_assert_cmpuint (expected->len, >, 0);
  g_assert_cmpmem (found->data, found->len, expected->data, expected->len);
}

/* What is worth it */
static void
test_wide (gconstpointer data)
{
  /* Under the thread sanitizer all of them would take minutes. */
#ifdef __SANITIZE_THREAD__
  const gchar *const precisions[] = { "float32" };
#else
  const gchar *const precisions[] = { "float32", "bfloat16", "int8" };
#endif
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  /* Some vectors more than the windows of all layers */
  const gsize T = g_str_equal (((const Variant *) data)->kind, "deep") ? 44 : 24;

  for (guint p = 0; p < G_N_ELEMENTS (precisions); p++) {
    g_autoptr (Case) c = case_new (data, &wide, precisions[p], T, random);

    for (guint n_threads = 2; n_threads <= 3; n_threads++)
      check (c, n_threads, 4, 1);
  }
}

/* Everything that can be shared, of every kind */
static void
test_eager (gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (Case) c = case_new (data, &(Shape) {.N = 5}, "float32", 24, random);

  co_team_eager = TRUE;
  check (c, 2, 1, 1);
  check (c, 3, 8, 1);
  co_team_eager = FALSE;
}

/* Steps of one vector of each stream: a million with `-m perf`, which takes minutes; with `-m slow` sixty thousand */
static void
test_million (void)
{
  const Variant stack = { "single-output-stack", "single-output", 2,.classifier = TRUE };
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (Case) c = case_new (&stack, &(Shape) {.N = 8,.L = 2}, "float32", 1000, random);

  co_team_eager = TRUE;
  check (c, 2, 1, g_test_perf ()? 1000 : g_test_slow ()? 60 : 1);
  co_team_eager = FALSE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/team/items", test_items);
  g_test_add_func ("/team/callers", test_callers);
  g_test_add_func ("/team/nested", test_nested);
  g_test_add_func ("/team/numbers", test_numbers);
  for (const Variant * v = wide_variants; v->name; v++) {
    g_autofree gchar *path = g_strdup_printf ("/team/streams/%s", v->name);

    g_test_add_data_func (path, v, test_wide);
  }
  for (const Variant * v = variants; v->name; v++) {
    g_autofree gchar *path = g_strdup_printf ("/team/eager/%s", v->name);

    g_test_add_data_func (path, v, test_eager);
  }
  g_test_add_func ("/team/million", test_million);
  return g_test_run ();
}
