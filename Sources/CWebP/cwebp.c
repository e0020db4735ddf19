#include "cwebp.h"

#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

/* Whether a file that ends early is good enough is decided by its first frame, not by what may follow that. */
static WebPDemuxer *open_file(const uint8_t *bytes, size_t size) {
    WebPData data = {bytes, size};
    WebPDemuxState state;
    WebPDemuxer *file = WebPDemuxPartial(&data, &state);
    if (file && state < WEBP_DEMUX_PARSED_HEADER) {
        WebPDemuxDelete(file);
        return NULL;
    }
    return file;
}

static shfn_webp_status status_of(VP8StatusCode code) {
    switch (code) {
    case VP8_STATUS_OK: return SHFN_WEBP_OK;
    case VP8_STATUS_OUT_OF_MEMORY: return SHFN_WEBP_NO_MEMORY;
    case VP8_STATUS_UNSUPPORTED_FEATURE: return SHFN_WEBP_UNSUPPORTED;
    default: return SHFN_WEBP_UNREADABLE;
    }
}

shfn_webp_status shfn_webp_read_header(const uint8_t *bytes, size_t size, shfn_webp_header *header) {
    memset(header, 0, sizeof *header);
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(bytes, size, &features);
    if (code == VP8_STATUS_OK) {
        header->width = (uint32_t)features.width;
        header->height = (uint32_t)features.height;
    }
    WebPDemuxer *file = open_file(bytes, size);
    if (!file) return code == VP8_STATUS_OK ? SHFN_WEBP_UNREADABLE : status_of(code);
    header->width = WebPDemuxGetI(file, WEBP_FF_CANVAS_WIDTH);
    header->height = WebPDemuxGetI(file, WEBP_FF_CANVAS_HEIGHT);
    WebPChunkIterator chunk;
    if (WebPDemuxGetChunk(file, "EXIF", 1, &chunk)) {
        /* Some writers put JPEG's prefix before the TIFF header. */
        int prefixed = chunk.chunk.size > 6 && memcmp(chunk.chunk.bytes, "Exif\0\0", 6) == 0;
        header->exif = chunk.chunk.bytes + (prefixed ? 6 : 0);
        header->exif_size = chunk.chunk.size - (prefixed ? 6 : 0);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    WebPDemuxDelete(file);
    return header->width && header->height ? SHFN_WEBP_OK : SHFN_WEBP_UNREADABLE;
}

static inline uint8_t on_white(uint8_t color, uint8_t alpha) {
    unsigned sum = color * alpha + 255u * (255u - alpha) + 128u;
    return (uint8_t)((sum + (sum >> 8)) >> 8);
}

/* Decodes one frame of four channels, or three when it is opaque; `rows` says how many of its rows are there. */
static shfn_webp_status decode_frame(
    const WebPData *frame, int tolerate_truncation, int opaque, uint8_t *pixels, size_t stride, size_t capacity,
    int *rows) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return SHFN_WEBP_UNSUPPORTED;
    config.output.colorspace = opaque ? MODE_RGB : MODE_RGBA;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = pixels;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = capacity;
    if (!tolerate_truncation) {
        *rows = -1;
        return status_of(WebPDecode(frame->bytes, frame->size, &config));
    }
    WebPIDecoder *decoder = WebPIDecode(NULL, 0, &config);
    if (!decoder) return SHFN_WEBP_NO_MEMORY;
    VP8StatusCode code = WebPIUpdate(decoder, frame->bytes, frame->size);
    int last = 0;
    *rows = code == VP8_STATUS_OK ? -1 : (WebPIDecGetRGB(decoder, &last, NULL, NULL, NULL) ? last : 0);
    WebPIDelete(decoder);
    if (code == VP8_STATUS_OK || (*rows > 0 && code != VP8_STATUS_OUT_OF_MEMORY)) return SHFN_WEBP_OK;
    return code == VP8_STATUS_SUSPENDED ? SHFN_WEBP_UNREADABLE : status_of(code);
}

shfn_webp_status shfn_webp_decode(
    const uint8_t *bytes, size_t size, int tolerate_truncation, uint32_t width, uint32_t height, uint8_t *rgb,
    size_t capacity) {
    size_t stride = (size_t)width * 3;
    if (stride * height > capacity) return SHFN_WEBP_UNREADABLE;
    WebPDemuxer *file = open_file(bytes, size);
    if (!file) return SHFN_WEBP_UNREADABLE;
    WebPIterator frame;
    uint8_t *pixels = NULL;
    shfn_webp_status status = SHFN_WEBP_UNREADABLE;
    if (!WebPDemuxGetFrame(file, 1, &frame)) {
        WebPDemuxDelete(file);
        return status;
    }
    if (!frame.complete && !tolerate_truncation) goto done;
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(frame.fragment.bytes, frame.fragment.size, &features);
    if (code != VP8_STATUS_OK || features.has_animation) {
        status = code == VP8_STATUS_OK ? SHFN_WEBP_UNSUPPORTED : status_of(code);
        goto done;
    }
    /* The bitstream, not the container, says how much is written. */
    if (features.width <= 0 || features.height <= 0 || frame.x_offset < 0 || frame.y_offset < 0
        || (uint32_t)features.width > width - (uint32_t)frame.x_offset || (uint32_t)frame.x_offset > width
        || (uint32_t)features.height > height - (uint32_t)frame.y_offset || (uint32_t)frame.y_offset > height)
        goto done;
    size_t columns = (size_t)features.width, rows = (size_t)features.height;
    int whole = columns == width && rows == height;
    int opaque = !features.has_alpha && whole;
    int there = 0;
    if (opaque) {
        status = decode_frame(&frame.fragment, tolerate_truncation, 1, rgb, stride, stride * rows, &there);
    } else {
        pixels = malloc(columns * 4 * rows);
        if (!pixels) {
            status = SHFN_WEBP_NO_MEMORY;
            goto done;
        }
        status = decode_frame(&frame.fragment, tolerate_truncation, 0, pixels, columns * 4, columns * 4 * rows, &there);
    }
    if (status != SHFN_WEBP_OK) goto done;
    size_t known = there < 0 ? rows : (size_t)there;
    if (!opaque) {
        memset(rgb, 255, stride * height);
        for (size_t y = 0; y < known; y++) {
            const uint8_t *from = pixels + y * columns * 4;
            uint8_t *to = rgb + ((size_t)frame.y_offset + y) * stride + (size_t)frame.x_offset * 3;
            for (size_t x = 0; x < columns; x++, from += 4, to += 3) {
                to[0] = on_white(from[0], from[3]);
                to[1] = on_white(from[1], from[3]);
                to[2] = on_white(from[2], from[3]);
            }
        }
    }
    if (known < rows) memset(rgb + ((size_t)frame.y_offset + known) * stride, 0, (rows - known) * stride);

done:
    free(pixels);
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(file);
    return status;
}
