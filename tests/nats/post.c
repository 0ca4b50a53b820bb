/* Compare and swap: of two that write behind the same message, one does
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <string.h>

#include "servers.h"
#include "worker/post.h"

typedef struct
{
  Servers *servers;
  Link *link;
  PostOffice *office;
} Fixture;

/* With a memory for IDs of a moment only: nothing else keeps a late message out. */
static void
set_up (Fixture * self, gconstpointer data)
{
  const char *subject = "posts.*";
  jsStreamConfig config;
  jsStreamInfo *info = NULL;

  self->servers = servers_new (1, 1);
  self->link = servers_link (self->servers);
  self->office = post_office_new (self->link);
  jsStreamConfig_Init (&config);
  config.Name = "posts";
  config.Subjects = &subject;
  config.SubjectsLen = 1;
  config.Duplicates = 100 * 1000 * 1000;
  g_assert_cmpint (js_AddStream (&info, link_get_jetstream (self->link), &config, NULL, NULL), ==, NATS_OK);
  jsStreamInfo_Destroy (info);
}

static void
tear_down (Fixture * self, gconstpointer data)
{
  post_office_free (self->office);
  link_close (self->link);
  servers_free (self->servers);
}

static Post *
make (const gchar * subject, const gchar * text, guint64 expected, const gchar * sender)
{
  g_autofree gchar *id = g_strdup_printf ("%s:%" G_GUINT64_FORMAT, subject, expected);
  natsMsg *msg = NULL;

  g_assert_cmpint (natsMsg_Create (&msg, subject, NULL, text, (int) strlen (text)), ==, NATS_OK);
  natsMsgHeader_Set (msg, "Nats-Msg-Id", id);
  return post_new ("posts", msg, expected, sender, NULL);
}

/* Sends one post. Its sequence; 0: in conflict */
static guint64
send (Fixture * self, Post * post)
{
  g_autoptr (GPtrArray) posts = g_ptr_array_new_with_free_func ((GDestroyNotify) post_free);
  gint stop = FALSE;

  g_ptr_array_add (posts, post);
  g_assert_true (post_office_send (self->office, posts, &stop));
  g_assert_cmpint (post->state, !=, POST_WAITING);
  return post->state == POST_STORED ? post->sequence : 0;
}

static void
check_last (Fixture * self, const gchar * subject, const gchar * text, guint64 sequence)
{
  natsMsg *msg = NULL;

  g_assert_true (link_get_last (self->link, "posts", subject, &msg));
  g_assert_nonnull (msg);
  g_assert_cmpmem (natsMsg_GetData (msg), natsMsg_GetDataLength (msg), text, strlen (text));
  g_assert_cmpuint (natsMsg_GetSequence (msg), ==, sequence);
  natsMsg_Destroy (msg);
}

static void
test_swap (Fixture * self, gconstpointer data)
{
  guint64 first, second;

  first = send (self, make ("posts.a", "first", 0, "one"));
  g_assert_cmpuint (first, >, 0);
  g_assert_cmpuint (send (self, make ("posts.b", "other", 0, "one")), >, first);
  g_assert_cmpuint (send (self, make ("posts.a", "late", 0, "two")), ==, 0);
  second = send (self, make ("posts.a", "second", first, "one"));
  g_assert_cmpuint (second, >, first);
  g_usleep (300000);            /* IDs are forgotten */
  g_assert_cmpuint (send (self, make ("posts.a", "later", first, "two")), ==, 0);
  g_assert_cmpuint (send (self, make ("posts.a", "latest", 0, "two")), ==, 0);
  check_last (self, "posts.a", "second", second);
}

/* The same message again, as after an answer that was lost: it is stored once, and known as stored. */
static void
test_again (Fixture * self, gconstpointer data)
{
  const guint64 first = send (self, make ("posts.a", "first", 0, "one"));

  g_assert_cmpuint (send (self, make ("posts.a", "first", 0, "one")), ==, first);
  g_usleep (300000);
  g_assert_cmpuint (send (self, make ("posts.a", "first", 0, "one")), ==, first);
  check_last (self, "posts.a", "first", first);
}

/* Behind a message that became too old there is none. */
static void
test_old (Fixture * self, gconstpointer data)
{
  const guint64 first = send (self, make ("posts.a", "first", 0, "one"));
  guint64 second;

  g_assert_cmpint (js_PurgeStream (link_get_jetstream (self->link), "posts", NULL, NULL), ==, NATS_OK);
  second = send (self, make ("posts.a", "second", first, "one"));
  g_assert_cmpuint (second, >, first);
  check_last (self, "posts.a", "second", second);
}

typedef struct
{
  Fixture *fixture;
  guint64 expected, sequence;
} Sending;

static gpointer
send_second (gpointer data)
{
  Sending *self = data;

  self->sequence = send (self->fixture, make ("posts.a", "second", self->expected, "one"));
  return NULL;
}

/* While the server is away, a post waits. */
static void
test_away (Fixture * self, gconstpointer data)
{
  Sending second = { self, send (self, make ("posts.a", "first", 0, "one")), 0 };
  GThread *thread;

  servers_kill (self->servers, 0);
  thread = g_thread_new ("second", send_second, &second);
  g_usleep (500000);
  servers_start (self->servers, 0);     /* it ends with the thread that starts it: this one */
  g_thread_join (thread);
  g_assert_cmpuint (second.sequence, >, second.expected);
  check_last (self, "posts.a", "second", second.sequence);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/post/swap", Fixture, NULL, set_up, test_swap, tear_down);
  g_test_add ("/post/again", Fixture, NULL, set_up, test_again, tear_down);
  g_test_add ("/post/old", Fixture, NULL, set_up, test_old, tear_down);
  g_test_add ("/post/away", Fixture, NULL, set_up, test_away, tear_down);
  return g_test_run ();
}
