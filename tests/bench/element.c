/* What continualencoder adds to a buffer: the time of a pipeline with it, less that of the same pipeline with identity in its
 * place, less that of the library's step. All three take turns in one process.
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"
#include <glib/gstdio.h>
#include <gst/gst.h>

#define ROUNDS 9
#define BUFFERS 5000
#define FEW 500

/* The least model shows the element; the other one what it is beside a real step. */
static const BenchModel models[] = {
  {"least", 16, 16, 2, 32, 8, 1, 4},
  {"small", 128, 192, 16, 384, 120, 1, 10},
};

/* Time of @n buffers through @element, and of what it takes to start and stop */
static double
run_pipeline (const BenchModel * m, const gchar * element, guint n)
{
  g_autofree gchar *line =
      g_strdup_printf ("fakesrc num-buffers=%u format=time sizetype=fixed sizemax=%zu filltype=zero ! "
      "other/tensors,format=(string)static,num_tensors=1,types=(string)float32,dimensions=(string)%zu,framerate=30/1 ! "
      "%s ! fakesink", n, m->n_inputs * sizeof (float), m->n_inputs,
      element);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  GstBus *bus;
  GstMessage *message;
  double time;

  if (error)
    g_error ("%s: %s", line, error->message);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_READY);
  time = now_us ();
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  time = now_us () - time;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_error ("%s: %s", line, error->message);
  }
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return time;
}

/* Time of a buffer, without starting and stopping */
static double
time_buffer (const BenchModel * m, const gchar * element)
{
  double few = run_pipeline (m, element, FEW);

  return (run_pipeline (m, element, FEW + BUFFERS) - few) / BUFFERS;
}

static double
run_core (const BenchModel * m)
{
  Run r = run_new (m, "float32", 1, 1, FALSE);
  double time;

  memset (r.x, 0, m->n_inputs * sizeof (float));
  time = now_us ();
  for (gsize i = 0; i < BUFFERS; i++)
    run_step (&r);
  time = now_us () - time;
  run_free (&r);
  return time / BUFFERS;
}

int
main (int argc, char **argv)
{
  openblas_set_num_threads (1);
  gst_init (&argc, &argv);
  gst_registry_scan_path (gst_registry_get (), PLUGIN_DIR);
  g_print ("%-6s %12s %12s %12s %12s   us/buffer\n", "model", "identity",
      "encoder", "core step", "added");
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++) {
    const BenchModel *m = &models[i];
    g_autoptr (GBytes) bytes = bench_file (m);
    g_autofree gchar *path = NULL, *encoder = NULL;
    double identity[ROUNDS], element[ROUNDS], core[ROUNDS], added[ROUNDS];
    gsize size;
    const gchar *data = g_bytes_get_data (bytes, &size);

    close (g_file_open_tmp ("bench-XXXXXX.safetensors", &path, NULL));
    if (!g_file_set_contents (path, data, size, NULL))
      g_error ("%s cannot be written", path);
    encoder = g_strdup_printf ("continualencoder model-path=%s", path);
    for (gsize round = 0; round < ROUNDS; round++) {
      identity[round] = time_buffer (m, "identity");
      element[round] = time_buffer (m, encoder);
      core[round] = run_core (m);
      added[round] = element[round] - identity[round] - core[round];
    }
    g_print ("%-6s %12.2f %12.2f %12.2f %12.2f\n", m->name,
        median (identity, ROUNDS), median (element, ROUNDS), median (core,
            ROUNDS), median (added, ROUNDS));
    g_unlink (path);
  }
  return 0;
}
