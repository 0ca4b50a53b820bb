/* Every case of tests/golden-models, through the core: whole applications, and models as libraries save them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"
#include "golden.h"
#include "weights/checkpoint.h"
#include <continual/continual.h>
#include <math.h>
#include <string.h>

typedef struct
{
  CoModel *model;
  CoCheckpoint *io;
  const float *x, *y;           /* (n_steps, C), (n_outputs, y_size) */
  gsize n_steps, n_outputs, y_size, first, pts;
  gdouble atol;
} Case;

static gchar *
path_of (const gchar * name, const gchar * file)
{
  return g_build_filename (g_getenv ("CONTINUAL_TEST_DATA"), "golden-models", name, file, NULL);
}

static gsize
number (const CoCheckpoint * io, const gchar * key)
{
  return g_ascii_strtoull (co_checkpoint_get_metadata (io, key), NULL, 10);
}

static void
load (Case * self, const gchar * name)
{
  g_autofree gchar *io_path = path_of (name, "io.safetensors"), *config = path_of (name, "config.json");
  g_autofree gchar *folder = path_of (name, NULL), *file = path_of (name, "model.safetensors");
  g_autoptr (GError) error = NULL;
  g_autoptr (CoOptions) options = NULL;
  const CoTensor *x, *y;

  self->io = co_checkpoint_load (io_path, &error);
  g_assert_no_error (error);
  options = golden_parse_properties (co_checkpoint_get_metadata (self->io, "properties"));
  self->model = co_model_load (g_file_test (config, G_FILE_TEST_EXISTS) ? folder : file, options, &error);
  g_assert_no_error (error);
  x = co_checkpoint_lookup (self->io, "x");
  y = co_checkpoint_lookup (self->io, "y");
  *self = (Case) {.model = self->model,.io = self->io,.x = x->data,.y = y->data,.n_steps = x->dims[0],
    .n_outputs = y->dims[0],.y_size = y->n_elements / y->dims[0],.first = number (self->io, "first"),
    .pts = number (self->io, "pts"),.atol = g_ascii_strtod (co_checkpoint_get_metadata (self->io, "atol"), NULL)
  };
}

static void
case_clear (Case * self)
{
  g_clear_pointer (&self->model, co_model_unref);
  g_clear_pointer (&self->io, co_checkpoint_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

static void
compare (const Case * self, const float *y, const gchar * name, gsize chunk)
{
  double worst = 0;

  for (gsize i = 0; i < self->n_outputs * self->y_size; i++) {
    const double e = fabs (y[i] - self->y[i]);
    worst = e <= worst ? worst : e;     /* a NaN stays */
  }
  g_test_message ("%s, chunks of %" G_GSIZE_FORMAT ": largest error %g of %g", name, chunk, worst, self->atol);
  g_assert_true (worst <= self->atol);
}

/* @saved: in the middle, the streams are saved and others continue them. */
static void
run (const Case * self, const gchar * name, gsize chunk, gboolean saved)
{
  g_autoptr (CoStream) stream = co_stream_new (self->model, 1);
  const gsize C = co_model_get_info (self->model)->n_inputs, capacity = co_stream_max_outputs (stream, chunk);
  g_autofree CoOutput *outputs = g_new (CoOutput, capacity);
  g_autofree float *y = g_new (float, (self->n_outputs + capacity + co_stream_max_outputs (stream, 0)) * self->y_size);
  gsize n = 0;

  for (gsize t = 0; t < self->n_steps; t += chunk) {
    CoResult result = {.capacity = capacity,.y = y + n * self->y_size,.outputs = outputs };
    const gsize got = co_stream_forward_steps (stream, &(CoInput) {.x = self->x + t * C },
        MIN (chunk, self->n_steps - t), TRUE, &result);

    if (got > 0 && n == 0) {
      g_assert_cmpuint (t + outputs[0].step, ==, self->first);
      g_assert_cmpuint (t + outputs[0].step - outputs[0].age, ==, self->pts);
    }
    n += got;
    g_assert_cmpuint (n, <=, self->n_outputs);
    if (saved && t / chunk == self->n_steps / chunk / 2) {
      g_autoptr (GBytes) state = co_stream_get_state (stream);

      co_stream_unref (stream);
      stream = co_stream_new (self->model, 1);
      g_assert_true (co_stream_set_state (stream, state, NULL));
    }
  }
  n += co_stream_drain (stream, &(CoResult) {.capacity = co_stream_max_outputs (stream, 0),.y = y + n * self->y_size });
  g_assert_cmpuint (n, ==, self->n_outputs);
  compare (self, y, name, chunk);
}

/* Three streams that begin two steps after one another */
static void
run_streams (const Case * self, const gchar * name)
{
  enum { S = 3, LATER = 2 };
  g_autoptr (CoStream) stream = co_stream_new (self->model, S);
  const gsize C = co_model_get_info (self->model)->n_inputs;
  const gsize T = self->n_steps + LATER * (S - 1), capacity = co_stream_max_outputs (stream, T) +
      co_stream_max_outputs (stream, 0);
  g_autofree CoOutput *outputs = g_new (CoOutput, capacity);
  g_autofree float *y = g_new (float, capacity * self->y_size), *x = g_new0 (float, S * T * C);
  g_autofree float *own = g_new (float, capacity * self->y_size);
  g_autofree guint8 *mask = g_new0 (guint8, S * T);
  gsize n;

  for (gsize s = 0; s < S; s++)
    for (gsize t = 0; t < self->n_steps; t++) {
      mask[s * T + LATER * s + t] = 1;
      memcpy (x + (s * T + LATER * s + t) * C, self->x + t * C, C * sizeof (float));
    }
  n = co_stream_forward_steps (stream, &(CoInput) {.x = x,.mask = mask }, T, TRUE,
      &(CoResult) {.capacity = capacity,.y = y,.outputs = outputs });
  n += co_stream_drain (stream, &(CoResult) {.capacity = capacity - n,.y = y + n * self->y_size,.outputs =
        outputs + n });
  g_assert_cmpuint (n, ==, S * self->n_outputs);
  for (guint s = 0; s < S; s++) {
    gsize at = 0;

    for (gsize i = 0; i < n; i++)
      if (outputs[i].stream == s)
        memcpy (own + at++ * self->y_size, y + i * self->y_size, self->y_size * sizeof (float));
    g_assert_cmpuint (at, ==, self->n_outputs);
    compare (self, own, name, T);
  }
}

static void
test_case (gconstpointer name)
{
  static const gsize chunks[] = { 1, 3, 7 };
  g_auto (Case) self = { 0 };

  load (&self, name);
  g_assert_cmpuint (co_model_get_info (self.model)->n_warnings, ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (chunks); i++) {
    run (&self, name, chunks[i], FALSE);
    run (&self, name, chunks[i], TRUE);
  }
  run_streams (&self, name);
}

int
main (int argc, char **argv)
{
  g_autofree gchar *path = path_of (NULL, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;
  gsize n = 0;

  g_test_init (&argc, &argv, NULL);
  if (cpu_is_missing ())
    return 0;
  for (; dir && (name = g_dir_read_name (dir)); n++) {
    g_autofree gchar *test = g_strconcat ("/models/", name, NULL);

    g_test_add_data_func (test, g_intern_string (name), test_case);
  }
  g_assert_cmpuint (n, >, 0);
  return g_test_run ();
}
