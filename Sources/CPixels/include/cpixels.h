/* The inner loops of resizing and normalising, in C because one function can be compiled for several instruction sets
   and the loader picks (target_clones): the same source in Swift, built for the baseline only, took 2.6 times as long.
   Results are the same bits on every set. Nothing here allocates or fails. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Bytes that may be written past the last pixel of a row. */
#define SHFN_PIXELS_OVERWRITE 13
/* Taps are stored in groups of this many. */
#define SHFN_PIXELS_GROUP 4
/* Fraction bits of a weight. */
#define SHFN_PIXELS_BITS 22

/* out[x][c] = round(Σ weight · row[first[x] + t][c]) for `width` pixels of packed RGB. Pixel x has groups[x] groups of
   four taps; its weights begin at weights[offset[x]], each four times over (once a byte), so sixteen a group. The last
   of four bytes is of no meaning. Groups are read as whole vectors: up to 16 bytes past the last source pixel that a
   weight belongs to must be readable. `out` is written for up to SHFN_PIXELS_OVERWRITE bytes past its last pixel. */
void shfn_filter_columns(
    const uint8_t *row, const int32_t *first, const int32_t *groups, const int32_t *offset, const int32_t *weights,
    size_t width, uint8_t *out);

/* out[i] = round(Σ weights[t] · rows[t][i]) for `count` values. */
void shfn_filter_rows(
    const uint8_t *const *rows, const int32_t *weights, size_t taps, size_t count, uint8_t *out);

/* One row of packed RGB to one row of three planes, `plane` values apart: (v · (1/255) − mean) / std, every step rounded
   to float32 in that order. */
void shfn_normalize_row(
    const uint8_t *rgb, size_t width, const float mean[3], const float std[3], float *out, size_t plane);
