/* gst-continual: window functions
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mel/window.h"

#include <math.h>

void
mel_window_fill (MelWindow window, gdouble * w, guint n)
{
  gboolean symmetric = window == MEL_WINDOW_HANN_SYMMETRIC ||
      window == MEL_WINDOW_HAMMING_SYMMETRIC ||
      window == MEL_WINDOW_BLACKMAN_SYMMETRIC || window == MEL_WINDOW_POVEY;
  guint i, period = symmetric ? n - 1 : n;

  if (n == 1) {
    w[0] = 1.0;
    return;
  }
  for (i = 0; i < n; i++) {
    gdouble c = cos (2.0 * G_PI * i / period);

    switch (window) {
      case MEL_WINDOW_HANN:
      case MEL_WINDOW_HANN_SYMMETRIC:
        w[i] = 0.5 - 0.5 * c;
        break;
      case MEL_WINDOW_HAMMING:
      case MEL_WINDOW_HAMMING_SYMMETRIC:
        w[i] = 0.54 - 0.46 * c;
        break;
      case MEL_WINDOW_BLACKMAN:
      case MEL_WINDOW_BLACKMAN_SYMMETRIC:
        w[i] = 0.42 - 0.5 * c + 0.08 * (2.0 * c * c - 1.0);
        break;
      case MEL_WINDOW_POVEY:
        w[i] = pow (0.5 - 0.5 * c, 0.85);
        break;
      case MEL_WINDOW_RECTANGULAR:
        w[i] = 1.0;
        break;
    }
  }
}
