/* gst-continual: a step flushes denormals, and leaves its caller's floating-point mode as it was
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "golden.h"
#include "math/fpmode.h"

#include <float.h>

/* Half of the smallest normal number, as the machine counts now. */
static float
halve (void)
{
  volatile float least = FLT_MIN, half = 0.5f;

  return least * half;
}

static void
test_flushed (void)
{
#if defined (__SSE2__) || defined (__aarch64__)
  guint64 mode = co_fp_enter ();
  float inside = halve ();

  co_fp_leave (mode);
  g_assert_cmpfloat (inside, ==, 0);
#endif
  g_assert_cmpfloat (halve (), >, 0);
}

static void
test_callers_mode (void)
{
  g_autoptr (Golden) g = golden_load ("encoder-2-retroactive", NULL);
  CoStream *stream = co_stream_new (g->model, 1);
  g_autofree float *y = g_new (float, g->y_size);

  for (gsize t = 0; t < g->n_steps; t++) {
    co_stream_forward_step (stream, g->x + t *
        co_model_get_info (g->model)->n_inputs, y);
    g_assert_cmpfloat (halve (), >, 0);
  }
  co_stream_unref (stream);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fpmode/flushed", test_flushed);
  g_test_add_func ("/fpmode/callers-mode", test_callers_mode);
  return g_test_run ();
}
