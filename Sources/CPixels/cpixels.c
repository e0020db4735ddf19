#include "cpixels.h"

#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_SET __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_SET
#endif

/* A product and a sum must stay two roundings. */
#pragma STDC FP_CONTRACT OFF

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int32_t ints16 __attribute__((vector_size(64)));
typedef int32_t ints4 __attribute__((vector_size(16)));
typedef uint8_t bytes4 __attribute__((vector_size(4)));

FOR_EACH_SET
void shfn_filter_columns(
    const uint8_t *row, const int32_t *first, const int32_t *groups, const int32_t *offset, const int32_t *weights,
    size_t width, uint8_t *out) {
    for (size_t x = 0; x < width; x++) {
        const uint8_t *from = row + (size_t)first[x] * 3;
        const int32_t *weight = weights + offset[x];
        ints16 sum = {0};
        for (int32_t group = 0; group < groups[x]; group++, from += 12, weight += 16) {
            bytes16 raw;
            ints16 factor;
            memcpy(&raw, from, sizeof raw);
            memcpy(&factor, weight, sizeof factor);
            bytes16 spread = __builtin_shufflevector(raw, raw, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
            sum += __builtin_convertvector(spread, ints16) * factor;
        }
        ints4 total = __builtin_shufflevector(sum, sum, 0, 1, 2, 3) + __builtin_shufflevector(sum, sum, 4, 5, 6, 7)
            + __builtin_shufflevector(sum, sum, 8, 9, 10, 11) + __builtin_shufflevector(sum, sum, 12, 13, 14, 15);
        total = (total + (1 << (SHFN_PIXELS_BITS - 1))) >> SHFN_PIXELS_BITS;
        bytes4 pixel = __builtin_convertvector(total, bytes4);
        memcpy(out + x * 3, &pixel, 4);
    }
}

FOR_EACH_SET
void shfn_filter_rows(
    const uint8_t *const *rows, const int32_t *weights, size_t taps, size_t count, uint8_t *out) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        ints16 sum = {0};
        for (size_t t = 0; t < taps; t++) {
            bytes16 raw;
            memcpy(&raw, rows[t] + i, sizeof raw);
            sum += __builtin_convertvector(raw, ints16) * weights[t];
        }
        sum = (sum + (1 << (SHFN_PIXELS_BITS - 1))) >> SHFN_PIXELS_BITS;
        bytes16 rounded = __builtin_convertvector(sum, bytes16);
        memcpy(out + i, &rounded, sizeof rounded);
    }
    for (; i < count; i++) {
        int32_t sum = 1 << (SHFN_PIXELS_BITS - 1);
        for (size_t t = 0; t < taps; t++) sum += rows[t][i] * weights[t];
        out[i] = (uint8_t)(sum >> SHFN_PIXELS_BITS);
    }
}

FOR_EACH_SET
void shfn_normalize_row(
    const uint8_t *rgb, size_t width, const float mean[3], const float std[3], float *out, size_t plane) {
    const float scale = 1.0f / 255;
    const float red = mean[0], green = mean[1], blue = mean[2];
    const float red_std = std[0], green_std = std[1], blue_std = std[2];
    float *restrict r = out, *restrict g = out + plane, *restrict b = out + 2 * plane;
    for (size_t x = 0; x < width; x++) {
        r[x] = ((float)rgb[3 * x] * scale - red) / red_std;
        g[x] = ((float)rgb[3 * x + 1] * scale - green) / green_std;
        b[x] = ((float)rgb[3 * x + 2] * scale - blue) / blue_std;
    }
}
