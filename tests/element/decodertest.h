/* gst-continual: what the tests of continualdecoder share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "encodertest.h"

#define LINEAR "decoder-linear-full"
#define FULL "decoder-full-linear-length"
#define EACH (10 * GST_MSECOND)

/* A continualdecoder of a golden case with a harness for sink and src, and one for memory. */
typedef struct
{
  Golden *g;
  gsize C, E;                   /* of a vector, of a memory's vectors */
  GstHarness *h, *memory;       /* memory NULL: not linked */
  GstBus *bus;
} Decoder;

/* What it has no caps for yet. */
static inline Decoder
decoder_new_bare (const gchar * name, const gchar * properties,
    gboolean linked)
{
  g_autofree gchar *path = model_path (name);
  g_autofree gchar *line = g_strdup_printf ("continualdecoder model-path=%s %s",
      path, properties);
  Decoder d = {.g = golden_load (name, NULL) };
  GstElement *element = gst_parse_launch (line, NULL);

  fail_unless (element != NULL);
  d.C = co_model_get_info (d.g->model)->n_inputs;
  d.E = co_model_get_info (d.g->model)->n_memory;
  if (linked)
    d.memory = gst_harness_new_with_element (element, "memory", NULL);
  d.h = gst_harness_new_with_element (element, "sink", "src");
  d.bus = bus_new (d.h->element);
  gst_object_unref (element);
  return d;
}

static inline Decoder
decoder_new (const gchar * name, gsize T)
{
  Decoder d = decoder_new_bare (name, "", TRUE);
  g_autofree gchar *dims = g_strdup_printf ("%d:%d", (gint) d.C, (gint) T);
  g_autofree gchar *memory_dims = g_strdup_printf ("%d:4", (gint) d.E);

  encoder_set_caps (d.h, dims, 0);
  encoder_set_caps (d.memory, memory_dims, 0);
  return d;
}

static inline void
decoder_free (Decoder * d)
{
  gst_element_set_state (d->h->element, GST_STATE_NULL);
  bus_free (d->h->element, d->bus);
  if (d->memory)
    gst_harness_teardown (d->memory);
  gst_harness_teardown (d->h);
  golden_free (d->g);
}

/* Vectors @from to @from + @n of the case in one buffer, at their time. */
static inline GstBuffer *
decoder_vectors (const Decoder * d, gsize from, gsize n)
{
  return vectors_new (d->g->x + from * d->C, n * d->C, from * EACH, n * EACH);
}

/* A memory of @n vectors, those of the case from vector @from on, that holds from @pts on. */
static inline GstBuffer *
decoder_memory (const Decoder * d, gsize from, gsize n, GstClockTime pts)
{
  return vectors_new (d->g->memory + from * d->E, n * d->E, pts,
      GST_CLOCK_TIME_NONE);
}

static inline void
decoder_push (Decoder * d, gsize from, gsize n)
{
  fail_unless_equals_int (gst_harness_push (d->h, decoder_vectors (d, from,
              n)), GST_FLOW_OK);
}

static inline void
decoder_put (Decoder * d, gsize from, gsize n, GstClockTime pts)
{
  fail_unless_equals_int (gst_harness_push (d->memory, decoder_memory (d, from,
              n, pts)), GST_FLOW_OK);
}

/* What a memory of the truth is: vectors @from to @from + @n of the case's, attended to from vector @at on. */
typedef struct
{
  gsize at, from, n;
} Switch;

/* The next @n outputs are those of a stream that began with vector @from, with these memories, after @skip others. */
static inline void
decoder_expect_after (Decoder * d, gsize from, gsize skip, gsize n,
    const Switch * switches /* (n_switches) */ , gsize n_switches)
{
  g_autoptr (CoStream) stream = co_stream_new (d->g->model, 1);
  g_autofree float *y = g_new (float, d->g->y_size);

  for (gsize t = from; t < from + skip + n; t++) {
    for (gsize i = 0; i < n_switches; i++)
      if (switches[i].at == t)
        co_stream_set_memory (stream, CO_ALL_STREAMS,
            d->g->memory + switches[i].from * d->E, switches[i].n, NULL);
    fail_unless_equals_int (co_stream_forward_step (stream,
            d->g->x + t * d->C, y), 1);
    if (t >= from + skip)
      expect_output (d->h, y, d->g->y_size, 1e-5);
  }
}

static inline void
decoder_expect (Decoder * d, gsize from, gsize n,
    const Switch * switches /* (n_switches) */ , gsize n_switches)
{
  decoder_expect_after (d, from, 0, n, switches, n_switches);
}

/* A thread that pushes a vector, and has it wait. */
typedef struct
{
  Decoder *d;
  gsize from, n;
  GThread *thread;
  GMutex lock;
  GCond cond;
  gboolean came;
} Waiter;

static inline GstPadProbeReturn
waiter_probe (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  Waiter *w = data;

  g_mutex_lock (&w->lock);
  w->came = TRUE;
  g_cond_signal (&w->cond);
  g_mutex_unlock (&w->lock);
  return GST_PAD_PROBE_REMOVE;
}

static inline gpointer
waiter_run (gpointer data)
{
  Waiter *w = data;

  return GINT_TO_POINTER (gst_harness_push (w->d->h, decoder_vectors (w->d,
              w->from, w->n)));
}

/* Pushes, and returns when the buffer is in the element. */
static inline void
waiter_begin (Waiter * w, Decoder * d, gsize from, gsize n)
{
  GstPad *pad = gst_element_get_static_pad (d->h->element, "sink");

  *w = (Waiter) {
  .d = d,.from = from,.n = n};
  g_mutex_init (&w->lock);
  g_cond_init (&w->cond);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, waiter_probe, w, NULL);
  gst_object_unref (pad);
  w->thread = g_thread_new ("waiter", waiter_run, w);
  g_mutex_lock (&w->lock);
  while (!w->came)
    g_cond_wait (&w->cond, &w->lock);
  g_mutex_unlock (&w->lock);
}

static inline GstFlowReturn
waiter_end (Waiter * w)
{
  GstFlowReturn ret = GPOINTER_TO_INT (g_thread_join (w->thread));

  g_mutex_clear (&w->lock);
  g_cond_clear (&w->cond);
  return ret;
}

static inline guint64
decoder_get_stat (Decoder * d, const gchar * name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (d->h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &n), "no %s", name);
  return n;
}
