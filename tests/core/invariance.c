/* Outputs are the same to the bit whatever the chunk, the streams beside one, the vectors that are absent and the restarts:
 * every kind, every precision, every table of inner loops
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variants.h"
#include "math/linear.h"
#include <string.h>

#define S 3
#define T 19

/* Of one panel of outputs, and of several, some left over; every path of the products is tried below. */
static const Shape shapes[] = {
  {.N = 5},
  {.H = 3,.E = 54,.N = 5,.ff = 150,.L = 2},
};

typedef struct
{
  RefModel *m;
  CoModel *model;
  const CoModelInfo *info;
  gsize widths[3];              /* of queries, keys and values; 0: none of their own */
  float *x[3];                  /* (S, T, width) */
  guint8 *mask;                 /* (S, T) */
  RefMemory *memories[S];       /* of a decoder */
  GByteArray *expected[S];      /* the outputs of each stream, one vector after another */
} Case;

static void
case_free (Case * c)
{
  for (guint i = 0; i < 3; i++)
    g_free (c->x[i]);
  for (guint s = 0; s < S; s++) {
    g_clear_pointer (&c->memories[s], ref_memory_free);
    g_byte_array_unref (c->expected[s]);
  }
  g_free (c->mask);
  co_model_unref (c->model);
  ref_model_free (c->m);
  g_free (c);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Case, case_free)

static CoStream *
stream_new (const Case * c, guint n_streams, guint first)
{
  CoStream *stream = co_stream_new (c->model, n_streams);

  for (guint s = 0; c->memories[0] && s < n_streams; s++)
    co_stream_set_memory (stream, s, c->memories[first + s]->x,
        c->memories[first + s]->n, NULL);
  return stream;
}

/* Feeds steps @from to @to of streams @first and so on; appends the outputs of each, and their weights where the model has
 * any. */
static void
feed (const Case * c, CoStream * stream, guint first, gsize from, gsize to,
    GByteArray ** outputs)
{
  const guint n_streams = co_stream_get_n_streams (stream);
  const gsize n = to - from, capacity = co_stream_max_outputs (stream, n);
  const gsize y_size = c->info->n_positions * c->info->n_outputs;
  const gsize w_size = c->info->n_heads * c->info->n_positions * c->info->n_weights;
  g_autofree float *y = g_new (float, capacity * y_size);
  g_autofree float *weights = g_new (float, capacity * w_size + 1);
  g_autofree CoOutput *answered = g_new (CoOutput, capacity);
  g_autofree guint8 *mask = g_new (guint8, n_streams * n);
  float *x[3] = { NULL };
  CoResult result = {.capacity = capacity,.y = y,.weights = w_size ? weights : NULL,
    .outputs = answered };
  CoInput input = {.mask = mask };
  gsize got;

  for (guint i = 0; i < 3; i++) {
    x[i] = c->widths[i] ? g_new (float, n_streams * n * c->widths[i]) : NULL;
    for (guint s = 0; x[i] && s < n_streams; s++)
      memcpy (x[i] + s * n * c->widths[i],
          c->x[i] + ((first + s) * T + from) * c->widths[i],
          n * c->widths[i] * sizeof (float));
  }
  for (guint s = 0; s < n_streams; s++)
    memcpy (mask + s * n, c->mask + (first + s) * T + from, n);
  input.x = x[0];
  input.key = x[1];
  input.value = x[2];
  got = co_stream_forward_steps (stream, &input, n, TRUE, &result);
  for (gsize i = 0; i < got; i++) {
    GByteArray *to_stream = outputs[first + answered[i].stream];

    g_byte_array_append (to_stream, (guint8 *) (y + i * y_size), y_size * sizeof (float));
    g_byte_array_append (to_stream, (guint8 *) (weights + i * w_size), w_size * sizeof (float));
  }
  for (guint i = 0; i < 3; i++)
    g_free (x[i]);
}

static Case *
case_new (const Variant * variant, const Shape * shape, const gchar * precision,
    GRand * random)
{
  Case *c = g_new0 (Case, 1);
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GError) error = NULL;

  c->m = ref_model_random (variant, shape, random);
  file = ref_model_write (c->m, NULL);
  co_options_set (options, "precision", precision, NULL);
  if (g_str_equal (variant->kind, "recurrent-full") && !variant->fills)
    co_options_set (options, "max_len", "32", NULL);
  c->model = co_model_load_bytes (file, options, &error);
  g_assert_no_error (error);
  c->info = co_model_get_info (c->model);
  c->widths[0] = c->info->n_inputs;
  c->widths[1] = c->m->separate ? c->info->n_keys : 0;
  c->widths[2] = c->m->separate ? c->info->n_values : 0;
  for (guint i = 0; i < 3; i++) {
    c->x[i] = g_new (float, S * T * c->widths[i] + 1);
    for (gsize j = 0; j < S * T * c->widths[i]; j++)
      c->x[i][j] = ref_normal (random);
  }
  c->mask = g_new (guint8, S * T);
  for (gsize i = 0; i < S * T; i++)
    c->mask[i] = g_rand_int_range (random, 0, 5) > 0;
  for (guint s = 0; s < S; s++) {
    g_autoptr (CoStream) stream = NULL;

    if (c->m->decoder)
      c->memories[s] = ref_memory_random (c->m, random);
    stream = stream_new (c, 1, s);
    c->expected[s] = g_byte_array_new ();
    for (gsize t = 0; t < T; t++)
      feed (c, stream, s, t, t + 1, c->expected);
  }
  return c;
}

static void
check (const Case * c, GByteArray ** found, const gchar * how)
{
  for (guint s = 0; s < S; s++) {
    const float *a = (float *) c->expected[s]->data, *b = (float *) found[s]->data;
    g_autofree gchar *what = ref_model_describe (c->m);

    if (found[s]->len != c->expected[s]->len)
      g_error ("%s, %s: stream %u: expected %u bytes of outputs, found %u", what, how, s,
          c->expected[s]->len, found[s]->len);
    for (gsize i = 0; i < found[s]->len / sizeof (float); i++)
      if (memcmp (a + i, b + i, sizeof (float)))
        g_error ("%s, %s: stream %u: number %zu: expected %.9g, found %.9g", what, how, s,
            i, a[i], b[i]);
    g_byte_array_set_size (found[s], 0);
  }
}

/* Feeds all streams together, in chunks of random lengths; with @restarts, each to a fresh stream that continues from a
 * snapshot. */
static void
feed_chunks (const Case * c, gboolean restarts, GByteArray ** outputs, GRand * random)
{
  g_autoptr (CoStream) stream = stream_new (c, S, 0);

  for (gsize t = 0, n; t < T; t += n) {
    n = g_rand_int_range (random, 1, MIN (T - t, 12) + 1);
    if (restarts) {
      g_autoptr (GBytes) state = co_stream_get_state (stream);
      g_autoptr (GError) error = NULL;

      co_stream_unref (stream);
      stream = co_stream_new (c->model, S);
      co_stream_set_state (stream, state, &error);
      g_assert_no_error (error);
    }
    feed (c, stream, 0, t, t + n, outputs);
  }
}

static void
check_case (const Case * c, GRand * random)
{
  GByteArray *found[S];

  for (guint s = 0; s < S; s++)
    found[s] = g_byte_array_new ();

  for (guint s = 0; s < S; s++) {
    g_autoptr (CoStream) stream = stream_new (c, 1, s);
    feed (c, stream, s, 0, T, found);
  }
  check (c, found, "one chunk");

  feed_chunks (c, FALSE, found, random);
  check (c, found, "streams together, in chunks");
  feed_chunks (c, TRUE, found, random);
  check (c, found, "restarts");
  for (guint s = 0; s < S; s++)
    g_byte_array_unref (found[s]);
}

static void
check_with (const CoKernels * kernels, const Variant * variant, const Shape * shape,
    const gchar * precision, GRand * random)
{
  const CoKernels *chosen = co_kernels;
  g_autoptr (Case) c = NULL;

  co_kernels = kernels;
  g_test_message ("%s, %s", kernels->name, precision);
  c = case_new (variant, shape, precision, random);
  check_case (c, random);
  co_kernels = chosen;
}

/* With the best table, and with one of the others, in turn. */
static void
test_invariance (gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  const CoKernels *const *all = co_kernels_all ();
  guint n_tables = 0, turn = (const Variant *) data - variants;

  for (; all[n_tables]; n_tables++);
  for (guint f = 0; f < CO_N_FORMATS; f++)
    for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
      check_with (co_kernels, data, &shapes[i], co_formats[f]->name, random);
      check_with (all[turn++ % n_tables], data, &shapes[i], co_formats[f]->name, random);
    }
}

/* ---- the kernels, at sizes that take every path ---- */

static float *
draw (gsize n)
{
  float *x = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    x[i] = g_test_rand_double_range (-2, 2);
  return x;
}

/* A row's outputs are the same to the bit alone and among others. */
static void
check_rows (const CoKernels * k, const CoFormat * format, gsize n_out, gsize n_in,
    gsize n_rows)
{
  g_autofree float *m = draw (n_out * n_in);
  g_autofree float *panels = g_new0 (float, co_panels_size (n_out, n_in));
  g_autofree guint8 *w = g_malloc0 (format->size (n_out, n_in));
  g_autofree float *scales = g_new0 (float, n_out);
  g_autofree float *b = draw (n_out);
  g_autofree float *x = draw (n_rows * n_in);
  g_autofree float *all = g_new (float, n_rows * n_out);
  g_autofree float *one = g_new (float, n_out);
  const CoLinear linear = { n_in, n_out, format, w, scales, b };
  const CoKernels *chosen = co_kernels;

  co_panels_fill (panels, 0, m, n_out, n_in, n_in, 1);
  format->fill (w, scales, panels, n_out, n_in);
  co_kernels = k;
  co_linear (&linear, x, n_in, n_rows, all, n_out);
  for (gsize r = 0; r < n_rows; r++) {
    co_linear (&linear, x + r * n_in, n_in, 1, one, n_out);
    if (memcmp (one, all + r * n_out, n_out * sizeof (float)))
      g_error ("%s, (%zu, %zu): row %zu of %zu is another one alone", format->name, n_out,
          n_in, r, n_rows);
  }
  co_kernels = chosen;
}

static void
test_linear_rows (gconstpointer data)
{
  const gsize outs[] = { 1, 16, 17, 40, 64, 90, 129, 200 };
  const gsize ins[] = { 1, 6, 33, 128, 129, 300, 511, 700, 1100, 2100 };
  const gsize rows[] = { 2, 3, 4, 5, 7, 15, 16, 17, 35 };

  for (gsize f = 0; f < CO_N_FORMATS; f++)
    for (gsize o = 0; o < G_N_ELEMENTS (outs); o++)
      for (gsize i = 0; i < G_N_ELEMENTS (ins); i++)
        check_rows (data, co_formats[f], outs[o], ins[i],
            rows[(o * 3 + i) % G_N_ELEMENTS (rows)]);
}

/* The norms likewise */
static void
test_norm_rows (gconstpointer data)
{
  const CoKernels *k = data;

  for (gsize n = 1; n <= 70; n++)
    for (gsize rms = 0; rms < 2; rms++) {
      const __typeof__ (k->rms_norm) norm = rms ? k->rms_norm : k->layer_norm;

      for (gsize added = 0; added < 2; added++) {
        const gsize n_rows = 1 + n % 9;
        g_autofree float *x = draw (n_rows * n);
        g_autofree float *a = draw (n_rows * n);
        g_autofree float *g = draw (n);
        g_autofree float *b = draw (n);
        g_autofree float *all = g_new (float, n_rows * n);
        g_autofree float *one = g_new (float, n);

        norm (x, n, added ? a : NULL, g, b, 1e-5f,
            all, NULL, n_rows, n);
        for (gsize r = 0; r < n_rows; r++) {
          norm (x + r * n, n, added ? a + r * n : NULL,
              g, b, 1e-5f, one, NULL, 1, n);
          g_assert_cmpmem (one, n * sizeof (float), all + r * n, n * sizeof (float));
        }
      }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (const Variant * v = variants; v->name; v++) {
    g_autofree gchar *path = g_strdup_printf ("/invariance/%s", v->name);

    g_test_add_data_func (path, v, test_invariance);
  }
  for (const CoKernels * const *k = co_kernels_all (); *k; k++) {
    g_autofree gchar *products = g_strdup_printf ("/invariance/products/%s", (*k)->name);
    g_autofree gchar *norms = g_strdup_printf ("/invariance/norms/%s", (*k)->name);

    g_test_add_data_func (products, *k, test_linear_rows);
    g_test_add_data_func (norms, *k, test_norm_rows);
  }
  return g_test_run ();
}
