"""Writes `awkward.tsv`: for each file of a collection of odd, broken and hostile pictures (test suites of Pillow,
image-rs, libpng and libjpeg-turbo, exif-orientation, upload payloads) the right status by this project's rules, the size
in its header and, where it can be decoded, the first 16 digits of the SHA-256 of its upright RGB bytes.

The answers are not the decoder's own. PNG: a walk over the chunks with zlib says whether the picture data are whole and
their checksums right (what follows the last pixel may be missing; a wrong checksum over pixels is damage). JPEG: Pillow,
but for the files in KNOWN, each looked at by a person. Pixels: Pillow by `make_expected.rgb_of`, without a digest where
Pillow is known to be wrong. The few files under `awkward/` are copies; the whole collection is not part of this project.

    pip install pillow numpy; python make_awkward.py COLLECTION
"""
import hashlib, os, struct, sys, warnings, zlib
from PIL import Image, ImageFile, PngImagePlugin
import make_expected

here = os.path.dirname(os.path.abspath(__file__))
Image.MAX_IMAGE_PIXELS = None
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 1 << 30

KNOWN = {
    "pillow/hopper_bad_exif.jpg": "unreadable",  # decodes to black and white stripes: bad Huffman codes
    "pillow/ultrahdr.jpg": "unreadable",  # ends in the middle of its scan
    "pillow/truncated_jpeg.jpg": "unreadable",  # the same
    "image-rs/regression/jpg/oss-fuzz-36829.jpeg": "unreadable",  # the same
    "libjpeg-turbo-testimages/monkey12.jpg": "unsupported",  # 12 bits
    "upload-payloads/lottapixel.jpg": "too_large",  # 64,250 x 64,250
}
# Pillow compares the transparent grey of 2 and 4 bits with the value already widened to 8.
PILLOW_WRONG = {"gray-2", "gray-4"}
# Only EXIF segments and chunks turn a picture; Pillow also looks into XMP and ImageMagick's text chunks.
NOT_TURNED = {
    "pillow/xmp_tags_orientation.png", "pillow/xmp_tags_orientation_exiftool.png",
    "pillow/exif_imagemagick_orientation.png",
}


def png_status(data):
    place, body, seen, palette = 8, b"", [], False
    header = None
    while place + 8 <= len(data):
        length, = struct.unpack(">I", data[place:place + 4])
        kind, chunk = data[place + 4:place + 8], data[place + 8:place + 8 + length]
        crc = data[place + 8 + length:place + 12 + length]
        whole = len(crc) == 4 and struct.unpack(">I", crc)[0] == zlib.crc32(kind + chunk)
        if not kind.isalpha() and header is None:
            return "unreadable", None
        if kind == b"IHDR":
            if not whole:
                return "unreadable", None
            header = struct.unpack(">IIBBBBB", chunk)
        if kind == b"PLTE":
            palette = whole
        if kind == b"IDAT":
            if not whole:
                break
            body += chunk
        elif body and kind == b"IEND":
            break
        place += 12 + length
    if header is None:
        return "unreadable", None
    width, height, depth, color, _, _, interlaced = header
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    passes = [(0, 0, 1, 1)] if not interlaced else [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    sizes = [((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in passes]
    wanted = sum(h * (1 + (w * bits + 7) // 8) for w, h in sizes if w > 0 and h > 0)
    if color == 3 and not palette:
        return "unreadable", (width, height)
    inflater = zlib.decompressobj()
    try:
        out = inflater.decompress(body, wanted + 1)
        if len(out) >= wanted:
            inflater.decompress(inflater.unconsumed_tail)
    except zlib.error:
        return "unreadable", (width, height)
    return ("ok" if len(out) >= wanted else "unreadable"), (width, height)


def answer(root, name):
    path = os.path.join(root, name)
    data = open(path, "rb").read()
    size, digest = None, ""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        status, size = png_status(data)
    elif data[:3] == b"\xff\xd8\xff":
        status = "ok"
        try:
            size = Image.open(path).size
        except OSError:
            pass
    else:
        return "unsupported", None, ""
    status = KNOWN.get(name, status)
    if status == "ok" and not any(word in name and "tRNS" in name for word in PILLOW_WRONG):
        # What follows the last pixel is not asked for.
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            rgb, _, _ = make_expected.rgb_of(path, upright=name not in NOT_TURNED)
            digest = hashlib.sha256(rgb.tobytes()).hexdigest()[:16]
        except (OSError, ValueError, SyntaxError, struct.error) as error:
            print(f"{name}: Pillow gives no pixels ({error})", file=sys.stderr)
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    return status, size, digest


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    root = sys.argv[1]
    with open(os.path.join(here, "awkward.tsv"), "w") as out:
        for folder, _, files in sorted(os.walk(root)):
            for file in sorted(files):
                name = os.path.relpath(os.path.join(folder, file), root)
                if name == "manifest.tsv":
                    continue
                status, size, digest = answer(root, name)
                width, height = size or ("", "")
                out.write(f"{name}\t{status}\t{width}\t{height}\t{digest}\n")
