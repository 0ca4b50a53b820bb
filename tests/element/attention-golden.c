/* gst-continual: golden cases of bare attentions, from one to three pads, in chunks of different lengths on each
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attentiontest.h"

static gchar **names;

typedef struct
{
  const float *x[N_PADS];
  gsize width[N_PADS], T[N_PADS], next[N_PADS];
} Inputs;

/* The pad whose next vector is the oldest; N_PADS: none has one. A pad holds one buffer: any other order would wait for
 * ever. */
static guint
find_oldest (const Inputs * in, guint n_pads, gsize n)
{
  guint oldest = N_PADS;

  for (guint p = 0; p < n_pads; p++)
    if (in->next[p] < n && (oldest == N_PADS
            || in->next[p] < in->next[oldest]))
      oldest = p;
  return oldest;
}

static void
check_case (const Golden * g, guint n_pads, const gsize T[N_PADS],
    gboolean timed)
{
  const CoModelInfo *info = co_model_get_info (g->model);
  Rig rig = rig_new (g->name, n_pads, FALSE);
  Inputs in = { {g->x, g->key ? g->key : g->x, g->value ? g->value : g->x},
  {info->n_inputs, info->n_keys, info->n_values}, {T[0], T[1], T[2]}
  };
  guint p;

  for (p = 0; p < n_pads; p++)
    rig_set_caps (&rig, p, in.width[p], T[p], timed ? 100 : 0, timed ? T[p] :
        1);
  while ((p = find_oldest (&in, n_pads, g->n_steps)) < N_PADS) {
    gsize t = in.next[p], n = MIN (T[p], g->n_steps - t);
    GstBuffer *buffer = timed ?
        vectors_new (in.x[p] + t * in.width[p], n * in.width[p], t * EACH,
        n * EACH) : vectors_new (in.x[p] + t * in.width[p],
        n * in.width[p], GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);

    fail_unless_equals_int (gst_harness_push (rig.pads[p], buffer),
        GST_FLOW_OK);
    in.next[p] += n;
  }
  for (p = 0; p < n_pads; p++)
    rig_push_event (&rig, p, gst_event_new_eos ());

  for (gsize i = 0; i < g->n_outputs; i++) {
    gsize answered = info->chunk_len > 1 ? i : g->first + i - info->delay;

    rig_expect (&rig, timed ? answered * EACH : GST_CLOCK_TIME_NONE,
        g->y + i * g->y_size, g->y_size, g->atol);
  }
  gst_event_unref (rig_pull_event (&rig, GST_EVENT_EOS));
  fail_unless (gst_harness_try_pull (rig.pads[QUERY]) == NULL);
  fail_unless_equals_uint64 (rig_get_stat (&rig, "vectors"), g->n_steps);
  fail_unless_equals_uint64 (rig_get_stat (&rig, "unmatched"), 0);
  rig_free (&rig);
}

GST_START_TEST (test_case)
{
  static const gsize chunks[][N_PADS] = {
    {1, 1, 1}, {3, 1, 7}, {1, 5, 2}, {40, 6, 1}
  };
  g_autoptr (Golden) g = golden_load (names[__i__], NULL);

  if (!co_model_get_info (g->model)->bare_attention)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (chunks); i++)
    for (guint n_pads = g->key ? 3 : 1; n_pads <= N_PADS; n_pads++) {
      check_case (g, n_pads, chunks[i], TRUE);
      check_case (g, n_pads, chunks[i], FALSE);
    }
}

GST_END_TEST;

static Suite *
attention_suite (void)
{
  Suite *s = suite_create ("attention-golden");
  TCase *tc = tcase_create ("golden");

  names = golden_names ();
  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_case, 0, g_strv_length (names));
  return s;
}

GST_CHECK_MAIN (attention);
