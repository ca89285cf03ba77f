import { type DiffLine, diffText } from '../src/core/diff-text.ts'
import type { FileTree } from '../src/core/tree.ts'
import type { Html } from './html.ts'
import { html, markdown } from './html.ts'
import type { JobView, RunView } from './runner.ts'
import type { Try } from './story.ts'
import { people, repository } from './story.ts'

/** The pages of the demo: what GitHub would show of a pull request, its checks, its runs and its deployments. */

export type PullView = {
  readonly number: number
  readonly title: string
  readonly body: string
  readonly author: string
  readonly branch: string
  readonly state: 'open' | 'merged' | 'closed'
}

export type CommentView = { readonly author: string; readonly body: string; readonly edited: boolean }
export type CheckView = { readonly name: string; readonly conclusion: string; readonly title: string }
export type DeploymentView = {
  readonly id: number
  readonly environment: string
  readonly commit: string
  readonly description: string
  readonly state: string
  readonly words: string
  readonly address: string
  readonly at: string
}
/** What runs of a service in a stage. */
export type StandingView = {
  readonly unit: string
  readonly version: string
  readonly outcome: string
  readonly address: string | undefined
  readonly commit: string
}

/** A whole page; the script looks for news and puts them in place. */
export function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Protium demo</title>
        <link rel="stylesheet" href="/demo.css" />
        <link rel="icon" href="data:," />
        <script src="/demo.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <a class="home" href="/"><b>${repository}</b></a>
          <nav aria-label="Pages">
            <a href="/">Overview</a> <a href="/runs">Runs</a> <a href="/deployments">Deployments</a>
          </nav>
          <small>All of this is on your machine, and gone when you stop it.</small>
        </header>
        <main id="main" tabindex="-1">${body}</main>
        <p id="news" class="hidden" role="status"></p>
      </body>
    </html>`.html
}

export type OverviewFacts = {
  readonly tries: readonly { readonly try: Try; readonly pull: number | undefined; readonly state: string }[]
  readonly stages: readonly string[]
  readonly services: readonly { readonly name: string; readonly stages: readonly (StandingView | undefined)[] }[]
  readonly runs: readonly RunView[]
  readonly waiting: readonly { readonly run: number; readonly name: string }[]
}

export function overview({ tries, stages, services, runs, waiting }: OverviewFacts): Html {
  return html`<h1>A delivery platform, on this machine</h1>
    <p>
      The organisation acme keeps templates, environments and four services in one repository. What you do here runs the
      workflows and the actions that run on GitHub, against a GitHub and a cloud of this machine.
    </p>
    ${waiting.map(
      ({ run, name }) =>
        html`<p class="call"><b>${name}</b> waits for approval. <a href="/runs/${run}">Review it</a></p>`,
    )}
    <h2>Try, in any order</h2>
    <ol class="tries">
      ${tries.map(
        ({ try: { id, title, words }, pull, state }) =>
          html`<li>
            <h3>${title}</h3>
            <p>${words}</p>
            ${
              pull === undefined
                ? button(`/try/${id}`, `Open the pull request`, title)
                : html`<p><a href="/pulls/${pull}">Pull request #${pull}</a> <span class="tag">${state}</span></p>`
            }
          </li>`,
      )}
    </ol>
    <h2>What runs where</h2>
    <div class="wide" tabindex="0" role="region" aria-label="What runs where">
      <table class="standings">
        <thead>
          <tr>
            <th scope="col">Service</th>
            ${stages.map((stage) => html`<th scope="col">${stage}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${services.map(
            ({ name, stages: cells }) =>
              html`<tr>
                <th scope="row">${name}</th>
                ${cells.map((cell) => html`<td>${standing(cell)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <h2>Latest runs</h2>
    ${runList(runs.slice(0, 6))}`
}

function standing(cell: StandingView | undefined): Html {
  if (cell === undefined) return html`<span class="quiet">not there</span>`
  const { version, outcome, address, commit } = cell
  return html`<b>${version}</b> <span class="state ${outcome}">${outcome}</span><br /><small
      >${address ?? 'no address'} · <code>${commit.slice(0, 7)}</code></small
    >`
}

export function runList(runs: readonly RunView[]): Html {
  if (runs.length === 0) return html`<p class="quiet">Nothing has run yet. Open a pull request above.</p>`
  return html`<ul class="runs">
    ${runs.map(
      (run) =>
        html`<li>
          ${light(stateOf(run))} <a href="/runs/${run.id}">${run.workflow}</a>
          <small
            >${run.event === 'push' ? `of what was merged, ${run.commit.slice(0, 7)}` : `for #${run.pull ?? 0}`} by
            ${run.actor}${run.attempt > 1 ? `, attempt ${run.attempt}` : ''}</small
          >
        </li>`,
    )}
  </ul>`
}

export function stateOf({ conclusion, jobs }: RunView): string {
  return conclusion ?? (jobs.some(({ state }) => state === 'waiting') ? 'waiting' : 'running')
}

const words: Readonly<Record<string, string>> = {
  success: 'done',
  failure: 'failed',
  waiting: 'waits for approval',
  running: 'at work',
  skipped: 'left out',
  neutral: 'for information',
  action_required: 'needs somebody',
}

const signs: Readonly<Record<string, string>> = {
  success: '✓',
  failure: '✗',
  waiting: '‖',
  running: '…',
  skipped: '–',
  action_required: '!',
}

function light(state: string): Html {
  return html`<span class="state ${state}"
    ><span aria-hidden="true">${signs[state] ?? '·'}</span> ${words[state] ?? state}</span
  >`
}

export type PullFacts = {
  readonly pull: PullView
  readonly before: FileTree
  readonly after: FileTree
  readonly comments: readonly CommentView[]
  readonly checks: readonly CheckView[]
  readonly runs: readonly RunView[]
  readonly mergeable: boolean
  readonly fix: string | undefined
}

export function pullPage({ pull, before, after, comments, checks, runs, mergeable, fix }: PullFacts): Html {
  const { number, title, body, author, branch, state } = pull
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path))
  return html`<h1>${title} <span class="quiet">#${number}</span></h1>
    <p>
      <span class="tag ${state}">${state}</span> ${author} wants to merge <code>${branch}</code> into <code>main</code>
    </p>
    <section class="comment" aria-label="Description by ${author}">
      <h2 class="by">${author}</h2>
      ${markdown(body)}
    </section>
    ${comments.map(
      (comment, at) =>
        html`<section class="comment" aria-label="Comment ${at + 1} by ${comment.author}">
          <h2 class="by">${comment.author}${comment.edited ? ' · edited' : ''}</h2>
          ${markdown(comment.body)}
        </section>`,
    )}
    ${runs
      .filter((run) => stateOf(run) === 'waiting')
      .map(
        ({ id, workflow, jobs }) =>
          html`<p class="call">
            <b
              >${workflow}:
              ${jobs
                .filter(({ state: is }) => is === 'waiting')
                .map(({ name }) => name)
                .join(', ')}</b
            >
            waits for somebody of the platform team. <a href="/runs/${id}">Review it</a>
          </p>`,
      )}
    <h2>Checks</h2>
    ${
      checks.length === 0
        ? html`<p class="quiet">None yet.</p>`
        : html`<ul class="runs">
            ${checks.map(
              ({ name, conclusion, title: what }) =>
                html`<li>${light(conclusion)} <b>${name}</b> <small>${what}</small></li>`,
            )}
          </ul>`
    }
    ${runList(runs)}
    ${
      state === 'open'
        ? html`<div class="acts">
            ${fix === undefined ? undefined : button(`/pulls/${number}/fix`, `Push a commit: ${fix}`)}
            ${
              mergeable
                ? button(`/pulls/${number}/merge`, `Merge, as ${people.developer}`)
                : html`<p class="quiet">
                    It can be merged when the check <code>protium/plan</code> is green, as the rules of the branch ask.
                  </p>`
            }
          </div>`
        : undefined
    }
    <h2>Changed files</h2>
    ${paths.map((path) => difference(path, before.get(path) ?? '', after.get(path) ?? ''))}`
}

/** A line of a difference, with its sign. */
function signedLine({ is, text }: DiffLine): Html {
  if (is === 'hunk') return html`<span class="hunk">${text}</span>`
  if (is === 'old') return html`<del>-${text}</del>`
  return is === 'new' ? html`<ins>+${text}</ins>` : html`${` ${text}`}`
}

function difference(path: string, before: string, after: string): Html {
  return html`<figure class="diff">
    <figcaption><code>${path}</code></figcaption>
    <pre tabindex="0" aria-label="Changes in ${path}">
${diffText(before, after).map((each) => [signedLine(each), '\n'])}</pre>
  </figure>`
}

export function runPage(run: RunView, { waiting }: { readonly waiting: readonly string[] }): Html {
  const latest = new Map(run.jobs.map((job) => [job.name, job]))
  return html`<h1>${run.workflow} <span class="quiet">run ${run.id}</span></h1>
    <p>
      ${light(stateOf(run))}
      ${
        run.pull === undefined
          ? html`for the commit <code>${run.commit.slice(0, 7)}</code> on <code>${run.branch}</code>`
          : html`for <a href="/pulls/${run.pull}">pull request #${run.pull}</a>`
      }${run.attempt > 1 ? html`, attempt ${run.attempt}` : undefined}
    </p>
    ${
      waiting.length > 0
        ? html`<div class="acts">
            <p>
              ${waiting.join(', ')} ${waiting.length === 1 ? 'is' : 'are'} held until somebody of the platform team has
              agreed.
            </p>
            ${button(`/runs/${run.id}/approve`, `Approve, as ${people.platform}`)}
            ${button(`/runs/${run.id}/reject`, 'Reject')}
          </div>`
        : undefined
    }
    ${
      run.conclusion === 'failure'
        ? html`<div class="acts">${button(`/runs/${run.id}/again`, 'Run the failed jobs again')}</div>`
        : undefined
    }
    ${[...latest.values()].map((job) => jobSection(job))}`
}

function jobSection({ name, state, steps, summary, annotations }: JobView): Html {
  return html`<section class="job" aria-label="Job ${name}">
    <h2>${light(state)} ${name}</h2>
    ${annotations.map(
      ({ level, message, properties }) =>
        html`<p class="note ${level}">
          ${
            properties['file'] === undefined
              ? undefined
              : html`<code
                  >${properties['file']}${properties['line'] === undefined ? '' : `:${properties['line']}`}</code
                > `
          }${message}
        </p>`,
    )}
    ${summary === '' ? undefined : html`<div class="summary">${markdown(summary)}</div>`}
    ${steps.map(
      (step) =>
        html`<details>
          <summary>${light(step.state)} ${step.name}</summary>
          <pre tabindex="0" aria-label="Log of ${step.name}">${step.log === '' ? 'It said nothing.' : step.log}</pre>
        </details>`,
    )}
  </section>`
}

export function deploymentsPage(deployments: readonly DeploymentView[]): Html {
  if (deployments.length === 0)
    return html`<h1>Deployments</h1>
      <p class="quiet">None yet. Merge a pull request first.</p>`
  return html`<h1>Deployments</h1>
    <div class="wide" tabindex="0" role="region" aria-label="Deployments">
      <table>
        <thead>
          <tr>
            <th scope="col">Environment</th>
            <th scope="col">State</th>
            <th scope="col">What</th>
            <th scope="col">Address</th>
            <th scope="col">Commit</th>
          </tr>
        </thead>
        <tbody>
          ${deployments.map(
            ({ environment, state, description, words: what, address, commit }) =>
              html`<tr>
                <th scope="row">${environment}</th>
                <td>${light(state)}</td>
                <td>${description}<br /><small>${what}</small></td>
                <td>${address === '' ? html`<span class="quiet">none</span>` : address.replace('https://', '')}</td>
                <td><code>${commit.slice(0, 7)}</code></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

function button(action: string, label: string, about?: string): Html {
  return html`<form method="post" action="${action}">
    <button
      id="${action.replaceAll('/', '-')}"
      ${about === undefined ? undefined : html` aria-label="${label}: ${about}"`}
    >
      ${label}
    </button>
  </form>`
}

export const style = `
:root{--bg:#fff;--pan:#f6f8fa;--fg:#1f2328;--mut:#59636e;--line:#d1d9e0;--ok:#116329;--bad:#a40e26;--link:#0a58c2;--wait:#7d4e00;--okb:#dafbe1;--badb:#ffebe9;--waitb:#fff8c5;--act:#1f2328;--acton:#fff}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--pan:#151b23;--fg:#f0f6fc;--mut:#9fa7b1;--line:#3d444d;--ok:#56d364;--bad:#ff8e84;--link:#6cb0ff;--wait:#e3b341;--okb:#12261e;--badb:#2d181b;--waitb:#272115;--act:#f0f6fc;--acton:#0d1117}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main,header{max-width:1060px;margin:auto;padding:16px 20px}
main:focus{outline:none}
header{display:flex;gap:8px 20px;align-items:baseline;flex-wrap:wrap;border-bottom:1px solid var(--line)}
header .home{font-size:17px;color:var(--fg);text-decoration:none}
nav a{margin-right:14px}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--bg);padding:6px 10px}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
h1{font-size:24px;line-height:1.25;margin:18px 0 8px}h2{font-size:18px;margin:28px 0 8px}h3{font-size:15px;margin:0}
small,.quiet{color:var(--mut)}.quiet{font-weight:400}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
code{background:var(--pan);padding:1px 5px;border-radius:5px;overflow-wrap:anywhere}
pre{margin:0;padding:10px 12px;overflow:auto;background:var(--pan);border-radius:6px;max-height:520px}pre code{padding:0;background:none}
.tries{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(235px,1fr));gap:14px}
.tries li{border:1px solid var(--line);border-radius:10px;padding:14px 16px;display:flex;flex-direction:column}.tries p{margin:6px 0 12px;flex:1}.tries p:last-child{flex:none;margin-bottom:0}
form{margin:0}
button{font:inherit;font-weight:600;min-height:40px;padding:6px 14px;border-radius:8px;border:1px solid var(--act);background:var(--act);color:var(--acton);cursor:pointer}
.acts{border:1px solid var(--line);border-radius:10px;padding:14px 16px;margin:18px 0;display:flex;gap:12px;flex-wrap:wrap;align-items:center}.acts p{margin:0;flex-basis:100%}
.call{border-left:4px solid var(--wait);background:var(--waitb);padding:10px 14px;border-radius:6px}
.tag{border:1px solid var(--line);border-radius:12px;padding:1px 10px;font-size:13px}.tag.open{color:var(--ok);border-color:currentColor}.tag.merged{color:var(--link);border-color:currentColor}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:8px 10px;border-bottom:1px solid var(--line)}thead th{font-size:13px;color:var(--mut)}
.state{white-space:nowrap;font-size:13px}.state.success,.state.deployed,.state.unchanged{color:var(--ok)}.state.failure,.state.failed,.state.error,.state.refused{color:var(--bad)}.state.waiting,.state.action_required,.state.queued{color:var(--wait)}.state.running,.state.in_progress,.state.skipped,.state.neutral,.state.inactive{color:var(--mut)}
.runs{list-style:none;padding:0}.runs li{padding:7px 0;border-bottom:1px solid var(--line)}
.comment{border:1px solid var(--line);border-radius:10px;padding:0 16px 10px;margin:14px 0;overflow-x:auto}.comment .by{font-size:13px;color:var(--mut);background:var(--pan);margin:0 -16px 10px;padding:8px 16px;border-bottom:1px solid var(--line)}
.comment table,.summary table{width:auto;max-width:100%}.summary{border:1px solid var(--line);border-radius:10px;padding:0 16px 10px;margin:10px 0;overflow-x:auto}
.alert{border-left:4px solid var(--link);padding:2px 14px;margin:12px 0}.alert .kind{font-weight:600;color:var(--link);margin:6px 0 0}.alert.warning,.alert.caution,.alert.important{border-color:var(--bad)}.alert.warning .kind,.alert.caution .kind,.alert.important .kind{color:var(--bad)}
.diff{margin:12px 0}.diff figcaption{margin-bottom:4px}del,ins{text-decoration:none;display:inline-block;min-width:100%}del{background:var(--badb)}ins{background:var(--okb)}.hunk{color:var(--mut)}
.job{margin:18px 0}.note{border-left:4px solid var(--line);padding:4px 12px;white-space:pre-wrap}.note.error{border-color:var(--bad)}.note.warning{border-color:var(--wait)}
details{margin:6px 0}summary{cursor:pointer;padding:4px 0}
@media (max-width:600px){main,header{padding:12px 14px}button{width:100%}form{flex:1 1 100%}}
`

/** Looks for news, and puts them in place without closing what is open or moving who reads. */
export const script = `
const main = document.getElementById('main')
let next
async function look() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } })
  if (!answer.ok) return
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const fresh = page.getElementById('main')
  if (fresh === null || fresh.innerHTML === main.dataset.was) return
  const open = [...main.querySelectorAll('details')].map((each) => each.open)
  const focus = document.activeElement?.id
  main.dataset.was = fresh.innerHTML
  main.replaceChildren(...fresh.childNodes)
  main.querySelectorAll('details').forEach((each, at) => { if (open[at]) each.open = true })
  if (focus && focus !== 'main') document.getElementById(focus)?.focus({ preventScroll: true })
}
main.dataset.was = main.innerHTML
const source = new EventSource('/changes')
source.onmessage = () => { clearTimeout(next); next = setTimeout(look, 150) }
document.addEventListener('submit', (event) => {
  event.preventDefault()
  const form = event.target
  for (const button of form.querySelectorAll('button')) button.disabled = true
  fetch(form.action, { method: 'POST' }).then(async (answer) => {
    const text = answer.ok ? '' : await answer.text()
    if (answer.redirected) location.href = answer.url
    else {
      document.getElementById('news').textContent = text
      for (const button of form.querySelectorAll('button')) button.disabled = false
      await look()
    }
  })
})
`
