/* gst-continual: melspectrogram against the recipes' own libraries
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every directory of tests/golden-mel is a case: a safetensors file of the audio and the mel frames, its metadata
 * the recipe. A key is the property of that name with dashes for underscores. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "meltest.h"

typedef struct
{
  gchar *name;
  gchar *bytes;
  json_t *header;
  const gfloat *audio;          /* (n) */
  gsize n;
  const gfloat *mel;            /* (n_frames, n_mels) */
  gsize n_frames, n_mels;
} Case;

static const gchar *
meta (const Case * c, const gchar * key)
{
  return json_string_value (json_object_get (json_object_get (c->header,
              "__metadata__"), key));
}

static const gfloat *
tensor (const Case * c, gsize data, const gchar * name, gsize * dims, gsize n)
{
  json_t *t = json_object_get (c->header, name);
  json_t *shape = json_object_get (t, "shape");

  fail_unless_equals_string (json_string_value (json_object_get (t, "dtype")),
      "F32");
  fail_unless_equals_int (json_array_size (shape), n);
  for (gsize i = 0; i < n; i++)
    dims[i] = json_integer_value (json_array_get (shape, i));
  return (const gfloat *) (c->bytes + data +
      json_integer_value (json_array_get (json_object_get (t,
                  "data_offsets"), 0)));
}

static Case
load (const gchar * name)
{
  Case c = { g_strdup (name) };
  gchar *path = g_build_filename (g_getenv ("CONTINUAL_TEST_DATA"),
      "golden-mel", name, "io.safetensors", NULL);
  guint64 length;
  gsize dims[2];

  fail_unless (g_file_get_contents (path, &c.bytes, NULL, NULL), "%s", path);
  memcpy (&length, c.bytes, sizeof (length));
  length = GUINT64_FROM_LE (length);
  c.header = json_loadb (c.bytes + 8, length, 0, NULL);
  fail_unless (c.header != NULL, "%s", path);
  c.audio = tensor (&c, 8 + length, "audio", &c.n, 1);
  c.mel = tensor (&c, 8 + length, "mel", dims, 2);
  c.n_frames = dims[0];
  c.n_mels = dims[1];
  g_free (path);
  return c;
}

static void
clear (Case * c)
{
  json_decref (c->header);
  g_free (c->bytes);
  g_free (c->name);
}

static gchar *
recipe_to_properties (const Case * c)
{
  GString *s = g_string_new (NULL);
  const char *key;
  json_t *value;

  json_object_foreach (json_object_get (c->header, "__metadata__"), key, value)
      g_string_append_printf (s, "%s=%s ", key, json_string_value (value));
  for (gchar * p = s->str; *p; p++)
    if (*p == '_')
      *p = '-';
  return g_string_free (s, FALSE);
}

static void
check (const Case * c, const gchar * props, gsize split)
{
  guint rate = strtoul (meta (c, "rate"), NULL, 10);
  GstHarness *h = mel_new_with_rate (props, rate);
  gboolean logarithmic = strcmp (meta (c, "log"), "none") != 0;
  gdouble largest = 0, worst = 0, tolerance;
  GArray *y;

  mel_push (h, c->audio, c->n, split, rate, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  y = mel_pull (h);
  fail_unless_equals_int (y->len, c->n_frames * c->n_mels);
  for (gsize i = 0; i < y->len; i++) {
    largest = MAX (largest, fabs (c->mel[i]));
    worst = MAX (worst, fabs (g_array_index (y, gfloat, i) - c->mel[i]));
  }
  tolerance = logarithmic ? 1e-3 : 1e-4 * largest;
  GST_INFO ("%s: %g of %g", c->name, worst, largest);
  fail_unless (worst <= tolerance, "%s, %" G_GSIZE_FORMAT " samples at once: "
      "expected at most %g, found %g off", c->name, split, tolerance, worst);
  g_array_unref (y);
  gst_harness_teardown (h);
}

typedef void (*CaseFunc) (const Case * c);

static void
for_each_case (CaseFunc func)
{
  gchar *path = g_build_filename (g_getenv ("CONTINUAL_TEST_DATA"),
      "golden-mel", NULL);
  GDir *dir = g_dir_open (path, 0, NULL);
  const gchar *name;
  guint n = 0;

  fail_unless (dir != NULL, "%s", path);
  for (; (name = g_dir_read_name (dir)); n++) {
    Case c = load (name);

    func (&c);
    clear (&c);
  }
  fail_unless (n >= 5);
  g_dir_close (dir);
  g_free (path);
}

static void
check_properties (const Case * c)
{
  static const gsize splits[] = { 1, 159, 160, 1001, 1000000 };
  gchar *props = recipe_to_properties (c);
  gchar *chunked = g_strconcat (props, "frames-per-buffer=7", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (splits); i++)
    check (c, props, splits[i]);
  check (c, chunked, 1001);
  g_free (chunked);
  g_free (props);
}

GST_START_TEST (test_properties)
{
  for_each_case (check_properties);
}

GST_END_TEST;

static void
check_preset (const Case * c)
{
  /* "mel-whisper" is the preset whisper. Cases of other names are recipes without one. */
  static const gchar *const presets[] = { "mel-torchaudio", "mel-librosa",
    "mel-whisper", "mel-vggish", "mel-kaldi", NULL
  };
  gchar *props;

  if (!g_strv_contains (presets, c->name))
    return;
  props = g_strdup_printf ("@preset=%s", c->name + strlen ("mel-"));
  check (c, props, 999);
  g_free (props);
}

GST_START_TEST (test_presets)
{
  for_each_case (check_preset);
}

GST_END_TEST;

/* Samples of 16 bits are fractions of 32768, several channels their average. */
static void
check_formats (const Case * c)
{
  static const gchar *const caps[] = {
    "audio/x-raw, format=" GST_AUDIO_NE (S16) ", channels=1,"
        " layout=interleaved, rate=",
    "audio/x-raw, format=" GST_AUDIO_NE (S16) ", channels=2,"
        " layout=interleaved, rate=",
    "audio/x-raw, format=" GST_AUDIO_NE (F32) ", channels=2,"
        " layout=interleaved, rate="
  };
  guint rate = strtoul (meta (c, "rate"), NULL, 10);
  gchar *recipe = recipe_to_properties (c);
  gchar *props = g_strconcat (recipe, " channels=mix", NULL);
  gfloat *rounded = g_new (gfloat, c->n);
  gint16 *s16 = g_new (gint16, c->n * 2);
  gfloat *f32 = g_new (gfloat, c->n * 2);
  GArray *expected, *found;
  GstHarness *h = mel_new_with_rate (recipe, rate);

  for (gsize i = 0; i < c->n; i++)
    rounded[i] = roundf (c->audio[i] * 32768.0f) / 32768.0f;
  mel_push (h, rounded, c->n, 1000, rate, 0);
  expected = mel_pull (h);
  gst_harness_teardown (h);

  for (guint k = 0; k < G_N_ELEMENTS (caps); k++) {
    gchar *full = g_strdup_printf ("%s%u", caps[k], rate);
    GstBuffer *buf;

    for (gsize i = 0; i < c->n; i++) {
      gint v = (gint) (rounded[i] * 32768.0f);

      if (k == 0) {
        s16[i] = v;
      } else {
        s16[2 * i] = v - 7;
        s16[2 * i + 1] = v + 7;
        f32[2 * i] = rounded[i] * 2.0f;
        f32[2 * i + 1] = 0.0f;
      }
    }
    h = mel_new (props);
    gst_harness_set_src_caps_str (h, full);
    buf = k < 2 ? gst_buffer_new_memdup (s16, c->n * (k + 1) * 2) :
        gst_buffer_new_memdup (f32, c->n * 8);
    fail_unless_equals_int (gst_harness_push (h, buf), GST_FLOW_OK);
    found = mel_pull (h);
    fail_unless_equals_int (found->len, expected->len);
    fail_unless (memcmp (found->data, expected->data,
            found->len * sizeof (gfloat)) == 0, "%s as %s", c->name, full);
    g_array_unref (found);
    gst_harness_teardown (h);
    g_free (full);
  }
  g_array_unref (expected);
  g_free (f32);
  g_free (s16);
  g_free (rounded);
  g_free (props);
  g_free (recipe);
}

GST_START_TEST (test_formats)
{
  for_each_case (check_formats);
}

GST_END_TEST;

static Suite *
melgolden_suite (void)
{
  Suite *s = suite_create ("melgolden");
  TCase *tc = tcase_create ("recipes");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_properties);
  tcase_add_test (tc, test_presets);
  tcase_add_test (tc, test_formats);
  return s;
}

GST_CHECK_MAIN (melgolden);
