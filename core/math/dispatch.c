/* libcontinual: which inner loops this machine runs
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/kernels.h"

extern const CoKernels co_kernels_plain;
#ifdef CO_HAVE_X86_LEVELS
extern const CoKernels co_kernels_v3, co_kernels_v4;
#endif

const CoKernels *co_kernels = &co_kernels_plain;

static const CoKernels *tables[4] = { &co_kernels_plain };

const CoKernels *const *
co_kernels_all (void)
{
  return tables;
}

/* When the library is loaded: before any thread, so that the pointer needs no lock. */
__attribute__ ((constructor))
static void
choose (void)
{
  const gchar *wanted = g_getenv ("CONTINUAL_CPU");
  gsize n = 1;

#ifdef CO_HAVE_X86_LEVELS
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma")
      && __builtin_cpu_supports ("bmi2")) {
    tables[n++] = &co_kernels_v3;
    if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
        && __builtin_cpu_supports ("avx512dq")
        && __builtin_cpu_supports ("avx512cd")
        && __builtin_cpu_supports ("avx512vl"))
      tables[n++] = &co_kernels_v4;
  }
#endif
  co_kernels = tables[n - 1];
  for (gsize i = 0; wanted && i < n; i++)
    if (g_str_equal (tables[i]->name, wanted))
      co_kernels = tables[i];
}
