/* libcontinual: the table of hyper-parameters
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/rows.h"
#include <string.h>

const CoChoice co_kind_choices[CO_N_KINDS] = {
#define CHOICE(NAME, build, name, blurb) {name, blurb},
  CO_KINDS (CHOICE)
#undef CHOICE
};

const CoChoice co_norm_type_choices[] = {
  {"layer", "Layer norm: less the mean, over the deviation"},
  {"rms", "RMS norm: over the root of the mean square"},
};

const CoChoice co_warm_up_choices[] = {
  {"drop", "No output (GAP events) until the window is full"},
  {"partial", "Attention to the vectors so far, from the first one on"},
};

const CoChoice co_at_max_choices[] = {
  {"error", "The stream ends with an error"},
  {"drop-oldest", "The oldest vector is evicted"},
};

const CoChoice co_position_index_choices[] = {
  {"recycle", "pe[t mod P], t counted from 0 at the reset"},
  {"window", "pe[i] for the i-th vector of the window, the oldest being 0"},
};

const CoChoice co_architecture_choices[] = {
  {"any", "An encoder or a decoder"},
  {"encoder", "An encoder, or an attention alone"},
  {"decoder", "A decoder: layers with a second attention, to a memory"},
};

const CoChoice co_self_attention_choices[] = {
  {"recurrent-full", "Causal softmax over all vectors so far, up to max-len"},
  {"recurrent-linear", "Causal linear attention over all vectors so far, with a state of constant size"},
};

const CoChoice co_cross_attention_choices[] = {
  {"full", "Softmax over the memory"},
  {"linear", "Linear attention to the memory"},
};

static const CoSetting settings[] = {
#define INTEGER(member, ...) {.type = CO_SETTING_INTEGER, __VA_ARGS__},
#define NUMBER(member, ...) {.type = CO_SETTING_NUMBER, __VA_ARGS__},
#define BOOLEAN(member, ...) {.type = CO_SETTING_BOOLEAN, __VA_ARGS__},
#define CHOICE(member, ...) {.type = CO_SETTING_CHOICE, __VA_ARGS__},
#define TEXT(member, ...) {.type = CO_SETTING_TEXT, __VA_ARGS__},
  CO_SETTINGS (INTEGER, NUMBER, BOOLEAN, CHOICE, TEXT)
};

guint
co_setting_count (void)
{
  return G_N_ELEMENTS (settings);
}

const CoSetting *
co_setting_get (guint i)
{
  g_return_val_if_fail (i < G_N_ELEMENTS (settings), NULL);

  return &settings[i];
}

gboolean
co_setting_same_name (const gchar * a, const gchar * b)
{
  for (; *a && *b; a++, b++)
    if (*a != *b && !(strchr ("-_", *a) && strchr ("-_", *b)))
      return FALSE;
  return *a == *b;
}

const CoSetting *
co_setting_find (const gchar * key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    if (co_setting_same_name (settings[i].key, key) || (settings[i].alias
            && co_setting_same_name (settings[i].alias, key)))
      return &settings[i];
  return NULL;
}
