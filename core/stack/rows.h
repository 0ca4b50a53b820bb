/* libcontinual: row mode, in which each layer maps rows to rows
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/stack.h"

G_BEGIN_DECLS

extern const CoMode co_row_mode;

G_END_DECLS
