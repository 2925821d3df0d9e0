"""The style of a report's page: the reader's own fonts, light and dark, told apart by shape as well as by colour."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #ffffff; --field: #f4f6f8; --edge: #d5dbe1;
  --base: #6b7580; --cand: #0a5fc2; --good: #116329; --bad: #b3261e; --band: #0a5fc21f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9da7b1; --paper: #14171b; --field: #1e2329;
  --edge: #343b43; --base: #a3acb5; --cand: #6cb2ff; --good: #5fcf80; --bad: #ff8f85; --band: #6cb2ff2e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 54rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; border-bottom: 1px solid var(--edge); padding-bottom: .25rem; }
.verdict { margin: 0; font-size: 1.15rem; } .verdict b { margin-right: .5rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: 1.25rem 0 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0; padding: .75rem 1rem; background: var(--field); border-radius: .5rem; }
figcaption { font-size: .92rem; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; margin-top: .5rem; fill: var(--ink);
  font: 12px system-ui, sans-serif; }
.key { color: var(--soft); font-size: .92rem; }
.grid { stroke: var(--edge); } .axis { stroke: var(--soft); } .one { stroke: var(--soft); stroke-dasharray: 2 3; }
.mean { stroke: var(--cand); stroke-width: 2; }
.needed { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 6 3; }
.band { fill: var(--band); } .dot { fill: var(--cand); fill-opacity: .35; } .median { fill: var(--cand); }
.roof { stroke: var(--cand); stroke-width: 2; } .other { stroke: var(--base); stroke-dasharray: 5 4; }
.so-far { fill: none; stroke: var(--cand); stroke-width: 2; }
.won { fill: var(--good); stroke: var(--good); } .lost { fill: var(--paper); stroke: var(--base); stroke-width: 1.5; }
.whisker { stroke-width: 1.5; } .cross { fill: none; stroke: var(--bad); stroke-width: 1.5; }
summary { cursor: pointer; margin-bottom: .5rem; }
.paper { fill: var(--paper); }
.baseline { fill: var(--base); } .candidate { fill: var(--cand); }
.ring { fill: none; stroke: var(--base); stroke-width: 2; }
.part { fill: var(--base); } .part0 { fill: #4477aa; } .part1 { fill: #228833; } .part2 { fill: #aa3377; }
.part3 { fill: #b8860b; } .part4 { fill: #0f8b9d; } .part5 { fill: #cc5a4a; } .part6 { fill: #6f5fb5; }
.part7 { fill: #7a7a2e; } .back { fill-opacity: .55; } [class^="part"] + text { fill: #ffffff; font-size: 11px; }
.back + text { fill: var(--ink); }
.wide { overflow-x: auto; } figure svg { min-width: 32rem; } .wide table { min-width: 40rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--edge); }
td b, td code { white-space: nowrap; } th { color: var(--soft); font-weight: 600; }
pre { overflow-x: auto; padding: .75rem 1rem; background: var(--field); border-radius: .5rem; font-size: .85rem;
  line-height: 1.45; margin: .5rem 0; }
code { font-family: ui-monospace, monospace; font-size: .92em; }
.plus { color: var(--good); } .minus { color: var(--bad); }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
@media (forced-colors: active) { :root { --ink: CanvasText; --soft: CanvasText; --paper: Canvas; --field: Canvas;
  --edge: CanvasText; --base: CanvasText; --cand: LinkText; --good: CanvasText; --bad: CanvasText;
  --band: transparent; }
  figure, pre { border: 1px solid CanvasText; } .band { stroke: LinkText; } .dot { fill-opacity: 1; } }
@media print { body { max-width: none; } }
"""
