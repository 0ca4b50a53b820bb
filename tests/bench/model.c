/* Writes one of the models that benchmarks speak of, with random weights, to a safetensors file
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "models.h"

int
main (int argc, char **argv)
{
  for (gsize i = 0; argc == 3 && i < G_N_ELEMENTS (bench_models); i++) {
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (GError) error = NULL;
    gconstpointer data;
    gsize size;

    if (!g_str_equal (argv[1], bench_models[i].name))
      continue;
    bytes = bench_file (&bench_models[i]);
    data = g_bytes_get_data (bytes, &size);
    if (g_file_set_contents (argv[2], data, (gssize) size, &error))
      return 0;
    g_printerr ("%s\n", error->message);
    return 1;
  }
  g_printerr ("usage: bench-model b1|b2|small|tiny FILE\n");
  return 2;
}
