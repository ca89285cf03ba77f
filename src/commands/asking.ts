import type { Given } from '../core/init.ts'
import { howToAsk, readAnswers } from '../core/init.ts'
import type { Ask } from '../ports.ts'

/** Asks for what was not given by an option. What is answered is checked at once, by the same rules. */
export async function asked(ask: Ask, options: Given): Promise<Given> {
  let given = options
  /** What is wrong with an answer: the first of the problems of this option that there would be. */
  const faultOf = (wanted: Given, flag: string): string | undefined =>
    readAnswers(wanted)
      .problems.find(({ message, severity }) => severity === 'error' && message.startsWith(flag))
      ?.message.replace(/^--[a-z-]+: (.)/u, (_, first: string) => first.toUpperCase())
  const word = async (
    name: 'repository' | 'domain' | 'owner' | 'organisation-id' | 'repository-id',
    message: string,
    { given: initial, optional = false }: { readonly given?: string; readonly optional?: boolean } = {},
  ): Promise<void> => {
    if (given[name] !== undefined) return
    const with_ = (answer: string): Given => ({ ...given, [name]: answer })
    const answer = await ask.text({
      message,
      given: initial,
      fault: (text) => (text === '' ? (optional ? undefined : 'Please say it.') : faultOf(with_(text), `--${name}: `)),
    })
    if (answer !== '') given = with_(answer)
  }
  await word('repository', 'Which repository on GitHub is the catalog to be? owner/name')
  await word('domain', 'Below which domain do services answer?')
  if (given.stage.length === 0) {
    const domain = given.domain ?? 'example.com'
    const split = (text: string): readonly string[] => text.split(/[\s,]+/u).filter((part) => part !== '')
    const answer = await ask.text({
      message:
        'Which stages are there, in order, and in which zones do services answer in each? The last is production.',
      given: `dev=dev.${domain} staging=staging.${domain} prod=${domain}`,
      fault: (text) =>
        text === '' ? 'Please name one at least.' : faultOf({ ...given, stage: split(text) }, '--stage'),
    })
    given = { ...given, stage: split(answer) }
  }
  given = await askedHomes(ask, given)
  await word('owner', 'Who owns the catalog, and agrees to what goes to production? A team, or a person', {
    given: `@${(given.repository ?? '').split('/')[0] ?? ''}/platform`,
  })
  if (given.start === undefined) {
    const start = await ask.choice({
      message: 'What do you want to begin with?',
      options: [
        {
          value: 'sample',
          label: 'The sample’s templates',
          hint: 'network, containers, functions, queues; an example service',
        },
        { value: 'empty', label: 'Empty', hint: 'one small template that shows how they are written' },
      ],
      given: 'sample',
    })
    given = { ...given, start }
  }
  if (given.local) return given
  const both = given['organisation-id'] !== undefined || given['repository-id'] !== undefined
  const { repository } = given
  await word(
    'organisation-id',
    `The number of the organisation on GitHub, for the roles in the accounts. ${howToAsk('organisation-id', repository)} Enter leaves the roles out for now`,
    { optional: !both },
  )
  if (given['organisation-id'] !== undefined)
    await word('repository-id', `The number of the repository. ${howToAsk('repository-id', repository)}`)
  return given
}

/** The account of each stage, and one region for all. */
async function askedHomes(ask: Ask, options: Given): Promise<Given> {
  let given = options
  if (!given.local && given.account.length === 0) {
    for (const stage of given.stage) {
      const name = stage.split('=')[0] ?? ''
      const answer = await ask.text({
        message: `In which AWS account does "${name}" lie? Twelve digits`,
        fault: (text) => (/^[0-9]{12}$/u.test(text) ? undefined : 'These are not twelve digits.'),
      })
      given = { ...given, account: [...given.account, `${name}=${answer}`] }
    }
  }
  if (given.region.length === 0) {
    const region = await ask.text({
      message: 'In which region?',
      fault: (text) =>
        /^[a-z]{2,3}(?:-[a-z]+)+-[0-9]+$/u.test(text) ? undefined : 'A region is called as eu-west-1 is.',
    })
    given = { ...given, region: [region] }
  }
  return given
}
