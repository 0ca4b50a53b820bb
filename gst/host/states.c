/* gst-continual: the states of streams in another CoStream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/states.h"

gboolean
states_copy (const CoStream * from, CoStream * to, guint n, GError ** error)
{
  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) state = co_stream_get_state_at (from, i);

    if (!state) {
      g_set_error (error, CO_ERROR, CO_ERROR_NO_SPACE,
          "expected room for a copy of a stream's state, found less");
      return FALSE;
    }
    if (!co_stream_set_state_at (to, i, state, error))
      return FALSE;
  }
  return TRUE;
}
