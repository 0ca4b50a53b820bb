/* libcontinual: aligned memory
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Large blocks use huge pages where the kernel has them: a page lookup costs more than the read, twice as much in a virtual
 * machine. */
#include "math/alloc.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define HUGE_PAGE (2 << 20)

guint64
co_ram (void)
{
  return (guint64) sysconf (_SC_PHYS_PAGES) * sysconf (_SC_PAGESIZE);
}

gpointer
co_try_alloc0 (gsize n, gsize size)
{
  gpointer memory = NULL;
  gsize bytes;
  gboolean large;

  if (!g_size_checked_mul (&bytes, n, size) || bytes > co_ram ())
    return NULL;
  large = bytes >= HUGE_PAGE;
  if (bytes > 0 && posix_memalign (&memory, large ? HUGE_PAGE : 64, bytes) != 0)
    return NULL;
#ifdef MADV_HUGEPAGE
  if (large)
    madvise (memory, bytes, MADV_HUGEPAGE);     /* advice: it changes only the speed */
#endif
  return memory ? memset (memory, 0, bytes) : NULL;
}

void
co_free (gpointer memory)
{
  free (memory);
}
