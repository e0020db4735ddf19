#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

typedef struct {
    struct jpeg_error_mgr errors;
    jmp_buf escape;
} jpeg_escape;

static void on_error(j_common_ptr info) { longjmp(((jpeg_escape *)info->client_data)->escape, 1); }

static void on_message(j_common_ptr info) { (void)info; }

shfn_jpeg_status shfn_jpeg_write(
    const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **bytes, size_t *size) {
    jpeg_escape way_out;
    struct jpeg_compress_struct info = {0};
    /* Both are written by libjpeg while it runs: after a longjmp only what lies in memory is sure to be current. */
    unsigned char *volatile buffer = NULL;
    unsigned long length = 0;
    *bytes = NULL;
    *size = 0;
    info.err = jpeg_std_error(&way_out.errors);
    info.client_data = &way_out;
    way_out.errors.error_exit = on_error;
    way_out.errors.output_message = on_message;
    if (setjmp(way_out.escape)) {
        jpeg_destroy_compress(&info);
        free(buffer);
        return SHFN_JPEG_NO_MEMORY;
    }
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, (unsigned char **)&buffer, &length);
    info.image_width = width;
    info.image_height = height;
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    info.optimize_coding = TRUE;
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < height) {
        JSAMPROW row = (JSAMPROW)(rgb + (size_t)width * 3 * info.next_scanline);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    *bytes = buffer;
    *size = length;
    return SHFN_JPEG_OK;
}
