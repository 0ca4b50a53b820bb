/* gst-continual: a continual Transformer over a live stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-continualencoder
 * @title: continualencoder
 * @short_description: a Transformer encoder over the last vectors of a live stream
 *
 * Vectors of features go in (other/tensors of float32). After each of them the model's output over the window of the
 * last sequence-len vectors comes out, at the cost of one step instead of a whole window, and equal to what the whole
 * window would give.
 *
 * The model is a safetensors file of a PyTorch state_dict(). Hyper-parameters that its metadata doesn't give are
 * properties, which win over the file: heads and sequence-len are needed one way or the other.
 *
 * Dimensions are innermost first. The sink pad takes (string)C, a vector in each buffer; (string)C:T, a chunk of T
 * vectors in time, or in a shorter buffer fewer; and (string)C:T:S, S streams side by side, each of T vectors, that
 * share the model and have a state each. One buffer per output comes out: (string)D, with attention=retroactive
 * (string)D:N, with S streams (string)D:1:S or (string)D:N:S; of a chunk one for each vector, so that the framerate is
 * T times that of the input. Of several streams, one whose row is NaN throughout is absent: its state is kept, and NaN comes out.
 *
 * A buffer's time is that of the vector which it answers for; with a query-index that looks back, that one is older,
 * and the delay is reported as latency. Where nothing comes out, as until the first window is full, a GAP event goes
 * downstream. Of several streams the newest vector that is answered gives the time.
 *
 * A file of vectors can be played straight from filesrc (a capsfilter tells dimensions and framerate): times are
 * counted by framerate from 0, and seeks in time reach whole vectors.
 *
 * A flush, a new stream, and a downstream event of a structure named continual-reset forget what came before
 * (the latter of one stream only if it has an int field named stream), as the signal clean-state does.
 *
 * |[
 * gst-launch-1.0 autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! continualencoder model-path=keywords.safetensors ! classlabeler ! fdsink
 * gst-launch-1.0 filesrc location=features.f32 ! "other/tensors,format=static,num_tensors=1,types=float32,dimensions=(string)64,framerate=100/1" ! continualencoder model-path=model.safetensors heads=4 sequence-len=64 ! filesink location=outputs.f32
 * ]|
 */
#include "encoder/continualencoder.h"

#include "host/properties.h"

struct _GstContinualEncoder
{
  GstContinualFilter parent;
};

G_DEFINE_TYPE (GstContinualEncoder, gst_continual_encoder,
    GST_TYPE_CONTINUAL_FILTER);
GST_ELEMENT_REGISTER_DEFINE (continualencoder, "continualencoder",
    GST_RANK_NONE, GST_TYPE_CONTINUAL_ENCODER);

static void
gst_continual_encoder_class_init (GstContinualEncoderClass * klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  filter_install_properties (G_OBJECT_CLASS (klass), MODEL_FOR_ENCODER);
  gst_element_class_set_static_metadata (element_class,
      "Continual Transformer encoder", "Filter/Analyzer/Tensor",
      "Runs a Transformer encoder over a live stream of feature vectors: after "
      "every vector, what the model makes of the window of the last "
      "sequence-len vectors, exactly, at the cost of one step. Set model-path to "
      "a safetensors file of a PyTorch state_dict(), and heads and sequence-len "
      "if its metadata doesn't say them. Takes other/tensors of float32 with "
      "dimensions (string)C, C:T (T vectors in time) or C:T:S (S streams), "
      "innermost first; gives a buffer per output, at the time of the vector "
      "that it answers for",
      "The gst-continual developers");
}

static void
gst_continual_encoder_init (GstContinualEncoder * self)
{
  model_host_init (&GST_CONTINUAL_FILTER (self)->host, GST_ELEMENT (self),
      MODEL_FOR_ENCODER);
}
