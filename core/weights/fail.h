/* libcontinual: errors about files
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/error.h>

G_BEGIN_DECLS

/* Sets @error to "@file: message". @file: the file's name as valid UTF-8.
 * Returns: FALSE, for the caller to return. */
gboolean co_fail (GError ** error, CoError code, const gchar * file,
    const gchar * format, ...) G_GNUC_PRINTF (4, 5);

G_END_DECLS
