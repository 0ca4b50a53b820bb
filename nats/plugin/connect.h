/* gst-continual: the connection of an element
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "common/link.h"

G_BEGIN_DECLS

/* Connects @element, which has a property `subject`; @servers NULL: the default. An element message `continual-nats` with the fields
 * `subject` and `connected` tells of each loss and return. NULL: *why (free it) says why not. */
Link *connect_element (GstElement * element, const gchar * servers,
    const gchar * credentials, gchar ** why);

G_END_DECLS
