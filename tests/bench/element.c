/* What continualencoder adds to a buffer: the time of a pipeline with it, less that of the same pipeline with identity in its
 * place, less that of the library's step in a loop of its own. And, since a pipeline leaves other caches to a step than a
 * loop does, less that of the pipeline with identity and the step called from a probe. All four take turns in one process.
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

static GstPadProbeReturn
step_in_probe (GstPad * pad, GstPadProbeInfo * info, gpointer run)
{
  run_step (run);
  return GST_PAD_PROBE_OK;
}

/* Time of @n buffers through @element, and of what it takes to start and stop. With @run its step is called for each. */
static double
run_pipeline (const BenchModel * m, const gchar * element, Run * run, guint n)
{
  g_autofree gchar *line =
      g_strdup_printf ("fakesrc num-buffers=%u format=time sizetype=fixed sizemax=%zu filltype=zero ! "
      "other/tensors,format=(string)static,num_tensors=1,types=(string)float32,dimensions=(string)%zu,framerate=30/1 ! "
      "%s ! fakesink name=sink", n, m->n_inputs * sizeof (float), m->n_inputs,
      element);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  GstBus *bus;
  GstMessage *message;
  double time;

  if (error)
    g_error ("%s: %s", line, error->message);
  if (run) {
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
    g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, step_in_probe, run, NULL);
  }
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
time_buffer (const BenchModel * m, const gchar * element, Run * run)
{
  double few = run_pipeline (m, element, run, FEW);

  return (run_pipeline (m, element, run, FEW + BUFFERS) - few) / BUFFERS;
}

static double
run_core (Run * run)
{
  double time = now_us ();

  for (gsize i = 0; i < BUFFERS; i++)
    run_step (run);
  return (now_us () - time) / BUFFERS;
}

int
main (int argc, char **argv)
{
  openblas_set_num_threads (1);
  gst_init (&argc, &argv);
  gst_registry_scan_path (gst_registry_get (), PLUGIN_DIR);
  g_print ("%-6s %10s %10s %10s %10s %12s %12s   us/buffer\n", "model", "identity",
      "encoder", "core step", "added", "with probe", "added to it");
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++) {
    const BenchModel *m = &models[i];
    g_autoptr (GBytes) bytes = bench_file (m);
    g_autofree gchar *path = NULL, *encoder = NULL;
    double identity[ROUNDS], element[ROUNDS], core[ROUNDS], probe[ROUNDS];
    double added[ROUNDS], added_to_probe[ROUNDS];
    Run run = run_new (m, "float32", 1, 1, FALSE);
    gsize size;
    const gchar *data = g_bytes_get_data (bytes, &size);

    close (g_file_open_tmp ("bench-XXXXXX.safetensors", &path, NULL));
    if (!g_file_set_contents (path, data, size, NULL))
      g_error ("%s cannot be written", path);
    encoder = g_strdup_printf ("continualencoder model-path=%s", path);
    memset (run.x, 0, m->n_inputs * sizeof (float));
    for (gsize round = 0; round < ROUNDS; round++) {
      identity[round] = time_buffer (m, "identity", NULL);
      element[round] = time_buffer (m, encoder, NULL);
      probe[round] = time_buffer (m, "identity", &run);
      core[round] = run_core (&run);
      added[round] = element[round] - identity[round] - core[round];
      added_to_probe[round] = element[round] - probe[round];
    }
    g_print ("%-6s %10.2f %10.2f %10.2f %10.2f %12.2f %12.2f\n", m->name,
        median (identity, ROUNDS), median (element, ROUNDS), median (core,
            ROUNDS), median (added, ROUNDS), median (probe, ROUNDS),
        median (added_to_probe, ROUNDS));
    run_free (&run);
    g_unlink (path);
  }
  return 0;
}
