/* gst-continual: tensors in messages of NATS
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A message carries buffers of one stream, one after another, and says in headers what they are:
 *
 *   Continual-Stream: ID INDEX   the stream, another ID for each that begins, and the message's place in it, from 0
 *   Continual-Caps: CAPS         of all its buffers, as gst_caps_to_string() writes them
 *   Continual-Buffers: LIST      for each buffer PTS+DURATION:BYTES, separated by spaces: nanoseconds of running time or `-`,
 *                                bytes of the payload; 0 bytes are a gap. With `!` behind it: the buffer is not continuous with
 *                                the one before
 *   Continual-Labels: JSON       (now and then) the labels of the scores: an array of strings
 *   Continual-End: true          (at the end of the stream) nothing comes behind these buffers
 *   Continual-Source: SEQ [N]    (of outputs) they answer the inputs up to sequence SEQ; with N, only N outputs of that one
 */
#pragma once

#include <glib.h>
#include <nats/nats.h>

G_BEGIN_DECLS

#define TENSOR_TIME_NONE G_MAXUINT64
/* Buffers of one message at most */
#define TENSOR_MAX_BUFFERS 1024

typedef struct
{
  guint64 pts, duration;        /* ns; TENSOR_TIME_NONE: not known */
  gsize size;                   /* bytes; 0: a gap */
  gboolean discont;
} TensorBuffer;

typedef struct
{
  gchar *stream;                /* its ID: visible ASCII without a space */
  guint64 index;
  gchar *caps;                  /* NULL: none, for gaps alone */
  GArray *buffers;              /* TensorBuffer */
  GByteArray *data;             /* of all buffers */
  gchar **labels;               /* NULL: it does not say; empty: there are none any more */
  gboolean end;
  guint64 source;               /* 0: not of outputs */
  guint source_part;            /* 0: all of it */
} TensorMessage;

TensorMessage *tensor_message_new (void);
void tensor_message_free (TensorMessage * self);

void tensor_message_append (TensorMessage * self, const TensorBuffer * buffer,
    gconstpointer data);

/* For @subject, with @id to deduplicate by; natsMsg_Destroy() it. NULL: there is no room for it. */
natsMsg *tensor_message_write (const TensorMessage * self,
    const gchar * subject, const gchar * id);

/* NULL: *why (free it) says what was expected and what was found. */
TensorMessage *tensor_message_read (natsMsg * msg, gchar ** why);

/* Nothing but the headers Stream and Source, for what was the last message of outputs. FALSE: as above. */
gboolean tensor_message_read_place (natsMsg * msg, TensorMessage * self,
    gchar ** why);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TensorMessage, tensor_message_free)

G_END_DECLS
