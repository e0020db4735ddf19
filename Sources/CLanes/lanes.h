#pragma once
// What Swift cannot spell: permutations of two vectors that compile to two instructions instead of one a lane, fused
// multiply-adds that stay as they are written, masked and partial copies, prefetches, and the CPU's name for its
// instruction set.
// Everything is inlined, so nothing here has a symbol that modules for different CPUs could share.

#define LANES_INLINE static inline __attribute__((always_inline, unused))

typedef float clanes4 __attribute__((ext_vector_type(4)));
typedef float clanes8 __attribute__((ext_vector_type(8)));
typedef float clanes16 __attribute__((ext_vector_type(16)));

LANES_INLINE clanes8 clanes8_even(clanes8 a, clanes8 b) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}
LANES_INLINE clanes8 clanes8_odd(clanes8 a, clanes8 b) {
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}
LANES_INLINE clanes8 clanes8_interleave_low(clanes8 a, clanes8 b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
LANES_INLINE clanes8 clanes8_interleave_high(clanes8 a, clanes8 b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

LANES_INLINE clanes16 clanes16_even(clanes16 a, clanes16 b) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
LANES_INLINE clanes16 clanes16_odd(clanes16 a, clanes16 b) {
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
LANES_INLINE clanes16 clanes16_interleave_low(clanes16 a, clanes16 b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
LANES_INLINE clanes16 clanes16_interleave_high(clanes16 a, clanes16 b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// The larger of two lanes, a's if neither is. Swift's choice by a mask takes three times as long without AVX.
LANES_INLINE clanes8 clanes8_larger(clanes8 a, clanes8 b) { return a < b ? b : a; }
LANES_INLINE clanes16 clanes16_larger(clanes16 a, clanes16 b) { return a < b ? b : a; }

// The vector as it is, which the compiler does not look behind: it would move the shuffles that follow before the sums or
// comparisons that made it, where there are more of them.
LANES_INLINE clanes8 clanes8_settled(clanes8 a) {
#if defined(__AVX__)
    __asm__("" : "+x"(a));
#endif
    return a;
}
LANES_INLINE clanes16 clanes16_settled(clanes16 a) {
#if defined(__AVX512F__)
    __asm__("" : "+v"(a));
#endif
    return a;
}

// The lanes from the second on, then the first of `next`.
LANES_INLINE clanes8 clanes8_shifted(clanes8 a, clanes8 next) {
    return __builtin_shufflevector(a, next, 1, 2, 3, 4, 5, 6, 7, 8);
}
LANES_INLINE clanes16 clanes16_shifted(clanes16 a, clanes16 next) {
    return __builtin_shufflevector(a, next, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
}

// `sum + (x + w)·(y + v)` and `sum − (x − w)·(y − v)` with w and v spread over the lanes, and `sum + x·w`. In assembly where
// instructions spread their operand themselves: the compiler spends another one and a register on it as soon as two
// products take the same.
LANES_INLINE clanes16 clanes16_add_crossed(clanes16 sum, clanes16 x, clanes16 y, const float *w, const float *v) {
    clanes16 a, b;
#if defined(__AVX512F__)
    __asm__("vaddps %5%{1to16%}, %3, %1\n\tvaddps %6%{1to16%}, %4, %2\n\tvfmadd231ps %2, %1, %0"
            : "+v"(sum), "=&v"(a), "=&v"(b)
            : "v"(x), "v"(y), "m"(*w), "m"(*v));
    return sum;
#else
    a = x + *w;
    b = y + *v;
    return __builtin_elementwise_fma(a, b, sum);
#endif
}
LANES_INLINE clanes16 clanes16_subtract_crossed(clanes16 sum, clanes16 x, clanes16 y, const float *w, const float *v) {
    clanes16 a, b;
#if defined(__AVX512F__)
    __asm__("vsubps %5%{1to16%}, %3, %1\n\tvsubps %6%{1to16%}, %4, %2\n\tvfnmadd231ps %2, %1, %0"
            : "+v"(sum), "=&v"(a), "=&v"(b)
            : "v"(x), "v"(y), "m"(*w), "m"(*v));
    return sum;
#else
    a = *w - x;
    b = y - *v;
    return __builtin_elementwise_fma(a, b, sum);
#endif
}
LANES_INLINE clanes16 clanes16_add_spread(clanes16 sum, clanes16 x, const float *w) {
#if defined(__AVX512F__)
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(x), "m"(*w));
    return sum;
#else
    clanes16 spread = *w;
    return __builtin_elementwise_fma(x, spread, sum);
#endif
}

// The sums of four vectors' lanes, in the order a, b, c, d: first within each four lanes, where every step leaves half as
// many vectors, then over the fours.
LANES_INLINE clanes8 clanes8_pair_sums(clanes8 a, clanes8 b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13) +
           __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
}
LANES_INLINE clanes4 clanes8_totals(clanes8 a, clanes8 b, clanes8 c, clanes8 d) {
    clanes8 ab = clanes8_pair_sums(a, b), cd = clanes8_pair_sums(c, d);
    clanes8 sums = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) +
                   __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
    return sums.lo + sums.hi;
}
LANES_INLINE clanes16 clanes16_pair_sums(clanes16 a, clanes16 b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
           __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}
LANES_INLINE clanes4 clanes16_totals(clanes16 a, clanes16 b, clanes16 c, clanes16 d) {
    clanes16 ab = clanes16_pair_sums(a, b), cd = clanes16_pair_sums(c, d);
    clanes16 quarters =
        __builtin_shufflevector(ab, cd, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
        __builtin_shufflevector(ab, cd, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    clanes8 sums = quarters.lo + quarters.hi;
    return sums.lo + sums.hi;
}

typedef unsigned int cbits8 __attribute__((ext_vector_type(8)));
typedef unsigned int cbits16 __attribute__((ext_vector_type(16)));

// All bits of the lanes from `start` on and before `end`, none of the others: out of two windows of a table, since the
// compiler makes of comparisons that are kept for later one a lane.
static const unsigned int clanes_table[48] __attribute__((unused)) = {
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
};
LANES_INLINE cbits8 clanes8_bits(long start, long end) {
    cbits8 from, to;
    __builtin_memcpy(&from, clanes_table + 16 - (start < 8 ? start : 8), sizeof(from));
    __builtin_memcpy(&to, clanes_table + 32 - (end < 0 ? 0 : end < 8 ? end : 8), sizeof(to));
    return from & to;
}
LANES_INLINE cbits16 clanes16_bits(long start, long end) {
    cbits16 from, to;
    __builtin_memcpy(&from, clanes_table + 16 - (start < 16 ? start : 16), sizeof(from));
    __builtin_memcpy(&to, clanes_table + 32 - (end < 0 ? 0 : end < 16 ? end : 16), sizeof(to));
    return from & to;
}

typedef int cints8 __attribute__((ext_vector_type(8)));
typedef int cints16 __attribute__((ext_vector_type(16)));
typedef unsigned char cbytes8 __attribute__((ext_vector_type(8)));
typedef unsigned char cbytes16 __attribute__((ext_vector_type(16)));

// At most 63 bytes, in pieces of a power of two.
LANES_INLINE void clanes_copy(void *to, const void *from, long bytes) {
    char *target = (char *)to;
    const char *source = (const char *)from;
#define LANES_COPY(size)                            \
    if (bytes & size) {                             \
        __builtin_memcpy(target, source, size);     \
        target += size;                             \
        source += size;                             \
    }
    LANES_COPY(32)
    LANES_COPY(16)
    LANES_COPY(8)
    LANES_COPY(4)
    LANES_COPY(2)
    LANES_COPY(1)
#undef LANES_COPY
}

// The first `count` lanes, fewer than all.
LANES_INLINE void clanes8_store_first(void *to, clanes8 values, long count) {
    clanes_copy(to, &values, count * sizeof(float));
}
LANES_INLINE void clanes16_store_first(void *to, clanes16 values, long count) {
    clanes_copy(to, &values, count * sizeof(float));
}
// Bytes as lanes.
LANES_INLINE clanes8 clanes8_load_bytes(const void *from) {
    cbytes8 bytes;
    __builtin_memcpy(&bytes, from, sizeof(bytes));
    return __builtin_convertvector(__builtin_convertvector(bytes, cints8), clanes8);
}
LANES_INLINE clanes16 clanes16_load_bytes(const void *from) {
    cbytes16 bytes;
    __builtin_memcpy(&bytes, from, sizeof(bytes));
    return __builtin_convertvector(__builtin_convertvector(bytes, cints16), clanes16);
}
// The lowest byte of the first `count` lanes, of all at the most.
LANES_INLINE void clanes8_store_bytes(void *to, cints8 values, long count) {
    cbytes8 bytes = __builtin_convertvector(values, cbytes8);
    clanes_copy(to, &bytes, count);
}
LANES_INLINE void clanes16_store_bytes(void *to, cints16 values, long count) {
    cbytes16 bytes = __builtin_convertvector(values, cbytes16);
    clanes_copy(to, &bytes, count);
}

LANES_INLINE void clanes_prefetch(const void *address) { __builtin_prefetch(address, 0, 2); }

#if defined(__x86_64__)
// Whether CPU and system can run code for a level of the x86-64 psABI.
LANES_INLINE int clanes_has_v3(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v3");
}
LANES_INLINE int clanes_has_v4(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v4");
}
// The same and products of bfloat16.
LANES_INLINE int clanes_has_v4_bfloat16(void) {
    return clanes_has_v4() && __builtin_cpu_supports("avx512bf16");
}
// The same where sums and products of 512 bits keep different units busy, so that fast inner products are faster.
LANES_INLINE int clanes_has_v4_bfloat16_adders(void) {
    return clanes_has_v4_bfloat16() && __builtin_cpu_is("amdfam19h");
}
#else
LANES_INLINE int clanes_has_v3(void) { return 0; }
LANES_INLINE int clanes_has_v4(void) { return 0; }
LANES_INLINE int clanes_has_v4_bfloat16(void) { return 0; }
LANES_INLINE int clanes_has_v4_bfloat16_adders(void) { return 0; }
#endif
