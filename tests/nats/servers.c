/* Real servers on loopback, and workers beside them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "servers.h"

#define WAIT (60 * G_USEC_PER_SEC)

static guint
find_port (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();

  return g_socket_listener_add_any_inet_port (listener, NULL, NULL);
}

gchar *
golden_file (const gchar * golden)
{
  return g_build_filename (g_getenv ("CONTINUAL_TEST_DATA"), golden, "model.safetensors", NULL);
}

static gchar *
file (Servers * self, guint i, const gchar * what)
{
  return g_strdup_printf ("%s/%u.%s", self->dir, i, what);
}

static void
write_configuration (Servers * self, guint i)
{
  g_autofree gchar *path = file (self, i, "conf");
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_printf (text,
      "server_name: s%u\nlisten: 127.0.0.1:%u\nmax_payload: 4194304\njetstream { store_dir: \"%s/%u.store\" }\n"
      "accounts { A { jetstream: enabled, users: [{user: a, password: a}], mappings = "
      "{ \"continual.vectors.*\": \"continual.vectors.{{partition(%u,1)}}.{{wildcard(1)}}\" } }\n"
      "SYS { users: [{user: s, password: s}] } }\nsystem_account: SYS\nno_auth_user: a\n",
      i, self->port[i], self->dir, i, self->shards);
  if (self->n > 1) {
    g_string_append_printf (text, "cluster { name: test, listen: 127.0.0.1:%u, routes: [",
        self->route[i]);
    for (guint j = 0; j < self->n; j++)
      g_string_append_printf (text, "%snats://127.0.0.1:%u", j > 0 ? ", " : "", self->route[j]);
    g_string_append (text, "] }\n");
  }
  g_assert_true (g_file_set_contents (path, text->str, -1, NULL));
}

/* They end with the test, however that ends. */
static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static GSubprocess *
spawn (const gchar * const *argv)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  process = g_subprocess_launcher_spawnv (launcher, argv, &error);
  g_assert_no_error (error);
  return process;
}

void
servers_start (Servers * self, guint i)
{
  g_autofree gchar *conf = file (self, i, "conf"), *log = file (self, i, "log");

  self->process[i] = spawn ((const gchar *[]) {
      "nats-server", "-c", conf, "-l", log, NULL});
}

void
servers_kill (Servers * self, guint i)
{
  g_subprocess_force_exit (self->process[i]);
  g_subprocess_wait (self->process[i], NULL, NULL);
  g_clear_object (&self->process[i]);
}

static gboolean
answers (Servers * self, guint i)
{
  g_autofree gchar *url = g_strdup_printf ("nats://127.0.0.1:%u", self->port[i]);
  g_autofree gchar *why = NULL;
  g_autoptr (Link) link = link_open (&(LinkSettings) {
      url, NULL, "test"}, NULL, NULL, &why);
  jsAccountInfo *info = NULL;
  natsStatus s = link ? js_GetAccountInfo (&info, link_get_jetstream (link), NULL, NULL) : NATS_ERR;

  jsAccountInfo_Destroy (info);
  return s == NATS_OK;
}

void
servers_wait (Servers * self)
{
  const gint64 until = g_get_monotonic_time () + WAIT;

  for (guint i = 0; i < self->n; i++)
    while (!answers (self, i)) {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (50000);
    }
}

Servers *
servers_new (guint n, guint shards)
{
  Servers *self = g_new0 (Servers, 1);
  g_autoptr (GString) urls = g_string_new (NULL);

  self->n = n;
  self->shards = shards;
  self->dir = g_dir_make_tmp ("continual-nats-XXXXXX", NULL);
  for (guint i = 0; i < n; i++) {
    self->port[i] = find_port ();
    self->route[i] = find_port ();
    g_string_append_printf (urls, "%snats://127.0.0.1:%u", i > 0 ? "," : "", self->port[i]);
  }
  self->urls = g_strdup (urls->str);
  for (guint i = 0; i < n; i++) {
    write_configuration (self, i);
    servers_start (self, i);
  }
  servers_wait (self);
  return self;
}

void
servers_free (Servers * self)
{
  g_autofree gchar *command = g_strdup_printf ("rm -rf '%s'", self->dir);

  for (guint i = 0; i < self->n; i++)
    if (self->process[i])
      servers_kill (self, i);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (self->dir);
  g_free (self->urls);
  g_free (self);
}

Link *
servers_link (Servers * self)
{
  g_autofree gchar *why = NULL;
  Link *link = link_open (&(LinkSettings) {
      self->urls, NULL, "test"}, NULL, NULL, &why);

  if (!link)
    g_error ("%s", why);
  return link;
}

GSubprocess *
worker_start (Servers * self, const gchar * golden, const gchar * arguments)
{
  g_autofree gchar *model = golden_file (golden);

  return worker_start_file (self, model, arguments);
}

GSubprocess *
worker_start_file (Servers * self, const gchar * model, const gchar * arguments)
{
  g_autofree gchar *log = g_build_filename (self->dir, "workers.log", NULL);
  g_autofree gchar *command = g_strdup_printf ("exec '%s' --model '%s' --servers '%s' %s >> '%s' 2>&1",
      g_getenv ("CONTINUAL_WORKER"), model, self->urls, arguments, log);

  return spawn ((const gchar *[]) {
      "sh", "-c", command, NULL});
}
