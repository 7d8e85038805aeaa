"""The page of an animation: nothing is fetched, the frames are in it."""

from __future__ import annotations

__all__ = ["PAGE"]

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
  body { margin: 1rem auto; max-width: {{width}}px; padding: 0 .5rem; }
  :root { color-scheme: light dark; }
  body { font: 15px/1.4 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
  @media (prefers-color-scheme: dark) { body { color: #e4e4e4; background: #16181b; } }
  img { width: 100%; height: auto; display: block; border-radius: 3px; }
  .bar { display: flex; gap: .75rem; align-items: center; margin-top: .5rem; }
  input { flex: 1; min-width: 0; }
  button { font: inherit; width: 5.5em; padding: .25rem 0; }
  output { min-width: 8em; text-align: right; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<img id="frame" alt="" width="{{width}}" height="{{height}}">
<div class="bar">
  <button id="play" type="button">Play</button>
  <input id="place" type="range" min="0" step="1" value="0" aria-label="Checkpoint">
  <output id="step" for="place"></output>
</div>
<script type="application/json" id="card">{{card}}</script>
<script type="application/json" id="content">{{content}}</script>
<script>
  const { images, seconds, titles } = JSON.parse(document.getElementById("content").textContent);
  const ids = ["frame", "play", "place", "step"];
  const [frame, play, place, step] = ids.map(id => document.getElementById(id));
  let timer = null;
  place.max = images.length - 1;
  function show(k) {
    place.value = k;
    place.setAttribute("aria-valuetext", titles[k]);
    frame.src = "data:image/webp;base64," + images[k];
    frame.alt = "Cells at " + titles[k];
    step.value = titles[k];
  }
  function stop() { clearTimeout(timer); timer = null; play.textContent = "Play"; }
  function next() {
    const after = () => { show((Number(place.value) + 1) % images.length); next(); };
    timer = setTimeout(after, 1000 * seconds[place.value]);
    play.textContent = "Pause";
  }
  play.addEventListener("click", () => timer === null ? next() : stop());
  place.addEventListener("input", () => { stop(); show(Number(place.value)); });
  show(0);
</script>
</body>
</html>
"""
