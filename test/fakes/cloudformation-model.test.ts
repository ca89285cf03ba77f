import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawn } from 'node:child_process'
import { CreateStackCommand, DescribeStacksCommand, ListStacksCommand } from '@aws-sdk/client-cloudformation'
import { describe, expect, test } from 'vitest'
import { cutOfInstalled, isCurrent } from '../../scripts/generate-cloudformation-model.ts'
import { handlers } from './cloudformation/actions.ts'
import { clientOf, refused } from './cloudformation/client.ts'
import { actionsOf, decode, encode, errorOf, source } from './cloudformation/model.ts'
import { startCloudFormation } from './cloudformation/server.ts'

const file = join(import.meta.dirname, 'cloudformation/model.generated.json')

describe("the cut of AWS's model", () => {
  test('is current', () => {
    expect(isCurrent(), 'Run `npm run generate` and commit what changes.').toBe(true)
    expect(source).toMatch(/^botocore \d+\.\d+\.\d+, data\//)
  })

  test('is what a botocore of that version says, where one is installed', ({ skip }) => {
    const made = cutOfInstalled('python3')
    if (made === undefined) return skip('There is no botocore of that version.')

    expect(made).toBe(readFileSync(file, 'utf8'))
  })

  test('every action of CloudFormation in it is answered', () => {
    expect(Object.keys(handlers).toSorted()).toEqual(actionsOf('cloudformation').toSorted())
  })

  test('the real client sends nothing that it does not know', async () => {
    await using fake = await startCloudFormation()

    await clientOf(fake).send(
      new CreateStackCommand({
        StackName: 'jobs',
        TemplateBody: '{"Resources":{"Jobs":{"Type":"AWS::SQS::Queue"}}}',
        Parameters: [],
        Tags: [{ Key: 'a', Value: 'b' }],
        Capabilities: ['CAPABILITY_IAM'],
        DeploymentConfig: { Mode: 'EXPRESS', DisableRollback: false },
        RollbackConfiguration: { RollbackTriggers: [], MonitoringTimeInMinutes: 0 },
      }),
    )

    expect(fake.takeViolations()).toEqual([])
  })
})

describe('a request is held against it', () => {
  const ask = (form: string): readonly string[] =>
    decode('cloudformation', new URLSearchParams(form).get('Action') ?? '', new URLSearchParams(form)).findings.map(
      ({ what }) => what,
    )
  const head = 'Version=2010-05-15&Action'

  test.each([
    ['a field that there is not', `${head}=DescribeStacks&Name=x`, 'there is no field "Name"'],
    [
      'a field inside',
      `${head}=CreateStack&StackName=a&DeploymentConfig.Colour=x`,
      'there is no field "DeploymentConfig.Colour"',
    ],
    ['another version', 'Version=2020-01-01&Action=DescribeStacks', 'the version is 2020-01-01, not 2010-05-15'],
    ['a field given twice', `${head}=DescribeStacks&StackName=a&StackName=b`, '"StackName" is given twice'],
    [
      'no number',
      `${head}=CreateStack&StackName=a&TimeoutInMinutes=soon`,
      '"TimeoutInMinutes" is "soon", not a integer',
    ],
    ['no truth', `${head}=CreateStack&StackName=a&DisableRollback=yes`, '"DisableRollback" is "yes", not a boolean'],
    ['no list', `${head}=CreateStack&StackName=a&Tags=x`, '"Tags" is a text, not a list'],
    [
      'a list with a hole',
      `${head}=ListStacks&StackStatusFilter.member.2=CREATE_COMPLETE`,
      '"StackStatusFilter" has no element 1',
    ],
    [
      'a list that is numbered without a word',
      `${head}=ListStacks&StackStatusFilter.1=CREATE_COMPLETE`,
      '"StackStatusFilter" is not written as a list',
    ],
    [
      'what is missing',
      `${head}=CreateStack`,
      "Value null at 'stackName' failed to satisfy constraint: Member must not be null",
    ],
    [
      'a word that is none of them',
      `${head}=CreateStack&StackName=a&OnFailure=EXPLODE`,
      "Value 'EXPLODE' at 'onFailure' failed to satisfy constraint: Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]",
    ],
    [
      'a token with a wrong letter',
      `${head}=CreateStack&StackName=a&ClientRequestToken=a_b`,
      "Value 'a_b' at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*",
    ],
    [
      'a token too long',
      `${head}=CreateStack&StackName=a&ClientRequestToken=${'a'.repeat(129)}`,
      `Value '${'a'.repeat(129)}' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 128`,
    ],
  ])('%s', (_name, form, finding) => {
    expect(ask(form)).toEqual([finding])
  })

  test('an empty list is written as an empty text', () => {
    expect(decode('cloudformation', 'ListStacks', new URLSearchParams('StackStatusFilter='))).toEqual({
      input: { StackStatusFilter: [] },
      findings: [],
    })
  })

  test('it is answered with an error, and the test that made it fails', async () => {
    const fake = await startCloudFormation()
    const answer = await refused(
      clientOf(fake).send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: '{}', ClientRequestToken: '-' })),
    )

    expect(answer).toMatchObject({ name: 'ValidationError', status: 400 })
    expect(answer.message).toMatch(/^1 validation error detected: Value '-' at 'clientRequestToken' failed/)
    await expect(fake.close()).rejects.toThrow(/^Against AWS's model of its services:\nCreateStack: Value '-'/)
  })

  test('what AWS takes and the fake does nothing with fails the test', async () => {
    await using fake = await startCloudFormation()
    const TemplateBody = '{"Resources":{"Jobs":{"Type":"AWS::SQS::Queue"}}}'

    await clientOf(fake).send(new CreateStackCommand({ StackName: 'jobs', TemplateBody, ResourceTypes: ['AWS::*'] }))

    expect(fake.takeViolations()).toEqual(['CreateStack: the local CloudFormation does nothing with "ResourceTypes"'])
  })

  test('an action that is not in the cut fails the test too', async () => {
    const fake = await startCloudFormation()
    const body = new URLSearchParams({ Action: 'CreateStackSet', Version: '2010-05-15' })
    const headers = {
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/cloudformation/aws4_request',
    }
    const response = await fetch(fake.url, { method: 'POST', body, headers })

    expect(response.status).toBe(400)
    expect(await response.text()).toContain('<Code>InvalidAction</Code>')
    expect(fake.takeViolations()).toEqual(['CreateStackSet: the cut of the model has no such action'])
    await fake.close()
  })
})

describe('an answer is held against it', () => {
  const answer = (output: Parameters<typeof encode>[2]['output']): readonly string[] =>
    encode('cloudformation', 'DescribeStacks', { output, requestId: 'r' }).findings.map(({ what }) => what)
  const stack = { StackName: 'a', CreationTime: new Date(0), StackStatus: 'CREATE_COMPLETE' }

  test.each([
    ['a field that there is not', { Stacks: [{ ...stack, Colour: 'red' }] }, 'there is no field "Stacks.0.Colour"'],
    [
      'what is missing',
      { Stacks: [{ StackName: 'a', CreationTime: new Date(0) }] },
      /Value null at 'stacks\.0\.stackStatus'/,
    ],
    [
      'a word that is none of them',
      { Stacks: [{ ...stack, StackStatus: 'FINE' }] },
      /Value 'FINE' at 'stacks\.0\.StackStatus'/,
    ],
    [
      'another type',
      { Stacks: [{ ...stack, DisableRollback: 'true' }] },
      '"Stacks.0.DisableRollback" is "true", not a boolean',
    ],
    [
      'no time',
      { Stacks: [{ ...stack, CreationTime: 'today' }] },
      '"Stacks.0.CreationTime" is "today", not a timestamp',
    ],
    ['no list', { Stacks: stack }, /^"Stacks" is \{.*\}, not a list$/],
  ])('%s', (_name, output, finding) => {
    expect(answer(output)).toEqual([
      expect.stringMatching(finding instanceof RegExp ? finding : new RegExp(escaped(finding))),
    ])
  })

  test('texts that XML cannot hold as they are arrive as they were', async () => {
    await using fake = await startCloudFormation()
    const Description = 'a < b & "c" > d\r\n\té\u{1F600}'
    await clientOf(fake).send(
      new CreateStackCommand({
        StackName: 'jobs',
        TemplateBody: JSON.stringify({ Description, Resources: { Jobs: { Type: 'AWS::SQS::Queue' } } }),
      }),
    )

    const { Stacks } = await clientOf(fake).send(new DescribeStacksCommand({ StackName: 'jobs' }))

    expect(Stacks?.[0]?.Description).toBe(Description)
  })

  test('errors have the code and the status that it says', () => {
    expect(errorOf('cloudformation', 'DescribeChangeSet', 'ChangeSetNotFoundException')).toEqual({
      code: 'ChangeSetNotFound',
      status: 404,
    })
    expect(errorOf('cloudformation', 'ListStacks', 'ChangeSetNotFoundException')).toBeUndefined()
    expect(errorOf('cloudformation', 'ListStacks', 'Throttling')).toEqual({ code: 'Throttling', status: 400 })
  })

  function escaped(text: string): string {
    return `^${text.replaceAll(/[.{}]/g, '\\$&')}$`
  }
})

test('it runs as a process, and prints where it is', async () => {
  const main = fileURLToPath(new URL('cloudformation/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, '--port', '0', '--pace', '100', '--bucket', 'templates'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const url = await new Promise<string>((resolve) => {
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8')))
    })
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/)
    const { StackSummaries } = await clientOf({ url: url.trim() }).send(new ListStacksCommand({}))
    expect(StackSummaries).toEqual([])
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  }
})
