/* libwebp as two calls. It reports errors by value, so there is nothing to catch here; this file holds the rules that
   its interface leaves open: which frame, on what ground, and what a file that ends early is worth. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum {
    SHFN_WEBP_OK = 0,
    SHFN_WEBP_UNREADABLE = 1,  /* damaged or truncated */
    SHFN_WEBP_UNSUPPORTED = 2, /* valid, but of a kind libwebp cannot decode */
    SHFN_WEBP_NO_MEMORY = 3
} shfn_webp_status;

typedef struct {
    uint32_t width, height; /* of the canvas; 0 when the header could not be read */
    /* Body of the EXIF chunk within the file's bytes, NULL when there is none. */
    const uint8_t *exif;
    size_t exif_size;
} shfn_webp_header;

/* Reads the header; the file may be shorter than it says. */
shfn_webp_status shfn_webp_read_header(const uint8_t *bytes, size_t size, shfn_webp_header *header);

/* Decodes the picture, of an animation the first frame, into packed 8-bit RGB rows of the canvas; `capacity` is what
   `rgb` holds, in bytes, `width` and `height` are the header's. What is transparent, or outside the frame, is
   composited on white, rounding to nearest. With `tolerate_truncation` 1 a picture that ends early keeps the rows that
   were there; the others are black. */
shfn_webp_status shfn_webp_decode(
    const uint8_t *bytes, size_t size, int tolerate_truncation, uint32_t width, uint32_t height, uint8_t *rgb,
    size_t capacity);
