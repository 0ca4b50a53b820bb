/* Vectors a second of continual-worker: one worker, two, and the same streams in one process without servers
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: bench-cluster [VECTORS [MODEL...]]: vectors of each of 64 streams, one in a message; models of models.h. */
#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "../bench/models.h"
#include "common/message.h"
#include "servers.h"

#define STREAMS 64
#define SHARDS 8
#define ARGUMENTS "--shards 8 --lease 5 --snapshot-interval 1 --window 65536"

typedef struct
{
  CoModel *model;
  const CoModelInfo *info;
  gchar *path;
  guint T;
  float *x;                     /* (STREAMS, T, C) */
} Case;

static double
now (void)
{
  return g_get_monotonic_time () / (double) G_USEC_PER_SEC;
}

/* Vectors a second of S streams, a step at a time, as behind a mux */
static double
run_here (const Case * c)
{
  g_autoptr (CoStream) stream = co_stream_new (c->model, STREAMS);
  const gsize C = c->info->n_inputs;
  g_autofree float *x = g_new (float, STREAMS * C);
  g_autofree float *y = g_new (float, co_stream_max_outputs (stream, 1) * c->info->n_positions * c->info->n_outputs);
  const double begin = now ();

  for (guint t = 0; t < c->T; t++) {
    for (guint s = 0; s < STREAMS; s++)
      memcpy (x + s * C, c->x + (s * c->T + t) * C, C * sizeof (float));
    co_stream_forward_step (stream, x, y);
  }
  return STREAMS * c->T / (now () - begin);
}

static void
publish_all (const Case * c, Link * link)
{
  jsCtx *js = NULL;
  jsOptions options;
  const gsize bytes = c->info->n_inputs * sizeof (float);

  jsOptions_Init (&options);
  options.PublishAsync.MaxPending = 4096;
  options.PublishAsync.StallWait = 60000;
  g_assert_cmpint (natsConnection_JetStream (&js, link_get_connection (link), &options), ==, NATS_OK);
  for (guint t = 0; t < c->T; t++)
    for (guint s = 0; s < STREAMS; s++) {
      g_autoptr (TensorMessage) message = tensor_message_new ();
      g_autofree gchar *subject = g_strdup_printf ("continual.vectors.mic%u", s), *id = g_strdup_printf ("%u-%u", s, t);
      natsMsg *msg;

      message->stream = g_strdup_printf ("stream%u", s);
      message->index = t;
      message->caps = g_strdup_printf ("other/tensors, format=(string)static, num_tensors=(int)1, types=(string)float32, "
          "dimensions=(string)%" G_GSIZE_FORMAT ":1:1:1, framerate=(fraction)100/1", c->info->n_inputs);
      tensor_message_append (message, &(TensorBuffer) {
          t * 10000000ull, 10000000, bytes, FALSE}, c->x + (s * c->T + t) * c->info->n_inputs);
      msg = tensor_message_write (message, subject, id);
      g_assert_cmpint (js_PublishMsgAsync (js, &msg, NULL), ==, NATS_OK);
    }
  g_assert_cmpint (js_PublishAsyncComplete (js, NULL), ==, NATS_OK);
  jsCtx_Destroy (js);
}

/* Vectors answered so far: what the worker's records of progress say */
static guint64
count_acknowledged (Link * link)
{
  guint64 n = 0;

  for (guint i = 0; i < SHARDS; i++) {
    g_autofree gchar *name = g_strdup_printf ("shard-%u", i);
    jsConsumerInfo *info = NULL;

    if (js_GetConsumerInfo (&info, link_get_jetstream (link), "continual-vectors", name, NULL, NULL) == NATS_OK)
      n += info->NumPending + info->NumAckPending;
    else
      n += 1;
    jsConsumerInfo_Destroy (info);
  }
  return n;
}

static double
get_cpu (void)
{
  struct rusage usage;

  getrusage (RUSAGE_CHILDREN, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
stop (GSubprocess * worker)
{
  g_subprocess_send_signal (worker, SIGTERM);
  g_subprocess_wait (worker, NULL, NULL);
  g_object_unref (worker);
}

/* Bytes that the server keeps for a message beside the payload */
static double
get_overhead (Link * link, gsize payload)
{
  jsStreamInfo *info = NULL;
  double bytes = 0;

  if (js_GetStreamInfo (&info, link_get_jetstream (link), "continual-vectors", NULL, NULL) == NATS_OK)
    bytes = info->State.Bytes / (double) info->State.Msgs - payload;
  jsStreamInfo_Destroy (info);
  return bytes;
}

/* Vectors a second with @n workers, from the start of the first to the acknowledgement of all. *cpu: seconds of all workers */
static double
run_workers (const Case * c, guint n, double *cpu, double *overhead)
{
  Servers *servers = servers_new (1, SHARDS);
  Link *link = servers_link (servers);
  GSubprocess *workers[2] = { worker_start_file (servers, c->path, ARGUMENTS) };
  double begin, time;

  for (guint i = 0; i < 500; i++) {     /* it creates the streams */
    jsStreamInfo *info = NULL;
    const gboolean there = js_GetStreamInfo (&info, link_get_jetstream (link), "KV_continual-leases", NULL, NULL) == NATS_OK;

    jsStreamInfo_Destroy (info);
    if (there)
      break;
    g_usleep (20000);
  }
  stop (workers[0]);
  publish_all (c, link);
  *overhead = get_overhead (link, c->info->n_inputs * sizeof (float));
  begin = now ();
  *cpu = get_cpu ();
  for (guint i = 0; i < n; i++)
    workers[i] = worker_start_file (servers, c->path, ARGUMENTS);
  while (count_acknowledged (link) > 0)
    g_usleep (10000);
  time = now () - begin;
  for (guint i = 0; i < n; i++)
    stop (workers[i]);
  *cpu = get_cpu () - *cpu;
  link_close (link);
  servers_free (servers);
  return STREAMS * c->T / time;
}

static gchar *
write_model (const gchar * name)
{
  gchar *path = g_strdup_printf ("%s/continual-%s-%d.safetensors", g_get_tmp_dir (), name, (int) getpid ());

  for (gsize i = 0; i < G_N_ELEMENTS (bench_models); i++)
    if (strcmp (bench_models[i].name, name) == 0) {
      g_autoptr (GBytes) bytes = bench_file (&bench_models[i]);
      gsize size;
      const gchar *data = g_bytes_get_data (bytes, &size);

      g_assert_true (g_file_set_contents (path, data, size, NULL));
      return path;
    }
  g_error ("expected a model of tests/bench/models.h, found %s", name);
}

static void
run (const gchar * name, guint T)
{
  Case c = {.T = T };
  GRand *random = g_rand_new_with_seed (1);
  g_autoptr (GError) error = NULL;
  double here, one, two, cpu_one, cpu_two, overhead;
  gsize n;

  c.path = write_model (name);
  c.model = co_model_load (c.path, NULL, &error);
  if (!c.model)
    g_error ("%s", error->message);
  c.info = co_model_get_info (c.model);
  n = STREAMS * T * c.info->n_inputs;
  c.x = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    c.x[i] = g_rand_double_range (random, -1, 1);
  here = run_here (&c);
  one = run_workers (&c, 1, &cpu_one, &overhead);
  two = run_workers (&c, 2, &cpu_two, &overhead);
  g_print ("%-8s %12.0f %12.0f %12.0f %8.2f %10.1f %10.0f %10zu\n", name, here, one, two, two / one,
      (cpu_one / (STREAMS * T) - 1 / here) * 1e6, overhead, c.info->state_bytes);
  unlink (c.path);
  g_free (c.path);
  g_free (c.x);
  g_rand_free (random);
  co_model_unref (c.model);
}

int
main (int argc, char **argv)
{
  const gchar *const all[] = { "tiny", "small", "b1", NULL };
  const guint T = argc > 1 ? (guint) atoi (argv[1]) : 200;
  const gchar *const *models = argc > 2 ? (const gchar * const *) argv + 2 : all;

  g_setenv ("CONTINUAL_WORKER", WORKER, FALSE);
  g_print ("%-8s %12s %12s %12s %8s %10s %10s %10s\n", "model", "here", "one worker", "two workers", "ratio", "us more", "bytes more", "state");
  g_print ("%-8s %12s %12s %12s %8s %10s %10s %10s\n", "", "vectors/s", "vectors/s", "vectors/s", "", "CPU/vector", "a message", "bytes");
  for (; *models; models++)
    run (*models, T);
  return 0;
}
