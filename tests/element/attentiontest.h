/* gst-continual: what the tests of continualattention share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "encodertest.h"

#define EACH (10 * GST_MSECOND)

enum
{ QUERY, KEY, VALUE, N_PADS };

/* A continualattention with a harness for each pad; that of the queries has the outputs, too. */
typedef struct
{
  GstElement *element;
  GstBus *bus;
  GstHarness *pads[N_PADS];     /* NULL: not requested */
} Rig;

/* @name: a golden case or NULL; @n_pads: 1 to 3; @warm_up: as the property */
static inline Rig
rig_new_full (const gchar * name, guint n_pads, gboolean live,
    const gchar * warm_up)
{
  static const gchar *const names[] = { "query", "key", "value" };
  g_autofree gchar *path = name ? model_path (name) : NULL;
  Rig rig = {.element =
        gst_element_factory_make ("continualattention", NULL) };

  fail_unless (rig.element != NULL);
  rig.bus = bus_new (rig.element);
  g_object_set (rig.element, "model-path", path, NULL);
  gst_util_set_object_arg (G_OBJECT (rig.element), "warm-up", warm_up);
  for (guint i = 0; i < n_pads; i++) {
    rig.pads[i] = gst_harness_new_with_element (rig.element, names[i],
        i == QUERY ? "src" : NULL);
    gst_harness_set_live (rig.pads[i], live);
  }
  return rig;
}

static inline Rig
rig_new (const gchar * name, guint n_pads, gboolean live)
{
  return rig_new_full (name, n_pads, live, "drop");
}

static inline void
rig_free (Rig * rig)
{
  gst_element_set_state (rig->element, GST_STATE_NULL);
  for (guint i = N_PADS; i-- > 0;)
    if (rig->pads[i])
      gst_harness_teardown (rig->pads[i]);
  bus_free (rig->element, rig->bus);
  gst_object_unref (rig->element);
}

/* @fps: 0/1 if @fps_n is 0 */
static inline void
rig_set_caps (Rig * rig, guint pad, gsize width, gsize T, gint fps_n,
    gint fps_d)
{
  g_autofree gchar *text = g_strdup_printf (TENSORS
      ",dimensions=(string)%" G_GSIZE_FORMAT ":%" G_GSIZE_FORMAT
      ",framerate=(fraction)%d/%d", width, T, fps_n, fps_d);

  gst_harness_set_src_caps_str (rig->pads[pad], text);
}

/* Vectors @t to @t + @n of @x, at their times. */
static inline GstFlowReturn
rig_push (Rig * rig, guint pad, const float *x /* (, width) */ , gsize width,
    gsize t, gsize n)
{
  return gst_harness_push (rig->pads[pad], vectors_new (x + t * width,
          n * width, t * EACH, n * EACH));
}

static inline void
rig_push_event (Rig * rig, guint pad, GstEvent * event)
{
  fail_unless (gst_harness_push_event (rig->pads[pad], event));
}

/* The next output is for the query of @pts. */
static inline void
rig_expect (Rig * rig, GstClockTime pts, const float *y, gsize n,
    gdouble atol)
{
  GstBuffer *buffer = gst_harness_pull (rig->pads[QUERY]);
  gdouble d;

  fail_unless (buffer != NULL, "no output");
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
  d = difference (buffer, y, n);
  fail_unless (d <= atol, "off by %g", d);
  gst_buffer_unref (buffer);
}

static inline guint64
rig_get_stat (Rig * rig, const gchar * name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (rig->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &n), "no %s", name);
  return n;
}

/* Waits for the next event of @type downstream and gives it. */
static inline GstEvent *
rig_pull_event (Rig * rig, GstEventType type)
{
  GstEvent *event;

  while ((event = gst_harness_pull_event (rig->pads[QUERY]))) {
    if (GST_EVENT_TYPE (event) == type)
      return event;
    gst_event_unref (event);
  }
  fail ("no %s", gst_event_type_get_name (type));
  return NULL;
}

/* The next gap downstream is for @pts. */
static inline void
rig_expect_gap (Rig * rig, GstClockTime pts)
{
  GstEvent *event = rig_pull_event (rig, GST_EVENT_GAP);
  GstClockTime found, duration;

  gst_event_parse_gap (event, &found, &duration);
  fail_unless_equals_uint64 (found, pts);
  fail_unless_equals_uint64 (duration, EACH);
  gst_event_unref (event);
}

#define SEPARATE "mha-single-output-qkv-kdim-vdim"

/* The case with queries, keys and values of different widths, which answers from the first vector on. */
typedef struct
{
  Rig rig;
  Golden *g;
  CoStream *truth;
  const float *x[N_PADS];
  gsize width[N_PADS];
} Separate;

/* Without caps. */
static inline Separate
separate_new_bare (guint n_pads, gboolean live)
{
  g_autoptr (CoOptions) options = co_options_new ();
  g_autofree gchar *path = model_path (SEPARATE);
  Separate s = {.g = golden_load (SEPARATE, NULL) };
  const CoModelInfo *info = co_model_get_info (s.g->model);
  CoModel *model;

  co_options_set (options, "warm_up", "partial", NULL);
  model = co_model_load (path, options, NULL);
  s.truth = co_stream_new (model, 1);
  co_model_unref (model);
  s.rig = rig_new_full (SEPARATE, n_pads, live, "partial");
  memcpy (s.x, ((const float *[]) {
          s.g->x, s.g->key, s.g->value}), sizeof s.x);
  memcpy (s.width, ((gsize[]) {
          info->n_inputs, info->n_keys, info->n_values}), sizeof s.width);
  return s;
}

static inline void
separate_set_caps (Separate * s, guint pad, gsize T)
{
  rig_set_caps (&s->rig, pad, s->width[pad], T, 100, T);
}

static inline Separate
separate_new (gboolean live)
{
  Separate s = separate_new_bare (N_PADS, live);

  for (guint p = 0; p < N_PADS; p++)
    separate_set_caps (&s, p, 1);
  return s;
}

static inline void
separate_free (Separate * s)
{
  rig_free (&s->rig);
  co_stream_unref (s->truth);
  golden_free (s->g);
}

/* Vector @i of the pad's, at time @pts. */
static inline GstFlowReturn
separate_push_at (Separate * s, guint pad, gsize i, GstClockTime pts)
{
  return gst_harness_push (s->rig.pads[pad], vectors_new (s->x[pad] +
          i * s->width[pad], s->width[pad], pts, EACH));
}

static inline void
separate_push (Separate * s, guint pad, gsize i)
{
  fail_unless_equals_int (separate_push_at (s, pad, i, i * EACH), GST_FLOW_OK);
}

/* The next output is for query @q, with a key and a value. */
static inline void
separate_expect_at (Separate * s, gsize q, gsize k, gsize v, GstClockTime pts)
{
  g_autofree float *y = g_new (float, s->g->y_size);
  CoResult result = {.capacity = 1,.y = y };

  fail_unless_equals_int (co_stream_forward_steps (s->truth, &(CoInput) {
              s->x[QUERY] + q * s->width[QUERY], s->x[KEY] + k * s->width[KEY],
              s->x[VALUE] + v * s->width[VALUE]}, 1, TRUE, &result), 1);
  rig_expect (&s->rig, pts, y, s->g->y_size, 1e-5);
}

static inline void
separate_expect (Separate * s, gsize i)
{
  separate_expect_at (s, i, i, i, i * EACH);
}

/* The stream ends, and nothing came before. */
static inline void
separate_expect_end (Separate * s)
{
  gst_event_unref (rig_pull_event (&s->rig, GST_EVENT_EOS));
  fail_unless (gst_harness_try_pull (s->rig.pads[QUERY]) == NULL);
}

static inline void
separate_check_unmatched (Separate * s, guint64 queries, guint64 keys,
    guint64 values)
{
  fail_unless_equals_uint64 (rig_get_stat (&s->rig, "unmatched"), queries);
  fail_unless_equals_uint64 (rig_get_stat (&s->rig, "unmatched-keys"), keys);
  fail_unless_equals_uint64 (rig_get_stat (&s->rig, "unmatched-values"),
      values);
}
