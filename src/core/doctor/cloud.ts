import type { BucketFacts, RoleFacts, ZoneFacts } from './facts.ts'
import { few } from './files.ts'
import { judged, ok, tell, type Told } from './finding.ts'

/** Who may take a role, as it is in the account. Weaker than it has to be is worse than another. */
export function judgeRole({ arn, stage, purpose, account, found }: RoleFacts): readonly Told[] {
  const about = arn.slice(arn.lastIndexOf('/') + 1)
  const fix = `Make the stack of \`accounts/${account}.yaml\` again, as docs/accounts.md says.`
  return judged(
    found,
    (policy) => {
      if (policy === undefined) {
        return tell('fail', {
          about,
          what: `There is no such role in ${account}: jobs that ${purpose} ${stage} are refused.`,
          fix,
        })
      }
      if (policy.weak.length > 0) {
        return tell('fail', { about, what: `More may take it than should: ${policy.weak.join('; ')}.`, fix })
      }
      if (policy.isSame) return ok('Who may take it is as catalog.yaml says.', about)
      return tell('fail', { about, what: 'Others may take it than catalog.yaml says.', fix })
    },
    about,
  )
}

export function judgeBucket({ environment, name, is }: BucketFacts): readonly Told[] {
  return judged(
    is,
    (value) =>
      value === 'there'
        ? ok(`${name} takes large templates.`, environment)
        : tell('fail', {
            about: environment,
            what: `There is no bucket ${name} in this account.`,
            fix: `\`aws s3 mb s3://${name}\`, or correct \`template_bucket:\` in environments/${environment}.yaml.`,
          }),
    environment,
  )
}

/** Names are compared without their last dot, in any case and order. */
export function judgeZone(
  { stage, domain, servers, given }: ZoneFacts,
  { deploys }: { readonly deploys: boolean },
): readonly Told[] {
  const about = domain
  return judged(
    servers,
    (found) => {
      if (found === undefined) {
        // The zone may come with the first deployment.
        return tell(deploys ? 'fail' : 'warn', {
          about,
          what: `The world finds no zone there, so no service answers in ${stage}.`,
          fix:
            given === undefined
              ? `Add an NS record for ${domain} to the zone above it, with the name servers of the hosted zone.`
              : `Add an NS record for ${domain} to the zone above it: ${few(given)}.`,
        })
      }
      if (found.length === 0) {
        return tell('warn', {
          about,
          what: 'It is a name in the zone above, and no zone of its own.',
          fix: `Nothing, if the hosts of ${stage} are kept there; otherwise delegate it with an NS record.`,
        })
      }
      const [told, wanted] = [found, given ?? found].map((names) =>
        [...new Set(names.map((name) => name.toLowerCase().replace(/\.$/u, '')))].toSorted(),
      )
      if (told?.join(' ') === wanted?.join(' ')) return ok(`The world finds it at ${few(found, 2)}.`, about)
      return tell('fail', {
        about,
        what: `The world is sent to ${few(found, 2)}, and the environment’s zone is at ${few(given ?? [], 2)}.`,
        fix: `Change the NS record for ${domain} in the zone above it.`,
      })
    },
    about,
  )
}
