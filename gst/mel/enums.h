/* gst-continual: the settings' choices as GEnums
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define MEL_TYPE_CHANNELS (mel_channels_get_type ())
GType mel_channels_get_type (void);
#define MEL_TYPE_WINDOW (mel_window_get_type ())
GType mel_window_get_type (void);
#define MEL_TYPE_PAD (mel_pad_get_type ())
GType mel_pad_get_type (void);
#define MEL_TYPE_SCALE (mel_scale_get_type ())
GType mel_scale_get_type (void);
#define MEL_TYPE_NORM (mel_norm_get_type ())
GType mel_norm_get_type (void);
#define MEL_TYPE_DOMAIN (mel_domain_get_type ())
GType mel_domain_get_type (void);
#define MEL_TYPE_LOG (mel_log_get_type ())
GType mel_log_get_type (void);
#define MEL_TYPE_CLAMP (mel_clamp_get_type ())
GType mel_clamp_get_type (void);

G_END_DECLS
