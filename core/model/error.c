/* libcontinual: the error domain
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <continual/error.h>

G_DEFINE_QUARK (co-error-quark, co_error)
