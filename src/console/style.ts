/**
 * How the console looks, as it is sent. System fonts, one scale of type and one of space, two themes; nothing is loaded
 * from elsewhere. Every pair of a colour and its ground has a contrast of 4.5 at the least, in both themes.
 */
export const STYLE = String.raw`
:root {
  color-scheme: light dark;
  --ground: light-dark(#f4f6f5, #0f1413);
  --sheet: light-dark(#ffffff, #161d1b);
  --sunk: light-dark(#eaeeec, #1d2624);
  --ink: light-dark(#14201d, #e4ebe8);
  --soft: light-dark(#4c5a56, #9db0aa);
  --rule: light-dark(#d3dbd8, #2b3734);
  --edge: light-dark(#7d8b87, #647570);
  --mark: light-dark(#0b5f52, #74cdb9);
  --mark-deep: light-dark(#08483e, #9be0d0);
  --on-mark: light-dark(#ffffff, #06211c);
  --warn: light-dark(#7a4a00, #ecc072);
  --warn-ground: light-dark(#fbf1dc, #2b2413);
  --bad: light-dark(#9b1c1c, #ffa196);
  --bad-deep: light-dark(#7a1414, #ffc0b8);
  --on-bad: light-dark(#ffffff, #2b0805);
  --good: light-dark(#17603a, #86d3a5);
  --text: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif;
  --code: ui-monospace, 'SF Mono', 'Cascadia Mono', 'Roboto Mono', 'Liberation Mono', monospace;
  --small: 0.8125rem;
  --large: 1.125rem;
  --head: 1.5rem;
}
:root[data-theme='light'] { color-scheme: light; }
:root[data-theme='dark'] { color-scheme: dark; }

* { box-sizing: border-box; }
html { font: 100%/1.5 var(--text); background: var(--ground); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; font-size: 0.9375rem; }
main { flex: 1; width: 100%; max-width: 72rem; margin: 0 auto; padding: 1.75rem 1rem 3rem; outline: none; }
h1, h2, h3 { margin: 0; line-height: 1.25; text-wrap: balance; }
h1 { font-size: var(--head); font-weight: 650; letter-spacing: -0.012em; }
h2 { font-size: var(--large); font-weight: 600; margin-bottom: 0.5rem; }
h3 { font-size: 0.9375rem; font-weight: 600; }
p { margin: 0.5rem 0; max-width: 42rem; text-wrap: pretty; }
section { margin-top: 2rem; }
a { color: var(--mark); text-underline-offset: 0.18em; text-decoration-thickness: 1px; }
a:hover { color: var(--mark-deep); text-decoration-thickness: 2px; }
code, pre, .code { font-family: var(--code); font-size: 0.875em; }
code { overflow-wrap: anywhere; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
time, .number { font-variant-numeric: tabular-nums; white-space: nowrap; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; border-radius: 3px; }
[hidden] { display: none !important; }

.sub, .small { color: var(--soft); font-size: var(--small); }
.sub { margin: 0.25rem 0; }
.skip { position: absolute; left: 0.5rem; top: -4rem; z-index: 2; padding: 0.5rem 0.75rem; background: var(--sheet); }
.skip:focus { top: 0.5rem; }

.bar { display: flex; align-items: stretch; gap: 0 1.25rem; padding: 0 1rem; min-height: 3.25rem;
  background: var(--sheet); border-bottom: 1px solid var(--rule); }
.brand { display: flex; align-items: center; gap: 0.5rem; color: var(--ink); font-weight: 650; text-decoration: none;
  letter-spacing: -0.01em; }
.brand svg { color: var(--mark); }
.brand:hover { color: var(--mark); }
.places { min-width: 0; }
.places ul { display: flex; height: 100%; margin: 0; padding: 0; list-style: none; }
.places a { display: flex; align-items: center; height: 100%; padding: 0.125rem 0.625rem 0; color: var(--soft);
  font-size: var(--small); text-decoration: none; border-bottom: 2px solid transparent; }
.places a:hover { color: var(--ink); border-bottom-color: var(--edge); }
.places a[aria-current] { color: var(--ink); font-weight: 600; border-bottom-color: var(--mark); }
.menu { display: none; position: relative; align-self: center; }
.menu summary { padding: 0.375rem 0.75rem; border: 1px solid var(--edge); border-radius: 5px; cursor: pointer;
  font-size: var(--small); list-style: none; }
.menu summary::-webkit-details-marker { display: none; }
.menu[open] nav { position: absolute; z-index: 1; left: 0; top: calc(100% + 0.5rem); min-width: 12rem; padding: 0.375rem;
  background: var(--sheet); border: 1px solid var(--edge); border-radius: 6px; box-shadow: 0 8px 24px #0003; }
.menu ul { margin: 0; padding: 0; list-style: none; }
.menu li a { display: block; padding: 0.5rem 0.625rem; color: var(--ink); text-decoration: none; border-radius: 4px; }
.menu li a:hover { background: var(--sunk); }
.menu li a[aria-current] { font-weight: 600; box-shadow: inset 3px 0 var(--mark); }
.filter { display: flex; align-items: center; gap: 0.375rem; font-size: var(--small); }
.filter label { color: var(--soft); }
.who { display: flex; flex: 1 1 6rem; align-items: center; justify-content: flex-end; gap: 0.75rem; min-width: 0;
  font-size: var(--small); }
.who form { flex: none; }
.who > a { color: var(--ink); padding: 0.25rem 0; max-width: 11rem; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

footer { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.25rem 1rem;
  width: 100%; max-width: 72rem; margin: 0 auto; padding: 0.75rem 1rem 1.25rem; color: var(--soft);
  font-size: var(--small); border-top: 1px solid var(--rule); }
footer p { margin: 0; }
.themes fieldset { display: flex; align-items: center; gap: 0.125rem; margin: 0; padding: 0; border: 0; }
.themes legend { float: left; padding: 0 0.5rem 0 0; }
.themes button { text-transform: capitalize; }

button, .button { display: inline-flex; align-items: center; justify-content: center; min-height: 2.25rem;
  padding: 0.3125rem 0.875rem; font: inherit; font-size: 0.875rem; font-weight: 550; color: var(--ink);
  background: var(--sheet); border: 1px solid var(--edge); border-radius: 5px; text-decoration: none; cursor: pointer; }
button:hover, .button:hover { color: var(--ink); background: var(--sunk); border-color: var(--ink); }
button.main, .button.main { color: var(--on-mark); background: var(--mark); border-color: var(--mark); }
button.main:hover, .button.main:hover { color: var(--on-mark); background: var(--mark-deep); border-color: var(--mark-deep); }
button.danger, .button.danger { color: var(--bad); border-color: var(--bad); }
button.danger:hover, .button.danger:hover { color: var(--on-bad); background: var(--bad); }
button.quiet { min-height: 1.75rem; padding: 0.125rem 0.5rem; font-size: var(--small); font-weight: 500;
  color: var(--soft); background: none; border-color: transparent; white-space: nowrap; }
button.quiet:hover { color: var(--ink); border-color: var(--edge); }
button.quiet[aria-pressed='true'] { color: var(--ink); background: var(--sunk); border-color: var(--rule); }
button[aria-busy='true'] { opacity: 0.7; cursor: progress; }
label { display: block; font-size: var(--small); font-weight: 550; }
input, select, textarea { min-height: 2.25rem; padding: 0.3125rem 0.625rem; font: inherit; color: var(--ink);
  background: var(--sheet); border: 1px solid var(--edge); border-radius: 5px; }
.filter select, .filter button { min-height: 1.75rem; padding-block: 0.125rem; font-size: var(--small); }
.filter label { font-weight: 400; }
input[type='text'], input:not([type]), textarea { width: 100%; margin-top: 0.25rem; }
.actions { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 0.75rem; margin-top: 1rem; }
.told { margin: 0.5rem 0 0; color: var(--bad); font-size: var(--small); font-weight: 550; }
.told:empty { display: none; }

.slip { max-width: 27rem; margin: min(8vh, 5rem) auto 0; padding: 1.5rem 1.5rem 1.25rem; background: var(--sheet);
  border: 1px solid var(--rule); border-top: 3px solid var(--mark); border-radius: 4px; }
.slip .button.main, .slip button { width: 100%; }
.slip form { margin-top: 1rem; }
.slip .signing button { margin-top: 0.75rem; }
.slip .small { margin-bottom: 0; }
.or { display: flex; align-items: center; gap: 0.75rem; margin: 1rem 0; color: var(--soft); font-size: var(--small); }
.or::before, .or::after { content: ''; flex: 1; border-top: 1px solid var(--rule); }
.or + form { margin-top: 0; }
.or + .signing button { margin-top: 0; }
.slip .facts { margin-top: 1.25rem; padding-top: 0.75rem; border-top: 1px solid var(--rule); }

.note { margin: 1rem 0; padding: 0.5rem 0.875rem; max-width: none; background: var(--sunk);
  border-left: 3px solid var(--mark); border-radius: 0 4px 4px 0; }
.note.warn { background: var(--warn-ground); border-left-color: var(--warn); }
.calm { margin-top: 1.5rem; color: var(--soft); font-size: var(--large); }
.tag { display: inline-block; padding: 0 0.4375rem; color: var(--soft); font-size: 0.75rem; font-weight: 550;
  line-height: 1.25rem; letter-spacing: 0; vertical-align: 0.0625rem; border: 1px solid var(--rule); border-radius: 10px;
  white-space: nowrap; }
.tag.warn { color: var(--warn); border-color: currentColor; }
h1 + [data-part] { margin-top: 1rem; }
h1 .tag { vertical-align: 0.25rem; margin-left: 0.25rem; }

.rows { margin: 0; padding: 0; list-style: none; background: var(--sheet); border: 1px solid var(--rule);
  border-radius: 5px; }
.rows li { display: flex; align-items: center; justify-content: space-between; gap: 0.5rem 1rem; padding: 0.625rem 0.875rem; }
.rows li + li { border-top: 1px solid var(--rule); }
.rows .sub { display: block; }
.rows button.quiet { border-color: var(--rule); }
.rows button.quiet:hover { border-color: var(--edge); }
.rows a { text-decoration: none; }
.rows .sub a { color: inherit; text-decoration: underline; }
.rows a:hover { text-decoration: underline; }
.facts { display: grid; grid-template-columns: minmax(6rem, max-content) minmax(0, 1fr); gap: 0.3125rem 1.25rem; margin: 0; }
.facts dt { color: var(--soft); font-size: var(--small); line-height: 1.4375rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.facts .long { font-size: 0.8125rem; line-height: 1.4375rem; }
.quoted { padding-left: 0.75rem; border-left: 2px solid var(--edge); white-space: pre-wrap; }
.halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 3rem; }
.halves section { margin-top: 1.5rem; }

.asks { font-weight: 500; font-size: 1.375rem; }
.asks strong { font-weight: 680; }
.acts { position: sticky; bottom: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: flex-start; gap: 0.75rem;
  max-height: 85vh; margin: 1.25rem 0 0; padding: 0.75rem 0; overflow: auto; background: var(--ground);
  border-top: 1px solid var(--rule); }
p.acts { display: block; padding: 0.75rem 0.875rem; }
html:has(.acts) { scroll-padding-bottom: 6rem; }
.acts .signing { margin: 0; }
.acts .note { margin: 0; }
.say { position: relative; }
.say summary { list-style: none; }
.say summary::-webkit-details-marker { display: none; }
.say summary.danger { color: var(--bad); border-color: var(--bad); }
.say[open] { flex-basis: 100%; order: 1; }
.say form { max-width: 32rem; margin-top: 0.75rem; padding: 1rem; background: var(--sheet); border: 1px solid var(--rule);
  border-radius: 5px; }
.say label { margin-top: 0.75rem; }
.say form > button { margin-top: 1rem; }
.say fieldset { margin: 0; padding: 0; border: 0; }
.say legend { font-size: var(--small); font-weight: 550; }
.choice { display: inline-flex; align-items: center; gap: 0.375rem; min-height: 1.75rem; margin: 0.25rem 1rem 0 0;
  font-weight: 400; font-size: 0.9375rem; }
.say .choice { margin-top: 0.25rem; }
.choice input { min-height: 1rem; width: 1rem; height: 1rem; margin: 0; accent-color: var(--mark); }
.weighty { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0 2rem; }
.weighty section { margin-top: 1.25rem; }
.decision h2 { font-size: 0.9375rem; }
.decision .facts { grid-template-columns: minmax(5.5rem, max-content) minmax(0, 1fr); gap: 0.25rem 1rem; }
.does { margin: 0 0 0.5rem; font-size: 1rem; }
.theirs { padding: 0.75rem 1rem; background: var(--sunk); border-radius: 5px; }
.theirs blockquote { margin: 0.25rem 0 0.625rem; padding-left: 0.75rem; border-left: 2px solid var(--edge);
  font-style: italic; max-height: 12rem; overflow: auto; overflow-wrap: anywhere; }
blockquote { margin: 0.5rem 0; padding-left: 0.75rem; border-left: 2px solid var(--edge); white-space: pre-wrap;
  overflow-wrap: anywhere; }
.hidden-mark { padding: 0 0.1875rem; color: var(--on-bad); background: var(--bad); border-radius: 2px;
  font: 600 0.6875rem/1.2 var(--code); font-style: normal; }
.alike-mark { font-weight: inherit; text-decoration: underline wavy var(--bad); }
.tag.bad { color: var(--bad); border-color: currentColor; }
.folds { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 0 2rem;
  align-items: start; margin-top: 1.25rem; }
.fold { padding: 0.5rem 0; border-top: 1px solid var(--rule); min-width: 0; }
.fold summary { padding: 0.25rem 0; cursor: pointer; }
.fold summary h2 { display: inline; }
.fold[open] summary { margin-bottom: 0.375rem; }
.fold ul, .fold ol { margin: 0; padding-left: 1.125rem; }
.fold pre { padding: 0.625rem; background: var(--sunk); border-radius: 4px; max-height: 20rem; overflow: auto; }
.reasons { margin-bottom: 0.625rem; }
.steps { margin-top: 0.75rem; }
.steps [aria-current] { font-weight: 550; }
table { width: 100%; border-collapse: collapse; font-size: var(--small); }
th { padding: 0.25rem 0.75rem 0.25rem 0; text-align: left; font-weight: 550; color: var(--soft);
  border-bottom: 1px solid var(--rule); }
td { padding: 0.3125rem 0.75rem 0.3125rem 0; vertical-align: top; border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; }
.due { color: var(--soft); font-size: var(--small); white-space: nowrap; }

.sheet { padding: 1rem; background: var(--sheet); border: 1px solid var(--rule); border-radius: 5px; }
.halves > .sheet { margin-top: 1.5rem; }
.sheet label { margin-top: 0.75rem; }
.sheet .pair label { margin-top: 0; }
.sheet select, .sheet textarea { display: block; width: 100%; margin-top: 0.25rem; }
.sheet.word label { margin-top: 0; }
.click .grows { flex-basis: 15rem; }
.click input { font-weight: 400; }
.halves .theirs { margin-top: 0.75rem; }
.order .facts { margin-top: 0.5rem; }
.sheet .choice { display: flex; align-items: flex-start; }
.sheet .choice input { margin-top: 0.1875rem; flex: none; }
.sheet .small { margin: 0.25rem 0 0; }
.pair { display: flex; gap: 0.75rem; }
.pair select { width: auto; }
.grows { flex: 1; min-width: 0; }
.plain { margin: 0; padding: 0; list-style: none; }
th.number, td.number { text-align: right; }
th.number { white-space: normal; }
.figures { display: flex; flex-wrap: wrap; gap: 0.75rem 2.5rem; margin: 1.25rem 0 0; }
.figures div { display: flex; flex-direction: column-reverse; }
.figures dt { color: var(--soft); font-size: var(--small); }
.figures dd { margin: 0; }
.toll { display: block; width: 100%; height: 0.75rem; margin-top: 1rem; border-radius: 3px; }
.toll-verified { fill: var(--mark); background: var(--mark); }
.toll-expired { fill: var(--edge); background: var(--edge); }
.toll-unverifiable { fill: var(--warn); background: var(--warn); }
.toll-never { fill: var(--rule); background: var(--rule); }
.toll-alive { fill: var(--bad); background: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; color: var(--soft); font-size: var(--small); }
.key { display: inline-block; width: 0.625rem; height: 0.625rem; margin-right: 0.375rem; border-radius: 2px; }
.spaced { margin-top: 1.25rem; }
.wide { overflow-x: auto; }
.inventory { min-width: 60rem; }
.inventory th[scope='row'] { font-weight: 550; color: var(--ink); vertical-align: top; padding-top: 0.3125rem; }
.inventory .sub { display: block; font-weight: 400; }
.difference { min-width: 46rem; }
.difference .sub { display: block; }
.difference td { background: none; }
.was { color: var(--soft); }
.becomes { font-weight: 550; }
.becomes .sub { font-weight: 400; }
tbody th { font-weight: 550; color: var(--ink); }
.ways { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); gap: 1.25rem 2rem; }
.way h3 { padding-bottom: 0.25rem; border-bottom: 2px solid var(--rule); }
.way li { padding: 0.25rem 0; overflow-wrap: anywhere; }
.way .plain + .small { margin-top: 0.75rem; }
.target { width: 100%; }
.target summary { cursor: pointer; }
.target pre { margin-top: 0.5rem; padding: 0.625rem; background: var(--sunk); border-radius: 4px; }
.tabs { display: flex; gap: 0.25rem; margin: 1rem 0; padding: 0; list-style: none; }
.tabs a { display: block; padding: 0.25rem 0.75rem; color: var(--soft); font-size: var(--small); text-decoration: none;
  border: 1px solid transparent; border-radius: 5px; }
.tabs a:hover { color: var(--ink); border-color: var(--edge); }
.tabs a[aria-current] { color: var(--ink); font-weight: 550; background: var(--sunk); border-color: var(--rule); }
.plot { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 0.625rem; margin: 1.25rem 0 0.5rem; }
.plot svg { width: 100%; height: 15rem; }
.axis { display: flex; flex-direction: column; justify-content: space-between; margin: -0.625rem 0; color: var(--soft);
  font-size: 0.75rem; line-height: 1.25rem; text-align: right; font-variant-numeric: tabular-nums; }
.plot figcaption { grid-column: 2; display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.25rem 1rem;
  padding-top: 0.5rem; color: var(--soft); font-size: 0.75rem; font-variant-numeric: tabular-nums; }
.plot .legend { margin: 0; }
.grid { stroke: var(--rule); stroke-width: 1; vector-effect: non-scaling-stroke; }
.plot-median { fill: var(--mark); background: var(--mark); }
.plot-high { fill: light-dark(#6fae9f, #3d8474); background: light-dark(#6fae9f, #3d8474); }
.plot-worst { fill: light-dark(#c3ddd6, #24463e); background: light-dark(#c3ddd6, #24463e); }
.row-bar { display: block; width: 100%; min-width: 6rem; height: 0.625rem; margin-top: 0.375rem; border-radius: 2px; }
.drawn { width: 40%; }
.tag.good { color: var(--good); border-color: currentColor; }
.soft { color: var(--soft); }
.bad { color: var(--bad); }
.figure { font-size: 1.375rem; font-weight: 600; line-height: 1.3; letter-spacing: -0.01em; }
.choose { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 0.5rem 0.75rem; margin: 1rem 0; }
.choose label { color: var(--soft); font-weight: 500; }
.choose input, .choose select { display: block; width: 11rem; min-height: 2rem; margin-top: 0.125rem; padding-block: 0.125rem;
  font-size: 0.875rem; }
.choose select { width: auto; min-width: 8rem; }
.choose button { min-height: 2rem; padding-block: 0.125rem; }
.rows.leases li { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr) auto; }
.life { display: flex; align-items: center; gap: 0.5rem; margin: 0; font-size: var(--small); }
.life.wide { flex: 1 1 16rem; min-height: 2.25rem; }
.left { flex: 1; line-height: 0; }
.left svg { width: 100%; height: 0.375rem; }
.rest { min-width: 3.25rem; text-align: right; }
.bar-ground { fill: var(--rule); }
.bar-rest { fill: var(--mark); }
.rows .say[open] { grid-column: 1 / -1; order: 1; width: 100%; }
.rows .say summary { min-height: 1.75rem; padding: 0.0625rem 0.625rem; font-size: var(--small); }
.rows .say form { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 0.5rem; max-width: none; margin: 0.5rem 0 0.25rem; }
.rows .say label { flex-basis: 100%; margin: 0; }
.rows .say input:not([type]) { flex: 1; width: auto; margin: 0; }
.rows .say form > button { margin: 0; }
.lifeline { display: block; width: 100%; height: 0.75rem; margin: 1.25rem 0 0; border-radius: 3px; background: var(--sunk); }
.life-minting { fill: var(--edge); background: var(--edge); }
.life-alive { fill: var(--mark); background: var(--mark); }
.life-exposed { fill: var(--bad); background: var(--bad); }
.life-unused { fill: var(--rule); background: var(--rule); }
.told-apart { display: grid; grid-template-columns: minmax(0, 1fr) 21rem; gap: 0 3rem; }
.told-apart > section { margin-top: 1.5rem; }
.story { margin: 0; padding: 0; list-style: none; }
.story > li { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: 0 1rem; padding: 0.5rem 0 0.625rem;
  border-top: 1px solid var(--rule); }
.story > li.uses { display: block; }
.story .when { display: flex; flex-direction: column; margin: 0; font-size: var(--small); }
.story .what > p { margin: 0; }
.story code { overflow-wrap: anywhere; }
.entry { margin-top: 0.125rem; font-size: var(--small); color: var(--soft); }
.entry summary { width: max-content; cursor: pointer; }
.entry h3 { margin: 0.5rem 0 0.125rem; font-size: var(--small); }
.entry pre { max-height: 16rem; padding: 0.5rem; overflow: auto; background: var(--sunk); border-radius: 4px; color: var(--ink); }
.entry[open] { margin-bottom: 0.5rem; }

@media (max-width: 68rem) {
  .places { display: none; }
  .menu { display: block; }
}
@media (max-width: 60rem) {
  .weighty { grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
}
@media (max-width: 52rem) {
  .told-apart { grid-template-columns: minmax(0, 1fr); }
}
/* A table that is too wide becomes one sheet a row; its cells say what they are. */
@media (max-width: 62rem) {
  .inventory { min-width: 0; display: block; }
  .inventory thead { display: none; }
  .inventory tbody, .inventory tr, .inventory th, .inventory td { display: block; }
  .inventory tr { margin-bottom: 0.75rem; padding: 0.625rem 0.875rem; background: var(--sheet);
    border: 1px solid var(--rule); border-radius: 5px; }
  .inventory th[scope='row'] { padding: 0 0 0.375rem; font-size: 0.9375rem; }
  .inventory td { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: 0 0.75rem; padding: 0.1875rem 0; border: 0; }
  .inventory td::before { content: attr(data-label); color: var(--soft); }
}
@media (max-width: 34rem) {
  .drawn { display: none; }
  .beside .facts, .halves .facts { grid-template-columns: 6.5rem minmax(0, 1fr); gap: 0.25rem 0.75rem; }
  .beside .facts dd, .halves .facts dd { margin-bottom: 0; }
  .plot svg { height: 11rem; }
  .plot .legend { order: 1; flex-basis: 100%; }
  .figures { gap: 0.5rem 1.75rem; }
  .rows.leases li { grid-template-columns: minmax(0, 1fr) auto; }
  .rows.leases .life { grid-column: 1 / -1; }
  .rows.leases li .say[open] form { margin-left: 0; }
  .choose label { flex: 1 1 40%; }
  .choose input, .choose select { width: 100%; min-width: 0; }
  .story > li { grid-template-columns: minmax(0, 1fr); }
  .story .when { flex-direction: row; gap: 0.5rem; }
  .acts { gap: 0.375rem; padding: 0.625rem 0; }
  .acts button, .acts .button { padding-inline: 0.4375rem; font-size: 0.8125rem; }
  .decision .facts { grid-template-columns: minmax(4.5rem, 6.5rem) minmax(0, 1fr); }
  .decision .facts dd { margin-bottom: 0; }
  .bar { flex-wrap: wrap; gap: 0 0.75rem; padding-block: 0.25rem; }
  .filter { order: 1; width: 100%; padding-bottom: 0.25rem; }
  .filter select { flex: 1; }
  main { padding-top: 1.25rem; }
  h1 { font-size: 1.3125rem; }
  .slip { margin-top: 0.5rem; padding: 1.25rem 1rem 1rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: 0.5rem; }
  .rows li { flex-direction: column; align-items: stretch; }
  .rows li form { align-self: flex-start; }
}
@media (prefers-reduced-motion: no-preference) {
  button, .button, .places a { transition: background-color 0.12s, border-color 0.12s, color 0.12s; }
}
@media (forced-colors: active) {
  .places a[aria-current] { border-bottom-color: Highlight; }
}
`;
