import { setImmediate as rest } from 'node:timers/promises'
import type { Ports } from '../../../src/command.ts'
import { type Change, upgradeFleet } from '../../../src/commands/upgrading/run.ts'
import { Refused } from '../../../src/core/problem.ts'
import { advanced, resumed } from '../../../src/core/upgrade/progress.ts'
import { worldOf } from '../../commands/ports.ts'
import { serviceFile } from '../../upgrades/world.ts'
import { type Actor, actorOf, randomOf, Turns, type Weather } from '../turns.ts'
import { bundles, catalogOf, names, releases } from './catalogs.ts'
import { createdFaults, endFaults, movedFaults } from './faults.ts'
import { Hub, type Pull, type Repository } from './hub.ts'
import type { Deed, Step } from './steps.ts'

/** Nothing of it lies on a disk. */
const { ports: nothing, end } = worldOf(() => new Map())
end()

const start = Date.parse('2026-11-25T12:00:00Z')

export class Play {
  readonly turns = new Turns(start)
  readonly hub: Hub
  readonly faults: string[] = []
  readonly log: string[] = []
  /** How many versions were released, and which were taken back. */
  released = 1
  readonly yanked: string[] = []
  wasArchived = false
  /** Runs are at work. */
  isBusy = false
  /** Several are, since then. */
  crowdedSince: number | undefined
  runs = 0
  created = 0

  /** Without a comparison a hub moves branches from wherever they are, as one that is told to force would. */
  constructor({ compares = true }: { readonly compares?: boolean } = {}) {
    this.hub = new Hub(this.turns, (what) => {
      if (what.is === 'created') this.created += 1
      const found = what.is === 'moved' ? movedFaults(what) : createdFaults(what)
      this.faults.push(...found)
      // What is put upon a person's commit is told whole, to see that his own lines are in it.
      if (what.is === 'moved' && what.before !== undefined && what.after?.parents[0] === what.before)
        this.log.push(`  adds ${JSON.stringify(what.after.files.get('service.yaml'))}`)
      const where = `${what.repository.name} ${what.is === 'moved' ? what.branch : `#${what.pull.number} ${what.pull.offered}`}`
      this.log.push(`  ${what.is} ${where}`)
    })
    this.hub.compares = compares
    for (const name of names) this.hub.add(name, new Map([['service.yaml', serviceFile(name)]]))
  }

  async step(step: Step): Promise<void> {
    this.log.push(`> ${JSON.stringify(step)}`)
    switch (step.do) {
      case 'release':
        this.released = Math.min(releases.length, this.released + 1)
        return
      case 'yank': {
        const version = releases[this.released - 1]?.[0]
        if (version !== undefined && version !== '1.0.0' && !this.yanked.includes(version)) this.yanked.push(version)
        return
      }
      case 'wait':
        return this.turns.pass(step.hours * 3_600_000)
      case 'deed':
        return this.#deed(step.deed)
      case 'run': {
        this.hub.lag = step.lag
        this.hub.noes = step.noes
        this.isBusy = true
        this.crowdedSince = step.runs.length > 1 ? this.turns.now() : undefined
        await this.turns.together(step.seed, [
          ...step.runs.map(
            (weather, index) => async () => this.run(`run ${index + 1}`, { weather: weather ?? undefined }),
          ),
          ...(step.meanwhile.length === 0 ? [] : [async () => this.#people(step)]),
        ])
        this.isBusy = false
        this.crowdedSince = undefined
        this.hub.lag = 0
        this.hub.noes = 0
      }
    }
  }

  /** A run of the bot, which may be lost at any request. */
  async run(
    name: string,
    { weather, change }: { readonly weather?: Weather | undefined; readonly change?: Change } = {},
  ): Promise<void> {
    const actor = actorOf(name, { weather })
    this.runs += 1
    const work = upgradeFleet(this.#ports(actor), { root: '.', mode: 'run', ...(change !== undefined && { change }) })
    try {
      await Promise.race([work, actor.lost])
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.log.push(`  ${name}: ${error.code}`)
    }
    if (actor.isLost()) this.log.push(`  ${name} is lost`)
    await rest()
  }

  #ports(actor: Actor): Ports {
    const { turns, hub } = this
    const out = releases.slice(0, this.released).map(([version]) => `web@${version}`)
    const tree = catalogOf(this.released, this.yanked)
    return {
      ...nothing,
      clock: {
        now: () => new Date(turns.now()),
        sleep: async (milliseconds) => turns.ask(actor, () => turns.pass(milliseconds)),
      },
      files: {
        ...nothing.files,
        tree: async () => ({ tree, problems: [] }),
        releases: async () => out,
        released: async (_root, { template, version }) => {
          const files = bundles.get(`${template}@${version}`)
          return files === undefined ? undefined : { tree: files, problems: [] }
        },
      },
      fleet: async () => hub.fleetFor(actor),
      rollouts: async () => hub.rolloutsFor(actor),
    }
  }

  // People

  /** One thing after the other, and something else for a while in between. */
  async #people({ meanwhile, seed }: Extract<Step, { readonly do: 'run' }>): Promise<void> {
    const people = actorOf('people')
    const random = randomOf(seed + 1)
    for (const deed of meanwhile) {
      for (let idle = Math.floor(random() * 16); idle > 0; idle -= 1) await this.turns.ask(people, () => undefined)
      await this.turns.ask(people, () => this.#deed(deed))
    }
  }

  #deed({ is, repository: place }: Deed): void {
    const { hub } = this
    const repository = [...hub.repositories.values()][place % hub.repositories.size]
    if (repository === undefined) return
    const pull = repository.pulls.findLast(({ state }) => state === 'open') ?? repository.pulls.at(-1)
    const branch = pull?.branch ?? [...repository.branches.keys()][0] ?? ''
    this.log.push(`  ${is} ${repository.name}`)
    const spec = repository.main.files.get('service.yaml') ?? ''
    const onMain = (text: string): void => hub.pushMain(repository, new Map([['service.yaml', text]]))
    switch (is) {
      case 'push':
        return hub.push(repository, branch, {
          by: 'ada',
          files: new Map([
            ['service.yaml', `${repository.branches.get(branch)?.files.get('service.yaml') ?? ''}# mine\n`],
          ]),
        })
      case 'push-file':
        return hub.push(repository, branch, { by: 'ada', files: new Map([['app.js', `// ${this.turns.now()}\n`]]) })
      case 'update':
        return hub.update(repository, branch, 'ada')
      case 'remove':
        // Two runs at once know of each other by what they see alone: who deletes a branch between them is asked again.
        if (this.crowdedSince !== undefined) return undefined
        return hub.remove(repository, branch, 'ada')
      case 'main':
        return onMain(`${spec}# ${this.turns.now()}\n`)
      case 'main-file':
        return hub.pushMain(repository, new Map([['app.js', `// ${this.turns.now()}\n`]]))
      case 'by-hand':
        return onMain(versioned(spec, releases[this.released - 1]?.[0] ?? '1.0.0'))
      case 'take-back':
        return onMain(versioned(spec, '1.0.0'))
      case 'off':
        return onMain(spec.includes('upgrades:') ? spec : `${spec}upgrades: false\n`)
      case 'on':
        return onMain(spec.replace('upgrades: false\n', ''))
      case 'archive':
        repository.isArchived = true
        this.wasArchived = true
        return
      case 'unarchive':
        repository.isArchived = false
        return
      default:
        if (pull !== undefined) this.#deedOn(repository, pull, is)
    }
  }

  #deedOn(repository: Repository, pull: Pull, is: Deed['is']): void {
    const { hub } = this
    const tick = (box: string): void => {
      // What is ticked on a closed one while a new one is about to be opened is seen by the next run.
      if (this.isBusy && pull.state !== 'open') return
      pull.body = pull.body.replace(new RegExp(`^- \\[ \\](.*<!-- protium:box ${box} -->)$`, 'mu'), '- [x]$1')
    }
    switch (is) {
      case 'merge':
        return hub.merge(repository, pull)
      case 'close':
        // The same holds for who closes what one of them has opened before the other is done.
        if (this.crowdedSince !== undefined && pull.created > this.crowdedSince) return undefined
        return hub.close(pull, 'ada')
      case 'reopen':
        return hub.reopen(repository, pull)
      case 'approve':
        pull.isApproved = true
        return
      case 'green':
        pull.checks = 'success'
        return
      case 'red':
        pull.checks = 'failure'
        return
      case 'tick-rebase':
        return tick('rebase')
      case 'tick-later':
        return tick('later')
      case 'tick-major':
        return tick('skip-major')
      case 'tick-never':
        return tick('never')
      case 'tick-apply':
        return tick('apply')
      case 'untick':
        pull.body = pull.body.replaceAll(/^- \[x\]/gmu, '- [ ]')
        return
      case 'empty-body':
        pull.body = ''
        return
      default:
        return
    }
  }

  /** Nobody is in the way any more: what was stopped goes on, all waves begin, and the bot runs until it has nothing left to do. */
  async settle(): Promise<void> {
    this.log.push('> all is well')
    for (const repository of this.hub.repositories.values()) repository.isArchived = false
    const change: Change = (rollouts) =>
      new Map(
        [...rollouts].map(([release, rollout]) => {
          const at = new Date(this.turns.now()).toISOString()
          return [release, advanced(resumed(rollout, { at }), { at, waves: 2 })]
        }),
      )
    // What rests because nobody could write to it is tried again after some weeks.
    const waits = [3, 3, 3, 40 * 24, 3, 3, 3]
    for (const [round, hours] of waits.entries()) {
      this.turns.pass(hours * 3_600_000)
      const before = this.hub.writes
      await this.run('settling', { change })
      const isCalm = this.hub.writes === before
      if (isCalm && round > 0 && (round > 3 || !this.wasArchived)) break
      if (round === waits.length - 1 && !isCalm)
        this.faults.push(`It does not come to rest: ${this.hub.writes - before} writes in the last run.`)
    }
    const out = releases.slice(0, this.released).map(([version]) => version)
    for (const repository of this.hub.repositories.values())
      this.faults.push(...endFaults(repository, { released: out, yanked: this.yanked }))
  }
}

function versioned(spec: string, version: string): string {
  return spec.replace(/web@\d+\.\d+\.\d+/u, `web@${version}`)
}
