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

FOR_EACH_SET
void shfn_filter_columns(
    const uint8_t *row, const int32_t *first, const int32_t *groups, const int32_t *offset, const int32_t *weights,
    size_t width, uint8_t *out) {
    /* Four pixels at a time; at the end the last one stands for those that are not there. */
    for (size_t x = 0; x < width; x += 4) {
        /* Of each pixel four sums, side by side, of every fourth tap. */
        ints16 sums[4];
        for (size_t i = 0; i < 4; i++) {
            size_t at = x + i < width ? x + i : width - 1;
            const uint8_t *from = row + (size_t)first[at] * 3;
            const int32_t *weight = weights + offset[at];
            ints16 sum = {0};
            for (int32_t group = 0; group < groups[at]; group++, from += 12, weight += 16) {
                bytes16 raw;
                ints16 factor;
                memcpy(&raw, from, sizeof raw);
                memcpy(&factor, weight, sizeof factor);
                bytes16 spread = __builtin_shufflevector(raw, raw, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
                sum += __builtin_convertvector(spread, ints16) * factor;
            }
            sums[i] = sum;
        }
        /* Of two pixels two sums each, then of all four one. */
        ints16 halves[2];
        for (size_t i = 0; i < 2; i++) {
            ints16 a = sums[2 * i], b = sums[2 * i + 1];
            halves[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
                + __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
        }
        ints16 a = halves[0], b = halves[1];
        ints16 total = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
            + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
        total = (total + (1 << (SHFN_PIXELS_BITS - 1))) >> SHFN_PIXELS_BITS;
        bytes16 wide = __builtin_convertvector(total, bytes16);
        bytes16 packed = __builtin_shufflevector(wide, wide, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15);
        memcpy(out + x * 3, &packed, sizeof packed);
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
