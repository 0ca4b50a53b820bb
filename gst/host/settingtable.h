/* gst-continual: the table of settings, until the core has it
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum { CO_SETTING_INTEGER, CO_SETTING_NUMBER, CO_SETTING_BOOLEAN, CO_SETTING_CHOICE, CO_SETTING_TEXT } CoSettingType;
typedef enum { CO_FOR_ENCODER = 1, CO_FOR_ATTENTION = 2, CO_FOR_DECODER = 4 } CoSettingScope;
typedef struct { const gchar *name; const gchar *blurb; } CoChoice;
typedef struct {
  const gchar *key, *alias;
  const gchar *property, *nick, *blurb;
  CoSettingType type;
  guint scope;
  gdouble min, max;
  gdouble unset;
  const gchar *fallback;
  const gchar *choices_name;
  const CoChoice *choices;
  guint n_choices;
  guint kinds;
} CoSetting;
guint co_setting_count (void);
const CoSetting *co_setting_get (guint i);

G_END_DECLS
