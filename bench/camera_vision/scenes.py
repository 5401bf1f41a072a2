"""Rendered river banks at 1080p, five frames a second, with exact truth: ripple, reflections, rain, insects, changing light, shake, night.

Drawn from a seed alone. What moves without being a person: water, glints, a bush, debris, a post's reflection. Not H.264: what
compression does to a picture is met by the soak and by real clips.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.camera_vision.people import TALL_AT, Walker, tall_at
from bench.camera_vision.sprites import Sprite, sprites
from bench.camera_vision.truth import Truth
from shouwang.vision.picture import Picture
from shouwang.vision.zones import Band, Plan, Zone

WIDTH, HEIGHT, FPS = 1920, 1080, 5.0
PAD = 16
IGNORE_PX = 12 * HEIGHT / 576
DAY = ("calm", "ripple", "rain", "insects", "light", "shake")
NIGHT = ("night", "night_rain", "night_insects")
LOOP = 13
WARM_FRAMES = 25
"""An empty beginning of five seconds: a camera is switched on before somebody comes."""


@dataclass(frozen=True)
class Shot:
    """One frame of a scene with its number."""

    number: int
    picture: Picture


class Scene:
    """One scene: `shots()` yields its frames once, filling `truth` as it goes."""

    def __init__(self, kind: str, *, seed: int, frames: int, people: int, clip: Path) -> None:
        self.kind, self.frames, self.night = kind, frames, kind.startswith("night")
        self.chance = np.random.default_rng([seed, (DAY + NIGHT).index(kind), people])
        self.line_y = float(self.chance.uniform(600, 690))
        self.slope = float(self.chance.uniform(-0.05, 0.05))
        self._paint()
        self.plan = Plan(zones=self._zones(), heights=tuple((y / HEIGHT, tall / HEIGHT) for y, tall in TALL_AT))  # type: ignore[arg-type]
        polygons = {zone.id: [(x * WIDTH, y * HEIGHT) for x, y in zone.polygon] for zone in self.plan.zones}
        self.truth = Truth(FPS, IGNORE_PX, polygons)
        self.walkers = self._people(people, sprites(clip))
        self._light = 1.0
        self._insects: list[NDArray[np.float64]] = []

    def shots(self) -> Iterator[Shot]:
        """Yield the frames."""
        for number in range(self.frames):
            luma, blue, red = self.luma.copy(), self.blue.copy(), self.red.copy()
            self._water(luma, number)
            self._bush(luma, number)
            shift = self.chance.integers(-4, 5, 2) if self.kind == "shake" else np.zeros(2, int)
            if number >= WARM_FRAMES:
                self._draw_people(luma, blue, red, number, shift)
            out = luma[PAD + shift[1] : PAD + shift[1] + HEIGHT, PAD + shift[0] : PAD + shift[0] + WIDTH]
            half = PAD // 2 + shift // 2
            chroma = [plane[half[1] : half[1] + HEIGHT // 2, half[0] : half[0] + WIDTH // 2] for plane in (blue, red)]
            out = self._weather(np.ascontiguousarray(out), number)
            yield Shot(number, Picture(out, *(np.ascontiguousarray(plane) for plane in chroma)))

    # What stands still

    def _paint(self) -> None:
        chance, rows, columns = self.chance, HEIGHT + 2 * PAD, WIDTH + 2 * PAD
        luma = np.empty((rows, columns), np.float32)
        ys, xs = np.mgrid[:rows, :columns].astype(np.float32)
        line = self.line_y + PAD + self.slope * (xs - columns / 2) + 9 * np.sin(xs / 160 + chance.uniform(0, 6))
        self.is_water = (ys < line) & (ys > 330 + PAD)
        far_bank, sky = (ys <= 330 + PAD) & (ys > 230 + PAD), ys <= 230 + PAD
        luma[:] = float(chance.uniform(95, 140)) + grain(chance, rows, columns, 40, 26) + grain(chance, rows, columns, 5, 20)
        luma[self.is_water] = (float(chance.uniform(80, 150)) + (ys - 330) / 12 + grain(chance, rows, columns, 60, 8))[self.is_water]
        luma[far_bank] = (70 + grain(chance, rows, columns, 18, 40))[far_bank]
        luma[sky] = float(chance.uniform(190, 225))
        blue, red = np.full((rows, columns), 118.0, np.float32), np.full((rows, columns), 128.0, np.float32)
        ground = ~(self.is_water | far_bank | sky)
        green = bool(chance.integers(0, 2))
        blue[ground], red[ground] = (104, 122) if green else (112, 138)
        blue[self.is_water], red[self.is_water] = (134, 116) if chance.integers(0, 2) else (116, 124)
        self._things(luma, line)
        if self.night:
            vignette = 1 - 0.55 * (((xs - columns / 2) / columns) ** 2 + ((ys - rows / 2) / rows) ** 2) * 2
            luma = (16 + (luma - 16) * 0.5 * vignette).astype(np.float32)
            blue[:], red[:] = 128, 128
        self.luma = np.clip(luma, 16, 235).astype(np.uint8)
        self.blue, self.red = (np.ascontiguousarray(plane[::2, ::2]).astype(np.uint8) for plane in (blue, red))
        self._prepare()

    def _things(self, luma: NDArray[np.float32], line: NDArray[np.float32]) -> None:
        """Draw posts, stones and bushes of a person's size, in the zones too."""
        for _ in range(int(self.chance.integers(4, 9))):
            x, y = int(self.chance.uniform(300, 1600)), int(self.chance.uniform(self.line_y - 60, 960)) + PAD
            tall = int(tall_at(y) * self.chance.uniform(0.5, 1.3))
            wide = int(tall * self.chance.uniform(0.12, 0.6))
            shade = float(self.chance.uniform(30, 200))
            if self.chance.random() < 0.5:
                luma[y - tall : y, x : x + wide] = shade + self.chance.normal(0, 9, (tall, wide))
            else:
                cv2.ellipse(luma, (x, y - tall // 2), (max(3, wide), tall // 2), 0, 0, 360, shade, cv2.FILLED)
        self.bush = int(self.chance.uniform(400, 1400)), int(self.chance.uniform(float(line.mean()) - 20, 900))

    def _prepare(self) -> None:
        """Make the loops of water and noise once, so that two hours of an empty bank are drawn in minutes."""
        chance, rows, columns = self.chance, *self.luma.shape
        top, bottom = 330 + PAD, int(self.line_y + 60 + abs(self.slope) * WIDTH / 2) + PAD
        self.band = slice(top, bottom)
        strength = {"calm": 2.0, "ripple": 11.0}.get(self.kind, 5.0) * (0.4 if self.night else 1)
        ys, xs = np.mgrid[top:bottom, :columns].astype(np.float32)
        shore = np.where(self.is_water[self.band], self.luma[self.band], 0).astype(np.float32)
        self.water = []
        for step in range(LOOP):
            phase = 2 * np.pi * step / LOOP
            wave = np.sin(ys / 5 + xs / 90 + phase) + np.sin(ys / 11 - xs / 47 + 2 * phase) + 0.8 * grain(chance, bottom - top, columns, 6, 1)
            glint = (wave > 2.5) * (50 if not self.night else 15)
            moved = np.clip(shore + wave * strength + glint * (strength > 4), 16, 235)
            self.water.append(np.where(self.is_water[self.band], moved, self.luma[self.band]).astype(np.uint8))
        sigma = 4.0 if self.night else 2.0
        noise = chance.normal(0, sigma, (rows + 64, columns + 64))
        self.more, self.less = (np.clip(part, 0, 255).astype(np.uint8) for part in (noise, -noise))

    def _zones(self) -> tuple[Zone, ...]:
        left, right = float(self.chance.uniform(250, 550)), float(self.chance.uniform(1350, 1650))
        line = [self.line_y + self.slope * (x - WIDTH / 2) for x in (left, right)]
        down, up = float(self.chance.uniform(70, 110)), float(self.chance.uniform(70, 110))
        shore = ((left, line[0]), (right, line[1]), (right, line[1] + down), (left, line[0] + down))
        water = ((left, line[0] - up), (right, line[1] - up), (right, line[1]), (left, line[0]))
        middle = sum(line) / 2
        self.inner = tuple(((left + 80, middle + off - 8), (right - 80, middle + off + 8)) for off in (down / 2, -up / 2))
        self.outer = (left - 60, max(line) + down + 40), (right + 60, min(1000.0, max(line) + down + 130))
        return tuple(
            Zone(id=name, band=band, polygon=tuple((x / WIDTH, y / HEIGHT) for x, y in polygon))
            for name, band, polygon in (("shore", Band.SHORE, shore), ("water", Band.WATER, water))
        )

    def _people(self, count: int, cut: tuple[Sprite, ...]) -> list[Walker]:
        names = sorted({each.person for each in cut})
        order = self.chance.permutation(len(names))
        return [
            Walker(n, [each for each in cut if each.person == names[order[n % len(names)]]], self.chance, self.outer, self.inner)
            for n in range(count)
        ]

    # What moves

    def _water(self, luma: NDArray[np.uint8], number: int) -> None:
        luma[self.band] = self.water[number % LOOP]
        for n in range(2):  # debris that drifts
            x, y = int((number * (3 + n) + 700 * n) % WIDTH) + PAD, int(self.line_y - 60 - 70 * n) + PAD
            luma[y : y + 6, x : x + 22] = 60 if not self.night else 30

    def _bush(self, luma: NDArray[np.uint8], number: int) -> None:
        x, y = self.bush
        sway = int(3 * np.sin(number * 0.9) + self.chance.normal(0, 1))
        part = self.luma[y - 40 : y + 30, x : x + 70]
        luma[y - 40 : y + 30, x + sway : x + 70 + sway] = cv2.subtract(part, 25 if not self.night else 8)

    def _draw_people(self, luma: NDArray[np.uint8], blue: NDArray[np.uint8], red: NDArray[np.uint8], number: int, shift: NDArray[np.int_]) -> None:
        for walker in self.walkers:
            walker.step(1 / FPS)
        for walker in sorted(self.walkers, key=lambda each: each.y):
            box = self._draw(luma, blue, red, walker)
            self.truth.put(number, walker.id, (box[0] - shift[0], box[1] - shift[1], box[2] - shift[0], box[3] - shift[1]))

    def _draw(self, luma: NDArray[np.uint8], blue: NDArray[np.uint8], red: NDArray[np.uint8], walker: Walker) -> tuple[float, float, float, float]:
        sprite, tall = walker.sprite(), tall_at(walker.y)
        height, width = round(tall), max(6, round(tall * sprite.shape))
        x, y = round(walker.x - width / 2) + PAD, round(walker.y) - height + PAD
        scaled = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in (sprite.luma, sprite.blue, sprite.red, sprite.cover)]
        if walker.flip:
            scaled = [np.ascontiguousarray(plane[:, ::-1]) for plane in scaled]
        skin, cb, cr, cover = scaled
        skin = 16 + (skin - 16) * walker.gain * self._light
        if self.night:
            # Cloth throws infrared back whatever its colour: people are paler than the ground, some hardly.
            skin = 16 + (skin - 16) * 0.45 + walker.infrared
        if self.is_water[min(y + height, self.is_water.shape[0] - 1), x + width // 2]:
            mirrored = cover[::-1] * 0.35
            blend(luma, skin[::-1], mirrored, x, y + height)
        blend(luma, skin, cover, x, y)
        if not self.night:
            blend(blue, cb[::2, ::2], cover[::2, ::2], x // 2, y // 2)
            blend(red, cr[::2, ::2], cover[::2, ::2], x // 2, y // 2)
        return (x - PAD, y - PAD, x - PAD + width, y - PAD + height)

    def _weather(self, luma: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
        if self.kind == "light":
            wanted = 1 + 0.3 * np.sin(number / 37) + (0.18 if number // 60 % 2 else 0)
            self._light = float(wanted) / 1.1
            luma = cv2.convertScaleAbs(luma, alpha=self._light)
        if "rain" in self.kind:
            self._rain(luma)
        if "insects" in self.kind:
            self._fly(luma)
        y, x = self.chance.integers(0, 64, 2)
        luma = cv2.add(luma, self.more[y : y + HEIGHT, x : x + WIDTH])
        return cv2.subtract(luma, self.less[y : y + HEIGHT, x : x + WIDTH])

    def _rain(self, luma: NDArray[np.uint8]) -> None:
        """Draw 220 streaks a frame, some near the lens, each brightening what is behind it."""
        count, bright = 220, 60 if not self.night else 45
        xs, ys = self.chance.integers(0, WIDTH, count), self.chance.integers(0, HEIGHT - 90, count)
        lengths, wide = self.chance.integers(14, 80, count), self.chance.integers(1, 3, count)
        for x, y, length, width in zip(xs, ys, lengths, wide, strict=True):
            part = luma[y : y + length, x : x + width]
            luma[y : y + length, x : x + width] = cv2.add(part, bright).reshape(part.shape)

    def _fly(self, luma: NDArray[np.uint8]) -> None:
        """Move insects near the lens: blurred, person-sized, bright at night."""
        if len(self._insects) < 3 and self.chance.random() < 0.3:
            self._insects.append(np.array([*self.chance.uniform((0, 350), (WIDTH, 950)), *self.chance.normal(0, 60, 2), self.chance.uniform(12, 45)]))
        alive = []
        for each in self._insects:
            each[2:4] += self.chance.normal(0, 40, 2)
            each[:2] += each[2:4]
            x, y, size = int(each[0]), int(each[1]), int(each[4])
            if size < x < WIDTH - size and size < y < HEIGHT - size:
                disc = cv2.getGaussianKernel(2 * size, size / 2.2)
                cover = (disc @ disc.T / (disc.max() ** 2) * 0.8).astype(np.float32)
                blend(luma, np.full(cover.shape, 190 if self.night else 60, np.float32), cover, x - size, y - size)
                alive.append(each)
        self._insects = alive


def blend(plane: NDArray[np.uint8], what: NDArray[np.float32], cover: NDArray[np.float32], x: int, y: int) -> None:
    """Lay a patch over a plane; what leaves the plane is cut."""
    height, width = min(what.shape[0], plane.shape[0] - y), min(what.shape[1], plane.shape[1] - x)
    if height <= 0 or width <= 0 or x < 0 or y < 0:
        return
    under = plane[y : y + height, x : x + width]
    share = cover[:height, :width]
    under[:] = np.clip(under * (1 - share) + what[:height, :width] * share, 0, 255).astype(np.uint8)


def grain(chance: np.random.Generator, rows: int, columns: int, size: int, strength: float) -> NDArray[np.float32]:
    """Return smooth noise with features of about `size` pixels."""
    coarse = chance.normal(0, 1, (rows // size + 2, columns // size + 2)).astype(np.float32)
    return cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR) * strength
