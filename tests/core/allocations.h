/* What a program allocates, counted
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The program's own malloc() and its like stand in for the C library's, and count, whichever library calls. Not where
 * a sanitizer has its own. */
#pragma once

#include <glib.h>

#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
#define SANITIZED
#elif defined (__has_feature)
#if __has_feature (address_sanitizer) || __has_feature (thread_sanitizer) || __has_feature (memory_sanitizer)
#define SANITIZED
#endif
#endif
#if defined (__GLIBC__) && !defined (SANITIZED)
#define COUNTS_ALLOCATIONS
#endif

typedef struct
{
  guint n;
  gsize bytes, largest;
} Allocations;

#ifdef COUNTS_ALLOCATIONS
/* What is allocated from here on, in all threads. */
void allocations_begin (void);
Allocations allocations_end (void);

/* From here on the @which-th allocation of at least @least bytes, from 0, finds no room, in whichever thread. */
void allocations_fail (guint which, gsize least);
/* From here on none fails. TRUE: one did. */
gboolean allocations_failed (void);
#endif
