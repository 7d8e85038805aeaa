"""Image files and folders: their values as stored, classes by sub-folder, and what is no plain picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import splineviz as sv
from splineviz.data import read_data
from splineviz.data.stacking import in_its_colors, stacked

RANDOM = np.random.default_rng(0)
COLOR = RANDOM.integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
GREY = RANDOM.integers(0, 256, (3, 4, 6), dtype=np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "how"), [("a.png", {}), ("a.PNG", {}), ("a.webp", {"lossless": True})])
@pytest.mark.parametrize("values", [COLOR[0], GREY[0]], ids=["color", "grey"])
def test_values_are_those_that_were_saved(name: str, how: dict[str, bool], values: np.ndarray) -> None:
    Image.fromarray(values).save(name, **how)
    found = read_data(name).take([0])
    expected = values if name != "a.webp" or values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
    np.testing.assert_array_equal(found.points[0], expected)
    assert found.pictures and found.points[0].dtype == np.uint8 and found.names == [name]


def test_jpeg_is_decoded_as_pillow_does() -> None:
    Image.fromarray(COLOR[0]).save("a.jpeg")
    np.testing.assert_array_equal(
        read_data("a.jpeg").take([0]).points[0], np.asarray(Image.open("a.jpeg").convert("RGB"))
    )


def test_what_loses_nothing_is_converted() -> None:
    Image.fromarray(COLOR[0]).quantize(256).save("palette.png")
    colors = np.asarray(Image.open("palette.png").convert("RGB"))
    np.testing.assert_array_equal(read_data("palette.png").take([0]).points[0], colors)
    Image.fromarray(GREY[0] > 99).save("bits.png")
    np.testing.assert_array_equal(read_data("bits.png").take([0]).points[0], 255 * (GREY[0] > 99))
    deep = GREY[0].astype(np.uint16) * 200
    Image.fromarray(deep).save("deep.png")
    np.testing.assert_array_equal(read_data("deep.png").take([0]).points[0], deep)
    opaque = np.dstack([COLOR[0], np.full((4, 6), 255, dtype=np.uint8)])
    Image.fromarray(opaque).save("opaque.png")
    with pytest.warns(sv.errors.SplinevizWarning, match="alpha channels are left out"):
        np.testing.assert_array_equal(read_data("opaque.png").take([0]).points[0], COLOR[0])


def test_sub_folders_are_classes() -> None:
    for place, name in enumerate(("dog/1.png", "dog/0.png", "cat/0.png", ".hidden/9.png")):
        Path(name).parent.mkdir(exist_ok=True)
        Image.fromarray(COLOR[place % 3]).save(name)
    Path("cat/notes.txt").write_text("no picture")
    with pytest.warns(sv.errors.SplinevizWarning, match="left out, 1 such as cat/notes.txt"):
        found = read_data(".")
    taken = found.take([0, 1, 2])
    assert taken.names == ["cat/0.png", "dog/0.png", "dog/1.png"]
    np.testing.assert_array_equal(taken.points, [COLOR[2], COLOR[1], COLOR[0]])
    np.testing.assert_array_equal(taken.labels, [0, 1, 1])
    assert taken.class_names == {0: "cat", 1: "dog"}
    Path("cat/notes.txt").unlink()
    np.testing.assert_array_equal(read_data(".", class_names=["dog", "cat"]).take([0]).labels, [1])


def test_links_are_followed_and_end() -> None:
    Path("real").mkdir()
    Image.fromarray(GREY[0]).save("real/0.png")
    Path("all").mkdir()
    Path("all/cat").symlink_to("../real")
    Path("real/back").symlink_to("../all")
    found = read_data("all").take([0])
    assert found.class_names == {0: "cat"}
    np.testing.assert_array_equal(found.points[0], GREY[0])


def test_patterns_choose_files_in_the_order_of_names() -> None:
    Path("a").mkdir()
    for place, name in enumerate(("b1.png", "a2.png", "a1.png")):
        Image.fromarray(GREY[place]).save(f"a/{name}")
    found = read_data("a/a*.png")
    np.testing.assert_array_equal(found.take(range(len(found))).points, GREY[[2, 1]])
    with pytest.raises(sv.InputError, match=r"no picture, .* is called a/\*.jpg"):
        read_data("a/*.jpg")


def test_names_of_arrays_are_refused() -> None:
    Path("a").mkdir()
    Image.fromarray(GREY[0]).save("a/0.png")
    for source in ("a", "a/0.png"):
        with pytest.raises(sv.InputError, match="nothing for --labels-key to choose"):
            read_data(source, labels_key="y")


def test_folders_of_numbers_are_these_classes_and_a_flat_folder_has_none() -> None:
    for digit in (10, 3):
        Path(f"digits/{digit}").mkdir(parents=True)
        Image.fromarray(GREY[0]).save(f"digits/{digit}/a.png")
    np.testing.assert_array_equal(read_data("digits").take([0, 1]).labels, [10, 3])
    assert read_data("digits/3").take([0]).labels is None


def test_only_what_is_taken_is_opened() -> None:
    Path("a").mkdir()
    Image.fromarray(GREY[0]).save("a/0.png")
    Path("a/1.png").write_text("no picture")
    assert len(read_data("a").take([0])) == 1
    with pytest.raises(sv.InputError, match=r"a/1.png: it is no PNG, JPEG or WebP"):
        read_data("a").take([0, 1])


@pytest.mark.parametrize("with_paths", [True, False])
def test_parquet_with_encoded_pictures(with_paths: bool) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    files = []
    for place, values in enumerate(COLOR):
        Image.fromarray(values).save(f"{place}.png")
        files.append(Path(f"{place}.png").read_bytes())
    cells = [{"bytes": content, "path": None} for content in files] if with_paths else files
    parquet.write_table(pa.table({"image": cells, "label": [2, 0, 1]}), "a.parquet")
    found = read_data("a.parquet").take([2, 0])
    np.testing.assert_array_equal(found.points, COLOR[[2, 0]])
    np.testing.assert_array_equal(found.labels, [1, 2])
    assert found.pictures
    cells[1] = {"bytes": b"none", "path": None} if with_paths else b"none"
    parquet.write_table(pa.table({"image": cells}), "a.parquet")
    with pytest.raises(sv.InputError, match=r"a.parquet, row 2: it is no PNG"):
        read_data("a.parquet").take([1])


def cut() -> None:
    Image.fromarray(RANDOM.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save("a.png")
    Path("a.png").write_bytes(Path("a.png").read_bytes()[:999])


def sixteen_bits_of_color() -> None:
    """A PNG file whose head tells 16 bits in each of three channels."""
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = (b"\0" + bytes(12)) * 2
    Path("a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">2I5B", 2, 2, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def see_through(mode: str) -> Callable[[], None]:
    def save() -> None:
        image = Image.fromarray(np.dstack([COLOR[0], GREY[0]])).convert(mode)
        image.save("a.png")

    return save


def palette_with_a_hole() -> None:
    Image.fromarray(COLOR[0]).quantize(8).save("a.png", transparency=0)


def frames() -> None:
    first, *others = (Image.fromarray(values) for values in COLOR)
    first.save("a.webp", save_all=True, append_images=others, lossless=True)


BAD: dict[str, tuple[Callable[[], object], str, str]] = {
    "cut short": (cut, "a.png", "truncated"),
    "alpha": (see_through("RGBA"), "a.png", "alpha channel, and 2[0-9] of its 24 pixels let through"),
    "grey alpha": (see_through("LA"), "a.png", "has an alpha channel"),
    "a transparent colour": (palette_with_a_hole, "a.png", "has an alpha channel"),
    "16 bits of colour": (sixteen_bits_of_color, "a.png", "16 bits a channel, of which 8 could be read"),
    "CMYK": (lambda: Image.new("CMYK", (4, 4)).save("a.jpg"), "a.jpg", "of mode CMYK, neither grey nor"),
    "several frames": (frames, "a.webp", "has 3 frames"),
    "another kind": (lambda: Image.new("L", (4, 4)).save("a.png", "GIF"), "a.png", "no PNG, JPEG or WebP"),
}


@pytest.mark.parametrize(("write", "name", "message"), BAD.values(), ids=BAD)
def test_what_is_no_plain_picture_is_named(write: Callable[[], object], name: str, message: str) -> None:
    write()
    with pytest.raises(sv.InputError, match=message) as caught:
        read_data(name).take([0])
    assert name in str(caught.value)


def test_pictures_inside_and_beside_sub_folders_are_refused() -> None:
    for name in ("a/0.png", "a/b/1.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY[0]).save(name)
    with pytest.raises(
        sv.InputError, match=r"some lie in sub-folders, as b/1.png, and some do not, as 0.png"
    ):
        read_data("a")
    for name in ("train/cat/0.png", "train/dog/0.png", "test/cat/0.png"):
        Path("split", name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY[0]).save(f"split/{name}")
    with pytest.raises(sv.InputError, match="has sub-folders itself, train/cat and train/dog") as caught:
        read_data("split")
    assert caught.value.hint == "'split/train'" and caught.value.command_hint == "--data split/train"


class TestStacking:
    def test_two_sizes_are_named_with_their_files(self) -> None:
        with pytest.raises(sv.InputError, match=r"one shape: a.png has 4 x 6 x 3, b.png has 6 x 4 x 3"):
            stacked([COLOR[0], COLOR[1].transpose(1, 0, 2)], ["a.png", "b.png"], pictures=True)
        with pytest.raises(sv.InputError, match=r"a.png has 8 bits a channel, b.png has 16"):
            stacked([GREY[0], GREY[1].astype(np.uint16)], ["a.png", "b.png"], pictures=True)

    def test_grey_among_colors(self) -> None:
        with pytest.warns(sv.errors.SplinevizWarning, match="red = green = blue"):
            both = stacked([COLOR[0], GREY[0]], ["a", "b"], pictures=True)
        np.testing.assert_array_equal(both[0], COLOR[0])
        assert all((both[1, ..., channel] == GREY[0]).all() for channel in range(3))

    def test_grey_for_a_network_of_colors_and_the_reverse(self) -> None:
        with pytest.warns(sv.errors.SplinevizWarning, match="the pictures are grey"):
            colored = in_its_colors(GREY, (3, 4, 6))
        np.testing.assert_array_equal(colored, np.repeat(GREY[:, None], 3, axis=1))
        colored = np.repeat(GREY[..., None], 3, axis=3)
        with pytest.warns(sv.errors.SplinevizWarning, match="are taken as grey"):
            np.testing.assert_array_equal(in_its_colors(colored, (1, 4, 6)), GREY)
        with pytest.raises(sv.InputError, match="there are several ways to grey"):
            in_its_colors(COLOR, (1, 4, 6))
        with pytest.raises(sv.InputError, match="in which order are the colours"):
            in_its_colors(COLOR, (72,))
        np.testing.assert_array_equal(in_its_colors(COLOR, (3, 4, 6)), COLOR.transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(in_its_colors(COLOR, (4, 6, 3)), COLOR)
