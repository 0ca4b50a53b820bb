/* libcontinual: from tensors to a stack
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "names/parts.h"
#include "stack/stack.h"

G_BEGIN_DECLS

/* Makes @stack from @parts. Weights are copied into panels; all memory that the stack points to is appended to @owned.
 * FALSE with CO_ERROR_MODEL or CO_ERROR_SETTING. */
gboolean co_build (CoStack * stack, const CoParts * parts,
    const CoSettings * settings, const CoCheckpoint * file,
    GPtrArray * owned, gsize * owned_bytes, GError ** error);
/* After co_limits_check(): the tables whose size a window sets. */
void co_build_tables (CoStack * stack, GPtrArray * owned,
    gsize * owned_bytes);

G_END_DECLS
