/**
 * What kind of trouble a message of the cloud tells of. Each has its page: `failure-network` and so on, in docs/problems.
 *
 * - `application`: what the developers ship does not start, does not stay up, or says so itself.
 * - `settings`: the template or an input asks for something that the cloud does not take.
 * - `permission`: somebody may not do something, or may not be trusted to.
 * - `network`: something cannot be reached, or the network's own parts do not fit together.
 * - `quota`: a limit of the account. `capacity`: the cloud has no room for it now.
 * - `taken`: a name or an address belongs to something else. `missing`: something that is referred to is not there.
 * - `export`: stacks that share values stand in each other's way. `state`: something is in use, not empty, or busy.
 * - `policy`: a rule of the organisation, a hook, or a protection forbids it.
 * - `credentials`: whoever deploys is not known to the cloud, or no longer.
 * - `throttled`, `cloud`, `timeout`: the cloud was asked too often, failed itself, or did not finish in its time.
 * - `cascade`: the echo of another failure; never a cause.
 * - `unknown`: none of these can be told from the message. It is a verdict, not a guess.
 */
export type FailureClass =
  | 'application'
  | 'settings'
  | 'permission'
  | 'network'
  | 'quota'
  | 'capacity'
  | 'taken'
  | 'missing'
  | 'export'
  | 'state'
  | 'policy'
  | 'credentials'
  | 'throttled'
  | 'cloud'
  | 'timeout'
  | 'cascade'
  | 'unknown'

/**
 * `by` says what the verdict rests on: the words of the message, the code of the resource's handler, the status of the
 * HTTP answer or the type of the resource, from the surest to the least sure.
 */
export type Classified = {
  readonly is: FailureClass
  readonly by: 'words' | 'code' | 'status' | 'type' | 'nothing'
  /** The words that told it, as they stand in the message. */
  readonly words?: string
}

/** How much of a message is looked at. The telling words come first; a message may have 50,000 characters. */
const most = 4000

/**
 * The class of a failure by what the cloud said and the type of the resource. Text comes first: one handler code is used
 * for very different things (`GeneralServiceException` for a circuit breaker, a quota and a denied access alike).
 */
export function classify(message: string, type = ''): Classified {
  const text = message.slice(0, most)
  for (const { is, words, unless } of phrases) {
    const found = words.exec(text)
    if (found === null || unless?.test(text) === true) continue
    const settled = is === 'timeout' && runsApplication.test(type) ? 'application' : is
    // A custom resource speaks with the voice of the function behind it: what it calls invalid is its own business.
    if (settled === 'settings' && isCustom(type) && !/^Template|Properties validation/i.test(text)) continue
    return { is: settled, by: 'words', words: found[0] }
  }
  const code = /(?:HandlerErrorCode|Error Code): ([A-Za-z0-9.]+)/.exec(text)?.[1] ?? ''
  const byCode = handlerCodes.get(code)
  if (byCode !== undefined)
    return { is: byCode === 'timeout' && runsApplication.test(type) ? 'application' : byCode, by: 'code', words: code }
  const status = Number(/Status Code: (\d{3})\b/.exec(text)?.[1] ?? 0)
  const byStatus = status >= 500 ? 'cloud' : httpStatuses.get(status)
  if (byStatus !== undefined) return { is: byStatus, by: 'status', words: String(status) }
  if (isCustom(type)) return { is: 'application', by: 'type', words: type }
  return { is: 'unknown', by: 'nothing' }
}

/** The resources that run what developers ship: that they do not become stable in time is mostly the doing of that. */
const runsApplication =
  /^AWS::(?:ECS::(?:Service|TaskSet)|Lambda::(?:Function|Version|Alias)|AppRunner::Service|ElasticBeanstalk::Environment|CodeDeploy::)/

function isCustom(type: string): boolean {
  return type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource'
}

type Phrase = { readonly is: FailureClass; readonly words: RegExp; readonly unless?: RegExp }

/** One expression of several; they are tried in their order, without regard to case. */
function any(...sources: readonly string[]): RegExp {
  return new RegExp(sources.join('|'), 'i')
}

const networkParts =
  '(?:security groups?|subnets?|vpcs?|route tables?|internet gateways?|nat gateways?|cidr|network interfaces?|availability zones?)'

/**
 * The words that tell, in the order in which they are believed: the echo of something else first, then what names itself (a limit, a
 * denial), then what is only likely. The messages come from public issues and AWS's documentation; the tests hold them.
 */
const phrases: readonly Phrase[] = [
  {
    is: 'cascade',
    words: any(
      'resource (?:creation|update|deletion) cancell?ed',
      '^the following resource\\(s\\) failed to (?:create|update|delete|import): \\[',
      '^rollback requested by user',
      '^user initiated$',
      'requires the creation of a new physical resource; hence creating one',
      '^embedded stack \\S+ was not successfully',
      '^nested change set \\S+ was not successfully',
    ),
  },
  {
    is: 'credentials',
    words: any(
      'expiredtoken',
      'security token included in the request is (?:expired|invalid)',
      'signature expired',
      'could not load credentials',
      'invalidclienttokenid',
      'unrecognizedclient',
      'not authorized to perform: sts:assumerolewithwebidentity',
    ),
  },
  {
    is: 'policy',
    words: any(
      'the following hook\\(s\\) failed',
      "\\bhook '[^']{1,200}' failed",
      'action (?:denied|not allowed) by stack policy',
      '(?:service|resource) control policy',
      'following rule\\(s\\) failed',
      'terminationprotection is enabled',
      'deletion protection',
    ),
  },
  {
    is: 'throttled',
    words: any(
      'rate exceeded',
      'throttl(?:ed|ing)',
      'too ?many ?requests',
      'request ?limit ?exceeded',
      '\\bslowdown\\b',
      'concurrentmodification',
      'priorrequestnotcomplete',
    ),
  },
  {
    is: 'permission',
    words: any(
      'not authorized to',
      'no (?:identity|resource|session)-based policy allows',
      'no permissions boundary allows',
      'explicit deny',
      'access ?denied',
      'unauthorized(?:tagging)?operation',
      'permissions error performing',
      'encoded authorization failure message',
      'cannot be assumed',
      'unable to assume',
      'passrole',
      'not have (?:sufficient |the )?(?:required )?permissions?',
      "don't have permissions?",
      'insufficient permissions?',
      'have permission to create',
      'insufficientcapabilities',
      'requires capabilities',
      'must accept (?:the )?terms',
      'is not attachable',
      'trust (?:policy|relationship)',
      'role arn must be set in account settings',
    ),
  },
  {
    is: 'export',
    words: any(
      'export \\S+ cannot be (?:deleted|updated) as it is in use',
      'is already exported by stack',
      'no export named',
      'cannot delete export',
      'export names must be unique',
    ),
  },
  {
    is: 'quota',
    words: any(
      'the maximum number of .{1,120}?(?:reached|exceeded)',
      'limit ?exceeded',
      'limits? (?:for|on) .{1,120}? exceeded',
      'limit has been exceeded',
      'exceeds? (?:the |your )?(?:account )?(?:limit|quota)',
      'current vcpu limit',
      'service ?quota',
      'quota .{0,80}?(?:exceeded|reached)',
      'toomanybuckets',
      'attempted to create more',
      'maximum .{1,80}? (?:reached|exceeded)',
      'greater than maximum allowed',
      'insufficientfreeaddressesinsubnet',
      'below its minimum value of',
      "'memorysize'.{0,120}?less than or equal to",
      'limit increase',
      'reached (?:the|your) (?:limit|maximum|quota)',
    ),
  },
  {
    is: 'capacity',
    words: any(
      'insufficient(?:instance|db\\w*)? ?capacity',
      'sufficient .{0,60}?capacity',
      'capacity is unavailable',
      'no container instance met all of its requirements',
      'resource:(?:memory|cpu|eni)\\b',
      'unable to place a task',
      'not supported in your requested availability zone',
    ),
  },
  {
    is: 'settings',
    words: any(
      '^properties validation failed',
      'extraneous key',
      'required property',
      '^template (?:format|validation)? ?error',
      'unresolved resource dependencies',
      'circular dependency',
      '^transform \\S+ failed',
      'malformed(?:policydocument|\\w*exception)',
    ),
  },
  {
    is: 'application',
    words: any(
      'circuit breaker was triggered',
      'tasks? failed to start',
      'failed (?:container|elb) health checks?',
      'health checks? failed',
      'is unhealthy in',
      'essential container in task exited',
      'exited with code',
      'out ?of ?memory',
      'cannotstartcontainer',
      'image ?not ?found',
      'invalidimage',
      'function initialization',
      'could not unzip uploaded file',
      'non-empty zip',
      'unzipped size must be smaller',
      'received response status \\[failed\\] from custom resource',
      'received failure signal',
      'failed to receive \\d+ resource signal',
      'waitcondition (?:timed out|received failed)',
      'did not reach a (?:steady|stable) state',
      'review the application logs',
      'alarms? (?:have|has) been activated',
    ),
    unless: /i\/o timeout|dial tcp|network configuration/i,
  },
  {
    is: 'network',
    words: any(
      'i/o timeout',
      'dial tcp',
      'task network configuration',
      'context deadline exceeded',
      'connect(?:ion)? timed? ?out',
      'no route to host',
      'econnrefused',
      'etimedout',
      'did not receive a response from your custom resource',
      'invalid(?:subnet|vpc|group|securitygroup)\\w*\\.(?:notfound|conflict)',
      `${networkParts}[^;]{0,60}?(?:not exist|conflicts?\\b|overlap|not linked|not in the same|different|not belong|has no|does not have|must be in)`,
      `(?:multiple|at least two|only one)[^.;]{0,20}?${networkParts}`,
      'mapped public address',
    ),
  },
  {
    is: 'application',
    words: any(
      'cannotpullcontainer',
      'pull image manifest',
      'image \\S+ (?:not found|does not exist)',
      'manifest (?:unknown|for)',
      'resourceinitializationerror',
    ),
  },
  {
    is: 'taken',
    words: any(
      'already exists?\\b',
      'alreadyexists',
      'name is not available',
      'custom-named resource requires replacing',
      'alreadyownedbyyou',
      'name conflict',
      'name_conflict',
      'duplicateloadbalancername',
      'with the same name',
      'already associated with a different',
    ),
  },
  {
    is: 'state',
    words: any(
      'is in \\w+ state and can ?not be',
      'in a non-terminal \\[',
      'cannot be executed in its current',
      'operationinprogress',
      'is currently being (?:updated|created|deleted)',
      'resourceconflict',
      'resourceinuse',
      'dependencyviolation',
      'has a dependent object',
      'not empty',
      'still contains',
      'cannot be deleted (?:because|as|while|since)',
      'is (?:already |currently )?in use',
      'in an? (?:invalid|incorrect) state',
    ),
  },
  {
    is: 'missing',
    words: any(
      'could not be found',
      'was not found',
      '\\bnot found\\b',
      'nosuch(?:entity|bucket|key)',
      'do(?:es)? not exist',
      "doesn't exist",
      'resourcenotfound',
      'parameternotfound',
      "can't find",
      'has been deleted',
    ),
  },
  {
    is: 'settings',
    words: any(
      'property validation',
      'validation ?(?:error|exception|failure)',
      'failed validation',
      'failed to satisfy constraint',
      'must (?:be|have|contain|match|specify|provide)\\b',
      'you must\\b',
      'invalid (?:template|request|parameter|value|property|input|principal|id)',
      'invalid(?:parameter|input|viewercertificate)',
      'unrecognized resource types',
      'updates are not allowed for property',
      'no longer supported',
      '\\b(?:not|un)[ -]?supported\\b',
      'does not support',
      'was deprecated',
      'not a valid|is not valid',
      'cannot (?:be )?(?:specif|modif|chang|updat|us)',
      'not allowed',
      'does not match',
      'templateurl must be',
      's3 error',
    ),
  },
  {
    is: 'timeout',
    words: any(
      'exceeded attempts to wait',
      'did not stabilize',
      'failed to stabilize',
      'notstabilized',
      'timed out',
      'time-?out',
    ),
  },
  {
    is: 'cloud',
    words: any(
      'internal ?(?:server ?)?(?:failure|error)',
      'serviceinternal',
      'service ?unavailable',
      'networkfailure',
      'connection pool shut down',
    ),
  },
]

/** https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html */
const handlerCodes: ReadonlyMap<string, FailureClass> = new Map<string, FailureClass>([
  ['AccessDenied', 'permission'],
  ['UnauthorizedTaggingOperation', 'permission'],
  ['InvalidCredentials', 'credentials'],
  ['AlreadyExists', 'taken'],
  ['NotFound', 'missing'],
  ['InvalidRequest', 'settings'],
  ['InvalidTypeConfiguration', 'settings'],
  ['NotUpdatable', 'settings'],
  ['UnsupportedTarget', 'settings'],
  ['NonCompliant', 'policy'],
  ['ServiceLimitExceeded', 'quota'],
  ['Throttling', 'throttled'],
  ['NotStabilized', 'timeout'],
  ['ServiceTimeout', 'timeout'],
  ['ResourceConflict', 'state'],
  ['NetworkFailure', 'cloud'],
  ['InternalFailure', 'cloud'],
  ['ServiceInternalError', 'cloud'],
  ['HandlerInternalFailure', 'cloud'],
])

const httpStatuses: ReadonlyMap<number, FailureClass> = new Map<number, FailureClass>([
  [400, 'settings'],
  [401, 'permission'],
  [403, 'permission'],
  [404, 'missing'],
  [409, 'state'],
  [429, 'throttled'],
])
