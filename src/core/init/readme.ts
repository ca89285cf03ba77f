import type { Catalog } from '../catalog.ts'
import { list } from '../report.ts'
import { accessTemplates } from '../trust.ts'
import { partitionOf } from '../trust/names.ts'
import type { Answers } from './answers.ts'
import { howToAsk } from './answers.ts'

/** What lies in the catalog, and what to do next: each step is a command or names where to click. */
export function readme(answers: Answers, catalog: Catalog): string {
  const { repository } = answers
  return [
    `# The catalog of ${repository.owner}`,
    '',
    `Templates, stages and rules for the services of ${repository.owner}. A service is a \`service.yaml\`; what becomes of it in ${list(answers.stages.map(({ name }) => name))} is shown on its pull request, before anything is done.`,
    '',
    ...contents(answers),
    '',
    '`protium` stands for `npm --prefix <folder of Protium> run protium --`.',
    '',
    '## What to do next',
    '',
    ...numbered([
      begun(answers),
      protectedBranch(answers),
      environments(answers),
      ...(answers.local ? [] : [accounts(answers, catalog)]),
      ...(answers.actions === 'vendored' ? [] : [pinned(answers)]),
      examined(),
      firstPlan(answers),
      others(answers),
      switchOn(answers),
    ]),
    '',
    ...howToWrite(answers),
  ].join('\n')
}

/** The lines of each item are indented, so that code belongs to it. */
function numbered(items: readonly (readonly string[])[]): string[] {
  return items.flatMap((lines, index) =>
    lines.map((line, at) => (at === 0 ? `${index + 1}. ${line}` : line === '' ? '' : `   ${line}`)),
  )
}

function shell(...lines: readonly string[]): string[] {
  return ['', '```sh', ...lines, '```', '']
}

function contents({ start, actions, ids }: Answers): string[] {
  const rows: (readonly [string, string])[] = [
    ['`catalog.yaml`', 'The stages in their order, who agrees to what, and what follows from both.'],
    ['`environments/`', 'Where each stage lies: account, region, and the inputs of its environment template.'],
    [
      '`templates/`',
      start === 'sample' ? 'The templates, with examples of what they make.' : 'The templates; one to begin with.',
    ],
    ...(start === 'sample'
      ? [['`services/`', 'Services that have no repository of their own; `hello` is an example, and may go.'] as const]
      : []),
    ...(ids === undefined
      ? []
      : [['`accounts/`', 'CloudFormation for the roles, written by `protium trust --write`.'] as const]),
    ['`.github/workflows/`', 'Written by `protium workflows --write` from `catalog.yaml`.'],
    ...(actions === 'vendored'
      ? [['`.protium/`', 'The actions that the workflows use, and their licences.'] as const]
      : []),
    ['`schemas/`', 'For editors: completion and checks while `.yaml` files are written.'],
  ]
  return ['| Where | What |', '| --- | --- |', ...rows.map(([where, what]) => `| ${where} | ${what} |`)]
}

function begun({ repository: { owner, name } }: Answers): string[] {
  return [
    'Make it a repository, private at first:',
    ...shell(
      'git init -b main',
      'git add .',
      'git commit -m "Begin the catalog"',
      `gh repo create ${owner}/${name} --private --source . --push`,
      `gh api -X PUT repos/${owner}/${name}/actions/permissions/access -f access_level=organization`,
    ),
    'The last line lets the other repositories of the organisation call its workflows; a public catalog needs none of it. A private one',
    'is read by them through a GitHub App: say `app: true` below `workflows:`, and give the organisation the variable',
    '`PROTIUM_APP_CLIENT_ID` and the secret `PROTIUM_APP_KEY` of an App with `contents: read` on the catalog alone.',
  ]
}

function protectedBranch({ owner }: Answers): string[] {
  return [
    `Protect \`main\` by a ruleset (Settings, Rules): a pull request is needed, with the review of code owners (\`.github/CODEOWNERS\` names ${owner}),`,
    'the check `protium/plan` is required, and nobody pushes by force. Who can push there decides what is deployed.',
  ]
}

function environments({ stages, approval, repository: { owner, name } }: Answers): string[] {
  const asks = stages.some(({ production }) => production) ? ` Reviewers of production are ${list(approval)}.` : ''
  return [
    'Make two environments of GitHub for each stage, `<stage>-plan` to plan and `<stage>` to deploy:',
    ...shell(
      ...stages.flatMap((stage) => [
        `gh api -X PUT repos/${owner}/${name}/environments/${stage.name}-plan`,
        `gh api -X PUT repos/${owner}/${name}/environments/${stage.name}`,
      ]),
    ),
    `Let \`main\` alone use those without \`-plan\` (Settings, Environments).${asks}`,
  ]
}

function accounts({ ids, repository, stages }: Answers, catalog: Catalog): string[] {
  if (ids === undefined)
    return [
      'Let the workflows into the accounts. Ask for the two numbers that GitHub has given,',
      ...shell(
        `gh api users/${repository.owner} --jq .id`,
        `gh api repos/${repository.owner}/${repository.name} --jq .id`,
      ),
      'and say in `catalog.yaml` which repositories may work there, and the role of CloudFormation of each stage:',
      '',
      '```yaml',
      'trust:',
      '  organisation: "<the first number>"',
      '  repositories:',
      `    ${repository.owner}/${repository.name}: { id: "<the second>" }`,
      '```',
      '',
      '```yaml',
      ...stages
        .map(
          ({ name, account, region }) =>
            `# stages.${name}\nstack: { service_role: "arn:${partitionOf(region)}:iam::${account}:role/protium/cloudformation-${name}" }`,
        )
        .flatMap((text) => text.split('\n')),
      '```',
      '',
      'Then `protium trust --write` writes the roles to `accounts/`, and names the templates whose roles lack the boundary. `protium workflows --write`',
      'has the workflows ask for them. Somebody who may make roles makes a stack of each file, in its account.',
    ]
  const files = [...accessTemplates(catalog).keys()].filter((path) => path.split('/').length === 2)
  return [
    'Let the workflows into the accounts. Somebody who may make roles makes a stack of each file, with the credentials of its account:',
    ...shell(
      ...files.map(
        (file) =>
          `aws cloudformation deploy --stack-name protium-access --template-file ${file} --capabilities CAPABILITY_NAMED_IAM`,
      ),
    ),
    'Where the account has the identity provider of GitHub already, add `--parameter-overrides MakeProvider=no`.',
    `The numbers in \`catalog.yaml\` are those of this very organisation and repository: ${howToAsk('repository-id', `${repository.owner}/${repository.name}`)}`,
  ]
}

function pinned({ actions }: Answers): string[] {
  const [where = '', commit = ''] = actions.split('@')
  return [
    `The actions come from \`${where}\` at the commit \`${commit.slice(0, 12)}\`. Let the workflows use them (Settings, Actions, Allow select actions),`,
    'where the organisation lets only some. Another version is one line of `catalog.yaml`, and `protium workflows --write`.',
  ]
}

function examined(): string[] {
  return [
    'Have it looked whether all of that is so; each gap is told with what closes it:',
    ...shell('GITHUB_TOKEN="$(gh auth token)" protium doctor'),
  ]
}

function firstPlan({ start, stages }: Answers): string[] {
  const [first] = stages
  const file = start === 'sample' ? 'services/hello/service.yaml' : `environments/${first?.name ?? 'dev'}.yaml`
  return [
    `See the first plan: change ${start === 'sample' ? 'an input in ' : ''}\`${file}\` on a branch, and open a pull request.`,
    'The comment says what would become of it in each stage. Nothing is done.',
  ]
}

function others({ repository: { owner } }: Answers): string[] {
  return [
    `Take in the repository of a service: \`protium add ${owner}/checkout\`. It opens a pull request there, with a \`service.yaml\` and the`,
    'workflows that call those of this catalog.',
  ]
}

function switchOn({ stages, approval, ids, local }: Answers): string[] {
  const asksTeams = stages.some(({ production }) => production) && approval.some((who) => who.includes('/'))
  return [
    'Switch deploying on, when the plans are what you expect: take the line `deploy: false` out of `catalog.yaml`, run',
    ...(local
      ? ['`protium workflows --write`, and merge what changed.']
      : [
          `\`protium workflows --write\` and${ids === undefined ? ', where `catalog.yaml` says `trust:`,' : ''} \`protium trust --write\`, and merge what changed. Before that, somebody who may make roles`,
          'brings the new files of `accounts/` to the accounts, as in step 4: the stacks that are there are updated, and each `accounts/<account>/<repository>.yaml`',
          'that is new becomes a stack of its own, `protium-access-<repository>`.',
        ]),
    ...(asksTeams
      ? [
          '',
          'A job may not see by itself who is in a team. Give the organisation the variable `PROTIUM_TEAMS_CLIENT_ID` and the secret',
          '`PROTIUM_TEAMS_KEY` of a GitHub App with `members: read` and nothing else; until then, what asks for a team is held.',
        ]
      : []),
  ]
}

function howToWrite({ start }: Answers): string[] {
  return [
    '## Writing a template',
    '',
    `A template is a folder \`templates/<name>/\`, laid out as AWS Proton's bundles are${start === 'sample' ? '' : '; `templates/base/` is one for environments'}:`,
    '',
    '| File | What |',
    '| --- | --- |',
    '| `template.yaml` | Its kind (`environment` or `service`), the exact version of each `v<major>`, who owns it. |',
    '| `v1/schema/schema.yaml` | Its inputs: types, defaults, and a sentence for those who fill them in. |',
    '| `v1/infrastructure/` | Of an environment: `manifest.yaml` and `cloudformation.yaml`, CloudFormation with Jinja. |',
    '| `v1/instance_infrastructure/` | Of a service: the same. |',
    '| `v1/.compatible-envs` | Of a service: the environments that it fits, such as `base:1`. |',
    '| `v1/examples/<name>/` | Inputs, and what comes of them; `protium test` compares. |',
    '',
    'In it, `environment.inputs`, `environment.outputs`, `service.name`, `service_instance.name` and `service_instance.inputs` are known.',
    '`protium validate` says on which line something is wrong, and `protium render` shows what comes of it.',
    '',
  ]
}
