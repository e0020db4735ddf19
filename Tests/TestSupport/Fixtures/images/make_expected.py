"""Draws the pictures of `drawn/` and writes `expected.json`: what Pillow makes of every picture here, by the rules of
this project (16 bits: the upper eight; transparency on white; EXIF orientation applied), as the SHA-256 of the RGB
bytes, and what its antialiased resize gives. Run once: `pip install pillow numpy`, `python make_expected.py` (and
`cjpeg` of libjpeg-turbo-progs).
`expected.json` as committed was made with Pillow 13.0.0 (libjpeg-turbo 3.2.0, libwebp 1.6.0)."""
import glob, hashlib, json, os, subprocess
import numpy as np
from PIL import Image, ImageOps

here = os.path.dirname(os.path.abspath(__file__))


def rgb_of(path, upright=True):
    """The picture as this project is to see it: an array [H][W][3]."""
    with Image.open(path) as im:
        im.load()
        key = im.info.get("transparency")
        if im.mode.startswith("I"):
            values = np.asarray(im).astype(np.int64)
            gray = (values >> 8).astype(np.uint8)
            if isinstance(key, int):
                gray[values == key] = 255
            out = Image.fromarray(np.dstack([gray] * 3))
        elif im.mode == "CMYK":
            out = im.convert("RGB")
        elif im.mode in ("LA", "PA", "RGBA") or key is not None:
            rgba = im.convert("RGBA")
            out = Image.new("RGB", im.size, (255, 255, 255))
            out.paste(rgba, mask=rgba.getchannel("A"))
        else:
            out = im.convert("RGB")
        if upright:
            orientation = im.getexif().get(0x0112, 1)
            out.getexif()[0x0112] = orientation
            turn = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
                    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
                    8: Image.Transpose.ROTATE_90}.get(orientation)
            if turn is not None:
                out = out.transpose(turn)
        return np.asarray(out), im.size, im.format


def draw():
    y, x = np.mgrid[0:29, 0:37]
    wave = lambda a, b, c: (127.5 + 127.5 * np.sin(x * a + y * b + c)).astype(np.uint8)
    im = Image.fromarray(np.dstack([wave(.2, .1, 0), wave(.05, .3, 1), wave(.15, -.2, 2)]))
    save = lambda name, im=im, **k: im.save(os.path.join(here, "drawn", name), **k)
    save("444.jpg", subsampling=0)
    save("422.jpg", subsampling=1)
    save("420.jpg", subsampling=2)
    # Pillow's own "4:1:1" is another name of 4:2:0.
    save("whole.ppm")
    ppm = os.path.join(here, "drawn", "whole.ppm")
    for name, sample in [("411.jpg", "4x1"), ("440.jpg", "1x2")]:
        subprocess.run(["cjpeg", "-sample", sample, "-outfile", os.path.join(here, "drawn", name), ppm], check=True)
    os.remove(ppm)
    save("progressive.jpg", progressive=True)
    save("restarts.jpg", restart_marker_rows=1)
    save("gray.jpg", im.convert("L"))
    save("cmyk.jpg", im.convert("CMYK"))
    # The same samples taken for YCCK, and without Adobe's segment.
    data = open(os.path.join(here, "drawn", "cmyk.jpg"), "rb").read()
    at = data.index(b"\xff\xee\x00\x0eAdobe")
    for name, changed in [("ycck.jpg", data[:at + 15] + b"\x02" + data[at + 16:]),
                          ("cmyk_without_adobe.jpg", data[:at] + data[at + 16:])]:
        with open(os.path.join(here, "drawn", name), "wb") as out:
            out.write(changed)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"exif{orientation}.jpg", exif=exif)
    exif = Image.Exif()
    exif[0x0112] = 6
    save("exif6.png", exif=exif)
    rgba = im.convert("RGBA")
    rgba.putalpha(Image.fromarray(wave(.3, .3, 3)))
    save("alpha.png", rgba)
    save("lossy.webp", quality=80)
    save("lossless.webp", lossless=True)
    save("alpha.webp", rgba, quality=80)
    save("alpha_lossless.webp", rgba, lossless=True)
    save("exif6.webp", quality=80, exif=exif)
    turned = [im.transpose(t) for t in (Image.Transpose.ROTATE_180, Image.Transpose.FLIP_LEFT_RIGHT)]
    save("animated.webp", save_all=True, append_images=turned, lossless=True)
    palette = im.quantize(13)
    save("palette.png", palette)
    save("palette_transparent.png", palette, transparency=bytes(range(0, 260, 20)))
    save("color_key.png", transparency=tuple(int(v) for v in np.asarray(im)[3, 5]))


def resized():
    """Pillow's resize of a drawn picture, whole and of a box."""
    cases = []
    for name, width, height, box in [
        ("drawn/444.jpg", 16, 16, None), ("drawn/444.jpg", 64, 50, None), ("drawn/444.jpg", 7, 3, None),
        ("drawn/444.jpg", 20, 20, (3, 4, 30, 27)), ("drawn/444.jpg", 11, 13, (0.5, 2.25, 36.75, 28.5)),
        ("pillow/hopper_gray.jpg", 24, 32, None), ("drawn/444.jpg", 1, 1, None), ("drawn/444.jpg", 37, 29, None),
    ]:
        out = Image.open(os.path.join(here, name)).convert("RGB").resize(
            (width, height), Image.Resampling.BILINEAR, box=box)
        cases.append(dict(file=name, width=width, height=height, box=box, rgb=list(out.tobytes())
                          if width * height < 64 else None, sha256=hashlib.sha256(out.tobytes()).hexdigest()))
    return cases


if __name__ == "__main__":
    draw()
    pictures = []
    for path in sorted(sum((glob.glob(here + "/*/*." + kind) for kind in ("png", "jpg", "webp")), [])):
        name = os.path.relpath(path, here)
        if name.startswith("broken"):
            continue
        rgb, (width, height), kind = rgb_of(path)
        pictures.append(dict(file=name, format=kind, width=width, height=height, upright_width=rgb.shape[1],
                             upright_height=rgb.shape[0], sha256=hashlib.sha256(rgb.tobytes()).hexdigest()))
    with open(os.path.join(here, "expected.json"), "w") as out:
        json.dump(dict(pictures=pictures, resized=resized()), out, indent=1)
        out.write("\n")
