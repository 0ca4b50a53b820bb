/* libcontinual: hyper-parameters
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/error.h>

G_BEGIN_DECLS

/**
 * CoSettingType:
 * @CO_SETTING_INTEGER: a whole number in decimal
 * @CO_SETTING_NUMBER: a number in decimal
 * @CO_SETTING_BOOLEAN: `true` or `false`, also `1` or `0`
 * @CO_SETTING_CHOICE: one of several names, with `-` or `_`
 * @CO_SETTING_TEXT: any text
 *
 * How the value of a hyper-parameter is written.
 *
 * Since: 0.1
 */
typedef enum
{
  CO_SETTING_INTEGER,
  CO_SETTING_NUMBER,
  CO_SETTING_BOOLEAN,
  CO_SETTING_CHOICE,
  CO_SETTING_TEXT
} CoSettingType;

/**
 * CoSettingScope:
 * @CO_FOR_ENCODER: encoders, and whole classifiers around one
 * @CO_FOR_ATTENTION: a bare attention with separate keys and values
 * @CO_FOR_DECODER: decoders
 *
 * The models for which a hyper-parameter has a meaning.
 *
 * Since: 0.1
 */
typedef enum /*< flags >*/
{
  CO_FOR_ENCODER = 1 << 0,
  CO_FOR_ATTENTION = 1 << 1,
  CO_FOR_DECODER = 1 << 2
} CoSettingScope;

/**
 * CoChoice:
 * @name: the name, with `-`
 * @blurb: one line that describes it
 *
 * One value of a hyper-parameter of type %CO_SETTING_CHOICE.
 *
 * Since: 0.1
 */
typedef struct
{
  const gchar *name;
  const gchar *blurb;
} CoChoice;

/**
 * CoSetting:
 * @key: its name in a file's metadata and in #CoOptions
 * @alias: (nullable): another name that metadata may use
 * @property: (nullable): the GObject property that elements install for it
 * @nick: (nullable): a short title, for such a property
 * @blurb: one line that describes it
 * @min: the least value of an integer or a number
 * @max: the greatest value of an integer or a number
 * @unset: the value of a numeric property that means: as the model says
 * @fallback: (nullable): the value where neither the file nor an option says one; %NULL: none
 * @choices_name: (nullable): what the choices are called together; equal for equal choices
 * @choices: (nullable) (array length=n_choices): the values of a choice
 * @n_choices: how many @choices there are
 * @type: how its value is written
 * @scope: the models it is for
 * @kinds: bit i is set if it is for the i-th choice of `attention`; all bits: for any kind
 *
 * A row of the table of hyper-parameters. The library owns it; later versions may add members.
 *
 * Since: 0.1
 */
typedef struct _CoSetting
{
  const gchar *key;
  const gchar *alias;
  const gchar *property;
  const gchar *nick;
  const gchar *blurb;
  gdouble min;
  gdouble max;
  gdouble unset;
  const gchar *fallback;
  const gchar *choices_name;
  const CoChoice *choices;
  guint n_choices;
  CoSettingType type;
  guint scope;
  guint kinds;
} CoSetting;

/**
 * co_setting_count:
 *
 * Counts the hyper-parameters.
 *
 * Returns: the number of hyper-parameters.
 *
 * Since: 0.1
 */
CO_API guint co_setting_count (void);

/**
 * co_setting_get:
 * @i: an index below co_setting_count()
 *
 * Describes a hyper-parameter.
 *
 * Returns: (transfer none): the @i-th hyper-parameter.
 *
 * Since: 0.1
 */
CO_API const CoSetting *co_setting_get (guint i);

/**
 * CoOptions:
 *
 * Values of hyper-parameters, each of which overrides the key of the same name in a file's `__metadata__`.
 *
 * Values are written as in a metadata string. They are checked when a model is loaded, with the same messages as a
 * file's own.
 *
 * Since: 0.1
 */
typedef struct _CoOptions CoOptions;

#define CO_TYPE_OPTIONS (co_options_get_type ())
CO_API GType co_options_get_type (void);

/**
 * co_options_new:
 *
 * Creates options.
 *
 * Returns: (transfer full): options that override nothing.
 *
 * Since: 0.1
 */
CO_API CoOptions *co_options_new (void);

/**
 * co_options_copy:
 * @self: options
 *
 * Copies options.
 *
 * Returns: (transfer full): a copy.
 *
 * Since: 0.1
 */
CO_API CoOptions *co_options_copy (const CoOptions * self);

/**
 * co_options_free:
 * @self: (nullable) (transfer full): options
 *
 * Frees options.
 *
 * Since: 0.1
 */
CO_API void co_options_free (CoOptions * self);

/**
 * co_options_set:
 * @self: options
 * @key: the key or the alias of a #CoSetting, with `-` or `_`
 * @value: (nullable): its value; %NULL: as the file says
 * @error: return location for a #GError
 *
 * Sets the value of a hyper-parameter.
 *
 * Returns: %FALSE, with %CO_ERROR_SETTING, if there is no such hyper-parameter; @self is unchanged then.
 *
 * Since: 0.1
 */
CO_API gboolean co_options_set (CoOptions * self, const gchar * key,
    const gchar * value, GError ** error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CoOptions, co_options_free)

G_END_DECLS
