/* gst-continual: a stream of samples cut into overlapping frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mel/framer.h"

#include <string.h>

#define LENGTH 8
#define HOP 3
#define N 29

/* Frames of 8 samples every 3. */
static MelSettings
settings_new (gboolean center, MelPad pad_mode)
{
  return (MelSettings) {
  .snip_edges = TRUE,.n_fft = LENGTH,.hop_length = HOP,.center = center,.pad_mode = pad_mode,.frames_per_buffer = 1};
}

/* Samples @from to @to - 1, each of which is its index + 1. */
static void
append (MelFramer * framer, guint from, guint to)
{
  gfloat *samples = mel_framer_append (framer, to - from);

  for (guint i = from; i < to; i++)
    samples[i - from] = i + 1;
}

/* All frames of N samples, appended @step at a time. */
static GArray *
frames_new (const MelSettings * s, guint step)
{
  GArray *frames = g_array_new (FALSE, FALSE, LENGTH * sizeof (gdouble));
  MelFramer *framer = mel_framer_new (s);
  gdouble frame[LENGTH];

  for (guint i = 0; i <= N; i += step) {
    if (i < N)
      append (framer, i, MIN (i + step, N));
    if (i + step >= N)
      mel_framer_end (framer);
    while (mel_framer_get_n_ready (framer)) {
      mel_framer_take (framer, frame);
      g_array_append_val (frames, frame);
    }
  }
  mel_framer_free (framer);
  return frames;
}

static void
check_frame (GArray * frames, guint t, const gdouble expected[LENGTH])
{
  for (guint i = 0; i < LENGTH; i++)
    g_assert_cmpfloat (((gdouble (*)[LENGTH]) frames->data)[t][i], ==, expected[i]);
}

/* As torch.stft and librosa count: 1 + (N - 8) / 3 whole frames, or 1 + N / 3 around each third sample. */
static void
test_counts (void)
{
  MelSettings s = settings_new (FALSE, MEL_PAD_NONE);
  GArray *frames = frames_new (&s, N);

  g_assert_cmpuint (frames->len, ==, 1 + (N - LENGTH) / HOP);
  g_array_unref (frames);
  s = settings_new (TRUE, MEL_PAD_REFLECT);
  frames = frames_new (&s, N);
  g_assert_cmpuint (frames->len, ==, 1 + N / HOP);
  g_array_unref (frames);
  s.drop_last = TRUE;
  frames = frames_new (&s, N);
  g_assert_cmpuint (frames->len, ==, N / HOP);
  g_array_unref (frames);
}

static void
test_padding (void)
{
  MelSettings s = settings_new (TRUE, MEL_PAD_REFLECT);
  GArray *frames = frames_new (&s, N);

  check_frame (frames, 0, (const gdouble[]) { 5, 4, 3, 2, 1, 2, 3, 4 });
  check_frame (frames, 2, (const gdouble[]) { 3, 4, 5, 6, 7, 8, 9, 10 });
  check_frame (frames, 9, (const gdouble[]) { 24, 25, 26, 27, 28, 29, 28, 27 });
  g_array_unref (frames);
  s = settings_new (TRUE, MEL_PAD_CONSTANT);
  frames = frames_new (&s, N);
  check_frame (frames, 0, (const gdouble[]) { 0, 0, 0, 0, 1, 2, 3, 4 });
  check_frame (frames, 9, (const gdouble[]) { 24, 25, 26, 27, 28, 29, 0, 0 });
  g_array_unref (frames);
  s = settings_new (TRUE, MEL_PAD_REPLICATE);
  frames = frames_new (&s, N);
  check_frame (frames, 0, (const gdouble[]) { 1, 1, 1, 1, 1, 2, 3, 4 });
  check_frame (frames, 9, (const gdouble[]) { 24, 25, 26, 27, 28, 29, 29, 29 });
  g_array_unref (frames);
}

/* Kaldi's snip_edges=False, by its definition: frame t is centred on t * hop + hop / 2; a sample outside is that on the
 * other side of the edge. */
static void
test_mirror (void)
{
  for (guint length = 2; length < 12; length++)
    for (guint hop = 1; hop < 14; hop++) {
      MelSettings s = { .n_fft = length,.hop_length = hop,.frames_per_buffer = 1 };
      MelFramer *framer = mel_framer_new (&s);
      gdouble frame[12];

      append (framer, 0, N);
      mel_framer_end (framer);
      g_assert_cmpuint (mel_framer_get_n_ready (framer), ==, (N + hop / 2) / hop);
      for (gint t = 0; mel_framer_get_n_ready (framer); t++) {
        const gint start = t * (gint) hop + (gint) (hop / 2) - (gint) (length / 2);

        g_assert_cmpuint (mel_framer_get_position (framer, t), ==, t * hop + hop / 2);
        mel_framer_take (framer, frame);
        for (gint i = 0; i < (gint) length; i++) {
          gint k = start + i;

          while (k < 0 || k >= N)
            k = k < 0 ? -1 - k : 2 * N - 1 - k;
          g_assert_cmpfloat (frame[i], ==, k + 1);
        }
      }
      mel_framer_free (framer);
    }
}

/* How the samples are cut into buffers does not matter. */
static void
test_any_buffers (void)
{
  for (MelPad mode = MEL_PAD_NONE; mode <= MEL_PAD_REPLICATE; mode++)
    for (guint i = 0; i < 2; i++) {
      MelSettings s = settings_new (mode != MEL_PAD_NONE, mode);
      GArray *whole;

      /* Frames that overlap; frames with samples between them. */
      s.hop_length = i ? 14 : HOP;
      whole = frames_new (&s, N);
      s.snip_edges = mode != MEL_PAD_NONE || i;
      g_array_unref (whole);
      whole = frames_new (&s, N);
      for (guint step = 1; step < N; step++) {
        GArray *parts = frames_new (&s, step);

        g_assert_cmpmem (whole->data, whole->len * sizeof (gdouble[LENGTH]), parts->data,
            parts->len * sizeof (gdouble[LENGTH]));
        g_array_unref (parts);
      }
      g_array_unref (whole);
    }
}

/* No frame is ready later than the look-ahead says, and one at its limit is not ready before. */
static void
test_lookahead (void)
{
  for (guint i = 0; i < 8; i++) {
    MelSettings s = settings_new (!(i & 4), MEL_PAD_CONSTANT);
    MelFramer *framer;
    gdouble frame[LENGTH];
    guint64 n = 0, worst = 0;

    s.drop_last = i & 1;
    s.snip_edges = !(i & 4);
    s.hop_length = i & 2 ? 6 : HOP;
    framer = mel_framer_new (&s);
    for (guint64 t = 0; t < 10; t++) {
      while (!mel_framer_get_n_ready (framer)) {
        append (framer, n, n + 1);
        n++;
      }
      worst = MAX (worst, n - mel_framer_get_position (framer, t));
      mel_framer_take (framer, frame);
    }
    g_assert_cmpuint (worst, ==, mel_settings_get_lookahead (&s));
    mel_framer_free (framer);
  }
}

static void
test_reset (void)
{
  const MelSettings s = settings_new (TRUE, MEL_PAD_CONSTANT);
  MelFramer *framer = mel_framer_new (&s);
  gdouble first[LENGTH], again[LENGTH];

  append (framer, 0, 20);
  mel_framer_take (framer, first);
  mel_framer_take (framer, again);
  mel_framer_end (framer);
  mel_framer_reset (framer);
  g_assert_cmpuint (mel_framer_get_n_ready (framer), ==, 0);
  g_assert_cmpuint (mel_framer_get_n_samples (framer), ==, 0);
  append (framer, 0, 20);
  g_assert_cmpuint (mel_framer_get_next (framer), ==, 0);
  mel_framer_take (framer, again);
  g_assert_cmpmem (first, sizeof first, again, sizeof again);
  mel_framer_free (framer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/framer/counts", test_counts);
  g_test_add_func ("/framer/padding", test_padding);
  g_test_add_func ("/framer/mirror", test_mirror);
  g_test_add_func ("/framer/any-buffers", test_any_buffers);
  g_test_add_func ("/framer/lookahead", test_lookahead);
  g_test_add_func ("/framer/reset", test_reset);
  return g_test_run ();
}
