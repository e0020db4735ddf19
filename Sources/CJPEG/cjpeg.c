#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* libjpeg-turbo's own advice against progressive pictures made of thousands of empty scans, each of which costs a
   walk over the whole picture (its fuzzers use the same number). Real files have about ten. */
#define SCAN_LIMIT 500

struct shfn_jpeg_decoder {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    shfn_jpeg_status status;
    int has_header, tolerate_truncation;
    char message[JMSG_LENGTH_MAX];
    uint8_t *cmyk_row;
    size_t cmyk_capacity;
};

static shfn_jpeg_decoder *owner(j_common_ptr info) { return (shfn_jpeg_decoder *)info->client_data; }

static void leave(j_common_ptr info, shfn_jpeg_status status) {
    shfn_jpeg_decoder *decoder = owner(info);
    info->err->format_message(info, decoder->message);
    decoder->status = status;
    longjmp(decoder->escape, 1);
}

static void on_error(j_common_ptr info) {
    shfn_jpeg_status status = SHFN_JPEG_UNREADABLE;
    switch (info->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        status = SHFN_JPEG_NO_MEMORY;
        break;
    case JERR_IMAGE_TOO_BIG:
        status = SHFN_JPEG_TOO_LARGE;
        break;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_ARITH_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_COMPONENT_COUNT:
        status = SHFN_JPEG_UNSUPPORTED;
        break;
    default:
        break;
    }
    leave(info, status);
}

/* Whether this warning says that the data end before the first row of blocks is there. */
static int is_without_picture(j_common_ptr info) {
    if (!info->is_decompressor) return 0;
    j_decompress_ptr file = (j_decompress_ptr)info;
    if (file->input_scan_number > 1 || file->input_iMCU_row > 0) return 0;
    if (file->arith_code) return info->err->msg_code == JWRN_JPEG_EOF;
    return info->err->msg_code == JWRN_HIT_MARKER && file->unread_marker == JPEG_EOI;
}

static void leave_without_picture(shfn_jpeg_decoder *decoder) {
    snprintf(decoder->message, sizeof decoder->message, "the data end before the first row of blocks");
    decoder->status = SHFN_JPEG_UNREADABLE;
    longjmp(decoder->escape, 1);
}

/* Level -1 is a warning: libjpeg goes on with grey or repeated blocks. Those that mean lost picture data end the
   decode; the others (stray bytes between segments, an odd Adobe or JFIF version) do not change a pixel. */
static void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    info->err->num_warnings++;
    if (owner(info)->tolerate_truncation) {
        if (is_without_picture(info)) leave_without_picture(owner(info));
        return;
    }
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
        /* Met by looking ahead, too: Huffman's decoder warns again when it lacks bits, the arithmetic one goes on with
           zeros. Of several scans only the mark of the end tells that none is missing. */
        if (!owner(info)->has_header || ((j_decompress_ptr)info)->arith_code
            || jpeg_has_multiple_scans((j_decompress_ptr)info))
            leave(info, SHFN_JPEG_UNREADABLE);
        break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        leave(info, SHFN_JPEG_UNREADABLE);
        break;
    default:
        break;
    }
}

static void on_output(j_common_ptr info) { (void)info; }

static void on_progress(j_common_ptr info) {
    if (!info->is_decompressor || ((j_decompress_ptr)info)->input_scan_number <= SCAN_LIMIT) return;
    shfn_jpeg_decoder *decoder = owner(info);
    snprintf(decoder->message, sizeof decoder->message, "more than %d scans", SCAN_LIMIT);
    decoder->status = SHFN_JPEG_UNREADABLE;
    longjmp(decoder->escape, 1);
}

shfn_jpeg_decoder *shfn_jpeg_create(void) {
    shfn_jpeg_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    decoder->info.err = jpeg_std_error(&decoder->errors);
    decoder->info.client_data = decoder;
    decoder->errors.error_exit = on_error;
    decoder->errors.emit_message = on_message;
    decoder->errors.output_message = on_output;
    decoder->progress.progress_monitor = on_progress;
    return decoder;
}

/* A new decompressor for each picture: an old one keeps the tables of the picture before, and a file that lacks its own
   would be decoded with its neighbour's. */
static void begin(shfn_jpeg_decoder *decoder) {
    jpeg_destroy_decompress(&decoder->info);
    jpeg_create_decompress(&decoder->info);
    decoder->info.progress = &decoder->progress;
    jpeg_save_markers(&decoder->info, JPEG_APP0 + 1, 0xFFFF);
}

void shfn_jpeg_destroy(shfn_jpeg_decoder *decoder) {
    if (!decoder) return;
    jpeg_destroy_decompress(&decoder->info);
    free(decoder->cmyk_row);
    free(decoder);
}

static shfn_jpeg_status fail(shfn_jpeg_decoder *decoder) {
    jpeg_abort_decompress(&decoder->info);
    return decoder->status;
}

shfn_jpeg_status shfn_jpeg_read_header(
    shfn_jpeg_decoder *decoder, const uint8_t *bytes, size_t size, shfn_jpeg_header *header) {
    struct jpeg_decompress_struct *info = &decoder->info;
    memset(header, 0, sizeof *header);
    decoder->message[0] = 0;
    decoder->has_header = decoder->tolerate_truncation = 0;
    if (setjmp(decoder->escape)) {
        header->width = info->image_width;
        header->height = info->image_height;
        return fail(decoder);
    }
    begin(decoder);
    jpeg_mem_src(info, bytes, size);
    jpeg_read_header(info, TRUE);
    header->width = info->image_width;
    header->height = info->image_height;
    for (jpeg_saved_marker_ptr marker = info->marker_list; marker; marker = marker->next) {
        if (marker->data_length > 6 && memcmp(marker->data, "Exif\0\0", 6) == 0) {
            header->exif = marker->data + 6;
            header->exif_size = marker->data_length - 6;
            break;
        }
    }
    return SHFN_JPEG_OK;
}

void shfn_jpeg_scaled_size(shfn_jpeg_decoder *decoder, int denominator, uint32_t *width, uint32_t *height) {
    /* jpeg_calc_output_dimensions rounds up; it is not called, since it may raise an error. */
    *width = (decoder->info.image_width + denominator - 1) / denominator;
    *height = (decoder->info.image_height + denominator - 1) / denominator;
}

/* (255 - c) of the ink c on paper under black k, both stored inverted; rounding as in Pillow's CMYK to RGB. */
static inline uint8_t ink(uint8_t stored, uint8_t black) {
    unsigned product = (255u - stored) * black + 128u;
    return (uint8_t)(black - ((product + (product >> 8)) >> 8));
}

/* The bytes up to a segment that the end of the file cuts off, which libjpeg would fill with the end marks that it makes
   up, and so lose the scans before it. From within a scan on. */
static size_t whole_segments(const uint8_t *bytes, size_t size) {
    size_t at = 0;
    while (at < size) {
        const uint8_t *start = memchr(bytes + at, 0xFF, size - at);
        if (!start) break;
        at = (size_t)(start - bytes) + 1;
        while (at < size && bytes[at] == 0xFF) at++;
        if (at == size || bytes[at] == JPEG_EOI) break;
        /* A stuffed byte of the scan, or a marker that stands alone. */
        int stands_alone = bytes[at] <= 1 || (bytes[at] >= JPEG_RST0 && bytes[at] < JPEG_EOI);
        at++;
        if (stands_alone) continue;
        size_t length = size - at < 2 ? 2 : (size_t)bytes[at] << 8 | bytes[at + 1];
        if (size - at < length) return (size_t)(start - bytes);
        at += length;
    }
    return size;
}

shfn_jpeg_status shfn_jpeg_decode(
    shfn_jpeg_decoder *decoder, int denominator, int tolerate_truncation, uint8_t *rgb, size_t capacity) {
    struct jpeg_decompress_struct *info = &decoder->info;
    decoder->has_header = 1;
    decoder->tolerate_truncation = tolerate_truncation;
    if (setjmp(decoder->escape)) return fail(decoder);
    if (tolerate_truncation)
        info->src->bytes_in_buffer = whole_segments(info->src->next_input_byte, info->src->bytes_in_buffer);
    info->scale_num = 1;
    info->scale_denom = (unsigned)denominator;
    int inks = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
    info->out_color_space = inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(info);

    size_t width = info->output_width, stride = width * 3;
    if (stride * info->output_height > capacity || info->output_components != (inks ? 4 : 3)) {
        snprintf(decoder->message, sizeof decoder->message, "decodes to %u x %u pixels of %d components",
            info->output_width, info->output_height, info->output_components);
        decoder->status = SHFN_JPEG_UNREADABLE;
        return fail(decoder);
    }
    if (inks && decoder->cmyk_capacity < width * 4) {
        free(decoder->cmyk_row);
        decoder->cmyk_row = malloc(width * 4);
        decoder->cmyk_capacity = decoder->cmyk_row ? width * 4 : 0;
        if (!decoder->cmyk_row) {
            decoder->status = SHFN_JPEG_NO_MEMORY;
            snprintf(decoder->message, sizeof decoder->message, "no memory for a row of %zu pixels", width);
            return fail(decoder);
        }
    }
    while (info->output_scanline < info->output_height) {
        uint8_t *row = rgb + stride * info->output_scanline;
        if (!inks) {
            jpeg_read_scanlines(info, &row, 1);
            continue;
        }
        jpeg_read_scanlines(info, &decoder->cmyk_row, 1);
        const uint8_t *in = decoder->cmyk_row;
        for (size_t x = 0; x < width; x++, in += 4, row += 3) {
            row[0] = ink(in[0], in[3]);
            row[1] = ink(in[1], in[3]);
            row[2] = ink(in[2], in[3]);
        }
    }
    /* Every pixel is there. jpeg_finish_decompress would read on to the end marker and complain when it is missing,
       which costs no pixel. */
    jpeg_abort_decompress(info);
    return SHFN_JPEG_OK;
}

const char *shfn_jpeg_message(const shfn_jpeg_decoder *decoder) { return decoder->message; }
