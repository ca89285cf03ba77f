import { number } from '../test/fakes/github/json.ts'
import type { GitHub } from '../test/fakes/github/server.ts'
import type { FileTree } from '../src/core/tree.ts'

/** The organisation of the demo, and what can be tried in it. */
export const organisation = 'acme'
export const catalog = 'catalog'
export const repository = `${organisation}/${catalog}`
const parameters = { owner: organisation, repo: catalog }

/** Who does what: a developer asks and merges, somebody of the platform team approves. */
export const people = { developer: 'dev', platform: 'mia' } as const

/** One thing to try. Each is a pull request that a developer opens. */
export type Try = {
  readonly id: string
  readonly title: string
  /** What is seen, and what it shows. */
  readonly words: string
  readonly branch: string
  readonly pull: { readonly title: string; readonly body: string }
  readonly change: (files: FileTree) => Readonly<Record<string, string>>
  /** A second commit that mends the first, for a pull request that is held. */
  readonly fix?: { readonly words: string; readonly change: (files: FileTree) => Readonly<Record<string, string>> }
}

const cart = `service: cart
template: fargate-service@2.3.0
owner: storefront
hosts:
  - cart.dev.example.com
  - cart.staging.example.com
  - cart.example.com
inputs:
  port: 8080
`

export const tries: readonly Try[] = [
  {
    id: 'request',
    title: 'Request a service',
    words: 'One small file asks for a service in three stages. Its hosts say which stages those are.',
    branch: 'request-cart',
    pull: { title: 'Request the service cart', body: 'The cart gets a service of its own.' },
    change: () => ({ 'services/cart/service.yaml': cart }),
  },
  {
    id: 'trap',
    title: 'Fall into a trap',
    words:
      'One word is changed, and the plan says what that would do: replace a table with all orders in it. It is held until somebody says so by name.',
    branch: 'order-id',
    pull: { title: 'Call the key of an order by its name', body: 'It is `order_id` everywhere else.' },
    change: edited('checkout', (spec) => spec.replace('table_key: order\n', 'table_key: order_id\n')),
    fix: {
      words: 'Keep the key as it was',
      change: edited('checkout', (spec) =>
        spec
          .replace('table_key: order_id\n', 'table_key: order\n')
          .replace('    CURRENCY: KRW\n', '    CURRENCY: KRW\n    KEY_NAME: order_id\n'),
      ),
    },
  },
  {
    id: 'failure',
    title: 'Break staging',
    words:
      'Receipts are to be sent without a pause between them, and the program cannot do that. dev has too little traffic to notice, staging does: it goes back, and says why.',
    branch: 'no-pause',
    pull: { title: 'Send receipts without a pause', body: 'They come too late on Fridays.' },
    change: edited('receipts', (spec) =>
      spec.replace('    FROM: receipts@example.com\n', '    FROM: receipts@example.com\n    PAUSE_MS: "0"\n'),
    ),
  },
  {
    id: 'mended',
    title: 'Mend it',
    words: 'A second pull request gives the program a pause that it can bear. It goes through all stages.',
    branch: 'short-pause',
    pull: { title: 'Send receipts with a short pause', body: 'It could not do without.' },
    change: edited('receipts', (spec) =>
      spec.includes('PAUSE_MS')
        ? spec.replace('PAUSE_MS: "0"', 'PAUSE_MS: "20"')
        : spec.replace('    FROM: receipts@example.com\n', '    FROM: receipts@example.com\n    PAUSE_MS: "20"\n'),
    ),
  },
  {
    id: 'template',
    title: 'Improve a template',
    words:
      'The template of receipts asks its queue more often. A version that is released never changes, so this one is held until it has a number; and it says what it does to everybody who runs it.',
    branch: 'ask-more-often',
    pull: { title: 'Ask the queue twice as often', body: 'A message waits up to twenty seconds otherwise.' },
    change: template((text) => text.replace('ReceiveMessageWaitTimeSeconds: 20', 'ReceiveMessageWaitTimeSeconds: 10')),
    fix: {
      words: 'Call it 1.0.1, and say what is new',
      change: (files) => ({
        'templates/queue-worker/template.yaml': (files.get('templates/queue-worker/template.yaml') ?? '').replace(
          'v1: 1.0.0',
          'v1: 1.0.1',
        ),
        'templates/queue-worker/CHANGELOG.md': '# Changes\n\n## 1.0.1\n\nAsks the queue every ten seconds.\n',
      }),
    },
  },
]

function template(edit: (text: string) => string): Try['change'] {
  const path = 'templates/queue-worker/v1/instance_infrastructure/cloudformation.yaml'
  return (files) => ({ [path]: edit(files.get(path) ?? '') })
}

function edited(service: string, edit: (spec: string) => string): Try['change'] {
  const path = `services/${service}/service.yaml`
  return (files) => ({ [path]: edit(files.get(path) ?? '') })
}

/** What the local cloud lets fail, on the files that are deployed: the program of receipts without a pause, under load. */
export function rehearsed(verb: string, files: FileTree): Readonly<Record<string, string>> {
  const isBroken = files.get('services/receipts/service.yaml')?.includes('PAUSE_MS: "0"') === true
  if (verb !== 'deploy' || !isBroken) return {}
  const why =
    'Resource handler returned message: "Error occurred during operation \'ECS Deployment Circuit Breaker was triggered\'." (HandlerErrorCode: GeneralServiceException)'
  const service = 'receipts-staging/Service'
  const log = [
    'worker ready, a batch of 10, a pause of 0 ms',
    'RangeError: PAUSE_MS must be at least 10, and is 0',
    '    at pause (/app/send.js:41:11)',
    '    at next (/app/send.js:73:5)',
  ]
  return {
    fail: [`${service}=${why}`, `exit:${service}=1`, ...log.map((line) => `log:${service}=${line}`)].join('\n'),
  }
}

/** Opens the pull request of something to try; its number. One that is open already stays as it is. */
export async function open(github: GitHub, { branch, pull, change }: Try): Promise<number> {
  const files = await github.files(repository)
  // What is merged frees its branch.
  const names = new Set<string>()
  for (let at = 1; names.size === 0; at += 1) {
    const name = at === 1 ? branch : `${branch}-${at}`
    if ((await github.head(repository, name)) === undefined) names.add(name)
  }
  const [name = branch] = names
  await github.push({
    repository,
    branch: name,
    from: 'main',
    files: change(files),
    by: people.developer,
    message: pull.title,
  })
  const made = await github.act({
    operation: 'pulls/create',
    by: people.developer,
    parameters,
    body: { title: pull.title, body: pull.body, head: name, base: 'main' },
  })
  return number(made, 'number')
}

/** Pushes the commit that mends a pull request. */
export async function mend(
  github: GitHub,
  { branch, fix }: { readonly branch: string; readonly fix: Try['fix'] },
): Promise<void> {
  if (fix === undefined) return
  const files = await github.files(repository, branch)
  await github.push({ repository, branch, files: fix.change(files), by: people.developer, message: fix.words })
}

/** The try whose pull request comes from a branch. */
export function tryOf(branch: string): Try | undefined {
  return tries.find((each) => branch === each.branch || branch.startsWith(`${each.branch}-`))
}
