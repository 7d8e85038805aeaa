"""Points of every kind on the command line: the plane that is drawn goes through them, as the network takes them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import splineviz as sv

from .conftest import Result

Command = Callable[..., Result]

RANDOM = np.random.default_rng(0)
COLOR = RANDOM.integers(0, 256, (6, 4, 4, 3), dtype=np.uint8)
GREY = RANDOM.integers(0, 256, (6, 4, 4), dtype=np.uint8)
CLASSES = ("ant", "bee", "cat")
NETS = """
import torch
from torch import nn

def color():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))

def grey():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))

def flat():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(48, 8), nn.ReLU(), nn.Linear(8, 3))

def four():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))

def channels_first(picture):
    return picture.transpose(2, 0, 1) / 255.0

def corner(picture):
    return picture[:2, :2].ravel() / 255.0
"""


@pytest.fixture
def folder(nets: Path) -> Path:
    """Folders of pictures with two of each class, and a network for each kind."""
    (nets / "pics.py").write_text(NETS)
    for place, name in enumerate(name for name in CLASSES for _ in range(2)):
        for kind, values in (("color", COLOR), ("grey", GREY)):
            (nets / kind / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values[place]).save(nets / kind / name / f"{place}.png")
    return nets


def anchors(done: Result, file: str = "x.npz") -> np.ndarray:
    """The points of a plane, (3, D), that a saved arrangement was made from."""
    assert done.code == 0, done.err
    (plane,) = sv.load(file).planes
    return np.asarray(plane.lift(plane.anchors)).reshape(3, -1)


def first(values: np.ndarray) -> np.ndarray:
    return values.transpose(0, 3, 1, 2).reshape(len(values), -1)


def test_pictures_are_pixels_of_the_scale_that_is_told(folder: Path, splineviz: Command) -> None:
    asked = ("slice", "pics:color", "--data", "color", "--points", "0,3,-1")
    bare = splineviz(*asked)
    assert bare.code == 4 and "the data are integers (uint8, " in bare.err and "--std 255" in bare.err
    found = anchors(splineviz(*asked, "--std", "255", "-o", "x.npz"))
    np.testing.assert_allclose(found, first(COLOR)[[0, 3, 5]] / 255, atol=1e-13)
    done = splineviz(*asked, "--mean", ".5,.4,.3", "--std", ".2,.25,.5", "-o", "x.npz", "-o", "x.png")
    assert "note: pixels are divided by 255 before --mean and --std" in done.err
    expected = (COLOR / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.25, 0.5]
    np.testing.assert_allclose(anchors(done), first(expected)[[0, 3, 5]], atol=1e-12)


def test_grey_for_a_network_of_colors_is_said(folder: Path, splineviz: Command) -> None:
    done = splineviz(
        "slice", "pics:color", "--data", "grey", "--points", "0:3", "--std", "255", "-o", "x.npz"
    )
    assert "note: the pictures are grey, and are taken as red = green = blue" in done.err
    expected = np.repeat(GREY[:3, None], 3, axis=1).reshape(3, -1) / 255
    np.testing.assert_allclose(anchors(done), expected, atol=1e-13)
    done = splineviz("slice", "pics:grey", "--data", "color", "--points", "0:3", "--std", "255")
    assert done.code == 4 and "there are several ways to grey" in done.err and "--transform" in done.err
    done = splineviz("slice", "pics:flat", "--data", "color", "--points", "0:3", "--std", "255")
    assert done.code == 4 and "in which order are the colours" in done.err
    how = ("--transform", "pics:channels_first")
    done = splineviz("slice", "pics:flat", "--data", "color", "--points", "0:3", *how, "-o", "x.npz")
    np.testing.assert_allclose(anchors(done), first(COLOR)[:3] / 255, atol=1e-13)


def test_two_sizes_are_refused_unless_a_transform_brings_them_to_one(
    folder: Path, splineviz: Command
) -> None:
    Image.fromarray(GREY[4][:3]).save("grey/ant/small.png")
    asked = ("slice", "pics:four", "--data", "grey", "--points", "0,1,2")
    done = splineviz(*asked, "--std", "255")
    assert done.code == 4 and "grey/ant/0.png has 4 x 4, grey/ant/small.png has 3 x 4" in done.err
    found = anchors(splineviz(*asked, "--transform", "pics:corner", "-o", "x.npz"))
    np.testing.assert_allclose(found, GREY[[0, 1, 4], :2, :2].reshape(3, 4) / 255, atol=1e-13)


def test_dark_pictures_are_scaled_as_bright_ones(folder: Path, splineviz: Command) -> None:
    for place in range(3):
        values = np.zeros((4, 4), dtype=np.uint8)
        values[place, place // 2] = 1
        Image.fromarray(values).save(f"{place}.png")
    done = splineviz("slice", "pics:grey", "--points", "0.png,1.png,2.png", "--std", ".5", "-o", "x.npz")
    assert anchors(done).max() == pytest.approx(1 / 255 / 0.5)


def test_pictures_as_points_themselves(folder: Path, splineviz: Command) -> None:
    named = ",".join(f"color/ant/{place}.png" for place in (0, 1)) + ",color/cat/5.png"
    done = splineviz("slice", "pics:color", "--points", named, "--std", "255", "-o", "x.npz")
    np.testing.assert_allclose(anchors(done), first(COLOR)[[0, 1, 5]] / 255, atol=1e-13)


@pytest.mark.parametrize("layout", ["first", "last", "flat network"])
def test_mean_and_std_are_those_of_the_channels_whatever_the_layout(
    layout: str, folder: Path, splineviz: Command
) -> None:
    values = COLOR / 255
    np.save("x.npy", values if layout == "last" else values.transpose(0, 3, 1, 2))
    model = "pics:flat" if layout == "flat network" else "pics:color"
    how = ("--input-shape", "48" if layout == "flat network" else "3,4,4")
    scale = ("--mean", ".5,.4,.3", "--std", ".2,.25,.5")
    done = splineviz("slice", model, *how, "--data", "x.npy", "--points", "0:3", *scale, "-o", "x.npz")
    expected = first((values - [0.5, 0.4, 0.3]) / [0.2, 0.25, 0.5])[:3]
    np.testing.assert_allclose(anchors(done), expected, atol=1e-12)


def test_features_have_a_mean_and_std_each(folder: Path, splineviz: Command) -> None:
    x = RANDOM.random((5, 4))
    np.savetxt("x.csv", np.column_stack([x, range(5)]), "%.17g", ",", header="a,b,c,d,label", comments="")
    scale = ("--mean", "1,2,3,4", "--std", "4,3,2,1")
    done = splineviz("slice", "pics:four", "--data", "x.csv", "--points", "2:5", *scale, "-o", "x.npz")
    np.testing.assert_allclose(anchors(done), ((x - [1, 2, 3, 4]) / [4, 3, 2, 1])[2:], atol=1e-12)


def test_bytes_that_are_scaled_as_if_from_0_to_1(folder: Path, splineviz: Command) -> None:
    np.save("bytes.npy", GREY)
    asked = ("slice", "pics:grey", "--input-shape", "1,4,4", "--data", "bytes.npy", "--points", "0:3")
    done = splineviz(*asked, "--mean", "0.1307", "--std", "0.3081", "-o", "x.npz")
    assert "pixels are divided by 255" in done.err
    expected = (GREY[:3].reshape(3, -1) / 255 - 0.1307) / 0.3081
    np.testing.assert_allclose(anchors(done), expected, atol=1e-12)
    np.save("bytes.npy", GREY // 16)
    done = splineviz(*asked, "--std", "0.3081")
    assert done.code == 4 and "what are they divided by before?" in done.err
    done = splineviz(*asked, "--mean", "0.5", "--std", "15")
    assert done.code == 4 and "what are they divided by before?" in done.err
    assert splineviz(*asked, "--mean", "7.5", "--std", "4").code == 0
    assert splineviz(*asked, "--std", "1").code == 0


class TestClasses:
    def test_one_point_of_each_is_drawn_by_the_seed_and_said(self, folder: Path, splineviz: Command) -> None:
        asked = ("slice", "pics:color", "--data", "color", "--std", "255", "--classes", "cat,ant,bee")
        seen = set()
        for seed in range(6):
            done = splineviz(*asked, "--seed", seed, "-o", "x.npz", "--json")
            chosen = json.loads(done.out)["provenance"]["chosen"]["points"]
            assert [row // 2 for row in chosen["rows"]] == [2, 0, 1] and chosen["seed"] == seed
            np.testing.assert_allclose(anchors(done), first(COLOR)[chosen["rows"]] / 255, atol=1e-13)
            seen.add(tuple(chosen["rows"]))
        assert len(seen) > 1
        said = splineviz(*asked, "--seed", "0").out
        assert "of the classes cat, ant, bee, seed 0" in said

    def test_a_class_twice_gives_two_points(self, nets: Path, splineviz: Command) -> None:
        asked = ("slice", "nets:small", "--data", "data.npz", "--classes", "1,1,2")
        rows = json.loads(splineviz(*asked, "--json").out)["provenance"]["chosen"]["points"]["rows"]
        assert rows[0] != rows[1] and [row % 3 for row in rows] == [1, 1, 2]

    def test_one_class_is_a_neighbourhood(self, nets: Path, splineviz: Command) -> None:
        asked = ("slice", "nets:small", "--data", "data.npz", "--classes", "2", "-o", "x.npz", "--json")
        (row,) = json.loads(splineviz(*asked).out)["provenance"]["chosen"]["points"]["rows"]
        assert row % 3 == 2
        np.testing.assert_array_equal(sv.load("x.npz").planes[0].origin, np.load("data.npz")["x"][row])

    def test_comparisons_and_animations_choose_alike(self, nets: Path, splineviz: Command) -> None:
        how = ("--data", "data.npz", "--classes", "0,1,2", "--seed", "4")
        sliced = json.loads(splineviz("slice", "nets:small", *how, "--json").out)["provenance"]["chosen"]
        compared = json.loads(splineviz("compare", "nets:small", "nets:other", *how, "--json").out)
        assert compared["provenance"]["chosen"] == sliced
        rows = ", ".join(map(str, sliced["points"]["rows"]))
        assert sliced["points"]["said"] == f"points {rows} of the classes 0, 1, 2, seed 4"
        weights(nets)
        done = splineviz("animate", "step-*.pt", "--model", "nets:small", *how, "-o", "a.gif")
        assert done.code == 0 and sliced["points"]["said"] in done.err

    def test_many_points_are_those_of_the_classes(self, nets: Path, splineviz: Command) -> None:
        how = ("--data", "data.npz", "--classes", "0,2", "--directions", "2")
        assert splineviz("estimate", "nets:small", *how, "-o", "lc.csv").code == 0
        with Path("lc.csv").open() as file:
            rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
        assert {int(row["point"]) for row in rows} == {0, 2, 3, 5, 6, 8, 9}
        assert {row["label"] for row in rows} == {"0", "2"}

    @pytest.mark.parametrize(
        ("given", "code", "message"),
        [
            (("--classes", "0,1"), 2, "points of three classes"),
            (("--classes", "0,1,2", "--points", "0,1,2"), 2, "--points and --classes exclude each other"),
            (("--classes", "0,1,,"), 2, "expected words with commas"),
            (("--classes", "0,1,7"), 4, "has 0 points of the class 7 to choose from, and 1 are asked for"),
            (("--classes", "0,1,dog"), 4, "has no class 'dog'; its classes are 0, 1, 2"),
            (("--classes", "0,1,2", "--key", "x", "--labels-key", "z"), 4, "no array 'z'; it has y"),
        ],
    )
    def test_bad_requests(
        self, given: tuple[str, ...], code: int, message: str, nets: Path, splineviz: Command
    ) -> None:
        done = splineviz("slice", "nets:small", "--data", "data.npz", *given)
        assert done.code == code and message in done.err
        if code == 4 and "dog" in given[1]:
            done = splineviz("slice", "nets:small", "--data", "data.npy", *given)
            assert done.code == 4 and "data.npy tells no classes" in done.err and "--labels FILE" in done.err


class TestErrors:
    @staticmethod
    def wrong(nets: Path) -> list[int]:
        """The misclassified points of data.npz, by the module itself."""
        content, network = np.load(nets / "data.npz"), sv.load_program("nets:small")
        said = network.forward(torch.tensor(content["x"])).argmax(1).numpy()
        return [int(row) for row in np.flatnonzero(said != content["y"])]

    def test_three_misclassified_points_are_drawn_by_the_seed(self, nets: Path, splineviz: Command) -> None:
        wrong = self.wrong(nets)
        assert 3 <= len(wrong) < 10
        asked = ("slice", "nets:small", "--data", "data.npz", "--errors", "--seed", "2", "-o", "x.npz")
        done = splineviz(*asked, "--json")
        chosen = json.loads(done.out)["provenance"]["chosen"]["points"]
        assert set(chosen["rows"]) <= set(wrong) and len(set(chosen["rows"])) == 3
        np.testing.assert_allclose(anchors(done), np.load("data.npz")["x"][chosen["rows"]], atol=1e-14)
        assert chosen["of"] == f"the {len(wrong)} of 10 that are misclassified"

    def test_with_a_radius_it_is_one(self, nets: Path, splineviz: Command) -> None:
        asked = ("slice", "nets:small", "--data", "data.npz", "--errors", "--radius", "0.5", "-o", "x.npz")
        (row,) = json.loads(splineviz(*asked, "--json").out)["provenance"]["chosen"]["points"]["rows"]
        assert row in self.wrong(nets)
        np.testing.assert_array_equal(sv.load("x.npz").planes[0].origin, np.load("data.npz")["x"][row])

    def test_many_points_are_the_misclassified(self, nets: Path, splineviz: Command) -> None:
        wrong = self.wrong(nets)
        for command in ("estimate", "validate"):
            out = "lc.json" if command == "estimate" else "v.csv"
            how = ("--data", "data.npz", "--errors", "--directions", "2", "-o", out)
            done = splineviz(command, "nets:small", *how)
            assert done.code == 0, done.err
        report = json.loads(Path("lc.json").read_text())
        assert report["points"] == len(wrong) and report["data"] == "data.npz, the misclassified of 10"
        assert sorted({row["point"] for row in report["rows"]}) == wrong

    def test_of_checkpoints_the_last_decides(self, nets: Path, splineviz: Command) -> None:
        weights(nets)
        how = ("--data", "data.npz", "--errors", "-o", "a.gif")
        done = splineviz("animate", "step-*.pt", "--model", "nets:other", *how)
        assert done.code == 0, done.err
        assert f"of the {len(self.wrong(nets))} of 10 that are misclassified, seed 0" in done.err

    def test_names_of_classes_are_said_with_the_outputs(self, folder: Path, splineviz: Command) -> None:
        asked = ("slice", "pics:color", "--data", "color", "--std", "255", "--errors")
        assert "the outputs of the network are taken for 0 ant, 1 bee, 2 cat" in splineviz(*asked).err

    def test_bad_requests(self, nets: Path, splineviz: Command) -> None:
        asked = ("slice", "nets:small", "--data", "data.npz", "--errors")
        np.save("five.npy", np.full(10, 5))
        done = splineviz(*asked, "--labels", "five.npy")
        assert done.code == 4 and "which output is which class?" in done.err
        said = sv.load_program("nets:small").forward(torch.tensor(np.load("data.npz")["x"])).argmax(1).numpy()
        np.save("right.npy", said)
        done = splineviz(*asked, "--labels", "right.npy")
        assert done.code == 4 and "0 of 10 points of data.npz are misclassified, and 3 are wanted" in done.err
        how = ("--data", "data.npz", "--labels", "right.npy", "--errors", "--directions", "2")
        done = splineviz("estimate", "nets:small", *how)
        assert done.code == 4 and "none of the 10 points" in done.err


def weights(nets: Path) -> None:
    """Checkpoints of which the last is nets:small."""
    for step, seed in enumerate((1, 0)):
        torch.manual_seed(seed)
        net = torch.nn.Sequential(
            torch.nn.Linear(6, 8),
            torch.nn.ReLU(),
            torch.nn.Linear(8, 8),
            torch.nn.ReLU(),
            torch.nn.Linear(8, 3),
        )
        torch.save(net.state_dict(), nets / f"step-{step}.pt")


@pytest.mark.parametrize("text", ["0:3", "-10:-7", "0,1:3", "0, 1 ,2"])
def test_ranges_of_points(text: str, nets: Path, splineviz: Command) -> None:
    done = splineviz("slice", "nets:small", "--data", "data.npz", "--points", text, "-o", "x.npz")
    np.testing.assert_allclose(anchors(done), np.load("data.npz")["x"][:3], atol=1e-14)


def test_a_range_of_another_length_is_refused(nets: Path, splineviz: Command) -> None:
    done = splineviz("slice", "nets:small", "--data", "data.npz", "--points", "0:4")
    assert done.code == 2 and "expected three points I,J,K, or three files, got 4" in done.err


def test_a_function_of_the_user_gives_the_points(nets: Path, splineviz: Command) -> None:
    (nets / "mine.py").write_text(
        "import torch, numpy as np\n"
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "def loader():\n"
        "    content = np.load('data.npz')\n"
        "    pair = TensorDataset(torch.tensor(content['x']), torch.tensor(content['y']))\n"
        "    return DataLoader(pair, batch_size=4)\n"
    )
    how = ("--data", "mine:loader", "--points", "3,1,4", "-o", "x.npz")
    np.testing.assert_allclose(
        anchors(splineviz("slice", "nets:small", *how)), np.load("data.npz")["x"][[3, 1, 4]], atol=1e-14
    )
    done = splineviz("estimate", "nets:small", "--data", "mine:loader", "--limit", "6", "--directions", "2")
    assert done.code == 0 and "6 points of mine:loader" in done.out


def test_the_default_neighbourhood_of_a_point_is_cut(nets: Path, splineviz: Command) -> None:
    got = json.loads(splineviz("slice", "nets:small", "--data", "data.npz", "--at", "-1", "--json").out)
    assert got["provenance"]["chosen"]["radius"]["units"] == 4 and got["cells"] > 4


def test_a_network_without_units_has_no_default_neighbourhood(nets: Path, splineviz: Command) -> None:
    done = splineviz("slice", "nets:flat", "--data", "data.npz", "--at", "1")
    assert done.code == 4 and "the network has no unit" in done.err and "--radius R" in done.err
    assert splineviz("slice", "nets:flat", "--data", "data.npz", "--at", "1", "--radius", "1").code == 0


def test_a_radius_at_which_nothing_is_cut_is_said_with_one_that_is_not(
    nets: Path, splineviz: Command
) -> None:
    asked = ("estimate", "nets:small", "--data", "data.npz", "--directions", "2", "--json")
    done = splineviz(*asked, "--radius", "1e-9,1e-8")
    assert done.code == 0 and "note: no unit is cut within 1e-08 of any point" in done.err
    radius = done.err.split("--radius ")[1].split()[0]
    found = splineviz(*asked, "--radius", radius, "--metric", "lc")
    assert json.loads(found.out)["summary"][0]["mean"] > 0 and "no unit is cut" not in found.err
    assert "no unit is cut" not in splineviz(*asked, "--radius", "1e-9", "--quiet").err


def test_the_demo_has_its_classes(
    tmp_path: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = sv.demo.load_labels().tolist()
    done = splineviz("slice", "demo", "--classes", labels[2], "--radius", "0.01", "--json")
    assert json.loads(done.out)["provenance"]["chosen"]["points"]["rows"] == [2]
