/** The look of the report, in the reader's own light or dark. */
export const style = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #d9d9e0; --paper: #fff; --panel: #f7f7f9;
  --bar: #3b6fb6; --good: #18794e; --bad: #c62a2f; --unsure: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #b0b4ba; --line: #363a3f; --paper: #111113;
  --panel: #1a1b1e; --bar: #70a5e8; --good: #3dd68c; --bad: #ff9592; --unsure: #ffca16; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .75rem; }
p, li, td, dd { overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.verdict { border: 1px solid var(--line); border-left: .4rem solid var(--soft); border-radius: .4rem; background: var(--panel);
  padding: 1rem 1.25rem; margin-top: 1.25rem; }
.verdict p { margin: 0; }
.verdict .figure { font-size: 2.2rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; }
.verdict ul { margin: .75rem 0 0; padding-left: 1.2rem; }
.pass { color: var(--good); } .fail { color: var(--bad); } .inconclusive { color: var(--unsure); }
.verdict.pass { border-left-color: var(--good); color: inherit; } .verdict.fail { border-left-color: var(--bad); color: inherit; }
.verdict.inconclusive { border-left-color: var(--unsure); color: inherit; } .verdict.measured { border-left-color: var(--bar); }
.state { font-weight: 650; }
svg { display: block; width: 100%; }
svg text { fill: var(--ink); font: 14px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg .axis { fill: var(--soft); font-size: 12px; }
svg .grid { stroke: var(--line); } svg .bar { fill: var(--bar); opacity: .85; }
svg .track { fill: var(--panel); stroke: var(--line); }
svg .whisker { stroke: var(--ink); stroke-width: 2; } svg .minimum { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 5 4; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: .875rem; }
td.number, th.number { text-align: right; white-space: nowrap; } td.held { white-space: nowrap; }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
figure { margin: 0; padding: .75rem; border: 1px solid var(--line); border-radius: .4rem; min-width: 0; }
figcaption { font-size: .875rem; overflow-wrap: anywhere; margin-bottom: .5rem; }
.views { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; font-size: .75rem; color: var(--soft); }
.views img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; background: #808080;
  border: 1px solid var(--line); border-radius: .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
code, pre { font: .8125rem/1.5 ui-monospace, monospace; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem; overflow-x: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; }
  .examples { grid-template-columns: 1fr; } }
@media print { body { max-width: none; } figure, tr { break-inside: avoid; } }
`;
