import { tickedIn } from '../../../src/core/upgrade/metadata.ts'
import { compareVersions, parseVersion } from '../../../src/core/version.ts'
import type { Pull, Repository, Told } from './hub.ts'
import { ofPeople, reaches } from './hub.ts'

/** A commit of a person that no branch has any more. */
export function movedFaults({
  repository,
  branch,
  before,
  after,
}: Extract<Told, { readonly is: 'moved' }>): readonly string[] {
  if (before === undefined) return []
  const lost = ofPeople(before).filter((commit) => !reaches(after, commit) && !reaches(repository.main, commit))
  return lost.map(({ id }) => `${repository.name}: the commit ${id.slice(0, 7)} of a person on ${branch} is lost`)
}

export function createdFaults({ repository, pull }: Extract<Told, { readonly is: 'created' }>): readonly string[] {
  const faults: string[] = []
  const major = majorOf(pull.offered)
  const others = repository.pulls.filter((each) => each !== pull)
  const twice = others.filter(({ state, offered }) => state === 'open' && majorOf(offered) === major)
  if (twice.length > 0)
    faults.push(`${repository.name}: #${pull.number} and #${twice[0]?.number} are open for one major`)
  const runs = versionOf(repository)
  // On the way back it is another question.
  if (compareVersions(pull.offered, runs) < 0) return faults
  for (const other of others) {
    const answer = answerOf(other, runs)
    if (answer === undefined) continue
    const isIt =
      answer === 'never' ||
      (majorOf(other.offered) === major && (answer === 'major' || compareVersions(pull.offered, other.offered) <= 0))
    if (isIt)
      faults.push(
        `${repository.name}: #${pull.number} offers ${pull.offered}, and #${other.number} (${other.offered}) was answered with ${answer}`,
      )
  }
  return faults
}

/** What somebody has answered, by what GitHub knows and whatever the bot remembers. */
function answerOf(pull: Pull, runs: string): 'version' | 'major' | 'never' | undefined {
  if (pull.state === 'merged') return compareVersions(runs, pull.offered) < 0 ? 'version' : undefined
  if (pull.state !== 'closed') return undefined
  const ticked = tickedIn(pull.body)
  if (ticked.has('never')) return 'never'
  if (ticked.has('skip-major')) return 'major'
  // Who has asked to be asked later has not declined, if it is the bot that has closed it.
  return pull.closedBy === 'us' ? undefined : 'version'
}

/** What is not as it should be in a repository when nobody is in the way any more. */
export function endFaults(
  repository: Repository,
  { released, yanked }: { readonly released: readonly string[]; readonly yanked: readonly string[] },
): readonly string[] {
  const { name, main, pulls } = repository
  const runs = versionOf(repository)
  const spec = main.files.get('service.yaml') ?? ''
  const open = pulls.filter(({ state }) => state === 'open')
  const isForeign = [...repository.branches.values()].some((head) => ofPeople(head).length > 0)
  const faults: string[] = []
  for (const pull of open) {
    if (pull.head.by !== 'us' || ofPeople(pull.head).length > 0) continue
    const text = pull.head.files.get('service.yaml')
    const base = pull.head.base?.files.get('service.yaml') ?? ''
    if (text !== base.replace(/web@\d+\.\d+\.\d+/u, `web@${pull.offered}`))
      faults.push(`${name}: #${pull.number} changes more of the file than its version`)
  }
  // What a person has answered or taken in hand is judged where it happens.
  const isAnswered = pulls.some((pull) => answerOf(pull, runs) !== undefined || tickedIn(pull.body).has('later'))
  if (isForeign || isAnswered || spec.includes('upgrades: false')) return faults
  const good = released.filter((version) => !yanked.includes(version))
  const within = good.filter((each) => majorOf(each) === majorOf(runs) && compareVersions(each, runs) > 0)
  const best = within.toSorted(compareVersions).at(-1)
  const next = good.findLast((each) => majorOf(each) > majorOf(runs))
  const own = open.filter(({ offered }) => majorOf(offered) === majorOf(runs))
  const held = own.some(({ isApproved, checks }) => isApproved || checks === 'success')
  const isSame = runs === '1.2.0' && best === '1.2.1'
  if (best !== undefined && !isSame && !own.some(({ offered }) => offered === best) && !held)
    faults.push(`${name} runs ${runs}, and ${best} is not offered: ${open.map(({ offered }) => offered).join(', ')}`)
  // From what was taken back the way leads back first.
  const back = good
    .filter((each) => compareVersions(each, runs) < 0)
    .toSorted(compareVersions)
    .at(-1)
  const isBack = yanked.includes(runs) && best === undefined && !(runs === '1.2.1' && back === '1.2.0')
  if (isBack && !open.some(({ offered }) => compareVersions(offered, runs) < 0))
    faults.push(`${name} runs ${runs}, which was taken back, and nothing else is offered`)
  if (!isBack && (best === undefined || isSame) && next !== undefined && !open.some(({ offered }) => offered === next))
    faults.push(`${name} runs ${runs}, and ${next} is not offered`)
  const bad = open.find(({ offered, head }) => yanked.includes(offered) && head.by === 'us')
  if (bad !== undefined) faults.push(`${name}: #${bad.number} offers ${bad.offered}, which was taken back`)
  return faults
}

function majorOf(version: string): number {
  return parseVersion(version)?.major ?? 0
}

function versionOf({ main }: Repository): string {
  return /web@(\d+\.\d+\.\d+)/u.exec(main.files.get('service.yaml') ?? '')?.[1] ?? '0.0.0'
}
