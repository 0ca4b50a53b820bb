/* libcontinual: activations by name
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/activation.h"
#include "math/team.h"

const CoChoice co_activation_choices[CO_N_ACTIVATIONS] = {
#define CHOICE(NAME, function, name, blurb) {name, blurb},
  CO_ACTIVATIONS (CHOICE)
#undef CHOICE
};

typedef struct
{
  CoActivation activation;
  float *x;
  gsize n;
} Activated;

/* In units of CO_PANEL */
static void
activate (gconstpointer data, guint thread, gsize begin, gsize end)
{
  const Activated *d = data;
  float *x = d->x + begin * CO_PANEL;
  const gsize n = MIN (end * CO_PANEL, d->n) - begin * CO_PANEL;

  switch (d->activation) {
#define CASE(NAME, function, name, blurb)       \
    case CO_ACTIVATION_##NAME:                  \
      co_kernels->function (x, n);              \
      break;
      CO_ACTIVATIONS (CASE)
#undef CASE
    default:
      g_assert_not_reached ();
  }
}

void
co_activate (CoActivation self, float *x, gsize n)
{
  co_team_run (activate, &(Activated) {self, x, n}, (n + CO_PANEL - 1) / CO_PANEL,
      CO_TEAM_LEAST_FLOATS / CO_PANEL);
}
