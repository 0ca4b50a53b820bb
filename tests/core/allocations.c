/* What a program allocates, counted
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocations.h"

#ifdef COUNTS_ALLOCATIONS
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *p, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);

static gint counting;           /* these are atomic */
static guint n;
static gsize bytes, largest;

static gint failing;            /* atomic, as those below */
static gint until;              /* large allocations before the one that fails; below 0: it failed */
static gsize large;

#define EXPORT __attribute__ ((visibility ("default")))

static void
count (size_t size)
{
  gsize top;

  if (!__atomic_load_n (&counting, __ATOMIC_RELAXED))
    return;
  __atomic_fetch_add (&n, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add (&bytes, size, __ATOMIC_RELAXED);
  top = __atomic_load_n (&largest, __ATOMIC_RELAXED);
  while (size > top && !__atomic_compare_exchange_n (&largest, &top, size,
          FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

void
allocations_begin (void)
{
  n = 0;
  bytes = largest = 0;
  __atomic_store_n (&counting, TRUE, __ATOMIC_SEQ_CST);
}

Allocations
allocations_end (void)
{
  __atomic_store_n (&counting, FALSE, __ATOMIC_SEQ_CST);
  return (Allocations) {
  n, bytes, largest};
}

void
allocations_fail (guint which, gsize least)
{
  until = (gint) which;
  large = least;
  __atomic_store_n (&failing, TRUE, __ATOMIC_SEQ_CST);
}

gboolean
allocations_failed (void)
{
  __atomic_store_n (&failing, FALSE, __ATOMIC_SEQ_CST);
  return __atomic_load_n (&until, __ATOMIC_SEQ_CST) < 0;
}

static gboolean
fails (size_t size)
{
  return __atomic_load_n (&failing, __ATOMIC_SEQ_CST) && size >= large
      && __atomic_fetch_sub (&until, 1, __ATOMIC_SEQ_CST) == 0;
}

EXPORT void *
malloc (size_t size)
{
  count (size);
  if (fails (size))
    return NULL;
  return __libc_malloc (size);
}

EXPORT void *
calloc (size_t number, size_t size)
{
  count (number * size);
  if (fails (number * size))
    return NULL;
  return __libc_calloc (number, size);
}

EXPORT void *
realloc (void *p, size_t size)
{
  count (size);
  if (fails (size))
    return NULL;
  return __libc_realloc (p, size);
}

EXPORT void *
memalign (size_t alignment, size_t size)
{
  count (size);
  if (fails (size))
    return NULL;
  return __libc_memalign (alignment, size);
}

EXPORT void *
aligned_alloc (size_t alignment, size_t size)
{
  count (size);
  if (fails (size))
    return NULL;
  return __libc_memalign (alignment, size);
}

EXPORT int
posix_memalign (void **p, size_t alignment, size_t size)
{
  count (size);
  *p = fails (size) ? NULL : __libc_memalign (alignment, size);
  return *p ? 0 : ENOMEM;
}
#endif
