/* libcontinual: how much memory a file may request
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/settings.h>
#include "stack/stack.h"
#include "weights/checkpoint.h"

G_BEGIN_DECLS

/* Checks that a stream through @stack fits into RAM, and that its memory is in proportion to the file's length. FALSE with
 * CO_ERROR_SETTING. Sizes of states may overflow before this is TRUE. */
gboolean co_limits_check (const CoStack * stack, const CoCheckpoint * file,
    const CoOptions * options, GError ** error);

/* Checks that there is room to make a model of the tensors of @file. FALSE with CO_ERROR_NO_SPACE. */
gboolean co_limits_check_room (const CoCheckpoint * file, GError ** error);

G_END_DECLS
