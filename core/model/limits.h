/* libcontinual: how much memory a file may ask for
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/options.h>
#include "stack/stack.h"
#include "weights/safetensors.h"

G_BEGIN_DECLS

/* Whether a stream through @stack takes no more memory than there is, nor than a file of this length is trusted with.
 * FALSE with CO_ERROR_SETTING. Before it is true no size of a state may be asked for: it could overflow. */
gboolean co_limits_check (const CoStack * stack, const CoSafetensors * file,
    const CoOptions * options, GError ** error);

G_END_DECLS
