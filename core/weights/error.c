/* libcontinual: the error domain, and the library's version
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <continual/error.h>

G_DEFINE_QUARK (co-error-quark, co_error)

void
co_version (guint * major, guint * minor, guint * micro)
{
  if (major)
    *major = CO_MAJOR_VERSION;
  if (minor)
    *minor = CO_MINOR_VERSION;
  if (micro)
    *micro = CO_MICRO_VERSION;
}
