/* Runs everything for as long as it is told, and says whether it stayed right and small
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenes.h"
#include "resident.h"
#include <glib/gstdio.h>
#include <stdlib.h>

#define PERIODS 20              /* lines of progress, at least */
#define LONGEST 60              /* seconds between two */
#define MAX_GROWTH (4 << 20)    /* bytes, from the first quarter on */

static World *
world_new (guint32 seed)
{
  static const Variant variants_of[N_MODELS] = {
    {"stack", "single-output", 2}, {"deep", "deep", 2}
  };
  const Shape shape = {.E = 6,.H = 2,.N = 5,.ff = 4,.L = 2 };
  World *self = g_new0 (World, 1);

  self->random = g_rand_new_with_seed (seed);
  self->dir = g_dir_make_tmp ("continual-soak-XXXXXX", NULL);
  self->state = g_build_filename (self->dir, "state", NULL);
  for (guint i = 0; i < N_MODELS; i++) {
    g_autofree gchar *name = g_strdup_printf ("model%u.safetensors", i);
    g_autoptr (GBytes) bytes = NULL;

    self->models[i] = ref_model_random (&variants_of[i], &shape, self->random);
    self->paths[i] = g_build_filename (self->dir, name, NULL);
    bytes = ref_model_write (self->models[i], NULL);
    if (!g_file_set_contents (self->paths[i], g_bytes_get_data (bytes, NULL),
            g_bytes_get_size (bytes), NULL))
      g_error ("%s cannot be written", self->paths[i]);
  }
  return self;
}

static void
world_free (World * self)
{
  for (guint i = 0; i < N_MODELS; i++) {
    g_unlink (self->paths[i]);
    g_free (self->paths[i]);
    ref_model_free (self->models[i]);
  }
  g_unlink (self->state);
  g_rmdir (self->dir);
  g_free (self->state);
  g_free (self->dir);
  g_rand_free (self->random);
  g_free (self);
}

int
main (int argc, char **argv)
{
  const double minutes = argc == 2 ? g_ascii_strtod (argv[1], NULL) : 0;
  const guint32 seed = ref_seed ();
  const gint64 begun = g_get_monotonic_time ();
  const gint64 end = begun + minutes * 60 * G_USEC_PER_SEC;
  const double period = MIN (minutes * 60 / PERIODS, LONGEST);
  gint64 next = begun;
  glong early = 0, now = 0;
  /* Of the first quarter the largest error, of the last one the smallest: one of many outputs is always worse than the others. */
  double first = 0, last = G_MAXDOUBLE;
  gboolean ok = TRUE;
  World *world;
  Scene *scenes[3];

  if (!(minutes > 0)) {
    g_printerr ("usage: soak MINUTES\n");
    return 2;
  }
  gst_init (NULL, NULL);
  world = world_new (seed);
  scenes[0] = scene_encoder_new (world);
  scenes[1] = scene_streams_new (world);
  scenes[2] = scene_sound_new (world);
  g_print ("CONTINUAL_TEST_SEED=%u\n%10s %12s %10s %12s %10s %10s\n", seed,
      "seconds", "vectors", "MB", "ns a step", "refused", "error");

  while (ok && g_get_monotonic_time () < end) {
    for (gsize i = 0; ok && i < G_N_ELEMENTS (scenes); i++)
      ok = scene_run (scenes[i]);
    if (ok && g_get_monotonic_time () >= next) {
      SceneReport report = { 0 };

      next += period * G_USEC_PER_SEC;
      for (gsize i = 0; i < G_N_ELEMENTS (scenes); i++)
        scene_report (scenes[i], &report);
      now = resident ();
      if (g_get_monotonic_time () - begun < (end - begun) / 4) {
        early = MAX (early, now);
        first = MAX (first, report.worst);
      } else if (end - g_get_monotonic_time () < (end - begun) / 4) {
        last = MIN (last, report.worst);
      }
      g_print ("%10.0f %12" G_GUINT64_FORMAT " %10.1f %12" G_GUINT64_FORMAT
          " %10" G_GUINT64_FORMAT " %10.3g\n",
          (g_get_monotonic_time () - begun) / 1e6, report.vectors,
          now / 1048576., report.step_time, report.refused, report.worst);
    }
  }

  for (gsize i = 0; i < G_N_ELEMENTS (scenes); i++)
    scene_free (scenes[i]);
  world_free (world);
  if (ok && now - early > MAX_GROWTH) {
    g_print ("FAILED: memory grew by %.1f MB\n", (now - early) / 1048576.);
    ok = FALSE;
  } else if (ok && last < G_MAXDOUBLE && last > MAX (3 * first, 0.1)) {
    g_print ("FAILED: outputs drift, from %.3g of the tolerance to %.3g\n",
        first, last);
    ok = FALSE;
  } else if (ok) {
    g_print ("OK: every output was right, memory stayed flat (%+.1f MB), "
        "nothing drifted\n", (now - early) / 1048576.);
  } else {
    g_print ("FAILED\n");
  }
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
