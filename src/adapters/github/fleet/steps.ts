import type { FleetWrite, FleetWritten } from '../../../core/upgrade/seen.ts'
import { textAt, at } from './client.ts'
import type { Step } from './document.ts'
import { noBranch } from './document.ts'

/** What follows a branch that was moved, in the next document: by then GitHub knows of it. */
export type FollowUp = {
  readonly key: string
  readonly step: Step
  readonly creates: boolean
  /** How often it was sent for nothing. */
  readonly tries: number
  readonly ok: (data: unknown) => FleetWritten | FollowUp
  /** Only where it is an extra: what was done before it stands. */
  readonly failed?: (message: string) => FleetWritten
}

type Kind<Is extends FleetWrite['is']> = Extract<FleetWrite, { readonly is: Is }>

export function refStep(move: {
  readonly repository: string
  readonly branch: string
  readonly before: string
  readonly after: string
}): Step {
  const { repository, branch, before, after } = move
  const update = { name: `refs/heads/${branch}`, beforeOid: before, afterOid: after, force: true }
  return { is: 'ref', input: { repositoryId: repository, refUpdates: [update] } }
}

export function creating(write: Kind<'open'>, commit: string): FollowUp {
  const { key, repository, base, branch, title, body, isDraft, automerge } = write
  return opening({
    key,
    head: commit,
    automerge: automerge === true,
    input: {
      repositoryId: repository.id,
      headRefName: branch,
      baseRefName: base.branch,
      title,
      body: body(commit),
      draft: isDraft,
    },
  })
}

export function reopening({ key, repository, base, branch, title, body, isDraft, head }: Kind<'reopen'>): FollowUp {
  const input = { repositoryId: repository.id, headRefName: branch, baseRefName: base, title, body, draft: isDraft }
  return opening({ key, head, automerge: false, input })
}

type Opening = {
  readonly key: string
  readonly head: string
  readonly automerge: boolean
  readonly input: Step['input']
}

function opening({ key, head, automerge, input }: Opening): FollowUp {
  return {
    key,
    creates: true,
    tries: 0,
    step: { is: 'create', input: { ...input, maintainerCanModify: true } },
    ok: (data) => {
      const pull = { id: textAt(data, 'pullRequest', 'id') ?? '', number: Number(at(data, 'pullRequest', 'number')) }
      const opened: FleetWritten = {
        key,
        is: 'opened',
        pull,
        head,
        at: textAt(data, 'pullRequest', 'createdAt') ?? '',
      }
      if (!automerge) return opened
      return {
        key,
        creates: false,
        tries: 0,
        step: { is: 'automerge', input: { pullRequestId: pull.id, expectedHeadOid: head } },
        ok: () => opened,
        failed: (left) => ({ ...opened, left }),
      }
    },
  }
}

type Editing = {
  readonly key: string
  readonly pull: string
  readonly head: string
  readonly edit: Readonly<Record<string, string>>
  readonly draft?: 'draft' | 'ready' | undefined
}

export function editing({ key, pull, head, edit, draft }: Editing): FollowUp {
  const done: FleetWritten = { key, is: 'done', head }
  return {
    key,
    creates: false,
    tries: 0,
    step: { is: 'edit', input: { pullRequestId: pull, ...edit } },
    ok: () =>
      draft === undefined ? done : { key, creates: false, tries: 0, step: draftStep(pull, draft), ok: () => done },
  }
}

function draftStep(pull: string, wanted: 'draft' | 'ready'): Step {
  return { is: wanted, input: { pullRequestId: pull } }
}

/** All that is done at once, in its order. */
export function stepsOf(write: Exclude<FleetWrite, Kind<'open' | 'forward' | 'reopen'>>): readonly Step[] {
  const { repository } = write
  switch (write.is) {
    case 'edit': {
      const { pull, title, body, draft } = write
      const input = { pullRequestId: pull, ...(title !== undefined && { title }), ...(body !== undefined && { body }) }
      const says = title !== undefined || body !== undefined
      return [
        ...(says ? [{ is: 'edit', input } as const] : []),
        ...(draft === undefined ? [] : [draftStep(pull, draft)]),
      ]
    }
    case 'close': {
      const { pull, body, branch, before } = write
      const input = { pullRequestId: pull, state: 'CLOSED', ...(body !== undefined && { body }) }
      const isGone = branch !== undefined && before !== undefined
      return [
        { is: 'edit', input },
        ...(isGone ? [refStep({ repository: repository.id, branch, before, after: noBranch })] : []),
      ]
    }
    case 'delete': {
      const { branch, before } = write
      return [refStep({ repository: repository.id, branch, before, after: noBranch })]
    }
    case 'append': {
      const { branch, before, files, deleted, message } = write
      const [headline = '', ...rest] = message.split('\n')
      const changes = {
        additions: [...files].map(([path, text]) => ({ path, contents: Buffer.from(text).toString('base64') })),
        deletions: deleted.map((path) => ({ path })),
      }
      const input = {
        branch: { repositoryNameWithOwner: repository.name, branchName: branch },
        expectedHeadOid: before,
        message: { headline, body: rest.join('\n').trim() },
        fileChanges: changes,
      }
      return [{ is: 'commit', input }]
    }
    case 'automerge': {
      const { pull, head, wanted } = write
      if (wanted === 'off') return [{ is: 'manual', input: { pullRequestId: pull } }]
      return [{ is: 'automerge', input: { pullRequestId: pull, expectedHeadOid: head } }]
    }
  }
}
