/* libcontinual: memory that kernels stream through
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Large blocks ask for huge pages: to look up a page costs more than to read it, in a virtual machine twice as much. */
#include "math/alloc.h"
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define HUGE_PAGE (2 << 20)

gpointer
co_alloc0 (gsize n, gsize size)
{
  const gboolean large = size > 0 && n >= HUGE_PAGE / size;
  gpointer memory = g_aligned_alloc (n, size, large ? HUGE_PAGE : 64);

#ifdef MADV_HUGEPAGE
  if (large)
    madvise (memory, n * size, MADV_HUGEPAGE);     /* advice: without it all is the same but slower */
#endif
  return memory ? memset (memory, 0, n * size) : NULL;
}
