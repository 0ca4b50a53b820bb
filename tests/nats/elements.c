/* natstensorsink and natstensorsrc, with real servers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <string.h>

#include "encodertest.h"
#include "common/reader.h"
#include "servers.h"

#define CAPS TENSORS ",dimensions=(string)4:1:1:1,framerate=(fraction)100/1"
#define SUBJECT "tests.a"
#define WIDTH 4

static Servers *servers;
static Link *test_link;

static void
setup (void)
{
  const char *subject = "tests.*";
  jsStreamConfig config;
  jsStreamInfo *info = NULL;

  servers = servers_new (1, 4);
  test_link = servers_link (servers);
  jsStreamConfig_Init (&config);
  config.Name = "tests";
  config.Subjects = &subject;
  config.SubjectsLen = 1;
  fail_unless (js_AddStream (&info, link_get_jetstream (test_link), &config,
          NULL, NULL) == NATS_OK);
  jsStreamInfo_Destroy (info);
}

static void
teardown (void)
{
  link_close (test_link);
  servers_free (servers);
}

static GstElement *
make (const gchar * name, const gchar * properties)
{
  g_autofree gchar *line = g_strdup_printf ("%s servers=%s %s", name,
      servers->urls, properties);
  GstElement *element = gst_parse_launch (line, NULL);

  fail_unless (element != NULL);
  return element;
}

static GstHarness *
sink_new (const gchar * properties)
{
  GstElement *element = make ("natstensorsink", properties);
  GstHarness *h = gst_harness_new_with_element (element, "sink", NULL);

  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, CAPS);
  return h;
}

static GstHarness *
src_new (const gchar * properties)
{
  GstElement *element = make ("natstensorsrc", properties);
  GstHarness *h = gst_harness_new_with_element (element, NULL, "src");

  gst_object_unref (element);
  gst_harness_use_systemclock (h);
  gst_harness_play (h);
  return h;
}

/* Vector number @i: 10 ms each */
static GstBuffer *
vector (guint i)
{
  const float x[WIDTH] = { i, i + 0.25f, -1.0f * i, 1e-20f };

  return vectors_new (x, WIDTH, i * 10 * GST_MSECOND, 10 * GST_MSECOND);
}

static void
push (GstHarness * h, guint from, guint to)
{
  for (guint i = from; i < to; i++)
    fail_unless_equals_int (gst_harness_push (h, vector (i)), GST_FLOW_OK);
}

static void
pull (GstHarness * h, guint from, guint to)
{
  for (guint i = from; i < to; i++) {
    GstBuffer *buffer = gst_harness_pull (h), *expected = vector (i);
    GstMapInfo map;

    fail_unless (buffer != NULL);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), GST_BUFFER_PTS (expected));
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), 10 * GST_MSECOND);
    fail_unless (gst_buffer_map (expected, &map, GST_MAP_READ));
    fail_unless_equals_int (gst_buffer_memcmp (buffer, 0, map.data, map.size), 0);
    fail_unless_equals_int (gst_buffer_get_size (buffer), map.size);
    gst_buffer_unmap (expected, &map);
    gst_buffer_unref (buffer);
    gst_buffer_unref (expected);
  }
}

/* Waits for an event of @type. */
static GstEvent *
wait_event (GstHarness * h, GstEventType type)
{
  GstEvent *event;

  while ((event = gst_harness_pull_event (h)) && GST_EVENT_TYPE (event) != type)
    gst_event_unref (event);
  fail_unless (event != NULL);
  return event;
}

/* Everything that a stream says comes back: caps, times, gaps, labels, discontinuities, its begin and its end. */
GST_START_TEST (test_round_trip)
{
  GstHarness *in = sink_new ("subject=" SUBJECT);
  GstHarness *out = src_new ("subject=" SUBJECT " start=all eos-at-end=true");
  GstStructure *labels = gst_structure_from_string ("continual-labels, labels=(string)<a, \"b c\", \"d\\\"e\">", NULL);
  GstEvent *event;
  GstBuffer *buffer;
  GstCaps *caps, *expected = gst_caps_from_string (CAPS);
  GstClockTime pts, duration;
  const GstSegment *segment;

  gst_harness_push_event (in, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, labels));
  push (in, 5, 7);
  gst_harness_push_event (in, gst_event_new_gap (70 * GST_MSECOND, 20 * GST_MSECOND));
  buffer = vector (9);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_harness_push (in, buffer);
  push (in, 10, 12);
  gst_harness_push_event (in, gst_event_new_eos ());

  gst_event_unref (wait_event (out, GST_EVENT_STREAM_START));
  gst_event_unref (wait_event (out, GST_EVENT_STREAM_START));   /* that of the sender */
  event = wait_event (out, GST_EVENT_CAPS);
  gst_event_parse_caps (event, &caps);
  fail_unless (gst_caps_is_equal (caps, expected));
  gst_event_unref (event);
  event = wait_event (out, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  fail_unless (gst_event_has_name (event, "continual-labels"));
  {
    const GValue *array = gst_structure_get_value (gst_event_get_structure (event), "labels");

    fail_unless_equals_int (gst_value_array_get_size (array), 3);
    fail_unless_equals_string (g_value_get_string (gst_value_array_get_value (array, 2)), "d\"e");
  }
  gst_event_unref (event);
  event = wait_event (out, GST_EVENT_SEGMENT);
  gst_event_parse_segment (event, &segment);
  fail_unless_equals_uint64 (segment->start, 50 * GST_MSECOND);
  gst_event_unref (event);
  pull (out, 5, 7);
  event = wait_event (out, GST_EVENT_GAP);
  gst_event_parse_gap (event, &pts, &duration);
  fail_unless_equals_uint64 (pts, 70 * GST_MSECOND);
  fail_unless_equals_uint64 (duration, 20 * GST_MSECOND);
  gst_event_unref (event);
  buffer = gst_harness_pull (out);
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  gst_buffer_unref (buffer);
  buffer = gst_harness_pull (out);
  fail_if (GST_BUFFER_IS_DISCONT (buffer));
  gst_buffer_unref (buffer);
  pull (out, 11, 12);
  gst_event_unref (wait_event (out, GST_EVENT_EOS));
  gst_caps_unref (expected);
  gst_harness_teardown (in);
  gst_harness_teardown (out);
}

GST_END_TEST;

/* A stream that begins, by a STREAM_START or a reset, begins there as well, at the time when it comes. */
GST_START_TEST (test_streams)
{
  GstHarness *in = sink_new ("subject=" SUBJECT);
  GstHarness *out = src_new ("subject=" SUBJECT);
  GstEvent *event;
  const GstSegment *segment;
  g_autofree gchar *old = NULL;
  const gchar *id;
  GstClockTime base;

  push (in, 0, 3);
  pull (out, 0, 3);
  gst_event_unref (wait_event (out, GST_EVENT_STREAM_START));
  event = wait_event (out, GST_EVENT_STREAM_START);
  gst_event_parse_stream_start (event, &id);
  old = g_strdup (id);
  gst_event_unref (event);
  event = wait_event (out, GST_EVENT_SEGMENT);
  gst_event_parse_segment (event, &segment);
  base = segment->base;
  gst_event_unref (event);
  g_usleep (50000);
  gst_harness_push_event (in, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty ("continual-reset")));
  push (in, 1, 4);
  pull (out, 1, 4);
  event = wait_event (out, GST_EVENT_STREAM_START);
  gst_event_parse_stream_start (event, &id);
  fail_if (g_str_equal (old, id));
  gst_event_unref (event);
  event = wait_event (out, GST_EVENT_SEGMENT);
  gst_event_parse_segment (event, &segment);
  fail_unless_equals_uint64 (segment->start, 10 * GST_MSECOND);
  fail_unless (segment->base >= base + 40 * GST_MSECOND);
  gst_event_unref (event);
  gst_harness_teardown (in);
  gst_harness_teardown (out);
}

GST_END_TEST;

GST_START_TEST (test_latency)
{
  GstHarness *out = src_new ("subject=" SUBJECT " latency=350");
  GstQuery *query = gst_query_new_latency ();
  gboolean live;
  GstClockTime min, max;

  fail_unless (gst_element_query (out->element, query));
  gst_query_parse_latency (query, &live, &min, &max);
  fail_unless (live);
  fail_unless_equals_uint64 (min, 350 * GST_MSECOND);
  fail_unless_equals_uint64 (max, GST_CLOCK_TIME_NONE);
  gst_query_unref (query);
  gst_harness_teardown (out);
}

GST_END_TEST;

/* JetStream remembers how far a durable reader came. */
GST_START_TEST (test_durable)
{
  GstHarness *in = sink_new ("subject=" SUBJECT " max-bytes=16");        /* one vector a message */
  GstHarness *out;
  GstBuffer *buffer;

  push (in, 0, 10);
  out = src_new ("subject=" SUBJECT " durable=d start=all");
  pull (out, 0, 10);
  gst_harness_teardown (out);
  push (in, 10, 20);
  out = src_new ("subject=" SUBJECT " durable=d start=all");
  buffer = gst_harness_pull (out);      /* the last one may come again */
  fail_unless (buffer != NULL);
  fail_unless (GST_BUFFER_PTS (buffer) >= 90 * GST_MSECOND);
  if (GST_BUFFER_PTS (buffer) == 90 * GST_MSECOND)
    pull (out, 10, 11);
  gst_buffer_unref (buffer);
  pull (out, 11, 20);
  gst_harness_teardown (out);
  gst_harness_teardown (in);
}

GST_END_TEST;

/* Messages that went to somebody else, who asked for them under the same name, come all the same, and in order. */
GST_START_TEST (test_stolen)
{
  GstHarness *in = sink_new ("subject=" SUBJECT " max-bytes=16");        /* one vector a message */
  GstHarness *out = src_new ("subject=" SUBJECT " durable=d");
  natsSubscription *thief = NULL;
  natsMsg *msg = NULL;

  push (in, 0, 3);
  pull (out, 0, 3);
  fail_unless (natsConnection_SubscribeSync (&thief, link_get_connection (test_link), "_INBOX.thief") == NATS_OK);
  for (guint i = 3; i < 30; i += 9) {
    fail_unless (natsConnection_PublishRequestString (link_get_connection (test_link), "$JS.API.CONSUMER.MSG.NEXT.tests.d",
            "_INBOX.thief", "{\"batch\":3,\"expires\":5000000000}") == NATS_OK);
    fail_unless (natsConnection_Flush (link_get_connection (test_link)) == NATS_OK);
    push (in, i, i + 9);
    pull (out, i, i + 9);
  }
  fail_unless (natsSubscription_NextMsg (&msg, thief, 1000) == NATS_OK);
  fail_unless (natsMsg_GetDataLength (msg) == 16);      /* it did get some */
  natsMsg_Destroy (msg);
  natsSubscription_Destroy (thief);
  gst_harness_teardown (in);
  gst_harness_teardown (out);
}

GST_END_TEST;

static gpointer
push_many (gpointer data)
{
  push (data, 3, 300);
  return NULL;
}

/* While the server is away, what fits is collected and then upstream waits; nothing is lost, and the bus tells. */
GST_START_TEST (test_reconnect)
{
  GstHarness *in = sink_new ("subject=" SUBJECT " max-bytes=1600");     /* 100 vectors */
  GstHarness *out = src_new ("subject=" SUBJECT);
  GstBus *bus = bus_new (in->element);
  GstMessage *message;
  GThread *thread;
  gboolean connected = TRUE;

  push (in, 0, 3);
  pull (out, 0, 3);
  servers_kill (servers, 0);
  message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND, GST_MESSAGE_ELEMENT);
  fail_unless (message != NULL);
  fail_unless (gst_structure_get_boolean (gst_message_get_structure (message), "connected", &connected));
  fail_if (connected);
  gst_message_unref (message);
  thread = g_thread_new ("push", push_many, in);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_WARNING);
  check_message (message, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, SUBJECT, "tried again", NULL);
  fail_unless (gst_harness_buffers_received (in) < 250); /* upstream waits */
  servers_start (servers, 0);
  g_thread_join (thread);
  pull (out, 3, 300);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_INFO);
  fail_unless (message != NULL);
  gst_message_unref (message);
  bus_free (in->element, bus);
  gst_harness_teardown (in);
  gst_harness_teardown (out);
}

GST_END_TEST;

static void
expect_error (const gchar * line, GQuark domain, gint code, const gchar * text)
{
  GstElement *element = gst_parse_launch (line, NULL);
  GstBus *bus = bus_new (element);

  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR), domain, code, text, NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  bus_free (element, bus);
  gst_object_unref (element);
}

GST_START_TEST (test_errors)
{
  g_autofree gchar *nobody = g_strdup_printf ("natstensorsrc servers=%s subject=nobody.x", servers->urls);

  expect_error ("natstensorsink", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "found none: set the property subject");
  expect_error ("natstensorsink subject=a.*", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "without spaces, wildcards");
  expect_error ("natstensorsink subject=a\\\"b", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "quotes and backslashes, found a\"b");
  expect_error ("natstensorsink subject=a servers=nats://127.0.0.1:1", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE, "start nats-server");
  expect_error ("natstensorsrc subject=a servers=nats://127.0.0.1:1", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, "start nats-server");
  expect_error ("natstensorsrc subject=a durable=b.c", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "durable b.c");
  expect_error (nobody, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, "a JetStream stream that stores it, found none");
}

GST_END_TEST;

/* A subject that no stream stores is told, and what came meanwhile is sent when there is one. */
GST_START_TEST (test_no_stream)
{
  GstHarness *in = sink_new ("subject=other.a");
  GstBus *bus = bus_new (in->element);
  const char *subject = "other.*";
  jsStreamConfig config;
  jsStreamInfo *info = NULL;
  GstHarness *out;

  push (in, 0, 5);
  check_message (gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_WARNING), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
      "a JetStream stream that stores subject other.a, found none", NULL);
  jsStreamConfig_Init (&config);
  config.Name = "other";
  config.Subjects = &subject;
  config.SubjectsLen = 1;
  fail_unless (js_AddStream (&info, link_get_jetstream (test_link), &config, NULL, NULL) == NATS_OK);
  jsStreamInfo_Destroy (info);
  out = src_new ("subject=other.a start=all");
  pull (out, 0, 5);
  bus_free (in->element, bus);
  gst_harness_teardown (in);
  gst_harness_teardown (out);
}

GST_END_TEST;

static void
publish (const gchar * const *headers, const gchar * data, gsize size)
{
  natsMsg *msg = NULL;

  fail_unless (natsMsg_Create (&msg, SUBJECT, NULL, data, (int) size) == NATS_OK);
  for (; headers[0]; headers += 2)
    fail_unless (natsMsgHeader_Set (msg, headers[0], headers[1]) == NATS_OK);
  fail_unless (js_PublishMsg (NULL, link_get_jetstream (test_link), msg, NULL, NULL) == NATS_OK);
  natsMsg_Destroy (msg);
}

/* Messages that are none of ours are told and skipped; one that is missing is told. */
GST_START_TEST (test_bad_messages)
{
  static const struct
  {
    const gchar *headers[9], *text;
  } bad[] = {
    {{NULL}, "header Continual-Stream: expected ID INDEX, found none"},
    {{"Continual-Stream", "x"}, "found \"x\""},
    {{"Continual-Stream", "x -1"}, "found \"x -1\""},
    {{"Continual-Stream", "x 9223372036854775807"}, "expected ID INDEX"},
    {{"Continual-Stream", "\xff 0"}, "expected ID INDEX"},
    {{"Continual-Stream", "x 99999999999999999999"}, "expected ID INDEX"},
    {{"Continual-Stream", "x 0"}, "as long as the payload, found 0"},
    {{"Continual-Stream", "x 0", "Continual-Buffers", "0+0:8"}, "found 8"},
    {{"Continual-Stream", "x 0", "Continual-Buffers", "0+0:18446744073709551615 0+0:17"}, "PTS+DURATION:BYTES"},
    {{"Continual-Stream", "x 0", "Continual-Buffers", "0:16"}, "PTS+DURATION:BYTES"},
    {{"Continual-Stream", "x 0", "Continual-Buffers", "0+0:16"}, "header Continual-Caps: expected the caps"},
    {{"Continual-Stream", "x 0", "Continual-Buffers", "0+0:16", "Continual-Caps", "EMPTY"}, "expected fixed caps of tensors or text"},
    {{"Continual-Stream", "x 0", "Continual-Buffers", "0+0:16", "Continual-Caps", "garbage"}, "found \"garbage\""},
    {{"Continual-Stream", "x 0", "Continual-Buffers", "0+0:16", "Continual-Caps", CAPS, "Continual-Labels", "[1]"}, "array of strings"},
    {{"Continual-Stream", "x 0", "Continual-Buffers", "0+0:16", "Continual-Caps", CAPS, "Continual-End", "maybe"}, "true or none"},
  };
  GstHarness *out = src_new ("subject=" SUBJECT);
  GstHarness *in = sink_new ("subject=" SUBJECT " max-bytes=16");
  GstBus *bus = bus_new (out->element);

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    publish (bad[i].headers, "0123456789abcdef", 16);
    check_message (gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND, GST_MESSAGE_WARNING), GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
        SUBJECT, bad[i].text, NULL);
  }
  push (in, 0, 2);
  pull (out, 0, 2);
  publish ((const gchar *[]) {
      "Continual-Stream", "y 0", "Continual-Buffers", "0+10:16", "Continual-Caps", CAPS, NULL}, "0123456789abcdef", 16);
  publish ((const gchar *[]) {
      "Continual-Stream", "y 3", "Continual-Buffers", "30+10:16", "Continual-Caps", CAPS, NULL}, "0123456789abcdef", 16);
  gst_buffer_unref (gst_harness_pull (out));
  check_message (gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND, GST_MESSAGE_WARNING), GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
      "expected message 1 of its stream, found 3", NULL);
  gst_buffer_unref (gst_harness_pull (out));
  bus_free (out->element, bus);
  gst_harness_teardown (in);
  gst_harness_teardown (out);
}

GST_END_TEST;

static void
on_arrived (gpointer data)
{
}

static void
expect_between (Reader * reader, const gchar * subject, guint64 after, guint64 target, gboolean ok, guint n)
{
  GQueue messages = G_QUEUE_INIT;
  natsMsg *msg;

  fail_unless_equals_int (reader_read_between (reader, subject, after, target, &messages), ok);
  fail_unless_equals_int (messages.length, n);
  while ((msg = g_queue_pop_head (&messages)))
    natsMsg_Destroy (msg);
}

/* What was delivered, as a consumer counts it, may end with a message of another subject. */
GST_START_TEST (test_between)
{
  g_autofree gchar *why = NULL;
  Reader *reader = reader_open (test_link, &(ReaderSettings) {
      "tests", SUBJECT, NULL, READER_ALL, 16, 16}, on_arrived, NULL, &why);

  fail_unless (reader != NULL);
  for (guint i = 0; i < 5; i++)
    fail_unless (js_Publish (NULL, link_get_jetstream (test_link), i < 3 ? SUBJECT : "tests.b", "", 0, NULL, NULL) == NATS_OK);
  expect_between (reader, SUBJECT, 0, 3, TRUE, 3);
  expect_between (reader, SUBJECT, 1, 2, TRUE, 1);
  expect_between (reader, SUBJECT, 1, 5, TRUE, 2);
  expect_between (reader, SUBJECT, 3, 5, TRUE, 0);
  expect_between (reader, "tests.*", 0, 5, TRUE, 5);
  expect_between (reader, SUBJECT, 0, 6, FALSE, 0);
  reader_close (reader);
}

GST_END_TEST;

/* In PAUSED a sink that waits gives way; PLAYING again, all arrives. */
GST_START_TEST (test_pause_while_waiting)
{
  g_autofree gchar *line =
      g_strdup_printf ("audiotestsrc num-buffers=200 ! audio/x-raw,rate=16000 ! audioconvert ! melspectrogram"
      " ! natstensorsink servers=%s subject=" SUBJECT " max-bytes=4000", servers->urls);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  fail_unless (pipeline != NULL);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL, 10 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
  servers_kill (servers, 0);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_usleep (300000);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL, 10 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
  servers_start (servers, 0);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST;

static Suite *
elements_suite (void)
{
  Suite *s = suite_create ("nats-elements");
  TCase *tc = tcase_create ("elements");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_round_trip);
  tcase_add_test (tc, test_streams);
  tcase_add_test (tc, test_latency);
  tcase_add_test (tc, test_durable);
  tcase_add_test (tc, test_stolen);
  tcase_add_test (tc, test_reconnect);
  tcase_add_test (tc, test_errors);
  tcase_add_test (tc, test_no_stream);
  tcase_add_test (tc, test_bad_messages);
  tcase_add_test (tc, test_between);
  tcase_add_test (tc, test_pause_while_waiting);
  return s;
}

GST_CHECK_MAIN (elements);
