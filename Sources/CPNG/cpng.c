#include "cpng.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/* Upper bound of one ancillary chunk libpng may hold (only eXIf and tRNS are kept at all). */
#define CHUNK_BYTES (1u << 20)

struct shfn_png_decoder {
    png_structp png;
    png_infop info;
    jmp_buf escape;
    shfn_png_status status;
    const uint8_t *bytes;
    size_t size, offset;
    uint8_t *rgba; /* one row, or the whole picture when interlaced with alpha */
    char message[256];
};

static void on_error(png_structp png, png_const_charp text) {
    shfn_png_decoder *decoder = png_get_error_ptr(png);
    snprintf(decoder->message, sizeof decoder->message, "%s", text);
    decoder->status =
        strstr(text, "ut of memory") || strstr(text, "nsufficient memory") ? SHFN_PNG_NO_MEMORY : SHFN_PNG_UNREADABLE;
    longjmp(decoder->escape, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void on_read(png_structp png, png_bytep out, size_t wanted) {
    shfn_png_decoder *decoder = png_get_io_ptr(png);
    if (wanted > decoder->size - decoder->offset) png_error(png, "the file ends early");
    memcpy(out, decoder->bytes + decoder->offset, wanted);
    decoder->offset += wanted;
}

static int configure(shfn_png_decoder *decoder) {
    /* Text, profiles, gamma and times are neither used nor unpacked. */
    static const png_byte skipped[] =
        "bKGD\0cHRM\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0sTER\0tEXt\0tIME\0zTXt";
    if (setjmp(decoder->escape)) return 0;
    png_set_read_fn(decoder->png, decoder, on_read);
    png_set_benign_errors(decoder->png, 1);
    /* The caller caps the pixels; libpng's own limit on sides would only hide the true size. */
    png_set_user_limits(decoder->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(decoder->png, CHUNK_BYTES);
    png_set_keep_unknown_chunks(decoder->png, PNG_HANDLE_CHUNK_NEVER, skipped, (int)(sizeof skipped / 5));
    return 1;
}

shfn_png_decoder *shfn_png_create(const uint8_t *bytes, size_t size) {
    shfn_png_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    decoder->bytes = bytes;
    decoder->size = size;
    /* png_create_* have a setjmp of their own and answer NULL. */
    decoder->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning);
    decoder->info = decoder->png ? png_create_info_struct(decoder->png) : NULL;
    if (!decoder->info || !configure(decoder)) {
        shfn_png_destroy(decoder);
        return NULL;
    }
    return decoder;
}

void shfn_png_destroy(shfn_png_decoder *decoder) {
    if (!decoder) return;
    if (decoder->png) png_destroy_read_struct(&decoder->png, &decoder->info, NULL);
    free(decoder->rgba);
    free(decoder);
}

shfn_png_status shfn_png_read_header(shfn_png_decoder *decoder, shfn_png_header *header) {
    memset(header, 0, sizeof *header);
    if (setjmp(decoder->escape)) {
        /* Whatever is wrong further on, an IHDR that was read tells the size. */
        header->width = png_get_image_width(decoder->png, decoder->info);
        header->height = png_get_image_height(decoder->png, decoder->info);
        return decoder->status;
    }
    png_read_info(decoder->png, decoder->info);
    header->width = png_get_image_width(decoder->png, decoder->info);
    header->height = png_get_image_height(decoder->png, decoder->info);
    return SHFN_PNG_OK;
}

static inline uint8_t on_white(uint8_t color, uint8_t alpha) {
    unsigned sum = color * alpha + 255u * (255u - alpha) + 128u;
    return (uint8_t)((sum + (sum >> 8)) >> 8);
}

static void composite(const uint8_t *rgba, uint8_t *rgb, size_t pixels) {
    for (size_t i = 0; i < pixels; i++, rgba += 4, rgb += 3) {
        rgb[0] = on_white(rgba[0], rgba[3]);
        rgb[1] = on_white(rgba[1], rgba[3]);
        rgb[2] = on_white(rgba[2], rgba[3]);
    }
}

shfn_png_status shfn_png_decode(shfn_png_decoder *decoder, int tolerate_truncation, uint8_t *rgb, size_t capacity) {
    png_structp png = decoder->png;
    /* volatile: read after a longjmp. */
    volatile int has_rows = 0, rows_done = 0;
    volatile size_t interlaced_pixels = 0;
    if (setjmp(decoder->escape)) {
        /* A fault in what follows the last row costs no pixel. */
        if (!rows_done && !(tolerate_truncation && has_rows)) return decoder->status;
        if (interlaced_pixels && !rows_done) composite(decoder->rgba, rgb, interlaced_pixels);
        return SHFN_PNG_OK;
    }
    png_set_expand(png); /* palette to RGB, 1, 2 and 4 bits to 8, tRNS to alpha */
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, decoder->info);

    size_t width = png_get_image_width(png, decoder->info), height = png_get_image_height(png, decoder->info);
    int channels = png_get_channels(png, decoder->info);
    size_t stride = width * 3;
    if (stride * height > capacity || (channels != 3 && channels != 4)
        || png_get_rowbytes(png, decoder->info) != width * (size_t)channels) {
        png_error(png, "the picture is not what its header said");
    }
    if (tolerate_truncation) memset(rgb, 0, stride * height);
    if (channels == 4) {
        size_t wanted = passes > 1 ? width * 4 * height : width * 4;
        decoder->rgba = calloc(wanted, 1);
        if (!decoder->rgba) png_error(png, "out of memory");
        if (passes > 1) {
            interlaced_pixels = width * height;
            /* Pixels that never come are black, as in the other kinds, not the white behind what is transparent. */
            for (size_t i = 0; tolerate_truncation && i < interlaced_pixels; i++) decoder->rgba[i * 4 + 3] = 255;
        }
    }
    /* libpng asks for this much at a time, and what is there of the last, partial piece is lost. */
    if (tolerate_truncation) png_set_compression_buffer_size(png, 16);
    for (int pass = 0; pass < passes; pass++) {
        for (size_t y = 0; y < height; y++) {
            if (channels == 3) {
                png_read_row(png, rgb + stride * y, NULL);
            } else if (passes > 1) {
                png_read_row(png, decoder->rgba + width * 4 * y, NULL);
            } else {
                png_read_row(png, decoder->rgba, NULL);
                composite(decoder->rgba, rgb + stride * y, width);
            }
            has_rows = 1;
        }
    }
    if (interlaced_pixels) composite(decoder->rgba, rgb, interlaced_pixels);
    rows_done = 1;
    png_read_end(png, decoder->info); /* eXIf may come last */
    return SHFN_PNG_OK;
}

const uint8_t *shfn_png_exif(shfn_png_decoder *decoder, size_t *size) {
    png_uint_32 length = 0;
    png_bytep body = NULL;
    *size = 0;
    if (setjmp(decoder->escape)) return NULL;
    if (!png_get_eXIf_1(decoder->png, decoder->info, &length, &body)) return NULL;
    *size = length;
    return body;
}

const char *shfn_png_message(const shfn_png_decoder *decoder) { return decoder->message; }

typedef struct {
    jmp_buf escape;
    char *message;
    size_t message_size;
    uint8_t *bytes;
    size_t size, capacity;
} writer;

static void on_write_error(png_structp png, png_const_charp text) {
    writer *to = png_get_error_ptr(png);
    snprintf(to->message, to->message_size, "%s", text);
    longjmp(to->escape, 1);
}

static void on_write(png_structp png, png_bytep from, size_t count) {
    writer *to = png_get_io_ptr(png);
    if (count > to->capacity - to->size) {
        size_t capacity = (to->size + count) * 2;
        uint8_t *grown = realloc(to->bytes, capacity);
        if (!grown) png_error(png, "out of memory");
        to->bytes = grown;
        to->capacity = capacity;
    }
    memcpy(to->bytes + to->size, from, count);
    to->size += count;
}

static void on_flush(png_structp png) { (void)png; }

shfn_png_status shfn_png_write(
    const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **bytes, size_t *size, char *message,
    size_t message_size) {
    *bytes = NULL;
    *size = 0;
    writer *to = calloc(1, sizeof *to);
    if (!to) return SHFN_PNG_NO_MEMORY;
    to->message = message;
    to->message_size = message_size;
    png_structp volatile png = png_create_write_struct(PNG_LIBPNG_VER_STRING, to, on_write_error, on_warning);
    png_infop volatile info = png ? png_create_info_struct(png) : NULL;
    if (!info || setjmp(to->escape)) {
        png_structp spent = png;
        png_infop spent_info = info;
        png_destroy_write_struct(&spent, &spent_info);
        free(to->bytes);
        free(to);
        return SHFN_PNG_UNREADABLE;
    }
    png_set_write_fn(png, to, on_write, on_flush);
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
        PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (uint32_t y = 0; y < height; y++) png_write_row(png, rgb + (size_t)width * 3 * y);
    png_write_end(png, NULL);
    *bytes = to->bytes;
    *size = to->size;
    png_structp spent = png;
    png_infop spent_info = info;
    png_destroy_write_struct(&spent, &spent_info);
    free(to);
    return SHFN_PNG_OK;
}
