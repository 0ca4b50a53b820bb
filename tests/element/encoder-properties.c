/* gst-continual: properties of continualencoder, and models changed while it runs
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <glib/gstdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MODEL "encoder-1-relu"

/* Some value that is not the property's. */
static void
set_other (GObject * e, GParamSpec * pspec)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (e, pspec->name, &value);
  if (G_VALUE_HOLDS_UINT (&value))
    g_value_set_uint (&value, g_value_get_uint (&value) + 1);
  else if (G_VALUE_HOLDS_INT (&value))
    g_value_set_int (&value, g_value_get_int (&value) + 1);
  else if (G_VALUE_HOLDS_DOUBLE (&value))
    g_value_set_double (&value, 0.5);
  else if (G_VALUE_HOLDS_BOOLEAN (&value))
    g_value_set_boolean (&value, !g_value_get_boolean (&value));
  else if (G_VALUE_HOLDS_ENUM (&value))
    g_value_set_enum (&value, 1);
  else if (G_VALUE_HOLDS_STRING (&value))
    g_value_set_string (&value, "other");
  else
    fail ("%s is of an unexpected type", pspec->name);
  g_object_set_property (e, pspec->name, &value);
  g_value_unset (&value);
}

static gboolean
is_default (GObject * e, GParamSpec * pspec)
{
  GValue value = G_VALUE_INIT;
  gboolean res;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (e, pspec->name, &value);
  res = g_param_value_defaults (pspec, &value);
  g_value_unset (&value);
  return res;
}

/* Every property but the model's path, and switches of output. */
GST_START_TEST (test_ready_only)
{
  GstHarness *h = encoder_new (MODEL, "");
  GstBus *bus = bus_new (h->element);
  GstElement *e = encoder_get (h);
  guint n, n_checked = 0;
  GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (e), &n);

  for (guint i = 0; i < n; i++) {
    if (pspecs[i]->owner_type != G_OBJECT_TYPE (e)
        || !(pspecs[i]->flags & GST_PARAM_MUTABLE_READY)
        || !(pspecs[i]->flags & G_PARAM_WRITABLE))
      continue;
    set_other (G_OBJECT (e), pspecs[i]);
    check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, pspecs[i]->name,
        "READY", NULL);
    fail_unless (is_default (G_OBJECT (e), pspecs[i]), "%s",
        pspecs[i]->name);
    n_checked++;
  }
  fail_unless (n_checked > 20);

  gst_element_set_state (e, GST_STATE_READY);
  for (guint i = 0; i < n; i++) {
    if (pspecs[i]->owner_type != G_OBJECT_TYPE (e)
        || !(pspecs[i]->flags & GST_PARAM_MUTABLE_READY)
        || !(pspecs[i]->flags & G_PARAM_WRITABLE))
      continue;
    set_other (G_OBJECT (e), pspecs[i]);
    fail_if (is_default (G_OBJECT (e), pspecs[i]), "%s", pspecs[i]->name);
  }
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  g_free (pspecs);
  gst_object_unref (e);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

static guint64
get_stat (GstElement * e, const gchar * name)
{
  GstStructure *stats;
  guint64 n = 0;

  g_object_get (e, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &n), "%s", name);
  gst_structure_free (stats);
  return n;
}

/* Values are spelled as in the kinds' names or as in metadata. */
GST_START_TEST (test_spellings)
{
  const gchar *const spellings[][3] = {
    {"attention", "single-output", "single_output"},
    {"attention", "recurrent-full", "recurrent_full"},
    {"attention", "recurrent-linear", "recurrent_linear"},
    {"activation", "gelu-tanh", "gelu_tanh"},
    {"activation", "leaky-relu", "leaky_relu"},
  };
  GstElement *e = gst_element_factory_make ("continualencoder", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (spellings); i++) {
    gint dashes, underscores;

    gst_util_set_object_arg (G_OBJECT (e), spellings[i][0], spellings[i][1]);
    g_object_get (e, spellings[i][0], &dashes, NULL);
    g_object_set (e, spellings[i][0], 0, NULL);
    gst_util_set_object_arg (G_OBJECT (e), spellings[i][0], spellings[i][2]);
    g_object_get (e, spellings[i][0], &underscores, NULL);
    fail_unless (dashes > 0);
    fail_unless_equals_int (underscores, dashes);
  }
  gst_object_unref (e);
}
GST_END_TEST;

GST_START_TEST (test_stats)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  const CoModelInfo *info = co_model_get_info (g->model);
  GstHarness *h = encoder_new (MODEL, "");
  GstElement *e = encoder_get (h);
  float x[2 * 32];

  encoder_set_caps (h, "32:1:2", 100);
  for (gsize t = 0; t < 10; t++) {
    memcpy (x, g->x + t * 32, sizeof (float) * 32);
    memcpy (x + 32, g->x + t * 32, sizeof (float) * 32);
    if (t == 9)
      x[3] = NAN;
    for (gsize i = 0; t == 8 && i < 32; i++)
      x[32 + i] = NAN;
    gst_harness_push (h, vectors_new (x, 64, 0, 1));
  }
  fail_unless_equals_uint64 (get_stat (e, "vectors"), 18);
  fail_unless_equals_uint64 (get_stat (e, "outputs"), 4);
  fail_unless_equals_uint64 (get_stat (e, "refused"), 1);
  fail_unless_equals_uint64 (get_stat (e, "absent"), 1);
  fail_unless (get_stat (e, "step-time") > 0);
  fail_unless (get_stat (e, "mean-step-time") > 0);
  fail_unless_equals_uint64 (get_stat (e, "state-bytes"),
      2 * info->state_bytes);
  fail_unless_equals_uint64 (get_stat (e, "model-bytes"), info->model_bytes);
  fail_unless_equals_uint64 (get_stat (e, "macs"), info->macs);
  fail_unless_equals_uint64 (get_stat (e, "missed"), 0);
  gst_object_unref (e);
  gst_harness_teardown (h);
}

GST_END_TEST;

static guint64
get_model_bytes (const gchar * properties)
{
  GstHarness *h = encoder_new (MODEL, properties);
  GstElement *e = encoder_get (h);
  guint64 n;

  encoder_set_caps (h, "32", 100);
  n = get_stat (e, "model-bytes");
  gst_object_unref (e);
  gst_harness_teardown (h);
  return n;
}

/* Biases and norms stay as they are, the rest is a half and about a quarter. */
GST_START_TEST (test_precision)
{
  guint64 full = get_model_bytes ("");

  fail_unless_equals_uint64 (get_model_bytes ("precision=float32"), full);
  fail_unless (get_model_bytes ("precision=bfloat16") < .7 * full);
  fail_unless (get_model_bytes ("precision=int8") < .5 * full);
}

GST_END_TEST;

/* What the README's table names exists. */
GST_START_TEST (test_readme)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("CONTINUAL_TEST_DATA"),
      "..", "README.md", NULL);
  g_autoptr (GstElement) e = gst_element_factory_make ("continualencoder",
      NULL);
  g_autoptr (GRegex) name = g_regex_new ("`([a-z-]+)`", 0, 0, NULL);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  fail_unless (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (strstr (text, "## Properties of `continualencoder`"),
      "\n", -1);
  for (guint i = 1; lines[i] && !g_str_has_prefix (lines[i], "## "); i++) {
    g_auto (GStrv) cells = g_strsplit (lines[i], "|", 3);
    g_autoptr (GMatchInfo) match = NULL;

    if (!g_str_has_prefix (lines[i], "| `"))
      continue;
    g_regex_match (name, cells[1], 0, &match);
    for (; g_match_info_matches (match); g_match_info_next (match, NULL)) {
      g_autofree gchar *property = g_match_info_fetch (match, 1);

      fail_unless (g_object_class_find_property (G_OBJECT_GET_CLASS (e),
              property) != NULL, "%s", property);
      n++;
    }
  }
  fail_unless (n > 15, "%u", n);
}

GST_END_TEST;

static gint
count_opens (gint watch)
{
  gchar events[4096] __attribute__ ((aligned (8)));
  gint n = 0;
  gssize size;

  while ((size = read (watch, events, sizeof events)) > 0)
    for (gssize at = 0; at < size; n++)
      at += sizeof (struct inotify_event) +
          ((struct inotify_event *) (gpointer) (events + at))->len;
  return n;
}

/* The second element doesn't open the file: it shares the first one's weights. */
GST_START_TEST (test_shared_model)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  g_autofree gchar *path = model_path (MODEL);
  gint watch = inotify_init1 (IN_NONBLOCK);
  GstHarness *a, *b;

  fail_unless (inotify_add_watch (watch, path, IN_OPEN) >= 0);
  a = encoder_new (MODEL, "");
  fail_unless (count_opens (watch) > 0);
  b = encoder_new (MODEL, "");
  fail_unless_equals_int (count_opens (watch), 0);
  close (watch);

  /* Not their states. */
  encoder_set_caps (a, "32", 100);
  encoder_set_caps (b, "32", 100);
  push_vectors (a, g, 0, 20);
  push_vectors (b, g, 0, 10);
  pull_outputs (a, g, 0, 13);
  gst_harness_teardown (a);
  push_vectors (b, g, 10, 10);
  pull_outputs (b, g, 0, 13);
  gst_harness_teardown (b);
}

GST_END_TEST;

static void
set_model (GstElement * e, const gchar * name)
{
  g_autofree gchar *path = model_path (name);

  g_object_set (e, "model-path", path, NULL);
}

/* At the next buffer, with a fresh state and other caps. */
GST_START_TEST (test_swap)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  g_autoptr (Golden) r = golden_load ("encoder-2-retroactive", NULL);
  g_autofree gchar *path = model_path (r->name), *found = NULL;
  GstHarness *h = encoder_new (MODEL, "");
  GstElement *e = encoder_get (h);
  GstBus *bus = bus_new (h->element);
  GstCaps *caps;

  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 3);
  set_model (e, r->name);
  g_object_get (e, "model-path", &found, NULL);
  fail_unless_equals_string (found, path);
  push_vectors (h, r, 0, 7);
  fail_unless (gst_harness_try_pull (h) == NULL);
  push_vectors (h, r, 7, 5);
  pull_outputs (h, r, 0, 5);
  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless_equals_string (gst_structure_get_string (gst_caps_get_structure
          (caps, 0), "dimensions"), "32:8:1:1");
  gst_caps_unref (caps);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR |
          GST_MESSAGE_WARNING) == NULL);
  gst_object_unref (e);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A model that can't take over leaves the old one as it was. */
static void
check_kept (const gchar * name, const gchar * sink_caps, GQuark domain,
    gint code, const gchar * word)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  g_autofree gchar *path = model_path (MODEL), *found = NULL;
  GstHarness *h = encoder_new (MODEL, "");
  GstElement *e = encoder_get (h);
  GstBus *bus = bus_new (h->element);

  if (sink_caps)
    gst_harness_set_sink_caps_str (h, sink_caps);
  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 3);
  if (name)
    set_model (e, name);
  else
    g_object_set (e, "model-path", NULL, NULL);
  push_vectors (h, g, 10, 10);
  pull_outputs (h, g, 3, 10);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING), domain,
      code, "The model in use stays", word, NULL);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  g_object_get (e, "model-path", &found, NULL);
  fail_unless_equals_string (found, path);
  gst_object_unref (e);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_START_TEST (test_swap_refused)
{
  check_kept ("classifier-1", NULL, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "found 32:");
  check_kept ("encoder-1-retroactive", TENSORS ",dimensions=(string)32:1:1:1",
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "downstream");
  check_kept ("no-such-case", NULL, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "no-such-case");
  check_kept ("decoder-linear-full", NULL, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "continualdecoder");
  check_kept (NULL, NULL, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "found none");
}

GST_END_TEST;

static gpointer
keep_swapping (gpointer data)
{
  GstElement *e = data;
  const gchar *names[] = { MODEL, "encoder-2-retroactive", "classifier-1",
    "no-such-case"
  };

  for (gint i = 0; i < 60; i++) {
    GBytes *state;
    gboolean ok;

    set_model (e, names[i % 4]);
    g_signal_emit_by_name (e, "clean-state");
    g_signal_emit_by_name (e, "get-state", &state);
    g_signal_emit_by_name (e, "set-state", state, &ok);
    g_bytes_unref (state);
    get_stat (e, "vectors");
    g_object_set (e, "heads", i, NULL);
  }
  return NULL;
}

/* Everything that another thread may do, while buffers flow. */
GST_START_TEST (test_threads)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = encoder_new (MODEL, "");
  GstElement *e = encoder_get (h);
  GThread *thread;

  gst_harness_set_drop_buffers (h, TRUE);
  encoder_set_caps (h, "32", 100);
  thread = g_thread_new ("swap", keep_swapping, e);
  for (gint i = 0; i < 200; i++)
    push_vectors (h, g, 0, 20);
  g_thread_join (thread);
  gst_object_unref (e);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-properties");
  TCase *tc = tcase_create ("properties");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_ready_only);
  tcase_add_test (tc, test_spellings);
  tcase_add_test (tc, test_stats);
  tcase_add_test (tc, test_precision);
  tcase_add_test (tc, test_readme);
  tcase_add_test (tc, test_shared_model);
  tcase_add_test (tc, test_swap);
  tcase_add_test (tc, test_swap_refused);
  tcase_add_test (tc, test_threads);
  return s;
}

GST_CHECK_MAIN (encoder);
