/* gst-continual: values to colours
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/scale.h"

/* Of a display's light, what the eye sees: ITU-R BT.709 */
static gdouble
get_light (guint32 color)
{
  static const gdouble weights[] = { 0.2126, 0.7152, 0.0722 };
  gdouble light = 0;

  for (guint c = 0; c < 3; c++)
    light += weights[c] * pow ((color >> (16 - 8 * c) & 0xff) / 255.0, 2.2);
  return light;
}

static void
test_colormaps (void)
{
  for (guint map = 0; map <= SCOPE_COLORMAP_GRAY; map++) {
    const guint32 *colors = scope_colormap_get (map);

    for (guint i = 0; i < 256; i++) {
      g_assert_cmphex (colors[i], !=, SCOPE_EMPTY);
      g_assert_true (i == 0 || get_light (colors[i]) > get_light (colors[i - 1]));
    }
    g_assert_cmpfloat (get_light (colors[255]), >, 0.7);
    g_assert_cmpfloat (get_light (colors[0]), <, 0.02);
  }
}

static void
test_scale (void)
{
  const ScopeScale scale = { -2, 2, scope_colormap_get (SCOPE_COLORMAP_GRAY) };
  const ScopeScale flat = { 3, 3, scale.colors };
  const ScopeScale wide = { -G_MAXFLOAT, G_MAXFLOAT, scale.colors };

  g_assert_cmphex (scope_scale_get_color (&scale, -2), ==, 0);
  g_assert_cmphex (scope_scale_get_color (&scale, 0), ==, 0x808080);
  g_assert_cmphex (scope_scale_get_color (&scale, 2), ==, 0xffffff);
  g_assert_cmphex (scope_scale_get_color (&scale, -1e30f), ==, 0);
  g_assert_cmphex (scope_scale_get_color (&scale, 1e30f), ==, 0xffffff);
  g_assert_cmphex (scope_scale_get_color (&scale, NAN), ==, SCOPE_EMPTY);
  g_assert_cmphex (scope_scale_get_color (&scale, INFINITY), ==, SCOPE_EMPTY);
  g_assert_cmphex (scope_scale_get_color (&scale, -INFINITY), ==, SCOPE_EMPTY);
  g_assert_cmphex (scope_scale_get_color (&flat, 3), ==, 0);
  g_assert_cmphex (scope_scale_get_color (&wide, 0), ==, 0x808080);
}

/* It grows at once and shrinks slowly. */
static void
test_range (void)
{
  const gfloat first[] = { NAN, 1, 5, INFINITY }, more[] = { 9 }, same[] = { 2, 3 };
  const gfloat none[] = { NAN, NAN };
  ScopeRange range = { 0 };

  scope_range_push (&range, none, 2, 100);
  g_assert_false (range.known);
  scope_range_push (&range, first, 4, 100);
  g_assert_cmpfloat (range.min, ==, 1);
  g_assert_cmpfloat (range.max, ==, 5);
  scope_range_push (&range, more, 1, 100);
  g_assert_cmpfloat_with_epsilon (range.min, 1 + 8 / 100., 1e-9);
  g_assert_cmpfloat (range.max, ==, 9);
  for (guint i = 0; i < 100; i++)
    scope_range_push (&range, same, 2, 100);
  g_assert_cmpfloat_with_epsilon (range.max, 3 + 6 * pow (0.99, 100), 1e-9);
  for (guint i = 0; i < 10000; i++)
    scope_range_push (&range, same, 2, 100);
  g_assert_cmpfloat_with_epsilon (range.min, 2, 1e-6);
  g_assert_cmpfloat_with_epsilon (range.max, 3, 1e-6);
  scope_range_push (&range, none, 2, 100);
  g_assert_cmpfloat_with_epsilon (range.max, 3, 1e-6);
}

static void
test_softmax (void)
{
  gfloat x[] = { logf (1), logf (3), -INFINITY }, large[] = { 1e38f, 1e38f };
  gfloat nan[] = { 1, NAN }, infinite[] = { 1, INFINITY }, least[] = { -INFINITY, -INFINITY };

  scope_softmax (x, 3);
  g_assert_cmpfloat_with_epsilon (x[0], 0.25, 1e-6);
  g_assert_cmpfloat_with_epsilon (x[1], 0.75, 1e-6);
  g_assert_cmpfloat (x[2], ==, 0);
  scope_softmax (large, 2);
  g_assert_cmpfloat (large[0], ==, 0.5);
  scope_softmax (nan, 2);
  g_assert_true (isnan (nan[0]));
  scope_softmax (infinite, 2);
  g_assert_true (isnan (infinite[0]) && isnan (infinite[1]));
  scope_softmax (least, 2);
  g_assert_true (isnan (least[0]) && isnan (least[1]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scale/colormaps", test_colormaps);
  g_test_add_func ("/scale/scale", test_scale);
  g_test_add_func ("/scale/range", test_range);
  g_test_add_func ("/scale/softmax", test_softmax);
  return g_test_run ();
}
