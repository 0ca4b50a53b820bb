/* Counters past 2^32: a stream that is so far goes on as one that has just begun
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every counter of a stream is used modulo the length of some ring: of the window, of the queries that look back, of
 * recycled positions, of chunks and blocks of chunks. Moved on by a common multiple of them all, a stream must give the
 * same outputs, to the bit. */
#include "live.h"
#include "stack/layer-state.h"
#include "stream/stream.h"
#include <math.h>
#include <string.h>

#define STEPS 100               /* before and behind 2^32 */

static guint64
common_multiple (guint64 a, guint64 b)
{
  guint64 x = a, y = b;

  while (y) {
    guint64 rest = x % y;
    x = y;
    y = rest;
  }
  return a / x * b;
}

static gsize
block_len (const CoAttention * a)
{
  return a->cache ? 1 : (a->window_len + 1) / 2;
}

/* Vectors after which every ring stands as it stood */
static guint64
period (const CoStack * stack)
{
  guint64 n = common_multiple (MAX (stack->n_positions, 1),
      stack->answer_interval);

  for (gsize l = 0; l < stack->n_layers; l++) {
    const CoAttention *a = &stack->layers[l].attention;

    n = common_multiple (n, MAX (a->sequence_len, 1));
    n = common_multiple (n, a->query_back + 1);
    if (a->klass == &co_kernel_class)
      n = common_multiple (n, a->chunk_len * 3 * block_len (a));
  }
  return n;
}

/* Of one layer: the vectors taken, or chunks complete, and whose answers wait for others. */
static void
move_layer (const CoLayer * layer, guint8 * state, guint64 by)
{
  const CoAttention *a = &layer->attention;
  const CoLayerState s = co_layer_state_open (layer, state);
  const gsize ring = co_layer_state_ring_len (layer);

  s.attention->taken += by;
  if (a->klass == &co_kernel_class)
    s.attention->chunks += by / a->chunk_len;
  for (gsize i = 0; !a->klass->step_window && ring > 1 && i < ring; i++)
    s.positions[i] += by;
}

static void
move (CoStream * stream, guint64 by)
{
  const CoStack *stack = &stream->model->stack;

  for (guint s = 0; s < stream->n_streams; s++) {
    co_stream_header (stream, s)->position += by;
    for (gsize l = 0; l < stack->mode->n_stateful (stack); l++)
      move_layer (&stack->layers[l], stream->state + s * stream->stride +
          stack->layers[l].state_offset, by);
  }
}

/* Rotated keys from before a stream was moved have the angles of another position. After as many vectors as an answer can
 * depend on, outputs are those of other angles with the same differences: equal to rounding. */
static gboolean
nearly_equal (const Outputs * a, const Outputs * b)
{
  double largest = 1, worst = 0;

  for (gsize i = 0; i < a->n * a->y_size; i++) {
    largest = MAX (largest, fabs (a->result.y[i]));
    worst = MAX (worst, fabs (a->result.y[i] - b->result.y[i]));
  }
  return a->n == b->n && worst <= 1e-4 * largest;
}

static void
test_far (gconstpointer data)
{
  const Shape shape = {.E = 6,.H = 2,.N = 5,.ff = 3,.max_len = 16777216 };
  const guint64 limit = G_GUINT64_CONSTANT (1) << 32;
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (data, &shape, random);
  g_autofree gchar *text = ref_model_describe (m);
  g_autoptr (Live) live = NULL;
  g_autoptr (CoStream) far = NULL;
  guint64 each, by;
  gsize fed = 0;

  g_test_message ("CONTINUAL_TEST_SEED=%u: %s", ref_seed (), text);
  live = live_new (m, 2, random);
  each = period (&live->model->stack);
  g_assert_cmpuint (each, <, 1000000);
  by = (limit - STEPS) / each * each;
  for (gsize t = 0; t < 50; t++) {
    g_autoptr (Chunk) chunk = chunk_new (live, 1, TRUE, 1, random);

    outputs_free (live_feed (live, live->stream, chunk));
  }
  far = co_stream_copy (live->stream);
  move (far, by);
  while (co_stream_get_position (far, 0) < limit + STEPS
      || co_stream_get_position (far, 1) < limit + STEPS) {
    g_autoptr (Chunk) chunk = chunk_new (live,
        g_rand_int_range (random, 1, 200), TRUE, 1, random);
    g_autoptr (Outputs) near_y = live_feed (live, live->stream, chunk);
    g_autoptr (Outputs) far_y = live_feed (live, far, chunk);

    if (m->rope_theta == 0)
      g_assert_true (outputs_equal (near_y, far_y));
    else if (fed >= ref_reach (m))
      g_assert_true (nearly_equal (near_y, far_y));
    fed += chunk->T / 2;        /* some of which are refused */
    for (guint s = 0; s < 2; s++)
      g_assert_cmpuint (co_stream_get_position (far, s), ==,
          co_stream_get_position (live->stream, s) + by);
  }

  /* Nor is anything lost on the way through a snapshot. */
  {
    g_autoptr (GBytes) state = co_stream_get_state (far);
    g_autoptr (CoStream) again = co_stream_new (live->model, 2);
    g_autoptr (Chunk) chunk = chunk_new (live, 50, FALSE, 1, random);
    g_autoptr (Outputs) a = NULL, b = NULL;

    g_assert_true (co_stream_set_state (again, state, NULL));
    a = live_feed (live, live->stream, chunk);
    b = live_feed (live, again, chunk);
    g_assert_true (m->rope_theta > 0 ? nearly_equal (a, b) : outputs_equal (a, b));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (const Variant * v = variants; v->name; v++) {
    /* Those hold no more than max_len vectors. */
    gboolean bounded = g_str_equal (v->kind, "recurrent-full")
        && !v->drop_oldest;
    g_autofree gchar *path = g_strdup_printf ("/positions/%s", v->name);

    if (!bounded)
      g_test_add_data_func (path, v, test_far);
  }
  return g_test_run ();
}
