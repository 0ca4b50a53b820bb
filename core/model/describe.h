/* libcontinual: a model in words
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "names/parts.h"

G_BEGIN_DECLS

/* A line for each part in the order of forward(), each with a line end: its name, what it is, its shape. */
gchar *co_describe_parts (const CoParts * parts);

G_END_DECLS
