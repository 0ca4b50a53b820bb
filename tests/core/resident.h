/* How much memory a process has
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <stdio.h>
#include <unistd.h>

/* Bytes that are resident; 0 where nobody says. */
static inline glong
resident (void)
{
  FILE *file = fopen ("/proc/self/statm", "r");
  glong pages = 0;

  if (!file)
    return 0;
  if (fscanf (file, "%*d %ld", &pages) != 1)
    pages = 0;
  fclose (file);
  return pages * sysconf (_SC_PAGESIZE);
}
