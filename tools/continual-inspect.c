/* continual-inspect: what a model file says, and what is assumed where it says nothing
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <continual/continual.h>
#include <locale.h>

static gchar **sets;
static gchar *prefix;
static gboolean version;

static const GOptionEntry entries[] = {
  {"prefix", 'p', 0, G_OPTION_ARG_STRING, &prefix, "Describe the part whose tensors begin so", "PREFIX"},
  {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Set a hyper-parameter, as an element's property does", "KEY=VALUE"},
  {"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL},
  {NULL}
};

static gboolean
set_options (CoOptions * options, GError ** error)
{
  if (prefix && !co_options_set (options, "prefix", prefix, error))
    return FALSE;
  for (gsize i = 0; sets && sets[i]; i++) {
    g_auto (GStrv) pair = g_strsplit (sets[i], "=", 2);

    if (!pair[0] || !pair[1]) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--set: expected KEY=VALUE, found '%s'", sets[i]);
      return FALSE;
    }
    if (!co_options_set (options, pair[0], pair[1], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
describe (int argc, char **argv, GError ** error)
{
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (CoModel) model = NULL;
  g_autofree gchar *text = NULL;

  if (argc != 2) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "expected one FILE or FOLDER, found %d; see --help", argc - 1);
    return FALSE;
  }
  if (!set_options (options, error))
    return FALSE;
  model = co_model_load (argv[1], options, error);
  if (!model)
    return FALSE;
  text = co_model_describe (model);
  g_print ("%s", text);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE | FOLDER");
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, "Describes a model: its layout, kind and shapes, every hyper-parameter with its "
      "source, the cost of\na step, the size of a state, latency, labels and warnings. A model that cannot run is an error "
      "that says why.");
  if (g_option_context_parse (context, &argc, &argv, &error)) {
    if (version) {
      guint major, minor, micro;

      co_version (&major, &minor, &micro);
      g_print ("continual-inspect %u.%u.%u\n", major, minor, micro);
      return 0;
    }
    if (describe (argc, argv, &error))
      return 0;
  }
  g_printerr ("continual-inspect: %s\n", error->message);
  return 1;
}
