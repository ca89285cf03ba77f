import { closedBody } from '../../core/upgrade/body.ts'
import { commitMessage } from '../../core/upgrade/metadata.ts'
import type { Decision, Facts } from '../../core/upgrade/model.ts'
import type { Proposal } from '../../core/upgrade/proposal.ts'
import { heldBy, type Words } from './words.ts'
import type { FleetRepository, FleetWrite } from '../../core/upgrade/seen.ts'

/** A decision as what is written to GitHub; nothing where GitHub has it so already. `key` tells the answer by. */
export function writesFor({
  key,
  branch,
  repository,
  facts,
  decision,
  proposal,
  onTop,
  words,
}: {
  readonly key: string
  readonly branch: string
  readonly repository: FleetRepository
  readonly facts: Facts
  readonly decision: Decision
  readonly proposal: Proposal | undefined
  /** The file of the consumer as it stands on a branch that a person has pushed to, brought to the version. */
  readonly onTop?: string | undefined
  /** Nothing where what it says stays. */
  readonly words: Words | undefined
}): readonly FleetWrite[] {
  const { action } = decision
  const at = { key, repository: { id: repository.id, name: repository.name } }
  switch (action.is) {
    case 'nothing':
      return []
    case 'open': {
      const content = contentOf({ branch, facts, proposal, words })
      if (content === undefined) return []
      const { before, draft, automerge } = action
      return [
        {
          ...at,
          is: 'open',
          ...content,
          isDraft: draft,
          ...(before !== undefined && { before }),
          ...(automerge && { automerge }),
        },
      ]
    }
    case 'finish': {
      if (words === undefined) return []
      const { head, draft } = action
      const { title, body } = words
      return [{ ...at, is: 'reopen', branch, base: facts.base.branch, head, title, body: body(head), isDraft: draft }]
    }
    case 'move': {
      const content = contentOf({ branch, facts, proposal, words })
      if (content === undefined) return []
      const { pull, before, draft, automerge } = action
      return [
        {
          ...at,
          is: 'forward',
          ...content,
          pull: pull.id,
          before,
          ...(draft !== pull.isDraft && { draft: draft ? 'draft' : 'ready' }),
        },
        ...automergeOf(at, { pull: pull.id, head: before, automerge: automerge === false ? false : undefined }),
      ]
    }
    case 'append': {
      if (onTop === undefined || words === undefined || facts.target.is === 'none') return []
      const { pull, onto } = action
      return [
        {
          ...at,
          is: 'append',
          branch,
          before: onto,
          files: new Map([[facts.consumer.file, onTop]]),
          deleted: [],
          // Without the trailers of ours: what it stands on is a person's, and so is the branch.
          message: words.title,
          pull: pull.id,
          body: (commit) => words.body(commit),
        },
      ]
    }
    case 'keep': {
      const { pull, draft, automerge } = action
      const isSaid = words === undefined || words.isSaid(pull.body)
      const says = isSaid ? {} : { title: words.title, body: words.body(heldBy(facts)?.head ?? pull.head) }
      const state = draft === pull.isDraft ? {} : { draft: draft ? ('draft' as const) : ('ready' as const) }
      const edit = { ...says, ...state }
      return [
        ...(Object.keys(edit).length === 0 ? [] : [{ ...at, is: 'edit' as const, pull: pull.id, ...edit }]),
        ...automergeOf(at, { pull: pull.id, head: pull.head, automerge }),
      ]
    }
    case 'close': {
      const { pull, branch: left } = action
      return [
        {
          ...at,
          is: 'close',
          pull: pull.id,
          body: closedBody(pull.body, decision.why),
          ...(left !== undefined && { branch, before: left.before }),
        },
      ]
    }
    case 'delete-branch':
      return [{ ...at, is: 'delete', branch, before: action.before }]
  }
}

type At = Pick<FleetWrite, 'key' | 'repository'>

function automergeOf(
  at: At,
  { pull, head, automerge }: { readonly pull: string; readonly head: string; readonly automerge: boolean | undefined },
): readonly FleetWrite[] {
  return automerge === undefined ? [] : [{ ...at, is: 'automerge', pull, head, wanted: automerge ? 'on' : 'off' }]
}

type Content = {
  readonly facts: Facts
  readonly proposal: Proposal
  readonly words: Words
}

function contentOf({
  branch,
  facts,
  proposal,
  words,
}: {
  readonly branch: string
  readonly facts: Facts
  readonly proposal: Proposal | undefined
  readonly words: Words | undefined
}) {
  if (words === undefined || proposal === undefined || proposal.desired.is !== 'change') return undefined
  const { files, deleted, executable } = proposal
  return {
    base: facts.base,
    branch,
    files,
    deleted,
    executable,
    message: messageOf({ facts, proposal, words }),
    title: words.title,
    body: words.body,
  }
}

function messageOf({ facts: { consumer, target, base }, proposal: { desired }, words }: Content): string {
  return commitMessage(words.title, {
    template: consumer.template,
    from: consumer.version,
    to: target.is === 'move' ? target.to : consumer.version,
    fingerprint: desired.is === 'change' ? desired.fingerprint : '',
    base: base.commit,
  })
}
