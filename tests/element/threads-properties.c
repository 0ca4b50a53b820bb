/* gst-continual: any property of any element, in any state, from other threads while buffers flow
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Under ThreadSanitizer these show races; else that nothing crashes, stalls or stays broken. */
#include "encodertest.h"

#include <glib/gstdio.h>

#define VECTORS "fakesrc sizetype=fixed filltype=zero format=time "
#define ROUNDS 20

/* A pipeline with an element e; what in braces is a golden case becomes its model's path. */
static const gchar *const lines[] = {
  VECTORS "sizemax=128 datarate=12800 ! " TENSORS ",dimensions=(string)32,"
      "framerate=100/1 ! continualencoder name=e model-path={encoder-2-relu} "
      "! fakesink",
  VECTORS "sizemax=128 datarate=12800 ! " TENSORS ",dimensions=(string)32,"
      "framerate=100/1 ! continualdecoder name=e model-path="
      "{decoder-linear-full} ! fakesink " VECTORS "sizemax=768 datarate=7680 ! "
      TENSORS ",dimensions=(string)32:6,framerate=0/1 ! e.memory",
  VECTORS "sizemax=96 datarate=9600 ! " TENSORS ",dimensions=(string)24,"
      "framerate=100/1 ! continualattention name=e model-path="
      "{mha-single-output} ! fakesink " VECTORS "sizemax=96 datarate=9600 ! "
      TENSORS ",dimensions=(string)24,framerate=100/1 ! e.key",
  VECTORS "sizemax=128 datarate=12800 ! " TENSORS ",dimensions=(string)32,"
      "framerate=100/1 ! continualmux name=e max-streams=2 ! "
      "continualencoder model-path={encoder-2-relu} ! continualdemux name=d "
      "d.src_0 ! queue ! fakesink d.src_1 ! queue ! fakesink " VECTORS
      "sizemax=128 datarate=12800 ! " TENSORS ",dimensions=(string)32,"
      "framerate=100/1 ! e.",
  "audiotestsrc ! audio/x-raw,format=F32LE,rate=16000,channels=1 ! "
      "melspectrogram name=e ! fakesink",
  "videotestsrc ! video/x-raw,format=RGB,width=8,height=8 ! "
      "videototensor name=e ! fakesink",
  VECTORS "sizemax=12 datarate=1200 ! " TENSORS ",dimensions=(string)3,"
      "framerate=100/1 ! classlabeler name=e ! fakesink",
#ifdef HAVE_SCOPE
  VECTORS "sizemax=12 datarate=1200 ! " TENSORS ",dimensions=(string)3,"
      "framerate=100/1 ! tensorscope name=e ! video/x-raw,width=64,height=32 ! "
      "fakesink",
#endif
};

static GstElement *
pipeline_new (const gchar * line)
{
  g_auto (GStrv) parts = g_strsplit_set (line, "{}", -1);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;
  GstBus *bus;

  for (guint i = 1; parts[i]; i += 2) {
    gchar *path = model_path (parts[i]);

    g_free (parts[i]);
    parts[i] = path;
  }
  g_autofree gchar *whole = g_strjoinv ("", parts);

  pipeline = gst_parse_launch (whole, &error);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  /* Of what is refused nothing is kept. */
  bus = gst_element_get_bus (pipeline);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  return pipeline;
}

typedef struct
{
  GstElement *element;
  const gchar *state_path;
  guint32 seed;
  gint stop;                    /* atomic */
} Job;

static const gchar *
any_string (Job * job, GRand * rand, const gchar * property)
{
  const gchar *const texts[] = { NULL, "", "0.5", "no-such-file" };

  if (strcmp (property, "state-path") == 0)
    return g_rand_boolean (rand) ? job->state_path : NULL;
  return texts[g_rand_int_range (rand, 0, G_N_ELEMENTS (texts))];
}

/* GstAggregator of GStreamer 1.28 takes its object lock twice with start-time-selection=now, its last value. */
static gboolean
has_deadlock (const GParamSpec * pspec)
{
  return strcmp (pspec->name, "start-time-selection") == 0
      && g_enum_get_value_by_nick (G_PARAM_SPEC_ENUM (pspec)->enum_class, "now");
}

static void
set_any (Job * job, GRand * rand, GParamSpec * pspec)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  if (G_IS_PARAM_SPEC_STRING (pspec))
    g_value_set_string (&value, any_string (job, rand, pspec->name));
  else if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    g_value_set_boolean (&value, g_rand_boolean (rand));
  else if (G_IS_PARAM_SPEC_UINT (pspec))
    g_value_set_uint (&value, g_rand_int_range (rand, 0, 9));
  else if (G_IS_PARAM_SPEC_UINT64 (pspec))
    g_value_set_uint64 (&value, g_rand_int_range (rand, 0, 9));
  else if (G_IS_PARAM_SPEC_INT (pspec))
    g_value_set_int (&value, g_rand_int_range (rand, -9, 9));
  else if (G_IS_PARAM_SPEC_DOUBLE (pspec))
    g_value_set_double (&value, g_rand_double_range (rand, 0, 2));
  else if (G_IS_PARAM_SPEC_ENUM (pspec)) {
    const GEnumClass *klass = G_PARAM_SPEC_ENUM (pspec)->enum_class;

    g_value_set_enum (&value, klass->values[g_rand_int_range (rand, 0,
                klass->n_values - has_deadlock (pspec))].value);
  } else
    fail ("a property of a type that this test doesn't know: %s", pspec->name);
  g_param_value_validate (pspec, &value);
  g_object_set_property (G_OBJECT (job->element), pspec->name, &value);
  g_value_unset (&value);
}

static gboolean
is_ours (const GParamSpec * pspec)
{
  return pspec->owner_type != GST_TYPE_OBJECT
      && strcmp (pspec->name, "name") && strcmp (pspec->name, "parent");
}

static void
get (GstElement * element, const GParamSpec * pspec)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (G_OBJECT (element), pspec->name, &value);
  g_value_unset (&value);
}

static void
emit (GstElement * element)
{
  GBytes *state = NULL;
  gboolean ok;

  if (!g_signal_lookup ("get-state", G_OBJECT_TYPE (element)))
    return;
  g_signal_emit_by_name (element, "get-state", &state);
  g_signal_emit_by_name (element, "clean-state");
  g_signal_emit_by_name (element, "set-state", state, &ok);
  g_clear_pointer (&state, g_bytes_unref);
}

static void
ask (GstElement * element)
{
  GstPad *pad = gst_element_get_static_pad (element, "src");
  GstQuery *query = gst_query_new_latency ();

  gst_pad_query (pad, query);
  gst_query_unref (query);
  gst_caps_unref (gst_pad_query_caps (pad, NULL));
  gst_object_unref (pad);
}

static gpointer
meddle (gpointer data)
{
  Job *job = data;
  GRand *rand = g_rand_new_with_seed (job->seed);
  guint n;
  g_autofree GParamSpec **all =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (job->element), &n);

  while (!g_atomic_int_get (&job->stop)) {
    GParamSpec *pspec = all[g_rand_int_range (rand, 0, n)];

    if (is_ours (pspec) && pspec->flags & G_PARAM_WRITABLE
        && !(pspec->flags & G_PARAM_CONSTRUCT_ONLY))
      set_any (job, rand, pspec);
    if (is_ours (pspec) && pspec->flags & G_PARAM_READABLE)
      get (job->element, pspec);
    if (g_rand_int_range (rand, 0, 8) == 0)
      emit (job->element);
    if (g_rand_int_range (rand, 0, 8) == 0)
      ask (job->element);
    g_thread_yield ();
  }
  g_rand_free (rand);
  return NULL;
}

/* Up and down, at whatever moment of the threads. */
static void
walk (GstElement * pipeline)
{
  static const GstState states[] = { GST_STATE_READY, GST_STATE_PAUSED,
    GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_PLAYING,
    GST_STATE_NULL
  };

  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    gst_element_set_state (pipeline, states[i]);
    gst_element_get_state (pipeline, NULL, NULL, 10 * GST_MSECOND);
  }
}

/* With its properties as they were, it runs. */
static void
expect_runs (GstElement * pipeline, GstElement * element, const gchar * line)
{
  GstElement *fresh = pipeline_new (line);
  GstElement *model = gst_bin_get_by_name (GST_BIN (fresh), "e");
  guint n;
  g_autofree GParamSpec **all =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  for (guint i = 0; i < n; i++) {
    GValue value = G_VALUE_INIT;

    if (!is_ours (all[i]) || (all[i]->flags & G_PARAM_READWRITE) !=
        G_PARAM_READWRITE || all[i]->flags & G_PARAM_CONSTRUCT_ONLY)
      continue;
    g_value_init (&value, all[i]->value_type);
    g_object_get_property (G_OBJECT (model), all[i]->name, &value);
    g_object_set_property (G_OBJECT (element), all[i]->name, &value);
    g_value_unset (&value);
  }
  gst_object_unref (model);
  gst_object_unref (fresh);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
          30 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
}

GST_START_TEST (test_any_property)
{
  const gchar *line = lines[__i__];
  g_autofree gchar *state_path = g_strdup_printf ("%s/continual-%d.state",
      g_get_tmp_dir (), (gint) getpid ());
  GstElement *pipeline = pipeline_new (line);
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), "e");
  const gchar *again = g_getenv ("CONTINUAL_TEST_SEED");
  const guint32 seed = again ? (guint32) g_ascii_strtoull (again, NULL, 10) :
      g_random_int ();
  Job jobs[2];
  GThread *threads[2];

  g_print ("CONTINUAL_TEST_SEED=%u\n", seed);
  g_unlink (state_path);
  for (guint i = 0; i < 2; i++) {
    jobs[i] = (Job) {
    element, state_path, seed + i, FALSE};
    threads[i] = g_thread_new ("meddle", meddle, &jobs[i]);
  }
  for (guint i = 0; i < ROUNDS; i++)
    walk (pipeline);
  for (guint i = 0; i < 2; i++) {
    g_atomic_int_set (&jobs[i].stop, TRUE);
    g_thread_join (threads[i]);
  }
  expect_runs (pipeline, element, line);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (element);
  gst_object_unref (pipeline);
  g_unlink (state_path);
}

GST_END_TEST;

static Suite *
threads_suite (void)
{
  Suite *s = suite_create ("threads-properties");
  TCase *tc = tcase_create ("properties");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_any_property, 0, G_N_ELEMENTS (lines));
  return s;
}

GST_CHECK_MAIN (threads);
