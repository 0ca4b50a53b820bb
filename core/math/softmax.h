/* libcontinual: softmax
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* In place, x = exp (x - max (x)). Returns sum (x): softmax (x) is what was left in x, divided by it. */
float co_softmax_unnormalised (float *x /* (n) */ , gsize n);

/* In place, x = softmax (x) */
void co_softmax (float *x /* (n) */ , gsize n);

G_END_DECLS
