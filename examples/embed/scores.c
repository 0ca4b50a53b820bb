/* gst-continual: a model inside a C application
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Feature vectors (float32) come from standard input, from wherever the application has them; after each of them the
 * model's outputs go to standard output, a line each. With --state, the model's memory of the stream outlives the
 * process: saved at the end (or on Ctrl-C), restored at the start, so that the next run goes on as if nothing had been.
 *
 *   cc -o scores scores.c $(pkg-config --cflags --libs gstreamer-app-1.0)
 *
 * or in a meson.build
 *
 *   executable('scores', 'scores.c', dependencies: dependency('gstreamer-app-1.0'))
 *
 *   ./scores --features 20 --state stream.state model.safetensors < features.f32
 */
#include <glib-unix.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <stdio.h>

static gint features;
static gint rate = 100;
static gchar *state_path;
static gchar **model_path;

static const GOptionEntry options[] = {
  {"features", 'f', 0, G_OPTION_ARG_INT, &features,
      "Values in a vector", "N"},
  {"rate", 'r', 0, G_OPTION_ARG_INT, &rate,
      "Vectors a second (100)", "N"},
  {"state", 's', 0, G_OPTION_ARG_FILENAME, &state_path,
      "Go on from what FILE remembers, and save it there at the end", "FILE"},
  {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &model_path, NULL,
      "MODEL"},
  {NULL}
};

typedef struct
{
  GstElement *pipeline, *in, *encoder, *out;
  GMainLoop *loop;
  gboolean failed;
} App;

/* Prints what is wrong. TRUE: an error, after which nothing more comes. */
static gboolean
report (GstMessage * message)
{
  gboolean fatal = GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
  gchar *debug = NULL;
  GError *error = NULL;

  if (fatal)
    gst_message_parse_error (message, &error, &debug);
  else
    gst_message_parse_warning (message, &error, &debug);
  g_printerr ("scores: %s: %s\n", GST_MESSAGE_SRC_NAME (message),
      error->message);
  g_debug ("%s", debug ? debug : "");
  g_error_free (error);
  g_free (debug);
  return fatal;
}

/* The main loop runs it, in the main thread. */
static gboolean
on_message (GstBus * bus, GstMessage * message, gpointer data)
{
  App *app = data;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      app->failed = report (message);
      g_main_loop_quit (app->loop);
      break;
    case GST_MESSAGE_WARNING:
      report (message);
      break;
    case GST_MESSAGE_EOS:
      g_main_loop_quit (app->loop);
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

/* What was posted while no main loop ran. */
static void
report_pending (App * app)
{
  GstBus *bus = gst_element_get_bus (app->pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus,
              GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))) {
    report (message);
    gst_message_unref (message);
  }
  gst_object_unref (bus);
}

/* A thread of its own: waits for vectors, and for room in the pipeline. */
static gpointer
read_vectors (gpointer data)
{
  App *app = data;
  GstAppSrc *in = GST_APP_SRC (app->in);
  const gsize size = features * sizeof (gfloat);
  GstFlowReturn ret = GST_FLOW_OK;
  gsize got = 0;

  for (guint64 i = 0; ret == GST_FLOW_OK; i++) {
    gfloat *x = g_new (gfloat, features);       /* (features) */
    GstBuffer *buffer;

    got = fread (x, 1, size, stdin);
    if (got < size) {
      g_free (x);
      break;
    }
    buffer = gst_buffer_new_wrapped (x, size);
    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (i, GST_SECOND, rate);
    GST_BUFFER_DURATION (buffer) =
        gst_util_uint64_scale (i + 1, GST_SECOND, rate)
        - GST_BUFFER_PTS (buffer);
    ret = gst_app_src_push_buffer (in, buffer);
  }
  if (got > 0 && got < size)
    GST_ELEMENT_ERROR (app->pipeline, STREAM, FORMAT,
        ("Expected vectors of %d values, found %" G_GSIZE_FORMAT " of %"
            G_GSIZE_FORMAT " bytes at the end: check --features.", features,
            got, size), (NULL));
  else
    gst_app_src_end_of_stream (in);
  return NULL;
}

/* The pipeline's thread: an output came. */
static GstFlowReturn
on_sample (GstAppSink * sink, gpointer data)
{
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstBuffer *buffer;
  GstMapInfo map;

  if (!sample)
    return GST_FLOW_EOS;
  buffer = gst_sample_get_buffer (sample);
  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    const gfloat *y = (const gfloat *) map.data;        /* (positions, outputs) */

    printf ("%.3f", GST_BUFFER_PTS (buffer) / (gdouble) GST_SECOND);
    for (gsize i = 0; i < map.size / sizeof (gfloat); i++)
      printf ("\t%.6g", y[i]);
    printf ("\n");
    fflush (stdout);
    gst_buffer_unmap (buffer, &map);
  }
  gst_sample_unref (sample);
  return ferror (stdout) ? GST_FLOW_ERROR : GST_FLOW_OK;
}

/* FALSE: *error says that @element is missing, which @package has. */
static gboolean
is_installed (const gchar * element, const gchar * package, GError ** error)
{
  GstElementFactory *factory = gst_element_factory_find (element);

  if (!factory) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "there is no element %s, which is part of %s", element, package);
    return FALSE;
  }
  gst_object_unref (factory);
  return TRUE;
}

static gboolean
build (App * app, GError ** error)
{
  GstAppSinkCallbacks callbacks = {.new_sample = on_sample };
  GstCaps *caps;
  gchar *dimensions;

  if (!is_installed ("continualencoder", "gst-continual: install it, or set "
          "GST_PLUGIN_PATH to the folder of libgstcontinual.so", error)
      || !is_installed ("appsrc", "GStreamer's base plugins: install "
          "gstreamer1.0-plugins-base", error))
    return FALSE;
  app->pipeline = gst_parse_launch ("appsrc name=in format=time block=true "
      "! continualencoder name=encoder ! appsink name=out sync=false", error);
  if (!app->pipeline)
    return FALSE;
  app->in = gst_bin_get_by_name (GST_BIN (app->pipeline), "in");
  app->encoder = gst_bin_get_by_name (GST_BIN (app->pipeline), "encoder");
  app->out = gst_bin_get_by_name (GST_BIN (app->pipeline), "out");

  dimensions = g_strdup_printf ("%d", features);
  caps = gst_caps_new_simple ("other/tensors",
      "format", G_TYPE_STRING, "static", "num_tensors", G_TYPE_INT, 1,
      "types", G_TYPE_STRING, "float32",
      "dimensions", G_TYPE_STRING, dimensions,
      "framerate", GST_TYPE_FRACTION, rate, 1, NULL);
  g_object_set (app->in, "caps", caps, NULL);
  g_object_set (app->encoder, "model-path", model_path[0], NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (app->out), &callbacks, NULL, NULL);
  gst_caps_unref (caps);
  g_free (dimensions);
  return TRUE;
}

/* Once the model is loaded, before the first vector. */
static gboolean
restore (App * app, GError ** error)
{
  GBytes *state;
  gchar *data;
  gsize size;
  gboolean ok = FALSE;

  if (!state_path || !g_file_test (state_path, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!g_file_get_contents (state_path, &data, &size, error))
    return FALSE;
  state = g_bytes_new_take (data, size);
  g_signal_emit_by_name (app->encoder, "set-state", state, &ok);
  g_bytes_unref (state);
  if (!ok)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
        "%s can't be used with this model: remove it to begin anew",
        state_path);
  return ok;
}

/* After the last vector, while the model is still loaded. */
static gboolean
save (App * app, GError ** error)
{
  GBytes *state = NULL;
  gboolean ok;

  if (!state_path)
    return TRUE;
  g_signal_emit_by_name (app->encoder, "get-state", &state);
  /* Replaces the old file in one go: a crash leaves one or the other. */
  ok = g_file_set_contents (state_path, g_bytes_get_data (state, NULL),
      g_bytes_get_size (state), error);
  g_bytes_unref (state);
  return ok;
}

/* What is under way is finished first. */
static gboolean
on_signal (gpointer data)
{
  gst_element_send_event (((App *) data)->pipeline, gst_event_new_eos ());
  return G_SOURCE_CONTINUE;
}

static gboolean
run (App * app, GError ** error)
{
  GstBus *bus;
  guint watch;
  gboolean ok;

  /* In PAUSED the model is loaded, and no vector has come. */
  ok = gst_element_set_state (app->pipeline,
      GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE && restore (app, error);
  if (!ok) {
    report_pending (app);
    return FALSE;
  }

  app->loop = g_main_loop_new (NULL, FALSE);
  bus = gst_element_get_bus (app->pipeline);
  watch = gst_bus_add_watch (bus, on_message, app);
  g_unix_signal_add (SIGINT, on_signal, app);
  g_unix_signal_add (SIGTERM, on_signal, app);
  g_thread_unref (g_thread_new ("read", read_vectors, app));
  gst_element_set_state (app->pipeline, GST_STATE_PLAYING);
  g_main_loop_run (app->loop);

  ok = !app->failed && save (app, error);
  g_source_remove (watch);
  gst_object_unref (bus);
  g_main_loop_unref (app->loop);
  return ok;
}

int
main (int argc, char **argv)
{
  GOptionContext *context = g_option_context_new ("MODEL < VECTORS");
  App app = { NULL };
  GError *error = NULL;
  gboolean ok;

  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("scores: %s\n", error->message);
    return 2;
  }
  if (features < 1 || rate < 1 || !model_path || model_path[1]) {
    gchar *help = g_option_context_get_help (context, TRUE, NULL);

    g_printerr ("%s", help);
    g_free (help);
    return 2;
  }
  g_option_context_free (context);

  ok = build (&app, &error) && run (&app, &error);
  if (error)
    g_printerr ("scores: %s\n", error->message);
  g_clear_error (&error);
  if (app.pipeline)
    gst_element_set_state (app.pipeline, GST_STATE_NULL);
  /* The reading thread may still wait for input: the process ends with it. */
  return ok ? 0 : 1;
}
