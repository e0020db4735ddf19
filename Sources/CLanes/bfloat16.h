#pragma once
// bfloat16 in vectors: what Swift cannot spell. A bfloat16 is the upper half of a float32.
//
// Pairs of vectors are taken apart as the CPU's unpack instructions do it, four elements at a time: of sixteen elements,
// "low" has 0 to 3 and 8 to 11, "high" the others. Putting a pair together is the reverse, so what is computed between
// may lie in any order.

#include "lanes.h"

typedef unsigned short cwords8 __attribute__((ext_vector_type(8)));
typedef unsigned short cwords16 __attribute__((ext_vector_type(16)));
typedef unsigned short cwords32 __attribute__((ext_vector_type(32)));
typedef short cshorts16 __attribute__((ext_vector_type(16)));
typedef short cshorts32 __attribute__((ext_vector_type(32)));
typedef unsigned long cquads8 __attribute__((ext_vector_type(8)));

LANES_INLINE clanes8 clanes8_widen(cwords8 words) {
    return (clanes8)(__builtin_convertvector(words, cbits8) << 16);
}
LANES_INLINE clanes16 clanes16_widen(cwords16 words) {
    return (clanes16)(__builtin_convertvector(words, cbits16) << 16);
}

// The elements at even and at odd places.
LANES_INLINE clanes8 clanes8_even_widened(cwords16 words) { return (clanes8)((cbits8)words << 16); }
LANES_INLINE clanes8 clanes8_odd_widened(cwords16 words) { return (clanes8)((cbits8)words & 0xffff0000u); }
LANES_INLINE clanes16 clanes16_even_widened(cwords32 words) { return (clanes16)((cbits16)words << 16); }
LANES_INLINE clanes16 clanes16_odd_widened(cwords32 words) { return (clanes16)((cbits16)words & 0xffff0000u); }

// In each 32 bits an element of `a`, and above it the one of `b`.
LANES_INLINE cwords16 cwords16_zip_low(cwords16 a, cwords16 b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27);
}
LANES_INLINE cwords16 cwords16_zip_high(cwords16 a, cwords16 b) {
    return __builtin_shufflevector(a, b, 4, 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31);
}
LANES_INLINE cwords32 cwords32_zip_low(cwords32 a, cwords32 b) {
    return __builtin_shufflevector(a, b, 0, 32, 1, 33, 2, 34, 3, 35, 8, 40, 9, 41, 10, 42, 11, 43, 16, 48, 17, 49, 18,
                                   50, 19, 51, 24, 56, 25, 57, 26, 58, 27, 59);
}
LANES_INLINE cwords32 cwords32_zip_high(cwords32 a, cwords32 b) {
    return __builtin_shufflevector(a, b, 4, 36, 5, 37, 6, 38, 7, 39, 12, 44, 13, 45, 14, 46, 15, 47, 20, 52, 21, 53, 22,
                                   54, 23, 55, 28, 60, 29, 61, 30, 62, 31, 63);
}
LANES_INLINE clanes8 clanes8_low_widened(cwords16 words) { return (clanes8)cwords16_zip_low(0, words); }
LANES_INLINE clanes8 clanes8_high_widened(cwords16 words) { return (clanes8)cwords16_zip_high(0, words); }
LANES_INLINE clanes16 clanes16_low_widened(cwords32 words) { return (clanes16)cwords32_zip_low(0, words); }
LANES_INLINE clanes16 clanes16_high_widened(cwords32 words) { return (clanes16)cwords32_zip_high(0, words); }

// The elements of `values` where that of `by` is above zero, zero elsewhere. As whole numbers: a bfloat16 above zero is
// one, too (a NaN counts by its sign).
LANES_INLINE cwords16 cwords16_where_positive(cwords16 values, cwords16 by) {
    return values & (cwords16)((cshorts16)by > 0);
}
LANES_INLINE cwords32 cwords32_where_positive(cwords32 values, cwords32 by) {
    return values & (cwords32)((cshorts32)by > 0);
}

// The nearest, ties to even, in the lower halves. A NaN stays one if it is one that arithmetic makes: the lower half of
// its payload zero.
LANES_INLINE cbits8 clanes8_rounded(clanes8 values) {
    cbits8 bits = (cbits8)values;
    return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}
LANES_INLINE cbits16 clanes16_rounded(clanes16 values) {
    cbits16 bits = (cbits16)values;
    return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

LANES_INLINE cwords8 clanes8_narrowed(clanes8 values) {
    return __builtin_convertvector(clanes8_rounded(values), cwords8);
}
LANES_INLINE cwords16 clanes8_narrowed_pair(clanes8 low, clanes8 high) {
    return __builtin_shufflevector((cwords16)clanes8_rounded(low), (cwords16)clanes8_rounded(high), 0, 2, 4, 6, 16, 18,
                                   20, 22, 8, 10, 12, 14, 24, 26, 28, 30);
}

// The first `count` elements, fewer than all.
LANES_INLINE void cwords8_store_first(void *to, cwords8 words, long count) {
    clanes_copy(to, &words, count * sizeof(unsigned short));
}
LANES_INLINE void cwords16_store_first(void *to, cwords16 words, long count) {
    clanes_copy(to, &words, count * sizeof(unsigned short));
}

#if defined(__AVX512BF16__)
typedef __bf16 cbfloats16 __attribute__((vector_size(32)));
typedef __bf16 cbfloats32 __attribute__((vector_size(64)));

LANES_INLINE cwords16 clanes16_narrowed(clanes16 values) {
    return (cwords16)__builtin_ia32_cvtneps2bf16_512_mask(values, (cbfloats16)(cwords16)0, 0xffff);
}
LANES_INLINE cwords32 clanes16_narrowed_pair(clanes16 low, clanes16 high) {
    cquads8 both = (cquads8)__builtin_ia32_cvtne2ps2bf16_512(high, low);
    return (cwords32)__builtin_shufflevector(both, both, 0, 4, 1, 5, 2, 6, 3, 7);
}
// sum + a.even · b.even + a.odd · b.odd, in each 32 bits.
LANES_INLINE clanes16 clanes16_pair_product(clanes16 sum, cwords32 a, cwords32 b) {
    return __builtin_ia32_dpbf16ps_512(sum, (cbfloats32)a, (cbfloats32)b);
}
#else
LANES_INLINE cwords16 clanes16_narrowed(clanes16 values) {
    return __builtin_convertvector(clanes16_rounded(values), cwords16);
}
LANES_INLINE cwords32 clanes16_narrowed_pair(clanes16 low, clanes16 high) {
    return __builtin_shufflevector((cwords32)clanes16_rounded(low), (cwords32)clanes16_rounded(high), 0, 2, 4, 6, 32, 34,
                                   36, 38, 8, 10, 12, 14, 40, 42, 44, 46, 16, 18, 20, 22, 48, 50, 52, 54, 24, 26, 28, 30,
                                   56, 58, 60, 62);
}
LANES_INLINE clanes16 clanes16_pair_product(clanes16 sum, cwords32 a, cwords32 b) {
    sum += clanes16_even_widened(a) * clanes16_even_widened(b);
    return sum + clanes16_odd_widened(a) * clanes16_odd_widened(b);
}
#endif
