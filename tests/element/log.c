/* gst-continual: tests of the log: each element has a category of its name, also for what elements share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define VECTORS_OF(n_bytes, dimensions) "fakesrc num-buffers=12 sizetype=fixed filltype=zero format=time do-timestamp=true " \
    "sizemax=" n_bytes " ! " TENSORS ",dimensions=(string)" dimensions ",framerate=100/1"
#define VECTORS VECTORS_OF ("128", "32")

typedef struct
{
  guint n[GST_LEVEL_COUNT];     /* lines of each level */
} Lines;

static GMutex lock;
static GHashTable *seen;        /* of names of categories to Lines */

static void
count_line (GstDebugCategory * category, GstDebugLevel level, const gchar * file, const gchar * function, gint line,
    GObject * object, GstDebugMessage * message, gpointer data)
{
  const gchar *name = gst_debug_category_get_name (category);
  Lines *lines;

  /* GStreamer's own */
  if (g_str_has_prefix (file, "../gst/gst") || g_str_has_prefix (file, "../libs/") || g_str_has_prefix (file, "../plugins/"))
    return;
  g_mutex_lock (&lock);
  lines = g_hash_table_lookup (seen, name);
  if (!lines) {
    lines = g_new0 (Lines, 1);
    g_hash_table_insert (seen, g_strdup (name), lines);
  }
  lines->n[level]++;
  g_mutex_unlock (&lock);
  fail_unless (gst_debug_message_get (message) != NULL);
}

static guint
count (const gchar * category, GstDebugLevel level)
{
  Lines *lines;
  guint n;

  g_mutex_lock (&lock);
  lines = g_hash_table_lookup (seen, category);
  n = lines ? lines->n[level] : 0;
  g_mutex_unlock (&lock);
  return n;
}

static void
begin (void)
{
  seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gst_debug_set_active (TRUE);
  gst_debug_remove_log_function (NULL);
  gst_debug_add_log_function (count_line, NULL, NULL);
}

static void
end (void)
{
  gst_debug_remove_log_function (count_line);
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  g_hash_table_unref (seen);
}

static void
play (const gchar * line, GstMessageType expected)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  GstMessage *message;
  GstBus *bus;

  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == expected, "%s: %" GST_PTR_FORMAT, line, message);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

/* At each level up to @level there is a line of @element, and above it none. */
static void
check_levels (const gchar * element, const gchar * line)
{
  const GstDebugLevel levels[] = { GST_LEVEL_INFO, GST_LEVEL_DEBUG, GST_LEVEL_LOG };

  for (guint on = 0; on <= G_N_ELEMENTS (levels); on++) {
    begin ();
    gst_debug_set_threshold_for_name (element, on ? levels[on - 1] : GST_LEVEL_WARNING);
    play (line, GST_MESSAGE_EOS);
    gst_debug_unset_threshold_for_name (element);
    for (guint i = 0; i < G_N_ELEMENTS (levels); i++)
      fail_unless_equals_int (count (element, levels[i]) > 0, i < on);
    end ();
  }
}

GST_START_TEST (test_levels)
{
  g_autofree gchar *encoder = model_path ("encoder-1-relu"), *attention = model_path ("mha-single-output");
  g_autofree gchar *decoder = model_path ("decoder-full-linear-length");
  g_autofree gchar *with_model = g_strdup_printf (VECTORS " ! continualencoder model-path=%s ! fakesink", encoder);
  g_autofree gchar *queries = g_strdup_printf (VECTORS_OF ("96", "24") " ! a.query continualattention name=a model-path=%s ! fakesink",
      attention);
  g_autofree gchar *memories = g_strdup_printf (VECTORS " ! d.sink continualdecoder name=d model-path=%s ! fakesink "
      "fakesrc num-buffers=1 sizetype=fixed sizemax=1280 filltype=zero ! " TENSORS ",dimensions=(string)32:10 ! d.memory",
      decoder);

  check_levels ("continualencoder", with_model);
  check_levels ("continualattention", queries);
  check_levels ("continualdecoder", memories);
  check_levels ("continualmux", VECTORS " ! continualmux max-streams=1 ! fakesink");
  check_levels ("continualdemux", VECTORS " ! continualmux max-streams=1 ! continualdemux name=d d.src_0 ! fakesink");
  check_levels ("melspectrogram", "audiotestsrc num-buffers=8 ! audio/x-raw,rate=16000,channels=1 ! melspectrogram ! fakesink");
  check_levels ("videototensor", "videotestsrc num-buffers=2 ! video/x-raw,format=GRAY8,width=4,height=4 ! videototensor ! "
      "fakesink");
  check_levels ("classlabeler", VECTORS " ! classlabeler ! fakesink");
#ifdef HAVE_SCOPE
  check_levels ("tensorscope", "audiotestsrc num-buffers=8 ! audio/x-raw,rate=16000,channels=1 ! melspectrogram ! tensorscope ! "
      "fakesink");
#endif
}

GST_END_TEST;

/* What files that several elements share report is under the name of the element. */
GST_START_TEST (test_shared_files)
{
  const gchar *const elements[] = { "continualencoder", "continualattention", "continualdecoder" };

  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    GstElement *element = gst_element_factory_make (elements[i], NULL);

    begin ();
    gst_debug_set_threshold_for_name ("*", GST_LEVEL_WARNING);
    gst_element_set_state (element, GST_STATE_PAUSED);  /* without a model */
    gst_debug_unset_threshold_for_name ("*");
    fail_unless_equals_int (count (elements[i], GST_LEVEL_WARNING), 1);
    fail_unless_equals_int (g_hash_table_size (seen), 1);
    end ();
    gst_element_set_state (element, GST_STATE_NULL);
    gst_object_unref (element);
  }
}

GST_END_TEST;

static Suite *
log_suite (void)
{
  Suite *s = suite_create ("log");
  TCase *tc = tcase_create ("log");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_levels);
  tcase_add_test (tc, test_shared_files);
  return s;
}

GST_CHECK_MAIN (log);
