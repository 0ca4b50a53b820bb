/* gst-continual: built-in presets
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GstPreset reads files under GStreamer's own prefix; the built-in presets need no file. Presets that users save work
 * through the default functions of the interface. */
#include "mel/presets.h"

#include <string.h>

typedef struct
{
  const gchar *name, *comment;
  const gchar *values;          /* those that differ from the defaults */
} Builtin;

static const Builtin builtins[] = {
  {"torchaudio", "torchaudio.transforms.MelSpectrogram with its defaults",
        "n-fft=400 win-length=400 hop-length=200 window=hann center=true "
        "pad-mode=reflect power=2 n-mels=128 mel-scale=htk log=none"},
  {"librosa", "librosa.feature.melspectrogram with its defaults",
        "rate=22050 n-fft=2048 win-length=2048 hop-length=512 window=hann "
        "center=true pad-mode=constant power=2 n-mels=128 mel-scale=slaney "
        "mel-norm=slaney log=none"},
  {"whisper", "Whisper's log-mel without its clamp: see clamp",
        "n-fft=400 win-length=400 hop-length=160 window=hann center=true "
        "pad-mode=reflect drop-last=true power=2 n-mels=80 mel-scale=slaney "
        "mel-norm=slaney log=log10 log-floor=1e-10 scale=0.25 shift=1"},
  {"vggish", "VGGish's log-mel",
        "n-fft=512 win-length=400 hop-length=160 window=hann left-window=true "
        "center=false pad-mode=none power=1 n-mels=64 f-min=125 f-max=7500 "
        "mel-scale=htk filter-domain=mel zero-dc=true log=ln log-floor=0 "
        "log-offset=0.01"},
  {"kaldi", "Kaldi's fbank with its defaults but for dither, which is 0",
        "n-fft=512 win-length=400 hop-length=160 window=povey left-window=true "
        "center=false pad-mode=none remove-dc=true preemphasis=0.97 "
        "input-scale=32768 power=2 n-mels=23 f-min=20 mel-scale=kaldi "
        "filter-domain=mel drop-nyquist=true log=ln log-floor=1.1920929e-07"}
};

/* Properties that say how a stream is handled: presets do not set them. */
static const gchar *const not_recipe[] = { "name", "parent", "qos", "channels",
  "frames-per-buffer", "alignment-threshold", "discont-wait", NULL
};

static const Builtin *
find (const gchar * name)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (builtins); i++)
    if (g_strcmp0 (builtins[i].name, name) == 0)
      return &builtins[i];
  return NULL;
}

static GstPresetInterface *
defaults (void)
{
  return g_type_default_interface_peek (GST_TYPE_PRESET);
}

static gchar **
get_preset_names (GstPreset * preset)
{
  GPtrArray *names = g_ptr_array_new ();
  gchar **saved = defaults ()->get_preset_names (preset);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (builtins); i++)
    g_ptr_array_add (names, g_strdup (builtins[i].name));
  for (i = 0; saved && saved[i]; i++)
    if (!find (saved[i]))
      g_ptr_array_add (names, g_strdup (saved[i]));
  g_ptr_array_add (names, NULL);
  g_strfreev (saved);
  return (gchar **) g_ptr_array_free (names, FALSE);
}

static gboolean
load_preset (GstPreset * preset, const gchar * name)
{
  GObject *object = G_OBJECT (preset);
  const Builtin *builtin = find (name);
  GParamSpec **pspecs;
  gchar **values;
  guint i, n;

  if (!builtin)
    return defaults ()->load_preset (preset, name);

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);
  for (i = 0; i < n; i++)
    if (!g_strv_contains (not_recipe, pspecs[i]->name))
      g_object_set_property (object, pspecs[i]->name,
          g_param_spec_get_default_value (pspecs[i]));
  g_free (pspecs);

  values = g_strsplit (builtin->values, " ", -1);
  for (i = 0; values[i]; i++) {
    gchar *value = strchr (values[i], '=');

    *value++ = '\0';
    gst_util_set_object_arg (object, values[i], value);
  }
  g_strfreev (values);
  return TRUE;
}

static gboolean
save_preset (GstPreset * preset, const gchar * name)
{
  return !find (name) && defaults ()->save_preset (preset, name);
}

static gboolean
rename_preset (GstPreset * preset, const gchar * from, const gchar * to)
{
  return !find (from) && !find (to)
      && defaults ()->rename_preset (preset, from, to);
}

static gboolean
delete_preset (GstPreset * preset, const gchar * name)
{
  return !find (name) && defaults ()->delete_preset (preset, name);
}

static gboolean
set_meta (GstPreset * preset, const gchar * name, const gchar * tag,
    const gchar * value)
{
  return !find (name) && defaults ()->set_meta (preset, name, tag, value);
}

static gboolean
get_meta (GstPreset * preset, const gchar * name, const gchar * tag,
    gchar ** value)
{
  const Builtin *builtin = find (name);

  if (!builtin)
    return defaults ()->get_meta (preset, name, tag, value);
  *value = g_strcmp0 (tag, "comment") == 0 ? g_strdup (builtin->comment) : NULL;
  return *value != NULL;
}

void
mel_presets_interface_init (gpointer g_iface, gpointer data)
{
  GstPresetInterface *iface = g_iface;

  iface->get_preset_names = get_preset_names;
  iface->load_preset = load_preset;
  iface->save_preset = save_preset;
  iface->rename_preset = rename_preset;
  iface->delete_preset = delete_preset;
  iface->set_meta = set_meta;
  iface->get_meta = get_meta;
}
