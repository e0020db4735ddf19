/* libpng behind a wall: its errors leave by longjmp, which must never cross a Swift frame, so every call that can
   raise one is made here, under a setjmp of its own. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum {
    SHFN_PNG_OK = 0,
    SHFN_PNG_UNREADABLE = 1,
    SHFN_PNG_NO_MEMORY = 2
} shfn_png_status;

typedef struct {
    uint32_t width, height;
} shfn_png_header;

typedef struct shfn_png_decoder shfn_png_decoder;

/* One decoder reads one picture, on one thread. `bytes` must outlive it. NULL when there is no memory. */
shfn_png_decoder *shfn_png_create(const uint8_t *bytes, size_t size);
void shfn_png_destroy(shfn_png_decoder *decoder);

/* Reads up to the first picture data. */
shfn_png_status shfn_png_read_header(shfn_png_decoder *decoder, shfn_png_header *header);

/* Decodes into packed 8-bit RGB rows; `capacity` is what `rgb` holds, in bytes. Every colour type and depth, interlaced
   or not: palettes are expanded, of 16 bits the upper eight are kept, gamma and colour profiles are ignored, and what
   is transparent (alpha channel or tRNS) is composited on white, rounding to nearest. With `tolerate_truncation` 1 a
   picture that ends early keeps the rows that were there; the others are black. */
shfn_png_status shfn_png_decode(shfn_png_decoder *decoder, int tolerate_truncation, uint8_t *rgb, size_t capacity);

/* Body of the eXIf chunk, NULL when there is none; complete only after a decode (it may follow the picture data). */
const uint8_t *shfn_png_exif(shfn_png_decoder *decoder, size_t *size);

const char *shfn_png_message(const shfn_png_decoder *decoder);

/* Writes packed 8-bit RGB rows as a PNG. The result is malloc'd; free it with free(). On failure *bytes is NULL and
   `message` (of `message_size` bytes) says why. */
shfn_png_status shfn_png_write(
    const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **bytes, size_t *size, char *message,
    size_t message_size);
