/* Streams without end, of every kind: the last outputs are as close to the truth as the first, memory stays as it was,
 * and no state holds a denormal or a NaN
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hundred thousand vectors; with `-m slow` ten million. A block of random vectors comes over and over, so that the
 * truth about all of them is that about a block whose vectors count many times. Its length is a prime: it falls in step
 * with no ring, chunk or position. */
#include "resident.h"
#include "variants.h"
#include "stream/stream.h"
#include <math.h>

#define BLOCK 10007
#define CALL 1000               /* vectors at once */
#define WATCHED 20              /* more than a chunk */
#define SLACK (256 * 1024)      /* what a process may grow by and be flat */

/* *INDENT-OFF* */
static const struct
{
  Variant variant;
  gsize layers;
} kinds[] = {
  { { "single-output", "single-output", 1 }, 1 },
  { { "single-output-stack", "single-output", 2 }, 2 },
  { { "single-output-looking-back", "single-output", 2, .look_back = TRUE }, 2 },
  { { "single-output-classifier", "single-output", 1, .classifier = TRUE }, 1 },
  { { "window-positions", "single-output", 1, .layout = TRUE, .window = TRUE, .pre_norm = TRUE }, 1 },
  { { "window-positions-stack", "single-output", 2, .layout = TRUE, .window = TRUE, .pre_norm = TRUE }, 2 },
  { { "retroactive", "retroactive", 1 }, 1 },
  { { "retroactive-stack", "retroactive", 2 }, 2 },
  { { "deep", "deep", 2 }, 2 },
  { { "deep-rotary", "deep", 2, .rotary = TRUE }, 2 },
  { { "deep-windows", "deep", 2, .rotary = TRUE, .windows = TRUE }, 2 },
  { { "recurrent-full", "recurrent-full", 2, .fills = TRUE, .drop_oldest = TRUE }, 2 },
  { { "recurrent-linear", "recurrent-linear", 1, .map = "elu" }, 1 },
  { { "recurrent-linear-favor", "recurrent-linear", 1, .map = "favor" }, 1 },
  { { "kernel-elu", "kernel", 0, .map = "elu" }, 1 },
  { { "kernel-exp", "kernel", 0, .map = "exp" }, 1 },
  { { "kernel-chunks-relu", "kernel", 0, .map = "relu", .chunks = TRUE }, 1 },
  { { "kernel-cache-elu", "kernel", 0, .map = "elu", .cache = TRUE }, 1 },
  { { "kernel-cache-chunks-exp", "kernel", 0, .map = "exp", .cache = TRUE, .chunks = TRUE }, 1 },
  { { "decoder-full", "recurrent-full", 1, .fills = TRUE, .drop_oldest = TRUE, .decoder = TRUE }, 1 },
  { { "decoder-linear", "recurrent-linear", 1, .map = "elu", .decoder = TRUE, .cross_linear = TRUE }, 1 },
};
/* *INDENT-ON* */

typedef struct
{
  const RefModel *m;
  CoStream *stream;
  RefMemory *memory;            /* of a decoder */
  float *x;                     /* (2 BLOCK, C) the block, twice */
  guint64 n;                    /* vectors so far */
  float *y;
  CoOutput *outputs;
} Run;

/* Feeds the next @n vectors, which lie in the block without a break. */
static gsize
feed (Run * self, gsize n)
{
  CoResult result = {.capacity = co_stream_max_outputs (self->stream, n),.y =
        self->y,.outputs = self->outputs };
  CoInput input = {.x = self->x + self->n % BLOCK * self->m->C };

  self->n += n;
  return co_stream_forward_steps (self->stream, &input, n, TRUE, &result);
}

/* The truth about the vector @age vectors before the last */
static void
find_truth (const Run * self, gsize age, RefAnswer * truth)
{
  const RefModel *m = self->m;
  const gboolean sums = g_str_equal (m->kind, "recurrent-linear");
  /* After a block, what a cache holds of what came before has decayed to nothing. */
  const gsize reach = MIN (ref_reach (m), BLOCK);
  const guint64 tail = self->n % BLOCK, repeats = self->n / BLOCK;
  const gsize n = MIN (self->n, sums ? BLOCK + tail : reach);
  const guint64 first = self->n - n;
  g_autofree guint64 *chunk = g_new (guint64, n);
  g_autofree const RefMemory **memory = g_new (const RefMemory *, n);
  RefInput input = {
    .x = self->x + first % BLOCK * m->C,.chunk = chunk,.memory = memory
  };

  for (gsize i = 0; i < n; i++) {
    chunk[i] = (first + i) / MAX (m->chunk_len, 1);
    memory[i] = self->memory;
  }
  if (sums && repeats > 0) {
    input.n_repeated = BLOCK;
    input.repeats = repeats;
  }
  ref_answer (m, &input, n, sums || m->cache ? 0 : first, age, truth);
}

/* The largest error of the outputs to the next WATCHED vectors, in parts of the tolerance */
static double
watch (Run * self)
{
  const gsize y_size = ref_n_positions (self->m) * self->m->D;
  double worst = 0;
  gsize n_checked = 0;

  for (gsize t = 0; t < WATCHED; t++) {
    gsize n = feed (self, 1);

    for (gsize i = 0; i < n; i++, n_checked++) {
      RefAnswer truth;
      double error = 0, tolerance;

      find_truth (self, self->outputs[i].age, &truth);
      tolerance = ref_tolerance (&truth);
      for (gsize d = 0; d < y_size; d++) {
        double e = fabs (self->y[i * y_size + d] - truth.y[d]);
        error = e <= error ? error : e; /* a NaN stays */
      }
      if (!(error <= tolerance))
        g_error ("vector %" G_GUINT64_FORMAT ": error %g, allowed %g",
            self->n - 1, error, tolerance);
      worst = MAX (worst, error / tolerance);
      ref_answer_clear (&truth);
    }
  }
  g_assert_cmpuint (n_checked, >, 0);
  return worst;
}

static void
check_state (const CoStream * stream)
{
  const CoStack *stack = &stream->model->stack;
  const CoAttention *attention = &stack->layers[0].attention;
  const gsize size =
      attention->klass->state_size (attention) - sizeof (CoStateHeader);
  const gpointer numbers = co_state_numbers ((CoStateHeader *) (stream->state +
          stack->layers[0].state_offset));

  g_assert_true (co_stack_state_is_sound (stack, stream->state, stream->stride, 1));
  for (gsize i = 0; attention->klass->in_double && i < size / sizeof (double);
      i++)
    g_assert_cmpint (fpclassify (((double *) numbers)[i]), !=, FP_SUBNORMAL);
  for (gsize i = 0; !attention->klass->in_double && i < size / sizeof (float);
      i++)
    g_assert_cmpint (fpclassify (((float *) numbers)[i]), !=, FP_SUBNORMAL);
}

static void
test_kind (gconstpointer data)
{
  const Shape shape = {.E = 6,.H = 2,.N = 3,.ff = 3,.L =
        kinds[GPOINTER_TO_SIZE (data)].layers
  };
  const guint64 steps = g_test_slow () ? 10000000 : 100000;
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed () +
      GPOINTER_TO_SIZE (data));
  g_autoptr (RefModel) m =
      ref_model_random (&kinds[GPOINTER_TO_SIZE (data)].variant, &shape, random);
  g_autofree gchar *text = NULL;
  g_autoptr (CoModel) model = NULL;
  Run run = {.m = m };
  double first, last;
  glong before = 0, grown;

  if (m->cache)
    m->decay = 0.9;
  text = ref_model_describe (m);
  g_test_message ("CONTINUAL_TEST_SEED=%u: %s", ref_seed (), text);
  model = ref_model_load (m);
  run.stream = co_stream_new (model, 1);
  run.x = g_new (float, 2 * BLOCK * m->C);
  for (gsize i = 0; i < BLOCK * m->C; i++)
    run.x[i] = run.x[BLOCK * m->C + i] = ref_normal (random);
  run.y = g_new (float, co_stream_max_outputs (run.stream, CALL) *
      ref_n_positions (m) * m->D);
  run.outputs = g_new (CoOutput, co_stream_max_outputs (run.stream, CALL));
  if (m->decoder) {
    run.memory = ref_memory_random (m, random);
    co_stream_set_memory (run.stream, CO_ALL_STREAMS, run.memory->x, run.memory->n, NULL);
  }

  first = watch (&run);
  while (run.n < steps) {
    feed (&run, CALL);
    if (before == 0 && run.n > steps / 10)
      before = resident ();
  }
  grown = resident () - before;
  check_state (run.stream);
  last = watch (&run);
  g_test_message ("largest error of the first %d: %.3g of the tolerance, of those after %" G_GUINT64_FORMAT ": %.3g; "
      "%ld bytes more memory", WATCHED, first, steps, last, grown);
  g_assert_cmpfloat (last, <=, MAX (3 * first, 0.1));
  g_assert_cmpint (grown, <=, SLACK);
  g_assert_cmpuint (co_stream_get_position (run.stream, 0), ==, run.n);

  co_stream_unref (run.stream);
  g_clear_pointer (&run.memory, ref_memory_free);
  g_free (run.x);
  g_free (run.y);
  g_free (run.outputs);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree gchar *path = g_strdup_printf ("/million/%s",
        kinds[i].variant.name);
    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_kind);
  }
  return g_test_run ();
}
