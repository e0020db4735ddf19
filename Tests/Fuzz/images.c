/* libFuzzer on the C targets that touch foreign picture bytes. The first byte of an input chooses how the rest is read:
   whether truncation is tolerated, and at what scale. */
#include "cjpeg.h"
#include "cpng.h"
#include "cwebp.h"

#include <stdlib.h>

#define MOST_PIXELS 4000000

/* Reads every byte, so that a sanitizer sees one that is not there. */
static void touch(const uint8_t *bytes, size_t size) {
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < size; i++) sum ^= bytes[i];
}

/* Memory for exactly the pixels; NULL for none or too many. */
static uint8_t *room(uint32_t width, uint32_t height, size_t *capacity) {
    if (!width || !height || (uint64_t)width * height > MOST_PIXELS) return NULL;
    *capacity = (size_t)width * height * 3;
    return malloc(*capacity);
}

static void jpeg(const uint8_t *bytes, size_t size, int tolerate, int denominator) {
    static shfn_jpeg_decoder *decoder;
    if (!decoder) decoder = shfn_jpeg_create();
    shfn_jpeg_header header;
    if (shfn_jpeg_read_header(decoder, bytes, size, &header) != SHFN_JPEG_OK) return;
    touch(header.exif, header.exif_size);
    if ((uint64_t)header.width * header.height > MOST_PIXELS) return;
    uint32_t width, height;
    size_t capacity = 0;
    shfn_jpeg_scaled_size(decoder, denominator, &width, &height);
    uint8_t *rgb = room(width, height, &capacity);
    if (rgb && shfn_jpeg_decode(decoder, denominator, tolerate, rgb, capacity) == SHFN_JPEG_OK) touch(rgb, capacity);
    free(rgb);
}

static void png(const uint8_t *bytes, size_t size, int tolerate) {
    shfn_png_decoder *decoder = shfn_png_create(bytes, size);
    shfn_png_header header;
    if (shfn_png_read_header(decoder, &header) == SHFN_PNG_OK) {
        size_t capacity = 0, exif_size = 0;
        uint8_t *rgb = room(header.width, header.height, &capacity);
        if (rgb && shfn_png_decode(decoder, tolerate, rgb, capacity) == SHFN_PNG_OK) {
            touch(rgb, capacity);
            const uint8_t *exif = shfn_png_exif(decoder, &exif_size);
            if (exif) touch(exif, exif_size);
        }
        free(rgb);
    }
    shfn_png_destroy(decoder);
}

static void webp(const uint8_t *bytes, size_t size, int tolerate) {
    shfn_webp_header header;
    if (shfn_webp_read_header(bytes, size, &header) != SHFN_WEBP_OK) return;
    touch(header.exif, header.exif_size);
    size_t capacity = 0;
    uint8_t *rgb = room(header.width, header.height, &capacity);
    if (rgb && shfn_webp_decode(bytes, size, tolerate, header.width, header.height, rgb, capacity) == SHFN_WEBP_OK)
        touch(rgb, capacity);
    free(rgb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    int tolerate = data[0] & 1, denominator = 1 << (data[0] >> 1 & 3);
    data++;
    size--;
    if (data[0] == 0xFF) {
        jpeg(data, size, tolerate, denominator);
    } else if (data[0] == 0x89) {
        png(data, size, tolerate);
    } else {
        webp(data, size, tolerate);
    }
    return 0;
}
