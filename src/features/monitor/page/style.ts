/**
 * The style of the page. Colours carry meaning, and never alone: what is missing is hatched, what is empty is hollow, what
 * is found has a word. Light unless the reader prefers dark; always light on paper.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --ink: #1d2329; --soft: #5b6670; --line: #dfe3e8; --box: #f6f8fa;
  --heap: #3567b0; --toast: #d98a1f; --index: #8ab0dd;
  --archived: #a9b4c0; --closed: #3567b0; --current: #1f9d63; --default: #d98a1f; --missing: #c93a3a; --odd: #8a4fbf;
  --others: #d5dbe2; --messages: #3567b0; --forecast: #1f9d63; --band: #1f9d6338;
  --critical: #c02a2a; --warning: #a85d00; --notice: #3567b0; --good: #1a7f4e;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #15191d; --ink: #e4e8ec; --soft: #9aa5b0; --line: #2d343b; --box: #1d2227;
    --heap: #5b94e0; --toast: #e2a044; --index: #3c5f8c;
    --archived: #5d6873; --closed: #5b94e0; --current: #3fc184; --default: #e2a044; --missing: #ee6a6a; --odd: #b583e6;
    --others: #333b43; --messages: #5b94e0; --forecast: #3fc184; --band: #3fc18440;
    --critical: #f07b7b; --warning: #eba94f; --notice: #7fb0ee; --good: #4ccb90;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK JP", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { margin: 0; font-size: 26px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 40px 0 6px; font-size: 19px; }
h3 { margin: 0; font-size: 15px; overflow-wrap: anywhere; }
p { margin: 4px 0 10px; }
small { color: var(--soft); font-size: 12px; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px; }
pre { margin: 6px 0; padding: 8px 10px; background: var(--box); border: 1px solid var(--line); border-radius: 5px; white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
.meta, .note, .method { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.method { margin: 8px 0; padding-left: 18px; }
.scroll { overflow-x: auto; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 10px; margin-top: 18px; }
.tile { display: flex; flex-direction: column; padding: 10px 12px; border: 1px solid var(--line); border-top: 4px solid var(--line); border-radius: 5px; background: var(--box); color: inherit; text-decoration: none; }
.tile b { font-weight: 500; font-size: 12px; color: var(--soft); }
.tile strong { font-size: 20px; line-height: 1.3; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tile small { overflow-wrap: anywhere; }
.tile.good { border-top-color: var(--good); }
.tile.doubtful { border-top-color: var(--warning); }
.tile.bad { border-top-color: var(--critical); }

.finding { margin: 10px 0; padding: 10px 12px; border: 1px solid var(--line); border-left: 5px solid var(--notice); border-radius: 5px; }
.finding.critical { border-left-color: var(--critical); }
.finding.warning { border-left-color: var(--warning); }
.finding p { margin: 2px 0 4px; }
.finding .id { margin: 0; color: var(--soft); font-size: 12px; overflow-wrap: anywhere; }
.badge { color: var(--notice); font-size: 12px; text-transform: uppercase; letter-spacing: .04em; }
.critical .badge { color: var(--critical); }
.warning .badge { color: var(--warning); }
.well::before { content: "✓ "; color: var(--good); font-weight: 700; }

.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 6px 0; font-size: 13px; color: var(--soft); }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
.legend i { width: 13px; height: 13px; border-radius: 2px; background: var(--archived); }
.legend i.heap { background: var(--heap); } .legend i.toast { background: var(--toast); } .legend i.index { background: var(--index); }
.legend i.closed { background: var(--closed); } .legend i.current { background: var(--current); } .legend i.default { background: var(--default); }
.legend i.odd { background: var(--odd); } .legend i.detaching { background: var(--missing); }
.legend i.ahead { background: none; border: 1.5px dashed var(--closed); }
.legend i.missing { background: repeating-linear-gradient(45deg, var(--missing) 0 2.4px, var(--page) 2.4px 6px); border: 1px solid var(--missing); }
.legend i.messages { background: var(--messages); } .legend i.others { background: var(--others); }
.legend i.band { background: var(--band); border-top: 2px dashed var(--forecast); }
.legend i.record { width: 8px; height: 8px; border-radius: 50%; background: var(--ink); }
.legend i.limit { height: 0; border-top: 2px dashed var(--critical); border-radius: 0; }

table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
thead th { color: var(--soft); font-weight: 500; font-size: 12px; }
tbody th { font-weight: 500; overflow-wrap: break-word; }
.number { text-align: right; white-space: nowrap; }
.sizes th:not(:first-child):not(.chart):not(.verdict), .sizes td:not(.chart):not(.verdict) { text-align: right; white-space: nowrap; }
.sizes td.total { font-weight: 600; }
.sizes .chart { width: 32%; }
.doubtful .verdict { color: var(--warning); }
.sizes.indexes .chart { width: 12%; } .indexes .verdict { width: 30%; font-size: 13px; }
.vacuum .verdict { width: 24%; } .locks .verdict { width: 34%; overflow-wrap: anywhere; } .vacuum .verdict, .locks .verdict { font-size: 13px; }
.locks .word { text-align: left !important; }
.queries .query { width: 56%; font-weight: 400; overflow-wrap: anywhere; } .queries code { font-size: 12px; }
#live.lost { color: var(--critical); font-weight: 600; }
.none { color: var(--soft); }
svg { display: block; width: 100%; overflow: visible; }
svg.bar { height: 14px; overflow: hidden; }
rect.heap { fill: var(--heap); } rect.toast { fill: var(--toast); } rect.index { fill: var(--index); }
.grid { stroke: var(--line); } .axis { stroke: var(--soft); } .tick-mark { stroke: var(--soft); }
.tick { fill: var(--soft); font-size: 11px; }
.grid-label { paint-order: stroke; stroke: var(--page); stroke-width: 3px; }
rect.archived { fill: var(--archived); } rect.closed { fill: var(--closed); } rect.current { fill: var(--current); }
rect.default { fill: var(--default); } rect.odd { fill: var(--odd); } rect.detaching { fill: var(--missing); }
rect.ahead, rect.empty { fill: var(--page); stroke: var(--closed); stroke-dasharray: 3 2; }
rect.archived.empty { stroke: var(--archived); } rect.default.empty { stroke: var(--default); } rect.current.empty { stroke: var(--current); }
rect.ahead:not(.empty) { fill: var(--closed); fill-opacity: .35; }
rect.missing, rect.missing.empty { fill: url(#hatch); stroke: var(--missing); stroke-dasharray: none; }
.hatch-ground { fill: var(--page); } .hatch-line { fill: var(--missing); }
.growth polygon.others { fill: var(--others); } .growth polygon.messages { fill: var(--messages); fill-opacity: .55; } .growth polygon.band { fill: var(--band); }
.growth polyline { fill: none; stroke-width: 2px; vector-effect: non-scaling-stroke; }
.growth .past { stroke: var(--messages); } .growth .expected { stroke: var(--forecast); stroke-dasharray: 5 4; }
.growth .now { stroke: var(--ink); stroke-opacity: .55; } .growth .now-label { fill: var(--ink); font-weight: 600; }
.growth .record { fill: var(--ink); }
.growth .limit { stroke: var(--critical); stroke-dasharray: 6 4; stroke-width: 1.5px; } .limit-label { fill: var(--critical); font-size: 12px; font-weight: 600; }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--soft); font-size: 13px; }

@media (max-width: 700px) {
  main { padding: 16px 12px 32px; }
  h1 { font-size: 21px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; }
  .tile strong { font-size: 18px; }
  .minor { display: none; }
  .months { min-width: 0 !important; }
  table { font-size: 11.5px; } th, td { padding: 3px 4px; overflow-wrap: anywhere; } .number { white-space: normal; }
}
@media screen and (max-width: 980px) {
  .sizes thead { position: absolute; clip-path: inset(50%); }
  .sizes tr { display: grid; grid-template-columns: 1fr auto; padding: 8px 0; border-bottom: 1px solid var(--line); }
  .sizes th, .sizes td { border: 0; padding: 1px 0; min-width: 0; overflow-wrap: anywhere; }
  .sizes .chart { grid-column: 1 / -1; grid-row: 2; width: auto; padding: 3px 0; }
  .sizes td.total { grid-column: 2; grid-row: 1; }
  .sizes td[data-label] { display: inline; text-align: left !important; font-size: 12px; color: var(--soft); white-space: normal !important; grid-column: 1 / -1; }
  .sizes tr { grid-template-columns: repeat(6, 1fr); }
  .sizes th { grid-column: 1 / 5; } .sizes td.total { grid-column: 5 / 7; }
  .sizes td[data-label] { grid-column: span 2; }
  .sizes td.verdict, .vacuum td.verdict, .locks td.verdict { grid-column: 1 / -1; width: auto; }
  .vacuum td[data-label], .locks td[data-label] { grid-column: span 3; } .vacuum td.total::after { content: " dead rows"; font-weight: 400; }
  .sizes td[data-label]::before { content: attr(data-label) " "; }
  .sizes tr.small { padding: 3px 0; } .sizes tr.small .chart, .sizes tr.small td[data-label] { display: none; }
  .queries .query { width: auto; }
}
@media print {
  @page { margin: 14mm; }
  body { font-size: 10.5pt; } table { font-size: 8.5pt; } table code { font-size: 8pt; } th, td { padding: 3px 5px; } tbody th, td { overflow-wrap: anywhere; }
  .sizes .chart { width: 16%; } .sizes.indexes th[scope=row], .indexes .verdict { width: auto; }
  main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .tiles { grid-template-columns: repeat(3, 1fr); }
  .tile, .finding, svg, tr, .legend { break-inside: avoid; }
  h2, thead { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { list-style: none; }
  .months { min-width: 0 !important; }
}
`;
