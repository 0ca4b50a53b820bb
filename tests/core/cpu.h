/* Tests that run once with each table of inner loops
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "math/kernels.h"

/* Whether CONTINUAL_CPU names a table that this machine cannot run; says so to the test runner then. */
static inline gboolean
cpu_is_missing (void)
{
  const gchar *cpu = g_getenv ("CONTINUAL_CPU");

  if (!cpu || g_str_equal (co_kernels->name, cpu))
    return FALSE;
  g_print ("1..0 # SKIP this machine has no inner loops of level %s\n", cpu);
  return TRUE;
}
