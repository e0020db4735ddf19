/* libjpeg-turbo behind a wall: its errors leave by longjmp, which must never cross a Swift frame, so every call that
   can raise one is made here, under a setjmp of its own. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum {
    SHFN_JPEG_OK = 0,
    SHFN_JPEG_UNREADABLE = 1,  /* damaged or truncated */
    SHFN_JPEG_UNSUPPORTED = 2, /* valid, but of a kind libjpeg cannot decode: 12-bit, lossless, odd colour spaces */
    SHFN_JPEG_TOO_LARGE = 3,   /* beyond libjpeg's 65,500 pixels a side */
    SHFN_JPEG_NO_MEMORY = 4
} shfn_jpeg_status;

typedef struct {
    uint32_t width, height; /* as stored, before scaling and orientation */
    /* Body of the first EXIF segment (a TIFF header follows at once), NULL when there is none. Lives until the next
       call for this decoder. */
    const uint8_t *exif;
    size_t exif_size;
} shfn_jpeg_header;

typedef struct shfn_jpeg_decoder shfn_jpeg_decoder;

/* A decoder is for one thread at a time and may read any number of pictures. NULL when there is no memory. */
shfn_jpeg_decoder *shfn_jpeg_create(void);
void shfn_jpeg_destroy(shfn_jpeg_decoder *decoder);

/* Reads the header of a picture in memory. `bytes` must stay valid until the decode call has returned. */
shfn_jpeg_status shfn_jpeg_read_header(
    shfn_jpeg_decoder *decoder, const uint8_t *bytes, size_t size, shfn_jpeg_header *header);

/* Size of the picture when decoded at 1/denominator (1, 2, 4 or 8). Call after read_header. */
void shfn_jpeg_scaled_size(shfn_jpeg_decoder *decoder, int denominator, uint32_t *width, uint32_t *height);

/* Decodes the picture whose header was read last, at 1/denominator, into packed 8-bit RGB rows. `capacity` is what
   `rgb` holds, in bytes. CMYK and YCCK are read by Adobe's convention (stored inverted), as Pillow and OpenCV do, also
   when the Adobe segment is missing. With `tolerate_truncation` 0, data that end early or are damaged make the picture
   unreadable; with 1, what is there is decoded, if it is at least one row of blocks. */
shfn_jpeg_status shfn_jpeg_decode(
    shfn_jpeg_decoder *decoder, int denominator, int tolerate_truncation, uint8_t *rgb, size_t capacity);

/* What libjpeg said about the last call that did not return OK. */
const char *shfn_jpeg_message(const shfn_jpeg_decoder *decoder);

/* Encodes packed 8-bit RGB rows as a baseline JPEG into memory that the caller frees. `quality` is libjpeg's, 1 to 100.
   Not OK only where there is no memory. */
shfn_jpeg_status shfn_jpeg_write(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **bytes, size_t *size);
