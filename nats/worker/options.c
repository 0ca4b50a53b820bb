/* continual-worker: what its command line says
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/options.h"

#include <string.h>

#include "common/link.h"

static void
set_defaults (WorkerOptions * self)
{
  self->shards = 8;
  self->threads = 1;
  self->snapshot_interval = 5;
  self->window = 8192;
  self->lease = 10;
  self->replicas = 1;
  self->max_age = 3600;
  self->idle = 600;
  self->status_interval = 10;
}

void
worker_options_free (WorkerOptions * self)
{
  g_free (self->model);
  g_clear_pointer (&self->model_options, co_options_free);
  g_free (self->name);
  g_free (self->servers);
  g_free (self->credentials);
  g_free (self);
}

typedef struct
{
  const gchar *option, *unit;
  gdouble value, least, most;
} Range;

static gboolean
check_range (const Range * range, GError ** error)
{
  if (range->value >= range->least && range->value <= range->most)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--%s: expected from %g to %g%s, found %g", range->option, range->least,
      range->most, range->unit, range->value);
  return FALSE;
}

static gboolean
check (WorkerOptions * self, gint shards, gint threads, gint window,
    gint replicas, GError ** error)
{
  const Range ranges[] = {
    {"shards", "", shards, 1, 4096},
    {"threads", "", threads, 1, CO_MAX_THREADS},
    {"window", " messages", window, 16, 1 << 20},
    {"replicas", "", replicas, 1, 5},
    {"snapshot-interval", " seconds", self->snapshot_interval, 0.05, 25},
    {"lease", " seconds", self->lease, 1, 600},
    {"max-age", " seconds", self->max_age, 1, 1e8},
    {"idle", " seconds", self->idle, 0, 1e8},
    {"status-interval", " seconds", self->status_interval, 0.1, 1e6},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (!check_range (&ranges[i], error))
      return FALSE;
  self->shards = shards;
  self->threads = threads;
  self->window = window;
  self->replicas = replicas;
  if (self->name[strspn (self->name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-")] || !*self->name) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--name: expected letters, digits, - and _, found \"%s\"", self->name);
    return FALSE;
  }
  if (!self->model) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "expected --model FILE, found none");
    return FALSE;
  }
  return TRUE;
}

/* KEY=VALUE each */
static gboolean
read_model_options (WorkerOptions * self, gchar ** settings, GError ** error)
{
  self->model_options = co_options_new ();
  for (gsize i = 0; settings && settings[i]; i++) {
    g_auto (GStrv) pair = g_strsplit (settings[i], "=", 2);

    if (g_strv_length (pair) != 2) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "--set: expected KEY=VALUE, found \"%s\"", settings[i]);
      return FALSE;
    }
    if (!co_options_set (self->model_options, pair[0], pair[1], error))
      return FALSE;
  }
  return TRUE;
}

WorkerOptions *
worker_options_parse (int *argc, char ***argv, GError ** error)
{
  g_autoptr (WorkerOptions) self = g_new0 (WorkerOptions, 1);
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_auto (GStrv) settings = NULL;
  gboolean version = FALSE;
  gint shards, threads, window, replicas;
  const GOptionEntry entries[] = {
    {"model", 'm', 0, G_OPTION_ARG_FILENAME, &self->model, "The model: a safetensors file, or a folder of save_pretrained()", "FILE"},
    {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &settings, "A hyper-parameter of the model, as in its metadata (may be repeated)", "KEY=VALUE"},
    {"name", 'n', 0, G_OPTION_ARG_STRING, &self->name, "First token of all subjects [continual]", "NAME"},
    {"servers", 's', 0, G_OPTION_ARG_STRING, &self->servers, "URLs of NATS servers, separated by commas [" LINK_DEFAULT_SERVERS "]", "URLS"},
    {"credentials", 0, 0, G_OPTION_ARG_FILENAME, &self->credentials, "A credentials file (.creds)", "FILE"},
    {"shards", 0, 0, G_OPTION_ARG_INT, &shards, "Partitions of NAME.vectors, as the servers map them; the same for all workers [8]", "N"},
    {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads of a step, at most [1]", "N"},
    {"snapshot-interval", 0, 0, G_OPTION_ARG_DOUBLE, &self->snapshot_interval, "Seconds between two snapshots of the streams [5]", "S"},
    {"window", 0, 0, G_OPTION_ARG_INT, &window, "Messages of a shard that no snapshot covers, at most [8192]", "N"},
    {"lease", 0, 0, G_OPTION_ARG_DOUBLE, &self->lease, "Seconds after which a shard of a dead worker is free; the same for all workers [10]", "S"},
    {"replicas", 0, 0, G_OPTION_ARG_INT, &replicas, "Servers that keep what this worker creates, 1, 3 or 5 [1]", "N"},
    {"max-age", 0, 0, G_OPTION_ARG_DOUBLE, &self->max_age, "Seconds that vectors and outputs are kept, where this worker creates the streams [3600]", "S"},
    {"idle", 0, 0, G_OPTION_ARG_DOUBLE, &self->idle, "Seconds after which a silent stream leaves the memory; its snapshot stays [600]", "S"},
    {"status-interval", 0, 0, G_OPTION_ARG_DOUBLE, &self->status_interval, "Seconds between two status lines [10]", "S"},
    {"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL},
    {NULL}
  };

  set_defaults (self);
  shards = self->shards;
  threads = self->threads;
  window = self->window;
  replicas = self->replicas;
  g_option_context_set_summary (context,
      "Runs the streams of vectors that NATS JetStream brings, each in a slot of one model, and publishes their outputs.\n"
      "Any number of workers share the work. docs/cluster.md says how.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return NULL;
  if (version) {
    g_print ("continual-worker " PACKAGE_VERSION "\n");
    return NULL;
  }
  if (*argc > 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "expected options only, found \"%s\"", (*argv)[1]);
    return NULL;
  }
  if (!self->name)
    self->name = g_strdup ("continual");
  if (!self->servers)
    self->servers = g_strdup (LINK_DEFAULT_SERVERS);
  if (!check (self, shards, threads, window, replicas, error)
      || !read_model_options (self, settings, error))
    return NULL;
  return g_steal_pointer (&self);
}
