/* gst-continual: a continual Transformer encoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-continualencoder
 * @title: continualencoder
 * @short_description: a Transformer encoder over the last vectors of a live stream
 *
 * The input is a stream of feature vectors (other/tensors of float32). After each vector the element pushes the output of
 * the model for the window of the last sequence-len vectors. An output costs one step instead of a whole window, and
 * equals what the whole window would give.
 *
 * The model is a safetensors file of a PyTorch state_dict(). Set hyper-parameters that its metadata does not give as
 * properties, which win over the file. heads and sequence-len are needed in one of the two.
 *
 * Dimensions are innermost first. The sink pad takes (string)C, a vector in each buffer; (string)C:T, a chunk of T
 * vectors in time, where shorter buffers have fewer; and (string)C:T:S, S streams of T vectors each, which share the
 * model and have separate states. Each output is one buffer: (string)D, with attention=retroactive (string)D:N, with S
 * streams (string)D:1:S or (string)D:N:S. A chunk gives one output per vector, so the framerate is T times that of the
 * input. If all values of a stream's row are NaN, the stream is absent: its state does not change, and its output is NaN.
 *
 * A buffer has the time of the vector that it answers. With a query-index that looks back, that vector is older, and the
 * delay is reported as latency. With several streams, the newest answered vector gives the time. A step without an
 * output, as before the first window is full, sends a GAP event.
 *
 * To play a file of vectors from filesrc, put a capsfilter with dimensions and framerate between: times are counted by
 * the framerate from 0, and seeks in time go to whole vectors.
 *
 * A flush, a new stream, and a downstream event with a structure named continual-reset reset all streams, as the signal
 * clean-state does. A continual-reset event with an int field named stream resets that stream only.
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

static const ElementAbout about = {
  .name = "continualencoder",
  .title = "Continual Transformer encoder",
  .classes = "Filter/Analyzer/Tensor",
  .description = "Runs a Transformer encoder on every vector of a live stream, each output at the cost of one "
      "step",
  .example = "SOURCE ! melspectrogram ! continualencoder model-path=words.safetensors ! classlabeler ! "
      "fdsink",
  .page = "docs/continualencoder.md",
};

static void
gst_continual_encoder_class_init (GstContinualEncoderClass * klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  filter_install_properties (G_OBJECT_CLASS (klass), MODEL_FOR_ENCODER);
  element_about (element_class, &about);
}

static void
gst_continual_encoder_init (GstContinualEncoder * self)
{
  model_host_init (&GST_CONTINUAL_FILTER (self)->host, GST_ELEMENT (self),
      MODEL_FOR_ENCODER);
}
