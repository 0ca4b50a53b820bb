/* libcontinual: window mode, in which each step recomputes the window above the first layer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/stack.h"

G_BEGIN_DECLS

extern const CoMode co_window_mode;

G_END_DECLS
