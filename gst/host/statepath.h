/* gst-continual: the file that a state path leads to
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The file that @path leads to, through symbolic links; nobody else in this process has it until state_path_release().
 * @model is the file or folder of the model, or NULL. NULL: @error, a G_FILE_ERROR, says why: there is something that is
 * no regular file, or that belongs to the model, or another element has it. */
gchar *state_path_claim (const gchar * path, const gchar * model,
    GError ** error);
/* Takes @file, which may be NULL. */
void state_path_release (gchar * file);

/* Replaces the content of @file at once: other processes see the old or the new one. Mode and owner stay; a new file
 * has 0666 less the umask. FALSE: @error is set, and @file is as it was. */
gboolean state_path_write (const gchar * file, GBytes * content,
    GError ** error);

G_END_DECLS
