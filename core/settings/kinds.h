/* libcontinual: the kinds of attention, by name
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/settings.h>

G_BEGIN_DECLS

/* Each kind: its enumerator, the function in model/kinds.c that builds it, its name and its description. */
#define CO_KINDS(K)                                                                                             \
  K (SINGLE_OUTPUT, single_output, "single-output",                                                             \
      "The output of the query at query-index over the window, exact for a stack of any depth")                 \
  K (RETROACTIVE, retroactive, "retroactive",                                                                   \
      "The updated outputs of all vectors of the window, exact for a stack of any depth")                       \
  K (DEEP, deep, "deep",                                                                                        \
      "Every layer single-output over the window of its own inputs (DeepCoT)")                                  \
  K (RECURRENT_FULL, recurrent_full, "recurrent-full",                                                          \
      "Causal softmax over all vectors so far, up to max-len (fast_transformers)")                              \
  K (RECURRENT_LINEAR, recurrent_linear, "recurrent-linear",                                                    \
      "Causal linear attention over all vectors so far, with a state of constant size (fast_transformers)")     \
  K (KERNEL, kernel, "kernel",                                                                                  \
      "Windowed or decayed kernel attention, in chunks or not (KernelAttention)")

typedef enum
{
#define ENUMERATOR(NAME, build, name, blurb) CO_KIND_##NAME,
  CO_KINDS (ENUMERATOR)
#undef ENUMERATOR
  CO_N_KINDS
} CoKind;

extern const CoChoice co_kind_choices[CO_N_KINDS];

G_END_DECLS
