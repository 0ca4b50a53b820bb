/* libcontinual: which inner loops this machine runs
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CO_TABLES (T) is T (name) for each table that was built, a lesser one before a better one. */
#include "math/kernels.h"
#if defined (__x86_64__)
#include <cpuid.h>
#elif defined (__aarch64__) && defined (__linux__)
#include <sys/auxv.h>
#include <asm/hwcap.h>
#endif

#define DECLARE(name) extern const CoKernels co_kernels_##name;
CO_TABLES (DECLARE)
#undef DECLARE

const CoKernels *co_kernels = &co_kernels_plain;

#define COUNT(name) + 1
static const CoKernels *tables[1 CO_TABLES (COUNT)];
#undef COUNT

const CoKernels *const *
co_kernels_all (void)
{
  return tables;
}

/* runs_NAME: whether this machine runs the table of that name */
#define RUNS(name) static gboolean G_GNUC_UNUSED runs_##name (void)

RUNS (plain)
{
  return TRUE;
}

#if defined (__x86_64__)
/* Bits of leaf 7, subleaf 1, register EAX; names that not every compiler knows */
#define AVX_VNNI (1u << 4)
#define AVX512_BF16 (1u << 5)

static gboolean
has (guint bit)
{
  guint a, b, c, d;

  return __get_cpuid_count (7, 1, &a, &b, &c, &d) && (a & bit);
}

RUNS (v3)
{
  return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma")
      && __builtin_cpu_supports ("bmi2");
}

RUNS (v3_dot)
{
  return runs_v3 () && has (AVX_VNNI);
}

RUNS (v4)
{
  return runs_v3 () && __builtin_cpu_supports ("avx512f")
      && __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512dq")
      && __builtin_cpu_supports ("avx512cd") && __builtin_cpu_supports ("avx512vl");
}

RUNS (v4_dot)
{
  return runs_v4 () && __builtin_cpu_supports ("avx512vnni") && has (AVX512_BF16);
}
#elif defined (__aarch64__)
RUNS (dot)
{
#if defined (__linux__)
  return (getauxval (AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return FALSE;
#endif
}

RUNS (dot_bf16)
{
#if defined (__linux__)
  const gulong both = HWCAP2_I8MM | HWCAP2_BF16;

  return runs_dot () && (getauxval (AT_HWCAP2) & both) == both;
#else
  return FALSE;
#endif
}
#endif

/* When the library is loaded: before any thread, so that the pointer needs no lock. */
__attribute__ ((constructor))
static void
choose (void)
{
  const gchar *wanted = g_getenv ("CONTINUAL_CPU");
  gsize n = 0;

#if defined (__x86_64__)
  __builtin_cpu_init ();
#endif
#define ADD(name) if (runs_##name ()) co_kernels = tables[n++] = &co_kernels_##name;
  CO_TABLES (ADD)
#undef ADD
  for (gsize i = 0; wanted && i < n; i++)
    if (g_str_equal (tables[i]->name, wanted))
      co_kernels = tables[i];
}
