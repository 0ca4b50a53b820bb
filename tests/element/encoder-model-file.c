/* gst-continual: what is done to a model's file while an element runs it, and when it takes effect
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* Both with 32 features and a window of 8 */
#define MODEL "encoder-1-relu"
#define OTHER "encoder-2-relu"
#define VECTORS 20              /* of a case */
#define FULL 7                  /* the vector that completes the first window */

static Golden *g, *o;
static gchar *path, *content, *other_content;
static gsize size, other_size;

static void
setup (void)
{
  g_autofree gchar *from = model_path (MODEL), *other = model_path (OTHER);

  g = golden_load (MODEL, NULL);
  o = golden_load (OTHER, NULL);
  fail_unless (g_file_get_contents (from, &content, &size, NULL));
  fail_unless (g_file_get_contents (other, &other_content, &other_size, NULL));
  close (g_file_open_tmp ("continual-XXXXXX", &path, NULL));
  fail_unless (g_file_set_contents (path, content, size, NULL));
}

static void
teardown (void)
{
  g_unlink (path);
  g_clear_pointer (&path, g_free);
  g_clear_pointer (&content, g_free);
  g_clear_pointer (&other_content, g_free);
  golden_free (g);
  golden_free (o);
}

/* As training scripts do that know nothing of renaming */
static void
write_in_place (const gchar * data, gsize n)
{
  gint fd = open (path, O_WRONLY | O_TRUNC);

  fail_unless (fd >= 0);
  fail_unless (write (fd, data, n) == (gssize) n);
  close (fd);
}

static void
cut (void)
{
  fail_unless_equals_int (truncate (path, size / 2), 0);
}

static void
empty (void)
{
  write_in_place ("", 0);
}

static void
scribble (void)
{
  g_autofree gchar *noise = g_malloc (size);

  memset (noise, 0x5a, size);
  write_in_place (noise, size);
}

static void
rewrite_in_place (void)
{
  write_in_place (other_content, other_size);
}

static void
replace (void)
{
  fail_unless (g_file_set_contents (path, other_content, other_size, NULL));
}

static void
take_away (void)
{
  fail_unless_equals_int (g_unlink (path), 0);
}

static GstHarness *
begin (void)
{
  g_autofree gchar *line = g_strdup_printf ("model-path=%s", path);
  GstHarness *h = encoder_new (NULL, line);

  encoder_set_caps (h, "32", 100);
  return h;
}

/* The case goes on from vector @from to its end, with the outputs of the model that was there at the start. */
static void
go_on (GstHarness * h, const Golden * golden, gsize from)
{
  push_vectors (h, golden, from, VECTORS - from);
  pull_outputs (h, golden, MAX (from, FULL) - FULL, VECTORS - MAX (from,
          FULL));
}

/* @domain: of the error at the next start; 0: it starts with the other model. */
static void
check_change (void (*change) (void), GQuark domain, gint code)
{
  GstHarness *h = begin ();
  GstBus *bus = bus_new (h->element);

  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 3);
  change ();
  go_on (h, g, 10);
  fail_unless (gst_bus_pop (bus) == NULL);
  encoder_stop (h, GST_STATE_READY);
  if (!domain) {
    encoder_start (h);
    encoder_set_caps (h, "32", 100);
    go_on (h, o, 0);
  } else {
    fail_unless_equals_int (gst_element_set_state (h->element,
            GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
        domain, code, path, NULL);
    /* It goes on when the file is back. */
    fail_unless (g_file_set_contents (path, content, size, NULL));
    encoder_start (h);
    encoder_set_caps (h, "32", 100);
    go_on (h, g, 0);
  }
  bus_free (h->element, bus);
  gst_harness_teardown (h);
  fail_unless (g_file_set_contents (path, content, size, NULL));
}

GST_START_TEST (test_changed)
{
  check_change (rewrite_in_place, 0, 0);
  check_change (replace, 0, 0);
  check_change (cut, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE);
  check_change (empty, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE);
  check_change (scribble, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE);
  check_change (take_away, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
}

GST_END_TEST;

/* The same path set again is the file as it is now, and one that is broken changes nothing. */
GST_START_TEST (test_set_again)
{
  GstHarness *h = begin ();
  GstBus *bus = bus_new (h->element);

  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 3);
  cut ();
  encoder_set_text (h, "model-path", path);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, path, NULL);
  go_on (h, g, 10);
  rewrite_in_place ();
  encoder_set_text (h, "model-path", path);
  go_on (h, o, 0);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING |
          GST_MESSAGE_ERROR) == NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A model that was set while the element ran and waits for a buffer that does not come is that of the next start. */
GST_START_TEST (test_stopped_before_swap)
{
  g_autofree gchar *other = model_path (OTHER);
  const GstState lows[] = { GST_STATE_READY, GST_STATE_NULL };

  for (guint i = 0; i < G_N_ELEMENTS (lows); i++) {
    GstHarness *h = begin ();
    GstBus *bus = bus_new (h->element);
    g_autofree gchar *found = NULL;

    push_vectors (h, g, 0, 10);
    pull_outputs (h, g, 0, 3);
    encoder_set_text (h, "model-path", path);
    encoder_set_text (h, "model-path", other);
    encoder_stop (h, lows[i]);
    found = encoder_get_text (h, "model-path");
    fail_unless_equals_string (found, other);
    for (guint start = 0; start < 2; start++) {
      encoder_start (h);
      encoder_set_caps (h, "32", 100);
      go_on (h, o, 0);
      encoder_stop (h, lows[i]);
    }
    fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING |
            GST_MESSAGE_ERROR) == NULL);
    bus_free (h->element, bus);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-modelfile");
  TCase *tc = tcase_create ("modelfile");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_changed);
  tcase_add_test (tc, test_set_again);
  tcase_add_test (tc, test_stopped_before_swap);
  return s;
}

GST_CHECK_MAIN (encoder);
