/* gst-continual: class labels as metadata of a buffer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "labeler/report.h"

G_BEGIN_DECLS

#ifdef HAVE_ANALYTICS
/* Adds the top labels of @report, best first, as one GstAnalyticsClsMtd to @buffer, which must be writable. */
void classes_add (GstBuffer * buffer, const LabelReport * report);
#else
#define classes_add(buffer, report) ((void) 0)
#endif

G_END_DECLS
