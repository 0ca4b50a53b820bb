/* libcontinual: matrix products by BLAS. Its process-wide settings are the host application's.
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/linear.h"
#include <cblas.h>

void
co_matmul_nt (gsize m, gsize n, gsize k, float alpha, const float *a,
    gsize a_stride, const float *b, gsize b_stride, float beta, float *c,
    gsize c_stride)
{
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, alpha, a,
      a_stride, b, b_stride, beta, c, c_stride);
}

void
co_matmul_double (gsize m, gsize n, gsize k, const double *a, const double *b,
    double *c)
{
  cblas_dgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n,
      0, c, n);
}

void
co_matmul_nn (gsize m, gsize n, gsize k, float alpha, const float *a,
    gsize a_stride, const float *b, gsize b_stride, float beta, float *c,
    gsize c_stride)
{
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, alpha, a,
      a_stride, b, b_stride, beta, c, c_stride);
}
