/* gst-continual: melspectrogram against the definitions, evaluated naively in double
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random recipes over random lengths: whole padded signal, discrete Fourier transform by its sum. */
#include <math.h>

#include "meltest.h"

#define RATE 8000

typedef struct
{
  guint n_fft, win, hop, window, n_mels, scale, pad, log, t;
  gboolean snip, left, center, drop_last, remove_dc, slaney, in_mel, no_nyquist;
  gdouble gain, preemphasis, power, f_min, f_max, floor, offset;
  gdouble mean, factor, shift;
} Recipe;

static const gchar *const windows[] = { "hann", "hann-symmetric", "hamming",
  "hamming-symmetric", "blackman", "blackman-symmetric", "povey", "rectangular"
};

static const gchar *const scales[] = { "htk", "slaney", "kaldi" };
static const gchar *const pads[] = { "none", "constant", "reflect", "replicate" };
static const gchar *const logs[] = { "none", "ln", "log10", "db" };

static gdouble
window_at (const Recipe * r, gdouble i)
{
  gdouble n = r->win;
  gdouble x = 2 * G_PI * i / (n - 1), y = 2 * G_PI * i / n;

  if (n == 1)
    return 1;
  switch (r->window) {
    case 0:
      return (1 - cos (y)) / 2;
    case 1:
      return (1 - cos (x)) / 2;
    case 2:
      return 0.54 - 0.46 * cos (y);
    case 3:
      return 0.54 - 0.46 * cos (x);
    case 4:
      return 0.42 - 0.5 * cos (y) + 0.08 * cos (2 * y);
    case 5:
      return 0.42 - 0.5 * cos (x) + 0.08 * cos (2 * x);
    case 6:
      return pow (0.5 - 0.5 * cos (x), 0.85);
    default:
      return 1;
  }
}

static gdouble
to_mel (const Recipe * r, gdouble f)
{
  if (r->scale != 1)
    return log (1 + f / 700);
  return f < 1000 ? f * 3 / 200 : 15 + 27 * log (f / 1000) / log (6.4);
}

/* By bisection: the inverse isn't what is being tested here. */
static gdouble
to_hz (const Recipe * r, gdouble mel)
{
  gdouble a = 0, b = 1e6;

  while (b - a > 1e-9 * b) {
    gdouble c = (a + b) / 2;

    if (to_mel (r, c) < mel)
      a = c;
    else
      b = c;
  }
  return a;
}

static gdouble
filter_at (const Recipe * r, guint m, guint bin)
{
  gdouble f = (gdouble) bin * RATE / r->n_fft, e[3], hz[3], w = 0;

  if (r->no_nyquist && 2 * bin == r->n_fft)
    return 0;
  for (guint i = 0; i < 3; i++) {
    gdouble low = to_mel (r, r->f_min), high = to_mel (r, r->f_max);

    e[i] = low + (high - low) * (m + i) / (r->n_mels + 1);
    hz[i] = to_hz (r, e[i]);
    if (!r->in_mel)
      e[i] = hz[i];
  }
  if (r->in_mel)
    f = to_mel (r, f);
  if (f > e[0] && f <= e[1])
    w = (f - e[0]) / (e[1] - e[0]);
  else if (f > e[1] && f < e[2])
    w = (e[2] - f) / (e[2] - e[1]);
  return r->slaney ? w * 2 / (hz[2] - hz[0]) : w;
}

/* The stream with its padding: x[i - pad]. */
static gdouble
padded_at (const Recipe * r, const gfloat * x, gint64 n, gint64 i)
{
  if (i >= 0 && i < n)
    return x[i];
  /* As Kaldi: the sample at the edge comes twice. */
  if (!r->snip) {
    while (i < 0 || i >= n)
      i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return x[i];
  }
  if (r->pad == 1)
    return 0;
  if (r->pad == 3)
    return x[i < 0 ? 0 : n - 1];
  /* Fold at either edge until inside. */
  while (n > 1 && (i < 0 || i >= n))
    i = i < 0 ? -i : 2 * (n - 1) - i;
  return x[n > 1 ? i : 0];
}

static GArray *
evaluate (const Recipe * r, const gfloat * x, gint64 n)
{
  GArray *out = g_array_new (FALSE, FALSE, sizeof (gdouble));
  gint64 length = r->left ? r->win : r->n_fft;
  gint64 pad = !r->snip ? length / 2 - r->hop / 2 : r->center && r->pad ? length / 2 : 0;
  gint64 frames = 0;
  gdouble *frame = g_new (gdouble, r->n_fft);
  gdouble *s = g_new (gdouble, r->n_fft / 2 + 1);

  while (r->snip && n > 0 && frames * r->hop + length <= n + 2 * pad)
    frames++;
  if (!r->snip)
    frames = (n + r->hop / 2) / r->hop;
  if (r->drop_last && frames)
    frames--;

  for (gint64 t = 0; t < frames; t++) {
    gdouble mean = 0, before;

    for (gint64 i = 0; i < length; i++) {
      frame[i] = r->gain * padded_at (r, x, n, t * r->hop - pad + i);
      mean += frame[i] / length;
    }
    for (gint64 i = 0; r->remove_dc && i < length; i++)
      frame[i] -= mean;
    before = frame[0];
    for (gint64 i = 0; i < length; i++) {
      gdouble here = frame[i];

      frame[i] -= r->preemphasis * before;
      before = here;
    }
    for (gint64 i = 0; i < length; i++) {
      gint64 at = i - (r->left ? 0 : (r->n_fft - r->win) / 2);

      frame[i] *= at >= 0 && at < r->win ? window_at (r, at) : 0;
    }
    for (guint k = 0; k <= r->n_fft / 2; k++) {
      gdouble re = 0, im = 0;

      for (gint64 i = 0; i < length; i++) {
        gdouble a = 2 * G_PI * ((k * i) % r->n_fft) / r->n_fft;

        re += frame[i] * cos (a);
        im -= frame[i] * sin (a);
      }
      s[k] = pow (hypot (re, im), r->power);
    }
    for (guint m = 0; m < r->n_mels; m++) {
      gdouble v = 0;

      for (guint k = 0; k <= r->n_fft / 2; k++)
        v += filter_at (r, m, k) * s[k];
      if (r->log)
        v = MAX (v + r->offset, r->floor);
      if (r->log == 1)
        v = log (v);
      else if (r->log == 2)
        v = log10 (v);
      else if (r->log == 3)
        v = 20 / r->power * log10 (v);
      v = (v - r->mean) * r->factor + r->shift;
      g_array_append_val (out, v);
    }
  }
  g_free (frame);
  g_free (s);
  return out;
}

static gboolean
toss (GRand * rand)
{
  return g_rand_int_range (rand, 0, 2);
}

static Recipe
draw_recipe (GRand * rand)
{
  static const gdouble powers[] = { 1, 2, 2, 1.5 };
  Recipe r = { 0 };

  r.n_fft = g_rand_int_range (rand, 2, 90);
  r.win = toss (rand) ? r.n_fft : (guint) g_rand_int_range (rand, 1,
      r.n_fft + 1);
  r.hop = g_rand_int_range (rand, 1, 120);
  r.window = g_rand_int_range (rand, 0, G_N_ELEMENTS (windows));
  r.n_mels = g_rand_int_range (rand, 1, 12);
  r.scale = g_rand_int_range (rand, 0, 3);
  r.pad = g_rand_int_range (rand, 0, 4);
  r.log = g_rand_int_range (rand, 0, 4);
  r.t = toss (rand) ? 1 : g_rand_int_range (rand, 2, 9);
  r.left = toss (rand);
  r.center = toss (rand);
  r.drop_last = toss (rand);
  r.remove_dc = toss (rand);
  r.slaney = toss (rand);
  r.in_mel = toss (rand);
  r.no_nyquist = toss (rand);
  r.gain = toss (rand) ? 1 : 32768;
  r.preemphasis = toss (rand) ? 0 : 0.97;
  r.power = powers[g_rand_int_range (rand, 0, 4)];
  r.f_min = toss (rand) ? 0 : g_rand_double_range (rand, 0, 2000);
  r.f_max = g_rand_double_range (rand, 2100, 5000);
  r.floor = toss (rand) ? 1e-3 : 1e-6;
  r.offset = toss (rand) ? 0 : 1e-2;
  r.mean = toss (rand) ? 0 : -4.27;
  r.factor = toss (rand) ? 1 : 0.25;
  r.shift = toss (rand) ? 0 : 1;
  r.snip = toss (rand) || toss (rand);
  r.center &= r.snip;
  return r;
}

static gchar *
describe (const Recipe * r)
{
  return g_strdup_printf ("rate=8000 n-fft=%u win-length=%u hop-length=%u "
      "window=%s left-window=%d snip-edges=%d center=%d pad-mode=%s drop-last=%d "
      "input-scale=%.17g remove-dc=%d preemphasis=%.17g power=%.17g n-mels=%u "
      "f-min=%.17g f-max=%.17g mel-scale=%s mel-norm=%s filter-domain=%s "
      "drop-nyquist=%d log=%s log-floor=%.17g log-offset=%.17g mean=%.17g "
      "scale=%.17g shift=%.17g frames-per-buffer=%u", r->n_fft, r->win, r->hop,
      windows[r->window], r->left, r->snip, r->center, pads[r->pad], r->drop_last,
      r->gain, r->remove_dc, r->preemphasis, r->power, r->n_mels, r->f_min,
      r->f_max, scales[r->scale], r->slaney ? "slaney" : "none",
      r->in_mel ? "mel" : "hz", r->no_nyquist, logs[r->log], r->floor,
      r->offset, r->mean, r->factor, r->shift, r->t);
}

static void
check_recipe (guint seed)
{
  GRand *rand = g_rand_new_with_seed (seed);
  Recipe r = draw_recipe (rand);
  gsize n = toss (rand) ? g_rand_int_range (rand, 0, 60) :
      g_rand_int_range (rand, 60, 900);
  gsize split = g_rand_int_range (rand, 1, 300);
  gfloat *x = mel_noise (n, seed);
  gchar *props = describe (&r);
  GstHarness *h = mel_new_with_rate (props, RATE);
  GArray *expected = evaluate (&r, x, n), *found;
  gdouble largest = 1;

  mel_push (h, x, n, split, RATE, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  found = mel_pull (h);
  fail_unless (found->len == expected->len, "seed %u, %" G_GSIZE_FORMAT
      " samples, %s: expected %u values, found %u", seed, n, props,
      expected->len, found->len);
  for (guint i = 0; i < expected->len; i++)
    largest = MAX (largest, fabs (g_array_index (expected, gdouble, i)));
  for (guint i = 0; i < expected->len; i++) {
    gdouble e = g_array_index (expected, gdouble, i);
    gdouble f = g_array_index (found, gfloat, i);

    fail_unless (fabs (e - f) <= 1e-6 * largest, "seed %u, %" G_GSIZE_FORMAT
        " samples, %s: value %u: expected %.9g, found %.9g", seed, n, props, i,
        e, f);
  }
  g_array_unref (expected);
  g_array_unref (found);
  gst_harness_teardown (h);
  g_free (props);
  g_free (x);
  g_rand_free (rand);
}

GST_START_TEST (test_random_recipes)
{
  for (guint seed = 0; seed < 400; seed++)
    check_recipe (seed);
}

GST_END_TEST;

static GArray *
run (const gchar * props, const gfloat * x, gsize n)
{
  GstHarness *h = mel_new_with_rate (props, 16000);
  GArray *y;

  mel_push (h, x, n, 500, 16000, 0);
  y = mel_pull (h);
  gst_harness_teardown (h);
  return y;
}

/* Of silence with dither 3, a rectangular window of one sample and power 2, the only bin is the noise squared. */
GST_START_TEST (test_dither)
{
  static const gchar recipe[] = "n-fft=2 win-length=1 left-window=true "
      "hop-length=1 center=false window=rectangular n-mels=1 log=none "
      "filter-domain=mel f-max=16000 ";
  gfloat *x = g_new0 (gfloat, 20000);
  gchar *none = g_strconcat (recipe, "dither=0", NULL);
  gchar *one = g_strconcat (recipe, "dither=1 seed=5", NULL);
  gchar *three = g_strconcat (recipe, "dither=3 seed=5", NULL);
  gchar *other = g_strconcat (recipe, "dither=1 seed=6", NULL);
  GArray *a = run (none, x, 20000), *b = run (one, x, 20000);
  GArray *c = run (one, x, 20000), *d = run (three, x, 20000);
  GArray *e = run (other, x, 20000);
  gdouble weight, square = 0, power4 = 0;
  guint equal = 0;

  fail_unless_equals_int (a->len, 20000);
  for (guint i = 0; i < 20000; i++) {
    gdouble v = g_array_index (b, gfloat, i);

    fail_unless_equals_float (g_array_index (a, gfloat, i), 0);
    fail_unless (g_array_index (b, gfloat, i) == g_array_index (c, gfloat, i));
    fail_unless (fabs (g_array_index (d, gfloat, i) - 9 * v) <= 1e-5 * 9 * v);
    equal += g_array_index (b, gfloat, i) == g_array_index (e, gfloat, i);
    square += v / 20000;
    power4 += v * v / 20000;
  }
  fail_unless (equal < 100);
  /* The weight of the bin at 8 kHz, whose triangle peaks in the middle of 16 kHz in mel. */
  weight = (log (1 + 16000 / 700.) - log (1 + 8000 / 700.)) /
      (log (1 + 16000 / 700.) / 2);
  fail_unless (fabs (square / weight - 1) < 0.05, "%g", square / weight);
  /* A Gaussian's kurtosis is 3. */
  fail_unless (fabs (power4 / square / square - 3) < 0.3, "%g",
      power4 / square / square);
  g_array_unref (a);
  g_array_unref (b);
  g_array_unref (c);
  g_array_unref (d);
  g_array_unref (e);
  g_free (none);
  g_free (one);
  g_free (three);
  g_free (other);
  g_free (x);
}

GST_END_TEST;

/* @window: frames that the maximum looks back over, 0 for all; not NAN: the fixed maximum. */
static void
check_clamp (const gchar * clamp, guint window, gdouble maximum)
{
  static const gchar recipe[] = "n-mels=8 log=log10 log-floor=1e-10 ";
  gfloat *x = mel_noise (32000, 3);
  gchar *props = g_strconcat (recipe, clamp, NULL);
  GArray *plain, *clamped;
  guint raised = 0;

  /* One loud stretch. */
  for (guint i = 0; i < 32000; i++)
    x[i] *= i / 4000 == 3 ? 1.0f : 1e-3f;
  plain = run (recipe, x, 32000);
  clamped = run (props, x, 32000);
  fail_unless_equals_int (clamped->len, plain->len);
  for (guint t = 0; t < plain->len / 8; t++) {
    gdouble max = maximum;

    if (isnan (max)) {
      guint from = window && t + 1 > window ? t + 1 - window : 0;

      max = -1000;
      for (guint i = from * 8; i < (t + 1) * 8; i++)
        max = MAX (max, g_array_index (plain, gfloat, i));
    }
    for (guint m = 0; m < 8; m++) {
      gdouble v = g_array_index (plain, gfloat, t * 8 + m);
      gdouble found = g_array_index (clamped, gfloat, t * 8 + m);

      raised += v < max - 2.5;
      fail_unless (fabs (found - MAX (v, max - 2.5)) < 1e-6, "%s, frame %u: "
          "expected %g, found %g", clamp, t, MAX (v, max - 2.5), found);
    }
  }
  fail_unless (raised > 10 && raised < plain->len);
  g_array_unref (plain);
  g_array_unref (clamped);
  g_free (props);
  g_free (x);
}

GST_START_TEST (test_clamp)
{
  check_clamp ("clamp=fixed clamp-range=2.5 clamp-max=1", 0, 1);
  check_clamp ("clamp=running clamp-range=2.5 clamp-time=0", 0, NAN);
  check_clamp ("clamp=running clamp-range=2.5 clamp-time=200000000", 20, NAN);
  check_clamp ("clamp=running clamp-range=2.5", 3000, NAN);
}

GST_END_TEST;

/* Nothing that is not a number comes of nothing. */
GST_START_TEST (test_silence)
{
  static const gchar *const recipes[] = { "", "log-floor=0", "log=db",
    "log=log10 log-floor=0 clamp=running", "remove-dc=true power=1"
  };
  gfloat *x = g_new0 (gfloat, 4000);

  for (guint i = 0; i < G_N_ELEMENTS (recipes); i++) {
    GArray *y = run (recipes[i], x, 4000);

    fail_unless (y->len > 0);
    for (guint k = 0; k < y->len; k++)
      fail_unless (isfinite (g_array_index (y, gfloat, k)), "%s", recipes[i]);
    g_array_unref (y);
  }
  g_free (x);
}

GST_END_TEST;

static Suite *
melnumbers_suite (void)
{
  Suite *s = suite_create ("melnumbers");
  TCase *tc = tcase_create ("definitions");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_random_recipes);
  tcase_add_test (tc, test_dither);
  tcase_add_test (tc, test_clamp);
  tcase_add_test (tc, test_silence);
  return s;
}

GST_CHECK_MAIN (melnumbers);
