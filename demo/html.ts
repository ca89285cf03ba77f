import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'

/** A piece of a page. Whatever else is put into one is escaped. */
export type Html = { readonly html: string }

type Part = Html | string | number | undefined | false | readonly Part[]

/** Makes a piece of a page: `` html`<p>${text}</p>` ``. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, at) => text + markup(parts[at])).join('') }
}

function markup(part: Part): string {
  if (part === undefined || part === false) return ''
  if (typeof part === 'number') return String(part)
  if (typeof part === 'string') return escaped(part)
  return 'html' in part ? part.html : part.map(markup).join('')
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

const alerts: Readonly<Record<string, string>> = {
  NOTE: 'Note',
  TIP: 'Tip',
  IMPORTANT: 'Important',
  WARNING: 'Warning',
  CAUTION: 'Caution',
}

/**
 * What the actions write on GitHub, as GitHub shows it: tables, folds and alerts. Of HTML it lets through what the actions write
 * (`details`, `summary`, `sub`, `br`); all else is shown as text.
 */
export function markdown(text: string): Html {
  const kept = text.replaceAll(/<(?!\/?(?:details|summary|sub|br|b|code)(?: open)?\s*\/?>|!--)/gu, '&lt;')
  const page = micromark(kept, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] })
  return {
    // What is wider than the page is moved by the keyboard too.
    html: page
      .replaceAll('<pre>', '<pre tabindex="0">')
      .replaceAll(/<blockquote>\s*<p>\[!([A-Z]+)\]\s*([\s\S]*?)<\/blockquote>/gu, (whole, kind: string, rest: string) =>
        alerts[kind] === undefined
          ? whole
          : `<div class="alert ${kind.toLowerCase()}"><p class="kind">${alerts[kind]}</p><p>${rest}</div>`,
      ),
  }
}
