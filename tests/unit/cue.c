/* gst-continual: how long a label is shown
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/cue.h"

#define HOLD 100

/* One vector of 10, and what it ends: "BEGIN-END", "" for nothing; with a + if a cue begins. */
static void
check (LabelCue * cue, gint label, GstClockTime time, const gchar * expected)
{
  g_autoptr (GString) got = g_string_new (NULL);
  LabelSpan span;
  gboolean began;

  if (label_cue_take (cue, label, time, 10, HOLD, &began, &span))
    g_string_append_printf (got, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, span.begin, span.end);
  if (began)
    g_string_append_c (got, '+');
  g_assert_cmpstr (got->str, ==, expected);
}

static void
check_close (LabelCue * cue, GstClockTime limit, GstClockTime begin, GstClockTime end)
{
  LabelSpan span;

  g_assert_true (label_cue_close (cue, limit, &span));
  g_assert_cmpuint (span.begin, ==, begin);
  g_assert_cmpuint (span.end, ==, end);
  g_assert_false (label_cue_close (cue, limit, &span));
}

static LabelCue
new_cue (void)
{
  LabelCue cue;

  label_cue_clear (&cue);
  return cue;
}

static void
test_held (void)
{
  LabelCue cue = new_cue ();

  check (&cue, LABEL_CUE_NONE, 0, "");
  check (&cue, 1, 10, "+");
  check (&cue, LABEL_CUE_NONE, 20, "");
  check (&cue, LABEL_CUE_NONE, 90, "");
  /* As soon as it is certain: what comes next begins at the end. */
  check (&cue, LABEL_CUE_NONE, 100, "10-110");
  check (&cue, LABEL_CUE_NONE, 110, "");
  check (&cue, 1, 120, "+");
}

static void
test_repeated (void)
{
  LabelCue cue = new_cue ();

  check (&cue, 1, 0, "+");
  check (&cue, LABEL_CUE_NONE, 10, "");
  check (&cue, 1, 90, "");
  check (&cue, 1, 100, "");     /* it was to end here */
  check (&cue, 1, 110, "");
  check (&cue, LABEL_CUE_NONE, 120, "0-120");
  /* after a pause without vectors that is longer than what is shown */
  check (&cue, 1, 200, "+");
  check (&cue, 1, 301, "200-300+");
}

static void
test_cut (void)
{
  LabelCue cue = new_cue ();

  check (&cue, 1, 0, "+");
  check (&cue, 2, 10, "0-10+");
  check (&cue, 1, 30, "10-30+");
  check (&cue, 2, 200, "30-130+");
  label_cue_renew (&cue);
  check (&cue, LABEL_CUE_NONE, 210, "");
  check (&cue, 2, 220, "200-220+");
  check (&cue, 2, 230, "");
}

static void
test_closed (void)
{
  LabelCue cue = new_cue ();
  LabelSpan span;

  g_assert_false (label_cue_close (&cue, GST_CLOCK_TIME_NONE, &span));
  check (&cue, 1, 0, "+");
  check_close (&cue, GST_CLOCK_TIME_NONE, 0, 100);
  check (&cue, 1, 10, "+");
  check_close (&cue, 50, 10, 50);
  check (&cue, 1, 20, "+");
  check_close (&cue, 0, 20, 30);
}

static void
test_unknown_durations (void)
{
  LabelCue cue = new_cue ();
  LabelSpan span;
  gboolean began;

  g_assert_false (label_cue_take (&cue, 1, 50, GST_CLOCK_TIME_NONE, HOLD, &began, &span));
  g_assert_false (label_cue_take (&cue, LABEL_CUE_NONE, 149, GST_CLOCK_TIME_NONE, HOLD, &began, &span));
  g_assert_true (label_cue_take (&cue, LABEL_CUE_NONE, 150, GST_CLOCK_TIME_NONE, HOLD, &began, &span));
  g_assert_cmpuint (span.end, ==, 150);
  /* The end of time is no time that is not known. */
  g_assert_false (label_cue_take (&cue, 1, G_MAXUINT64 - 50, 10, HOLD, &began, &span));
  check_close (&cue, GST_CLOCK_TIME_NONE, G_MAXUINT64 - 50, GST_CLOCK_TIME_NONE - 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cue/held", test_held);
  g_test_add_func ("/cue/repeated", test_repeated);
  g_test_add_func ("/cue/cut", test_cut);
  g_test_add_func ("/cue/closed", test_closed);
  g_test_add_func ("/cue/unknown-durations", test_unknown_durations);
  return g_test_run ();
}
