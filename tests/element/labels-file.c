/* gst-continual: tests of reading labels from files and properties
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labelertest.h"
#include "tensor/events.h"
#include "labeler/labelsfile.h"

static void
check_labels (gchar ** labels, const gchar * joined)
{
  gchar *text = g_strjoinv ("|", labels);

  fail_unless_equals_string (text, joined);
  g_free (text);
  g_strfreev (labels);
}

static void
check_file (const gchar * data, const gchar * joined)
{
  gchar *path = write_file (data, -1);
  GError *error = NULL;
  gchar **labels = labels_file_read (path, &error);

  fail_unless (labels != NULL, "%s", error ? error->message : "");
  check_labels (labels, joined);
  g_unlink (path);
  g_free (path);
}

GST_START_TEST (test_good_files)
{
  check_file ("yes\nno\n", "yes|no");
  check_file ("yes\nno", "yes|no");
  check_file ("yes\r\nno\r\n\r\n", "yes|no");
  check_file ("\xef\xbb\xbf yes \n\tno", "yes|no");
  check_file ("gr\xc3\xbcn\nnot so green", "gr\xc3\xbcn|not so green");
  check_file ("[PAD]\n[CLS]\n", "[PAD]|[CLS]");
  check_file (" [\"yes\", \"n\\no\", \"\\u00fc\"]\n", "yes|n\no|\xc3\xbc");
  check_file ("\xef\xbb\xbf[\n\"a,b\"]", "a,b");
}

GST_END_TEST;

static void
check_bad_path (const gchar * path, GQuark domain, gint code,
    const gchar * word)
{
  GError *error = NULL;

  fail_unless (labels_file_read (path, &error) == NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  fail_unless (strstr (error->message, "expected") != NULL, "%s",
      error->message);
  fail_unless (strstr (error->message, path) != NULL, "%s", error->message);
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
  g_error_free (error);
}

static void
check_bad (const gchar * data, gssize size, const gchar * word)
{
  gchar *path = write_file (data, size);

  check_bad_path (path, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, word);
  g_unlink (path);
  g_free (path);
}

GST_START_TEST (test_hostile_files)
{
  gsize size = (16 << 20) + 1;
  gchar *big = g_malloc (size);

  check_bad ("", 0, "none");
  check_bad ("\n \n", -1, "none");
  check_bad ("\xef\xbb\xbf", -1, "none");
  check_bad ("yes\n\nno\n", -1, "line 2 is empty");
  check_bad ("yes\nn\xff\xfe\n", -1, "byte 5");
  check_bad ("yes\0no", 6, "byte 3");
  check_bad ("[\"yes\", \"no\"", -1, "JSON");
  check_bad ("[\"yes\"] no", -1, "JSON");
  check_bad ("[\"yes\", 1]", -1, "element 1 of the array is not a string");
  check_bad ("[\"yes\", \"\"]", -1, "element 1 of the array is an empty");
  check_bad ("[\"yes\", \"a\\u0000b\"]", -1, "JSON");
  check_bad ("[]", -1, "none");

  memset (big, 'a', size);
  check_bad (big, (gssize) size, "16777217");
  memcpy (big, "[\"a\",", 5);
  memset (big + 5, '[', 200000);
  check_bad (big, 200005, "JSON");
  g_free (big);
}

GST_END_TEST;

GST_START_TEST (test_no_file)
{
  gchar *dir = g_dir_make_tmp (NULL, NULL);
  gchar *path = g_build_filename (dir, "none.txt", NULL);

  check_bad_path (path, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "labels-path");
  check_bad_path (dir, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
      "regular");
  /* endless, and not even regular */
  check_bad_path ("/dev/zero", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_OPEN_READ, "regular");
  g_rmdir (dir);
  g_free (path);
  g_free (dir);
}

GST_END_TEST;

GST_START_TEST (test_list)
{
  GError *error = NULL;

  check_labels (labels_list_parse ("", NULL), "");
  check_labels (labels_list_parse ("neither", NULL), "neither");
  check_labels (labels_list_parse (" a ,b,, c c,", NULL), "a|b|c c");
  check_labels (labels_list_parse ("[\"a,b\", \"c\"]", NULL), "a,b|c");
  check_labels (labels_list_parse ("[]", NULL), "");
  fail_unless (labels_list_parse ("[\"a\"", &error) == NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS));
  g_error_free (error);
}

GST_END_TEST;

static void
check_event (GstEvent * event, const gchar * const *expected)
{
  g_auto (GStrv) labels = labels_event_parse (event);

  fail_unless (labels != NULL);
  fail_unless (g_strv_equal ((const gchar * const *) labels, expected));
}

/* The same after it was written down and read again, as gdppay and gdpdepay do it. */
static void
check_written (const gchar * const *labels)
{
  GstEvent *event = labels_event_new (labels), *again;
  g_autofree gchar *text =
      gst_structure_to_string (gst_event_get_structure (event));
  GstStructure *s = gst_structure_from_string (text, NULL);

  fail_unless (s != NULL, "%s", text);
  again = gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, s);
  check_event (again, labels);
  gst_event_unref (again);
  gst_event_unref (event);
}

GST_START_TEST (test_event)
{
  const gchar *odd[] = { "a, b", "\"c\"", "d; e\\", "\u00e9", "5", "", NULL };
  const gchar *labels[] = { "yes", "no", NULL }, *bad[] = { "\xff", NULL };
  const gchar *none[] = { NULL };
  GstEvent *event = labels_event_new (labels);

  fail_unless (GST_EVENT_IS_STICKY (event));
  fail_unless (GST_EVENT_IS_SERIALIZED (event));
  fail_unless (GST_EVENT_IS_DOWNSTREAM (event));
  check_event (event, labels);
  gst_event_unref (event);
  check_written (labels);
  check_written (odd);
  check_written (none);
  event = gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
      gst_structure_new (LABELS_EVENT_NAME, "labels", G_TYPE_STRV, labels,
          NULL));
  check_event (event, labels);
  gst_event_unref (event);

  event = labels_event_new (none);
  check_event (event, none);
  gst_event_unref (event);
  event = labels_event_new (bad);
  fail_unless (labels_event_parse (event) == NULL);
  gst_event_unref (event);
  event = gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
      gst_structure_new (LABELS_EVENT_NAME, "labels", G_TYPE_INT, 3, NULL));
  fail_unless (labels_event_parse (event) == NULL);
  gst_event_unref (event);
  event = gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
      gst_structure_new ("other", "labels", G_TYPE_STRV, labels, NULL));
  fail_unless (labels_event_parse (event) == NULL);
  gst_event_unref (event);
  event = gst_event_new_eos ();
  fail_unless (labels_event_parse (event) == NULL);
  gst_event_unref (event);
}

GST_END_TEST;

static Suite *
labelsfile_suite (void)
{
  Suite *s = suite_create ("labelsfile");
  TCase *tc = tcase_create ("labels");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_good_files);
  tcase_add_test (tc, test_hostile_files);
  tcase_add_test (tc, test_no_file);
  tcase_add_test (tc, test_list);
  tcase_add_test (tc, test_event);
  return s;
}

GST_CHECK_MAIN (labelsfile);
