/* gst-continual: melspectrogram's caps, properties, presets and errors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "meltest.h"
#include "tensor/caps.h"

#define AUDIO(rate, channels) "audio/x-raw, format=" GST_AUDIO_NE (F32) \
    ", layout=interleaved, rate=" #rate ", channels=" #channels

static void
expect_out_caps (const gchar * props, const gchar * in, const gchar * expected)
{
  GstHarness *h = mel_new (props);
  gfloat zero[4096] = { 0 };
  GstCaps *caps, *wanted = gst_caps_from_string (expected);

  gst_harness_set_src_caps_str (h, in);
  fail_unless_equals_int (gst_harness_push (h, mel_buffer (zero, 4096, 0)),
      GST_FLOW_OK);
  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (gst_caps_is_equal (caps, wanted), "%s: expected %s, found %"
      GST_PTR_FORMAT, props, expected, caps);
  gst_caps_unref (caps);
  gst_caps_unref (wanted);
  gst_harness_teardown (h);
}

GST_START_TEST (test_out_caps)
{
  expect_out_caps ("", AUDIO (16000, 1), TENSOR_CAPS_TEMPLATE
      ", dimensions=(string)80:1:1:1, framerate=(fraction)100/1");
  expect_out_caps ("n-mels=23 frames-per-buffer=8", AUDIO (16000, 1),
      TENSOR_CAPS_TEMPLATE
      ", dimensions=(string)23:8:1:1, framerate=(fraction)25/2");
  expect_out_caps ("rate=0 hop-length=441 n-fft=1024", AUDIO (44100, 1),
      TENSOR_CAPS_TEMPLATE
      ", dimensions=(string)80:1:1:1, framerate=(fraction)100/1");
  expect_out_caps ("rate=22050 hop-length=512 n-fft=1024", AUDIO (22050, 1),
      TENSOR_CAPS_TEMPLATE
      ", dimensions=(string)80:1:1:1, framerate=(fraction)11025/256");
  expect_out_caps ("channels=mix", AUDIO (16000, 2), TENSOR_CAPS_TEMPLATE
      ", dimensions=(string)80:1:1:1, framerate=(fraction)100/1");
}

GST_END_TEST;

/* Whatever spelling downstream asks for is what it gets; another size is refused. */
GST_START_TEST (test_downstream_caps)
{
  static const struct
  {
    const gchar *dimensions;
    gboolean ok;
  } cases[] = {
    {"dimensions=(string)80:1:1:1", TRUE}, {"dimensions=(string)80:1", TRUE},
    {"dimensions=(string)80", TRUE}, {"dimensions=(int)80", TRUE},
    {"dimensions=(string)64", FALSE}, {"dimensions=(string)80:2", FALSE},
    {"dimensions=(string)80, framerate=(fraction)100/1", TRUE},
    {"dimensions=(string)80, framerate=(fraction)50/1", FALSE}
  };
  gfloat zero[4096] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = mel_new ("");
    gchar *caps = g_strconcat (TENSOR_CAPS_TEMPLATE ", ", cases[i].dimensions,
        NULL);

    gst_harness_set_sink_caps_str (h, caps);
    gst_harness_set_src_caps_str (h, AUDIO (16000, 1));
    fail_unless (gst_harness_push (h, mel_buffer (zero, 4096, 0)) ==
        (cases[i].ok ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED), "%s", caps);
    g_free (caps);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* What is offered upstream: this makes audioresample and audioconvert convert. Where they are missing, the error says what
 * came and what to put before; it is told once. */
GST_START_TEST (test_upstream_caps)
{
  static const struct
  {
    const gchar *props, *caps;
    gboolean ok;
  } cases[] = {
    {"", AUDIO (16000, 1), TRUE}, {"", AUDIO (44100, 1), FALSE},
    {"", AUDIO (16000, 2), FALSE}, {"channels=mix", AUDIO (16000, 2), TRUE},
    {"channels=mix", AUDIO (16000, 1), TRUE},
    {"rate=0", AUDIO (44100, 1), TRUE}, {"rate=8000", AUDIO (8000, 1), TRUE},
    {"rate=8000", AUDIO (16000, 1), FALSE},
    {"", "audio/x-raw, format=" GST_AUDIO_NE (S16)
          ", layout=interleaved, rate=16000, channels=1", TRUE},
    {"", "audio/x-raw, format=" GST_AUDIO_NE (F64)
          ", layout=interleaved, rate=16000, channels=1", FALSE},
    {"channels=mix", "audio/x-raw, format=" GST_AUDIO_NE (F32)
          ", layout=non-interleaved, rate=16000, channels=2", FALSE}
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = mel_new (cases[i].props);
    GstCaps *caps = gst_caps_from_string (cases[i].caps);
    GstCaps *offered = gst_pad_peer_query_caps (h->srcpad, caps);
    GstBus *bus = gst_bus_new ();
    gfloat zero[16] = { 0 };
    GstMessage *message;
    GError *error;

    fail_unless (gst_caps_is_empty (offered) == !cases[i].ok, "%s: %s",
        cases[i].props, cases[i].caps);
    gst_element_set_bus (h->element, bus);
    gst_harness_set_src_caps_str (h, cases[i].caps);
    gst_harness_push (h, mel_buffer (zero, 16, 0));
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    fail_unless ((message == NULL) == cases[i].ok, "%s: %s", cases[i].props,
        cases[i].caps);
    if (message) {
      gst_message_parse_error (message, &error, NULL);
      fail_unless (g_error_matches (error, GST_STREAM_ERROR,
              GST_STREAM_ERROR_FORMAT));
      fail_unless (strstr (error->message, "found ") != NULL
          && strstr (error->message, "audioconvert ! audioresample") != NULL,
          "%s", error->message);
      g_error_free (error);
      gst_message_unref (message);
    }
    fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
    gst_element_set_bus (h->element, NULL);
    gst_object_unref (bus);
    gst_caps_unref (offered);
    gst_caps_unref (caps);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

static GstMessage *
pop (GstBus * bus, GstMessageType type, gint code, const gchar * words)
{
  GstMessage *msg = gst_bus_pop_filtered (bus, type);
  GError *error = NULL;
  gchar *debug = NULL;

  fail_unless (msg != NULL, "expected a message about %s", words);
  if (type == GST_MESSAGE_WARNING)
    gst_message_parse_warning (msg, &error, &debug);
  else
    gst_message_parse_error (msg, &error, &debug);
  fail_unless_equals_int (error->code, code);
  fail_unless (strstr (error->message, words) != NULL,
      "expected \"%s\" in \"%s\"", words, error->message);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (msg);
  return NULL;
}

GST_START_TEST (test_properties_need_ready)
{
  GstHarness *h = mel_new_with_rate ("", 16000);
  GstElement *e = gst_object_ref (h->element);
  GstBus *bus = gst_bus_new ();
  GParamSpec **pspecs;
  guint n, tried = 0;

  gst_element_set_bus (e, bus);
  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (e), &n);
  for (guint i = 0; i < n; i++) {
    GValue before = G_VALUE_INIT, after = G_VALUE_INIT, other = G_VALUE_INIT;

    if (pspecs[i]->owner_type != G_OBJECT_TYPE (e))
      continue;
    fail_unless (pspecs[i]->flags & GST_PARAM_MUTABLE_READY);
    g_value_init (&other, pspecs[i]->value_type);
    if (G_IS_PARAM_SPEC_BOOLEAN (pspecs[i])) {
      g_value_set_boolean (&other,
          !((GParamSpecBoolean *) pspecs[i])->default_value);
    } else if (G_IS_PARAM_SPEC_ENUM (pspecs[i])) {
      g_value_set_enum (&other,
          ((GParamSpecEnum *) pspecs[i])->default_value == 0);
    } else {
      GValue two = G_VALUE_INIT;

      g_value_init (&two, G_TYPE_UINT);
      g_value_set_uint (&two, 2);
      if (G_IS_PARAM_SPEC_DOUBLE (pspecs[i]))
        g_value_set_double (&other, 0.625);
      else
        fail_unless (g_value_transform (&two, &other));
    }
    g_value_init (&before, pspecs[i]->value_type);
    g_value_init (&after, pspecs[i]->value_type);
    g_object_get_property (G_OBJECT (e), pspecs[i]->name, &before);
    g_object_set_property (G_OBJECT (e), pspecs[i]->name, &other);
    g_object_get_property (G_OBJECT (e), pspecs[i]->name, &after);
    fail_unless (gst_value_compare (&before, &after) == GST_VALUE_EQUAL);
    fail_if (gst_value_compare (&other, &after) == GST_VALUE_EQUAL,
        "%s: the test tries its default", pspecs[i]->name);
    pop (bus, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR_SETTINGS,
        pspecs[i]->name);

    gst_element_set_state (e, GST_STATE_READY);
    g_object_set_property (G_OBJECT (e), pspecs[i]->name, &other);
    g_object_get_property (G_OBJECT (e), pspecs[i]->name, &after);
    fail_unless (gst_value_compare (&other, &after) == GST_VALUE_EQUAL,
        "%s: not changed in READY", pspecs[i]->name);
    g_object_set_property (G_OBJECT (e), pspecs[i]->name, &before);
    gst_element_set_state (e, GST_STATE_PLAYING);
    g_value_unset (&before);
    g_value_unset (&after);
    g_value_unset (&other);
    tried++;
  }
  fail_unless (tried > 30, "%u", tried);
  g_free (pspecs);
  gst_element_set_bus (e, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  gst_object_unref (e);
}

GST_END_TEST;

/* Both spellings; what is read back is the first. */
GST_START_TEST (test_decibels)
{
  GstElement *e = gst_element_factory_make ("melspectrogram", NULL);
  GValue value = G_VALUE_INIT;
  gchar *text;

  gst_util_set_object_arg (G_OBJECT (e), "log", "dB");
  g_value_init (&value, g_object_class_find_property (G_OBJECT_GET_CLASS (e),
          "log")->value_type);
  g_object_get_property (G_OBJECT (e), "log", &value);
  text = gst_value_serialize (&value);
  fail_unless_equals_string (text, "db");
  g_free (text);
  g_value_unset (&value);
  gst_object_unref (e);
}

GST_END_TEST;

GST_START_TEST (test_contradictions)
{
  static const struct
  {
    const gchar *props, *words;
  } cases[] = {
    {"win-length=401", "win-length (401)"},
    {"f-min=4000 f-max=3000", "f-min (4000 Hz)"},
    {"f-min=8000", "f-min (8000 Hz)"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *line = g_strconcat ("melspectrogram ", cases[i].props, NULL);
    GstElement *e = gst_parse_launch (line, NULL);
    GstBus *bus = gst_bus_new ();

    gst_element_set_bus (e, bus);
    fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
    pop (bus, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR_SETTINGS, cases[i].words);
    gst_element_set_state (e, GST_STATE_NULL);
    gst_element_set_bus (e, NULL);
    gst_object_unref (bus);
    gst_object_unref (e);
    g_free (line);
  }
}

GST_END_TEST;

GST_START_TEST (test_stream_errors)
{
  GstHarness *h = mel_new ("rate=0 f-max=7000 f-min=3000");
  GstBus *bus = gst_bus_new ();
  gfloat zero[100] = { 0 };
  GstBuffer *buf;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, AUDIO (8000, 1));
  pop (bus, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR_SETTINGS,
      "at most 4000 Hz");

  buf = mel_buffer (zero, 100, 0);
  gst_buffer_set_size (buf, 399);
  fail_unless_equals_int (gst_harness_push (h, buf), GST_FLOW_ERROR);
  pop (bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR_FORMAT, "399 bytes");

  gst_harness_set_src_caps_str (h, AUDIO (6000, 1));
  pop (bus, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "f-min (3000 Hz) to be below 3000 Hz");
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_presets)
{
  static const gchar *const names[] = { "torchaudio", "librosa", "whisper",
    "vggish", "kaldi"
  };
  GstElement *e = gst_element_factory_make ("melspectrogram", NULL);
  GstPreset *preset = GST_PRESET (e);
  gchar **found = gst_preset_get_preset_names (preset), *comment;
  guint rate, n_mels, per_buffer;
  gdouble preemphasis;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    fail_unless (g_strv_contains ((const gchar * const *) found, names[i]));
    fail_unless (gst_preset_get_meta (preset, names[i], "comment", &comment));
    fail_unless (strlen (comment) > 5);
    g_free (comment);
    /* They are nobody's to change. */
    fail_if (gst_preset_save_preset (preset, names[i]));
    fail_if (gst_preset_delete_preset (preset, names[i]));
    fail_if (gst_preset_rename_preset (preset, names[i], "mine"));
    fail_if (gst_preset_set_meta (preset, names[i], "comment", "mine"));
  }
  g_strfreev (found);
  fail_if (gst_preset_load_preset (preset, "no such preset"));

  /* Nothing of one recipe is left in the next; how the stream is handled stays. */
  g_object_set (e, "frames-per-buffer", 5, NULL);
  fail_unless (gst_preset_load_preset (preset, "librosa"));
  g_object_get (e, "rate", &rate, NULL);
  fail_unless_equals_int (rate, 22050);
  fail_unless (gst_preset_load_preset (preset, "kaldi"));
  g_object_get (e, "rate", &rate, "preemphasis", &preemphasis, NULL);
  fail_unless_equals_int (rate, 16000);
  fail_unless_equals_float (preemphasis, 0.97);
  fail_unless (gst_preset_load_preset (preset, "whisper"));
  g_object_get (e, "preemphasis", &preemphasis, "n-mels", &n_mels,
      "frames-per-buffer", &per_buffer, NULL);
  fail_unless_equals_float (preemphasis, 0);
  fail_unless_equals_int (n_mels, 80);
  fail_unless_equals_int (per_buffer, 5);
  gst_object_unref (e);
}

GST_END_TEST;

/* Users' own presets are files, as for any element. */
GST_START_TEST (test_saved_preset)
{
  GError *error = NULL;
  gchar *dir = g_dir_make_tmp ("continual-XXXXXX", &error);
  GstElement *e;
  guint n_mels;

  fail_unless (dir != NULL);
  g_setenv ("XDG_DATA_HOME", dir, TRUE);
  e = gst_element_factory_make ("melspectrogram", NULL);
  fail_unless (gst_preset_load_preset (GST_PRESET (e), "kaldi"));
  g_object_set (e, "n-mels", 40, NULL);
  fail_unless (gst_preset_save_preset (GST_PRESET (e), "kaldi-40"));
  gst_object_unref (e);

  e = gst_element_factory_make ("melspectrogram", NULL);
  fail_unless (gst_preset_load_preset (GST_PRESET (e), "kaldi-40"));
  g_object_get (e, "n-mels", &n_mels, NULL);
  fail_unless_equals_int (n_mels, 40);
  fail_unless (gst_preset_delete_preset (GST_PRESET (e), "kaldi-40"));
  gst_object_unref (e);
  g_free (dir);
}

GST_END_TEST;

/* Memory is the negotiated pool's, and a short buffer leaves no trace in it. */
GST_START_TEST (test_pool)
{
  GstHarness *h = mel_new_with_rate ("n-mels=4 frames-per-buffer=4 "
      "n-fft=160 center=false", 16000);
  gfloat zero[960] = { 0 };

  for (guint i = 0; i < 20; i++) {
    gst_harness_push (h, mel_buffer (zero, 960, i * GST_SECOND));
    gst_harness_push_event (h, gst_event_new_gap (i * GST_SECOND, 1));
    for (guint k = 0; k < 2; k++) {
      GstBuffer *buf = gst_harness_pull (h);

      fail_unless (buf->pool != NULL);
      fail_unless_equals_int (gst_buffer_get_size (buf), k ? 32 : 64);
      gst_buffer_unref (buf);
    }
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A hundred times through all states, with data. */
GST_START_TEST (test_state_cycles)
{
  gfloat *x = mel_noise (2000, 1);
  GstElement *e = gst_element_factory_make ("melspectrogram", NULL);

  for (guint i = 0; i < 100; i++) {
    GstHarness *h = gst_harness_new_with_element (e, "sink", "src");
    GArray *y;

    gst_harness_set_src_caps_str (h, AUDIO (16000, 1));
    mel_push (h, x, 2000, 300, 16000, 0);
    y = mel_pull (h);
    fail_unless_equals_int (y->len, 12 * 80);
    g_array_unref (y);
    gst_element_set_state (e, GST_STATE_NULL);
    gst_harness_teardown (h);
  }
  gst_object_unref (e);
  g_free (x);
}

GST_END_TEST;

static Suite *
melcaps_suite (void)
{
  Suite *s = suite_create ("melcaps");
  TCase *tc = tcase_create ("caps");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_out_caps);
  tcase_add_test (tc, test_downstream_caps);
  tcase_add_test (tc, test_upstream_caps);
  tcase_add_test (tc, test_properties_need_ready);
  tcase_add_test (tc, test_decibels);
  tcase_add_test (tc, test_contradictions);
  tcase_add_test (tc, test_stream_errors);
  tcase_add_test (tc, test_presets);
  tcase_add_test (tc, test_saved_preset);
  tcase_add_test (tc, test_pool);
  tcase_add_test (tc, test_state_cycles);
  return s;
}

GST_CHECK_MAIN (melcaps);
