/* A step allocates nothing
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * OpenBLAS reserves its buffers at its first large product, so a stream of the same shape goes first. */
#include "allocations.h"
#include "live.h"

#ifdef COUNTS_ALLOCATIONS
/* The counter counts what GLib allocates. */
static void
test_counter (void)
{
  gpointer memory[4];
  Allocations found;

  allocations_begin ();
  memory[0] = g_malloc (100);
  memory[1] = g_malloc0 (100);
  memory[2] = g_aligned_alloc (1, 128, 64);
  memory[0] = g_realloc (memory[0], 100000);
  found = allocations_end ();
  g_assert_cmpuint (found.n, ==, 4);
  g_assert_cmpuint (found.bytes, ==, 100328);
  g_assert_cmpuint (found.largest, ==, 100000);
  g_free (memory[0]);
  g_free (memory[1]);
  g_aligned_free (memory[2]);
}

static void
run (const Live * live, const Chunk * chunk, Outputs * out)
{
  const CoInput input = chunk_input (chunk);

  co_stream_forward_steps (live->stream, &input, chunk->T, FALSE, &out->result);
  co_stream_forward_steps (live->stream, &input, chunk->T, TRUE, &out->result);
  if (chunk->T == 1 && live->m->chunk_len == 1)
    co_stream_forward_step (live->stream, chunk->x, out->result.y);
  g_clear_pointer (&out->result.weights, g_free);
  co_stream_drain (live->stream, &out->result);
}

static void
check (const RefModel * m, guint S, gsize T, GRand * random)
{
  g_autoptr (Live) live = live_new (m, S, random);

  /* Until windows are full, and chunks complete, and beyond. */
  for (guint i = 0; i < 16; i++) {
    g_autoptr (Chunk) chunk = chunk_new (live, T, i % 2, 1, random);
    g_autoptr (Outputs) out = outputs_new (live, T);

    allocations_begin ();
    run (live, chunk, out);
    if (i > 0 || T == 1)
      g_assert_cmpuint (allocations_end ().n, ==, 0);
    allocations_end ();
    if (i == 14)
      live_reset (live, 0);
  }
}

static void
test_step (gconstpointer data)
{
  const Variant *variant = data;
  const Shape shape = {.E = 24,.H = 3,.N = 4,.max_len = 40 };
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (variant, &shape, random);

  g_test_message ("CONTINUAL_TEST_SEED=%u", ref_seed ());
  check (m, 1, 64, random);
  check (m, 16, 64, random);
  check (m, 1, 1, random);
  check (m, 16, 1, random);
}
#else
static void
test_counter (void)
{
  g_test_skip ("allocations cannot be counted here");
}
#endif

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/noalloc/counter", test_counter);
#ifdef COUNTS_ALLOCATIONS
  for (const Variant * v = variants; v->name; v++) {
    g_autofree gchar *path = g_strdup_printf ("/noalloc/%s", v->name);
    g_test_add_data_func (path, v, test_step);
  }
#endif
  return g_test_run ();
}
