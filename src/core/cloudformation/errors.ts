/** What the SDK throws, as far as it is looked at. */
export type ThrownError = {
  /** The error's code, as `ValidationError` or `Throttling`. */
  readonly name?: string | undefined
  readonly message?: string | undefined
  /** `$metadata.httpStatusCode` */
  readonly status?: number | undefined
  /** Of the answer's body; an emulator says that it cannot do something by a page of HTML. */
  readonly contentType?: string | undefined
}

/** What an error means. */
export type Meaning =
  | { readonly is: 'absent' }
  | { readonly is: 'change-set-gone' }
  | { readonly is: 'no-updates' }
  | { readonly is: 'exists' }
  /** An operation is under way; or another state than the call needs, which is named. */
  | { readonly is: 'busy'; readonly status: string }
  /** A failed operation waits where it stopped; it has to be rolled back first. */
  | { readonly is: 'paused'; readonly status: string }
  | { readonly is: 'change-set-state'; readonly status: string }
  /** The name or token of a change set was used for another request. */
  | { readonly is: 'change-set-mismatch' }
  /** The token was used before: the operation that it began is there to be followed. */
  | { readonly is: 'token-used' }
  | { readonly is: 'capabilities'; readonly needed: readonly string[] }
  | { readonly is: 'throttled' }
  /** The account works on as many resources or operations as it may at a time. */
  | { readonly is: 'crowded' }
  | { readonly is: 'quota' }
  | { readonly is: 'credentials' }
  | { readonly is: 'access'; readonly action: string | undefined; readonly resource: string | undefined }
  | { readonly is: 'role'; readonly role: string }
  | { readonly is: 'too-large' }
  | { readonly is: 'template-url' }
  | { readonly is: 'parameters'; readonly names: readonly string[] }
  | { readonly is: 'template' }
  | { readonly is: 'protected' }
  /** The call does not take a stack that is only the shell of a change set: it is as good as absent. */
  | { readonly is: 'shell' }
  | { readonly is: 'early-validation'; readonly validation: string }
  | { readonly is: 'policy' }
  | { readonly is: 'unsupported' }
  /** The answer was lost, or the service failed: whether the call was carried out is not known. */
  | { readonly is: 'unreachable' }
  | { readonly is: 'unknown' }

/** What to do about it. */
export type Handling =
  /** The stack is looked at again, and what to do is decided anew. */
  | 'look-again'
  /** The same request once more, after a while. */
  | 'retry'
  /** As `retry`, but a quarter of a minute to a minute later: others have to finish first. */
  | 'retry-slowly'
  /** The operation is there already: it is followed. */
  | 'attach'
  /** Nothing is to do; the call found it so. */
  | 'done'
  /** A person has to do something. */
  | 'stop'
  /** Is tried for a minute, because a role takes that long to be known everywhere; then `stop`. */
  | 'retry-for-a-minute'
  /** The template goes by way of a bucket. */
  | 'use-bucket'
  /** The change set is made again, under another name. */
  | 'remake'
  /** More is to be read to tell what happened (DescribeEvents). */
  | 'look-deeper'
  /** What the call is for is left out, with a note. */
  | 'degrade'

type Rule = {
  readonly name?: RegExp
  readonly message?: RegExp
  readonly means: (captured: readonly string[]) => Meaning
}

/** Query protocol and JSON protocol name it differently. */
const invalid = /^Validation(Error|Exception)$/

/**
 * The first rule that fits wins: the name where it tells enough, otherwise the message with it. The messages are those that
 * CloudFormation is known to answer; what comes in their place later is `unknown`, and shown as it is.
 */
const rules: readonly Rule[] = [
  { message: /AWS::EarlyValidation::(\w+)/, means: ([name = '']) => ({ is: 'early-validation', validation: name }) },
  { name: /^ChangeSetNotFound(Exception)?$/, means: () => ({ is: 'change-set-gone' }) },
  { name: invalid, message: /^ChangeSet \[.+\] does not exist/, means: () => ({ is: 'change-set-gone' }) },
  { name: /^StackNotFoundException$/, means: () => ({ is: 'absent' }) },
  { name: invalid, message: /^Stack (with id \S+|\[.+\]|'.+') does not exist/, means: () => ({ is: 'absent' }) },
  { name: invalid, message: /No updates are to be performed/, means: () => ({ is: 'no-updates' }) },
  { name: /^TokenAlreadyExists(Exception)?$/, means: () => ({ is: 'token-used' }) },
  { name: /^(Name)?AlreadyExists(Exception)?$/, means: () => ({ is: 'exists' }) },
  { name: /^InvalidChangeSetStatus(Exception)?$/, means: () => ({ is: 'change-set-state', status: '' }) },
  {
    name: invalid,
    message: /cannot be created due to a mismatch with existing attribute/,
    means: () => ({ is: 'change-set-mismatch' }),
  },
  {
    name: /^InsufficientCapabilities(Exception)?$/,
    means: () => ({ is: 'capabilities', needed: [] }),
  },
  {
    name: /^(Throttl(ing|ed)(Exception)?|TooManyRequests(Exception)?|RequestLimitExceeded|RequestThrottled(Exception)?|SlowDown|PriorRequestNotComplete)$/,
    means: () => ({ is: 'throttled' }),
  },
  { message: /^Rate exceeded/, means: () => ({ is: 'throttled' }) },
  {
    name: /^(OperationInProgress|ConcurrentResourcesLimitExceeded)(Exception)?$/,
    means: () => ({ is: 'crowded' }),
  },
  { name: /^LimitExceeded(Exception)?$/, means: () => ({ is: 'quota' }) },
  {
    name: /^(ExpiredToken(Exception)?|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|InvalidSignatureException|SignatureDoesNotMatch|MissingAuthenticationToken(Exception)?|CredentialsProviderError|TokenProviderError|CredentialsError|InvalidIdentityToken(Exception)?|IDPCommunicationError(Exception)?|TokenRefreshRequired)$/,
    means: () => ({ is: 'credentials' }),
  },
  {
    name: /^(AccessDenied(Exception)?|UnauthorizedOperation|NotAuthorized(Exception)?|OptInRequired)$/,
    means: () => ({ is: 'access', action: undefined, resource: undefined }),
  },
  {
    name: invalid,
    message: /Stack:\S+ is in (\w+) state and can ?not be (?:updated|deleted)/,
    means: ([status = '']) => ({ is: 'busy', status }),
  },
  {
    name: invalid,
    message: /currently in a non-terminal \[(\w+)\] state/,
    means: ([status = '']) => ({ is: 'paused', status }),
  },
  {
    name: invalid,
    message: /Role (\S+) is invalid or cannot be assumed/,
    means: ([role = '']) => ({ is: 'role', role }),
  },
  { name: invalid, message: /Member must have length less than or equal to 51200/, means: () => ({ is: 'too-large' }) },
  { name: /^(NoSuchBucket|PermanentRedirect|AuthorizationHeaderMalformed)$/, means: () => ({ is: 'template-url' }) },
  { name: invalid, message: /TemplateURL must be a supported URL|S3 error: /, means: () => ({ is: 'template-url' }) },
  {
    name: invalid,
    message: /Parameters: \[([^\]]+)\] (?:must have values|do not exist in the template)/,
    means: ([names = '']) => ({ is: 'parameters', names: names.split(/, ?/) }),
  },
  {
    name: invalid,
    message: /Cannot specify usePreviousValue as true for a parameter key not in the previous template: (\S+)/,
    means: ([name = '']) => ({ is: 'parameters', names: [name.replace(/[.,]$/, '')] }),
  },
  {
    name: invalid,
    message: /Cannot specify usePreviousValue as true|Parameter validation failed: /,
    means: () => ({ is: 'parameters', names: [] }),
  },
  {
    name: invalid,
    message: /Parameter '?([\w:]+)'? (?:must|failed|value|cannot)/,
    means: ([name = '']) => ({ is: 'parameters', names: [name] }),
  },
  {
    name: invalid,
    message: /cannot be deleted while TerminationProtection is enabled/,
    means: () => ({ is: 'protected' }),
  },
  { name: invalid, message: /cannot be called on REVIEW_IN_PROGRESS stacks/, means: () => ({ is: 'shell' }) },
  {
    name: invalid,
    message:
      /^Template (?:(?:format|validation) )?error|^Invalid template|Unresolved resource dependencies|Circular dependency between resources|Unrecognized resource types|^Transform .* failed/,
    means: () => ({ is: 'template' }),
  },
  { message: /Action (?:denied|not allowed) by stack policy/, means: () => ({ is: 'policy' }) },
  {
    name: /^(InvalidAction|UnknownOperation(Exception)?|NotImplemented(Exception)?|UnsupportedOperation(Exception)?)$/,
    means: () => ({ is: 'unsupported' }),
  },
  {
    name: /^(TimeoutError|RequestTimeout(Exception)?|NetworkingError|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|InternalFailure|InternalError|InternalServerError|InternalServerException|ServiceUnavailable(Exception)?|ServiceUnavailableError|HandlerInternalFailure)$/,
    means: () => ({ is: 'unreachable' }),
  },
  {
    message:
      /socket hang up|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|network timeout|Connection (?:closed|reset|terminated)/i,
    means: () => ({ is: 'unreachable' }),
  },
]

/**
 * What an error of a call means. A page of HTML with status 500 is an emulator that does not have the call; any other answer
 * of 500 or more is the service that failed, and whether the call was carried out has to be looked at.
 */
export function recognise(error: ThrownError): Meaning {
  const { name = '', message = '', status, contentType = '' } = error
  if (status !== undefined && status >= 500 && contentType.startsWith('text/html')) return { is: 'unsupported' }
  for (const rule of rules) {
    if (rule.name !== undefined && !rule.name.test(name)) continue
    const match = rule.message === undefined ? [] : rule.message.exec(message)
    if (match === null) continue
    return completed(rule.means(match.slice(1)), message)
  }
  return status !== undefined && status >= 500 ? { is: 'unreachable' } : { is: 'unknown' }
}

/** What the message says besides, where the name told what it is. */
function completed(meaning: Meaning, message: string): Meaning {
  switch (meaning.is) {
    case 'change-set-state':
      return { is: 'change-set-state', status: changeSetStatus(message) }
    case 'capabilities':
      return {
        is: 'capabilities',
        needed: (/Requires capabilities ?: \[([^\]]*)\]/.exec(message)?.[1] ?? '')
          .split(/, ?/)
          .filter((word) => word !== ''),
      }
    case 'access': {
      const [, action, resource] = /is not authorized to perform: (\S+)(?: on resource: (\S+))?/.exec(message) ?? []
      return { is: 'access', action, resource }
    }
    default:
      return meaning
  }
}

function changeSetStatus(message: string): string {
  const named = /current (?:execution )?status of \[(\w+)\]/.exec(message)?.[1]
  return named ?? (message.includes('is currently in progress') ? 'EXECUTE_IN_PROGRESS' : '')
}

/** What to do about an error. `isOptional` is a call that only shows more, or sets something of little weight. */
export function handling(meaning: Meaning, options: { readonly isOptional?: boolean } = {}): Handling {
  switch (meaning.is) {
    case 'absent':
    case 'exists':
    case 'busy':
    case 'paused':
    case 'shell':
    case 'unreachable':
      return 'look-again'
    case 'change-set-gone':
    case 'no-updates':
      return 'done'
    case 'change-set-state':
      return meaning.status === 'EXECUTE_IN_PROGRESS' || meaning.status === 'EXECUTE_COMPLETE' ? 'attach' : 'remake'
    case 'change-set-mismatch':
      return 'remake'
    case 'token-used':
      return 'attach'
    case 'throttled':
      return 'retry'
    case 'crowded':
      return 'retry-slowly'
    case 'role':
      return 'retry-for-a-minute'
    case 'too-large':
      return 'use-bucket'
    case 'early-validation':
      return 'look-deeper'
    case 'access':
    case 'unsupported':
      return options.isOptional === true ? 'degrade' : 'stop'
    case 'capabilities':
    case 'quota':
    case 'credentials':
    case 'template-url':
    case 'parameters':
    case 'template':
    case 'protected':
    case 'policy':
    case 'unknown':
      return 'stop'
  }
}

/**
 * A change set that was not made because there is nothing to change. By how the reason begins, never by the number of
 * changes: a change of outputs alone has none, and can be executed.
 */
export function isEmptyChangeSet(status: string | undefined, reason: string | undefined): boolean {
  return (
    status === 'FAILED' &&
    /^(The submitted information didn't contain changes\.|No updates are to be performed\.)/.test(reason ?? '')
  )
}

/** A stop, in words for a person: what `Refused` is made of. */
export type Stop = { readonly code: StopCode; readonly message: string; readonly remedy: string }

export type StopCode =
  | 'cloud-access'
  | 'cloud-capabilities'
  | 'cloud-credentials'
  | 'cloud-quota'
  | 'cloud-refused'
  | 'cloud-unreachable'
  | 'stack-protected'
  | 'stack-refused'

/**
 * The words for an error that a person has to do something about. The service's own message is always in them. `call` is the
 * name of the operation, as `CreateChangeSet`.
 */
export function stopWords(
  meaning: Meaning,
  { stack, call, message }: { readonly stack: string; readonly call: string; readonly message: string },
): Stop {
  // A remedy follows, so the words of others end as a sentence does.
  const end = /[.!?:;)"”]$/u.test(message) ? '' : '.'
  const said = `${stack}: ${call} was answered: ${message}${end}`
  switch (meaning.is) {
    case 'access': {
      const { action, resource } = meaning
      const on = resource === undefined ? '' : ` on \`${resource}\``
      return {
        code: 'cloud-access',
        message: said,
        remedy: `Allow the role ${action === undefined ? `\`cloudformation:${call}\`` : `\`${action}\`${on}`}, then run the command again.`,
      }
    }
    case 'role':
      return {
        code: 'cloud-access',
        message: said,
        remedy: `Let CloudFormation assume ${meaning.role} (its trust policy names \`cloudformation.amazonaws.com\`), and allow \`iam:PassRole\` on it.`,
      }
    case 'credentials':
      if (isNobody(message)) {
        return {
          code: 'cloud-credentials',
          message: `${stack}: ${call} was not asked, for there are no credentials for AWS here: ${message}${end}`,
          remedy:
            'Sign in, such as by `aws configure sso` and `aws sso login`, and name the profile by `AWS_PROFILE`; then run the command again. A job assumes its role in a step before. To rehearse without an account, write `provisioner: local` in the file of the environment.',
        }
      }
      return {
        code: 'cloud-credentials',
        message: said,
        remedy:
          'Sign in again, or let the job get new credentials, and run the command again. It goes on where it was.',
      }
    case 'capabilities': {
      const needed = meaning.needed.length === 0 ? 'what the message names' : `[${meaning.needed.join(', ')}]`
      return {
        code: 'cloud-capabilities',
        message: said,
        remedy: `If the template may do that, write \`capabilities: ${needed}\` at the stage in catalog.yaml.`,
      }
    }
    case 'quota':
    case 'crowded':
      return {
        code: 'cloud-quota',
        message: said,
        remedy:
          'Remove what is no longer needed there, or ask for a higher quota (Service Quotas), and run the command again.',
      }
    case 'throttled':
    case 'unreachable':
      return {
        code: 'cloud-unreachable',
        message: said,
        remedy: 'Run the command again in a while. What has begun goes on without it, and is found again.',
      }
    case 'protected':
      return {
        code: 'stack-protected',
        message: said,
        remedy: `If it may be deleted: \`aws cloudformation update-termination-protection --stack-name ${stack} --no-enable-termination-protection\`.`,
      }
    case 'parameters':
    case 'template':
    case 'too-large':
    case 'template-url':
    case 'early-validation':
    case 'policy':
      return { code: 'stack-refused', message: said, remedy: remedyOf[meaning.is] }
    case 'absent':
    case 'change-set-gone':
    case 'no-updates':
    case 'exists':
    case 'busy':
    case 'paused':
    case 'change-set-state':
    case 'change-set-mismatch':
    case 'token-used':
    case 'shell':
    case 'unsupported':
    case 'unknown':
      return {
        code: 'cloud-refused',
        message: said,
        remedy: 'Look at what the message says, and run the command again.',
      }
  }
}

/** Nobody has ever signed in: the SDK has looked everywhere for credentials, and nothing was sent. */
function isNobody(message: string): boolean {
  return /Could not load credentials from any providers|Credential is missing/i.test(message)
}

const remedyOf = {
  parameters: 'Correct the inputs that become these parameters, or the declaration of the parameters in the template.',
  template: 'Correct the template where the message says.',
  'too-large':
    'Name a template bucket (`templates: { bucket }` in catalog.yaml): a template of this size goes by way of it.',
  'template-url': 'Let the role read the template bucket, and let the bucket be in the region of the stack.',
  'early-validation': 'Correct what CloudFormation has found before it began; nothing was touched.',
  policy: 'The policy of the stack forbids it. Change the policy in catalog.yaml first, if it may be done.',
} as const
