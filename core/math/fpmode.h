/* libcontinual: denormals are flushed while a step runs; they slow products a hundredfold
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#if defined (__SSE2__)
#include <xmmintrin.h>

static inline guint64
co_fp_enter (void)
{
  guint mode = _mm_getcsr ();
  _mm_setcsr (mode | 0x8040);   /* flush to zero, denormals are zeros */
  return mode;
}

static inline void
co_fp_leave (guint64 mode)
{
  _mm_setcsr (mode);
}
#elif defined (__aarch64__)
static inline guint64
co_fp_enter (void)
{
  guint64 mode;
  __asm__ volatile ("mrs %0, fpcr":"=r" (mode));
  __asm__ volatile ("msr fpcr, %0"::"r" (mode | (1 << 24)));
  return mode;
}

static inline void
co_fp_leave (guint64 mode)
{
  __asm__ volatile ("msr fpcr, %0"::"r" (mode));
}
#else
static inline guint64
co_fp_enter (void)
{
  return 0;
}

static inline void
co_fp_leave (guint64 mode)
{
}
#endif
