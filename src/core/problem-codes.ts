/**
 * Every problem that Protium can report, by its stable code. From this table come the pages in `docs/problems/` and what
 * `protium explain <code>` prints. A code is never reused for something else; a line is added in alphabetical order.
 */
export const problemCodes = {
  'account-shared': {
    title: 'Several stages lie in one account',
    why: 'Who may deploy to a stage may reach what else lies in its account, and limits of the account are met by all of them together. For production it has to be said that this is meant.',
    fix: 'Give each stage an account of its own. If production shall share one all the same: `--shared-account`.',
  },
  'acknowledged-nothing': {
    title: 'Something is acknowledged that lets nothing through',
    why: 'A resource that holds data is replaced or deleted only where its logical id is acknowledged. Nothing would be lost of this one, so the line does nothing now, and would let a later loss through that nobody has looked at.',
    fix: 'Take the logical id out again; or correct it, where another resource was meant.',
  },
  'board-busy': {
    title: 'Others change the board all the time',
    why: 'The board, the one file of the promotions that wait and of the locks, is changed by whoever was first; the others look again. For this change it was never the turn.',
    fix: 'Run the command again in a while.',
  },
  'board-format': {
    title: 'The board cannot be read',
    why: 'The board, the one file of the promotions that wait and of the locks, was changed by hand or written by a newer version. What is held cannot be seen then, so nothing passes.',
    fix: 'Bring the file back as it was; on GitHub it is `board.json` on the branch `protium-board`, with its history.',
  },
  'bundle-layout': {
    title: 'The files are not laid out as a template bundle',
    why: 'What a bundle is for follows from its folders: `infrastructure/` for an environment, `instance_infrastructure/` for a service, a manifest alone for a component.',
    fix: "Lay the files out as AWS Proton's bundles are: `v1/schema/schema.yaml` and a folder with `manifest.yaml` and the template.",
  },
  'catalog-place': {
    title: 'It is not known which repository the catalog is',
    why: 'Upgrades are kept on a branch of the catalog and told of in its issues, so its repository on GitHub has to be known. In a job it is that of the run; at a terminal catalog.yaml has to say it.',
    fix: 'Write `workflows: { repository: owner/name }` in catalog.yaml.',
  },
  'catalog-there': {
    title: 'There is another catalog already',
    why: 'A new catalog was asked for in a folder that has one, and what is asked for is not what is there. Nothing that somebody has written is overwritten.',
    fix: 'Change `catalog.yaml` by hand, and run `protium workflows --write` and `protium trust --write`. Or begin in another folder: `--into`.',
  },
  'changelog-missing': {
    title: 'A version has no notes',
    why: 'What is new in a version is said in `CHANGELOG.md` of the template, under a heading with its number. It is shown with the release, and in every pull request that upgrades a service, so there is no release without it.',
    fix: 'Add `## 2.4.0` to `CHANGELOG.md`, with some lines for those who run the template. `protium version --write` makes the heading with a first draft.',
  },
  'check-failed': {
    title: 'A program that judges templates did not do its work',
    why: 'A check of `policy:` is a program that runs beside Protium. It did not come to its end in its time, ended in another way than it does, or said something that is not its form; so nothing is known of what it was asked.',
    fix: 'Run it by hand on what `protium render` writes, and see what it says. Another version of it may be installed than the one that is meant.',
  },
  'check-finding': {
    title: 'A program that judges templates found something',
    why: 'The catalog has templates judged by cfn-lint or by cfn-guard as well. What one of them finds is a finding of the policy like that of a rule: its name is that of the program and of the rule, `cfn-lint/E3012`.',
    fix: 'Mend the line. A rule that does not fit is made a warning or switched off in `policy:` of catalog.yaml by its name; an exception for a while is a waiver.',
  },
  'check-missing': {
    title: 'A program that judges templates is not installed',
    why: 'The catalog asks for a check, and the program is not on the path of this machine. What it would have found is not known.',
    fix: 'Install it: `pip install cfn-lint`; cfn-guard as its project says. Only where `policy: { require: [...] }` names it is it an error that it is missing.',
  },
  'cloud-access': {
    title: 'The cloud does not allow it',
    why: 'The role that Protium works with lacks a permission, or CloudFormation may not take on the role that it is given. The message names the action, as far as the cloud tells it.',
    fix: 'Add the action to the policy of the role. `docs/cloudformation.md` lists what Protium needs.',
  },
  'cloud-capabilities': {
    title: 'The template does more than the stack is allowed',
    why: 'A template that makes roles, or that is made by macros, is taken only with the word that it may: its capabilities.',
    fix: 'If it may, name the capabilities at the stage in `catalog.yaml`; otherwise take out of the template what asks for them.',
  },
  'cloud-credentials': {
    title: 'The credentials are missing or have run out',
    why: 'Protium finds credentials as the AWS tools do. There are none, they are not valid, or they have expired while an operation was followed.',
    fix: 'Sign in again, or let the job get new credentials. What has begun goes on without them, and the next run finds it.',
  },
  'cloud-quota': {
    title: 'A limit of the account is reached',
    why: 'The cloud limits how many stacks and resources an account may have, and how many are worked on at a time.',
    fix: 'Remove what is no longer needed, or ask for a higher limit.',
  },
  'cloud-refused': {
    title: 'The cloud does not take the request',
    why: 'CloudFormation has answered with an error that Protium has no better word for. The message has its own words.',
    fix: 'Do what the message says, and run the command again. Nothing is done twice.',
  },
  'cloud-unreachable': {
    title: 'The cloud does not answer',
    why: 'Requests were throttled, lost, or answered by a failure of the service, for longer than Protium tries.',
    fix: 'Run the command again in a while. What has begun goes on without it, and is found again.',
  },
  'commit-missing': {
    title: 'The clone does not have a commit',
    why: 'A rollback renders the files as they were at the commit of the deployment that it goes back to, and the clone does not reach back so far.',
    fix: 'Fetch the whole history: `git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout.',
  },
  'commit-overtaken': {
    title: 'A newer commit was deployed before this one',
    why: 'Commits that are merged closely after each other are deployed in their order, but a run may come late, or be started again after days. The newest commit wins in each service and stage, so what was overtaken changes nothing.',
    fix: 'Nothing: the newer commit holds what this one brought, and its own run tells how it fares. To go back on purpose, revert by a pull request.',
  },
  'compatible-environments': {
    title: 'It is not clear which environments the template fits',
    why: 'A service template lists the environment templates that it runs in, with their major versions.',
    fix: 'Write one `name:major` a line in `.compatible-envs`, or a list under `compatible_environments:` in `.template-registration.yaml`.',
  },
  'component-refused': {
    title: 'The template takes no components',
    why: "Only a template whose owners allow it takes additions from a service's own repository.",
    fix: 'Remove the folder `component/`, or let the owners of the template add `supported_component_sources: [DIRECTLY_DEFINED]`.',
  },
  'context-shape': {
    title: 'The context is not a map',
    why: 'What a template sees are names with values. The JSON file that was given holds something else at its top.',
    fix: 'Write one JSON object whose keys are the names that the template uses.',
  },
  'contract-input-missing': {
    title: 'The template reads an input that may not be there',
    why: 'What a template reads as an input has to be in its schema. An input that is neither required nor has a default may be left out by a service, and rendering fails where the template then reads it.',
    fix: 'Correct the name; or add the input to the schema, with a default or under `required`; or read it with `| default(…)` or behind `is defined`.',
  },
  'contract-namespace': {
    title: 'The template reads a name that its kind does not see',
    why: 'Each kind of template sees names of its own: an environment its inputs, an instance its inputs and the outputs of its environment, a pipeline its inputs and all instances of the service. Names of other kinds, and those of the preview of AWS Proton, are undefined.',
    fix: 'Read one of the names that the message lists. `docs/templates.md` has the table.',
  },
  'contract-output-missing': {
    title: 'The environment does not give what the template reads',
    why: 'A service template reads outputs of its environment by name. Each environment template that it says it runs in has to give every one of them, in every environment; otherwise rendering fails there.',
    fix: 'Correct the name, add the output to the environment template, provide for its absence by `| default(…)`, or take the environment template out of `.compatible-envs`.',
  },
  'data-loss': {
    title: 'Data would be lost',
    why: 'A resource that holds data would be deleted, or replaced by an empty one. A plan says so, and a deployment does nothing to its unit, until somebody has said that this one may be lost.',
    fix: 'Keep the resource as it is, or let it stay in the account by `DeletionPolicy: Retain` and `UpdateReplacePolicy: Retain`. If it may be lost, write its logical id under `acknowledge:` in the file of the unit, or give `--acknowledge unit:LogicalId`.',
  },
  'deployment-failed': {
    title: 'A deployment has failed',
    why: 'The provisioner has begun and could not go on; the message has its own words, and what went wrong first. What it had done was rolled back, if the stack says so.',
    fix: 'Mend the cause. What is deployed stays; the next run does the rest.',
  },
  'disk-full': {
    title: 'The disk is full',
    why: 'A file could not be written whole. What was there before is still there, because files are written aside first.',
    fix: 'Free some space and run the command again; it goes on where it stopped.',
  },
  'disk-read-only': {
    title: 'The folder may not be written to',
    why: 'The file system is read-only, or you have no right to write there. Nothing was changed.',
    fix: 'Choose another folder, such as with `--state` or `--out`, or change the rights of this one.',
  },
  'drift-unaccepted': {
    title: 'A change by hand cannot be taken into the files',
    why: 'What runs is taken into the file of a service only where the changed property is exactly one input, so that the edit means what was done. Here it comes from the template, from several inputs, or from a file that is written in a way that cannot be edited safely.',
    fix: 'Change the template or the input by hand as the message says, or bring the stack back to its files: `protium drift --mend`.',
  },
  'drift-unmendable': {
    title: 'A change by hand cannot be brought back',
    why: 'CloudFormation reverts drift only by an update of a stack that is at rest, and not where other stacks are nested in it. The files have to say what is deployed, too: otherwise more than the drift would change.',
    fix: 'Do what the message says; or bring back by hand what was changed by hand, or take it into the files: `protium drift --accept`.',
  },
  'engine-unsupported': {
    title: 'The engine of this part is not run yet',
    why: 'The bundle provisions this part with Terraform or with shell commands. This version of Protium reads such bundles and renders the Jinja parts only.',
    fix: 'Deploy the part with its own tools for now. The message names the part.',
  },
  'environment-missing': {
    title: 'The environment that a service lives in is not deployed',
    why: 'A service is built on what its environment gives out: networks, clusters, keys. Where that is not there, the service can be planned with what the environment would give out, but not deployed.',
    fix: 'Deploy the environment first: its job comes before those of the services where a change touches it. Then run the job of the service again.',
  },
  'environment-twice': {
    title: 'Two environments have one name',
    why: 'Stages refer to environments by name.',
    fix: 'Rename one of them.',
  },
  'event-unreadable': {
    title: 'It is not known what the run is about',
    why: 'GitHub describes what started a workflow in a file that `GITHUB_EVENT_PATH` names. It is missing, or lacks what is needed of it: a number, a commit, a repository.',
    fix: 'Run the action as a step of a workflow, without a `GITHUB_` variable of your own.',
  },
  'export-in-use': {
    title: 'An export is in use by another stack',
    why: 'CloudFormation keeps an exported value as it is while another stack imports it: changing it would pull the ground from under that stack.',
    fix: 'Change the stacks that import it first, so that they take the value from elsewhere.',
  },
  'export-taken': {
    title: 'Two stacks export the same name',
    why: 'The name of an export is unique in an account and region.',
    fix: 'Give one of the two exports another name; one that begins with the name of its stack cannot meet another.',
  },
  'express-refused': {
    title: 'Express mode does not fit this change',
    why: 'In express mode an operation ends before what it has made is seen to work, and a replacement cannot be rolled back from it.',
    fix: 'Deploy this change without `mode: express`.',
  },
  'failure-application': {
    title: 'What was shipped does not start or does not stay up',
    why: 'The cloud made what it was asked for, and then what runs in it ended, answered its health check wrongly, or said itself that it failed. The image may be missing or broken, a variable may be absent, or the code may have a mistake.',
    fix: 'Read the last lines of the log and the reason of the stopped tasks. `protium compare` says what differs from the stage before, where the same image may run well.',
  },
  'failure-capacity': {
    title: 'The cloud has no room for it now',
    why: 'There is no capacity of this kind in that zone at the moment. Nothing is wrong with the template or the service.',
    fix: 'Run the job again later, or ask for another size or another zone.',
  },
  'failure-cascade': {
    title: 'It failed because something else did',
    why: 'The cloud stopped it when another resource had failed. It is never the cause.',
    fix: 'Look at what failed before it.',
  },
  'failure-cloud': {
    title: 'The cloud reports a failure of its own',
    why: 'The service of the cloud that makes the resource had an error inside.',
    fix: 'Run the job again. If it stays, see the health page of AWS.',
  },
  'failure-credentials': {
    title: 'The cloud does not know who deploys',
    why: 'The credentials were over, or are not those of this account.',
    fix: 'Run the job again; if it stays, see the trust of the role of this stage.',
  },
  'failure-export': {
    title: 'Stacks that share values stand in each other’s way',
    why: 'A value that one stack gives out is read by another. It can be neither changed nor taken away while it is read, and cannot be read before it is there.',
    fix: 'Deploy the stack that reads the value first, without it; or the one that gives it out, where it is missing.',
  },
  'failure-missing': {
    title: 'Something that is referred to is not there',
    why: 'A resource, a policy, an image or a file that the template names was deleted, or is called otherwise in this account and region.',
    fix: 'See whether it was deleted by hand: `protium drift`. Otherwise correct the name.',
  },
  'failure-network': {
    title: 'Something cannot be reached, or the network does not fit together',
    why: 'A connection was never made, or subnets, security groups and networks contradict each other.',
    fix: 'See that the subnets and their routes lead to what the message names, and that the security groups let it through.',
  },
  'failure-permission': {
    title: 'Somebody may not do something',
    why: 'A role lacks the permission for an action, may not be assumed, or a rule denies it explicitly. The message names the action, and mostly the role and the resource.',
    fix: 'Let the platform team allow that action to that role. Where several are missing, all of them are listed.',
  },
  'failure-policy': {
    title: 'A rule forbids it',
    why: 'A hook, a policy of the stack or of the organisation, or a protection against deletion stands against it.',
    fix: 'Change what the rule forbids, or ask its owner.',
  },
  'failure-quota': {
    title: 'A limit of the account is reached',
    why: 'The account may have only so many of this resource, or only so much of it.',
    fix: 'Ask for a higher quota, or remove what is no longer used.',
  },
  'failure-settings': {
    title: 'The cloud does not take a value',
    why: 'A property has a value that the resource does not know, does not allow, or cannot be changed to.',
    fix: 'Correct the value that the message names. `protium explain --at` says which line of the template and which input it comes from.',
  },
  'failure-state': {
    title: 'Something holds it',
    why: 'A resource is in use, not empty, or worked on by somebody else.',
    fix: 'Take away what holds it, or wait until it is at rest; then run the job again.',
  },
  'failure-taken': {
    title: 'The name belongs to something else',
    why: 'A resource of this name, or with this address, is there already: of another stack, made by hand, or left by an earlier one.',
    fix: 'Give it another name, remove what has the name, or import that into the stack.',
  },
  'failure-throttled': {
    title: 'The cloud was asked too often',
    why: 'Too many requests came to one service of the cloud at the same time, perhaps from others in the account.',
    fix: 'Run the job again.',
  },
  'failure-timeout': {
    title: 'A resource did not settle in its time',
    why: 'The cloud waited for the resource to become stable, and it did not.',
    fix: 'See the resource in the console: what is it waiting for? Then run the job again.',
  },
  'failure-unknown': {
    title: 'No cause can be told from what the cloud said',
    why: 'The message fits none of the known classes, so no verdict is given. It is shown as it came.',
    fix: 'Read the message. If it should be known, report it: the table of messages grows by each.',
  },
  'file-encoding': {
    title: 'A file is not text',
    why: 'A file that is not UTF-8, or holds zero bytes, cannot be shown in a review and is not read.',
    fix: 'Save it as UTF-8, or keep it outside of the repository.',
  },
  'file-too-large': {
    title: 'A file is too long',
    why: 'Files are bounded so that no repository can exhaust the reader.',
    fix: 'Split the file. The message names the limit.',
  },
  'folder-taken': {
    title: 'The folder holds other things',
    why: 'A new catalog begins in a folder of its own: an empty one, or a fresh repository with a README and a licence. What is there already would become part of it.',
    fix: 'Choose another folder with `--into`, or move away what is there.',
  },
  'git-object': {
    title: 'Git has no content for a file of a released version',
    why: 'The repository was cloned in part, and the version that a service is pinned to is not among what was fetched.',
    fix: 'Fetch everything: `git fetch --tags`, without a filter.',
  },
  'git-ownership': {
    title: 'Git does not trust the folder',
    why: 'The folder belongs to another user, and git reads nothing in such a folder, because its settings could run programs.',
    fix: 'If you trust it, run the `git config` command that the message shows.',
  },
  'github-conflict': {
    title: 'GitHub does not take a change',
    why: 'Something else changed the same thing at the same time, or a rule of the repository is against it. Protium has looked several times whether its change is there, and it is not.',
    fix: 'Look at it on GitHub, then run the command again. What has been done is not done twice.',
  },
  'github-not-found': {
    title: 'GitHub has nothing there',
    why: 'There is no such repository, pull request or commit; or the token may not see it, for GitHub hides what a token may not read.',
    fix: 'Check the name. If it is right, let the token have access to the repository, with the permission that the message names.',
  },
  'github-permission': {
    title: 'The token may not do that',
    why: 'Each job gets a token of just the permissions that its workflow declares, and an App just those that it was given. The message names the one that is missing, as far as GitHub tells it.',
    fix: 'Add the permission under `permissions:` of the job, or to the App. If the token has expired, run the job again.',
  },
  'github-rate-limited': {
    title: 'GitHub takes no more requests for now',
    why: 'GitHub limits how much a token may ask and write in a time. Protium waits as long as GitHub says, but not longer than a quarter of an hour.',
    fix: 'Wait as long as the message says, then run the command again. It goes on where it was.',
  },
  'github-token': {
    title: 'There is no token for GitHub',
    why: 'The command does something on GitHub, and nothing has told it as whom: the variable `GITHUB_TOKEN` is not set, nor `GH_TOKEN`.',
    fix: 'Set `GITHUB_TOKEN`, such as by `GITHUB_TOKEN="$(gh auth token)"`, with the permissions that the message names.',
  },
  'github-unreachable': {
    title: 'GitHub does not answer',
    why: 'The connection broke, or GitHub answered with an error of its own, several times in a row. It is not known whether the last change arrived.',
    fix: 'Run the command again: it looks first, and does only what is left.',
  },
  'glass-refused': {
    title: 'The glass may not be broken',
    why: 'In an emergency some may deploy without soak, freeze and approval: those that `glass.by` in `catalog.yaml` names. It is kept in the record, with the reason.',
    fix: 'Ask one of those who may, or wait for the gates.',
  },
  'health-unwatched': {
    title: 'The cloud watches nothing of this service',
    why: '`health: { from: cloud }` asks the cloud for the targets of load balancers, for services of ECS and functions of Lambda. The template makes none of them, so that nothing could ever be found healthy.',
    fix: 'Let the runner ask an address (`from: runner`), or take `health:` out.',
  },
  'host-ambiguous': {
    title: 'The host could be in two stages',
    why: 'The patterns of two stages in `catalog.yaml` both match this host.',
    fix: 'Correct the patterns; a stage has a label of its own.',
  },
  'host-invalid': {
    title: 'The host is not a DNS name',
    why: 'A host has labels of 1 to 63 letters, digits and hyphens, parted by dots, at most 253 characters in all. It has no protocol, port or path.',
    fix: 'Correct the host.',
  },
  'host-missing': {
    title: 'The template needs an address, and the service has none',
    why: 'What some templates make is called by others: a load balancer leads to it, a name in the DNS, a rule with its host. Such a template marks an input with `x-protium-host`, which gets the host of the service in each stage; a service that names `stages:` alone has no host to give.',
    fix: 'Write `hosts:` with one host for each stage. For a service that nobody calls, take a template that needs no address, such as a queue worker.',
  },
  'host-pattern': {
    title: "The pattern of a stage's hosts cannot be read",
    why: 'A stage recognises its hosts by a pattern in which `{service}` stands for the name of the service, inside one part of the host.',
    fix: 'Write a pattern such as `{service}.dev.{domain}`.',
  },
  'host-patterns-overlap': {
    title: 'One host could be in two stages',
    why: 'The host says which stage a service is in. Two patterns that one host can match would leave it open, so the catalog is refused before anybody deploys that host.',
    fix: 'Give each stage a label of its own, as in `{service}.dev.{domain}` and `{service}.{domain}`. The message shows a host that both match.',
  },
  'host-service': {
    title: 'The host names another service',
    why: 'The first part of a host is the name of the service, by the pattern of its stage.',
    fix: 'Correct the host, or the name under `service:`.',
  },
  'host-taken': {
    title: 'The host is taken',
    why: 'A host leads to one service. Two services that claim it would take it from each other with each deployment.',
    fix: 'Remove the host from one of the two; the message shows both places.',
  },
  'host-unclaimed': {
    title: 'The host belongs to no stage',
    why: 'The host says which stage a service is in, and no pattern in `catalog.yaml` matches this one.',
    fix: 'Correct the host; the message shows the hosts that this service can have.',
  },
  'image-tag': {
    title: 'An image is named by a tag in production',
    why: 'A tag can be moved, so what runs in production might not be what was tried before. A digest cannot be moved.',
    fix: 'Name the image by its digest, `name@sha256:…`. A build that hands on its digest does it by itself.',
  },
  'input-type': {
    title: 'An input has the wrong type',
    why: "The template's schema wants another type, a number where there is text, for example.",
    fix: 'Correct the value. Text that looks like a number stands in quotes, a number does not.',
  },
  'input-unanswered': {
    title: 'An upgrade asks for a value',
    why: 'The new version of the template needs something that nobody but the owner of the service can know. The upgrade has put a question where the answer shall stand: a text that begins with `??`.',
    fix: 'Write the value in its place. What is wanted stands behind the question marks.',
  },
  'input-value': {
    title: 'An input breaks a rule of the template',
    why: "The value is out of range, too long, not one of the allowed ones, or does not match the pattern in the template's schema.",
    fix: 'Correct the value; the message says what is allowed.',
  },
  'instance-twice': {
    title: 'Two instances have one name',
    why: 'The instances of a service are told apart by their names.',
    fix: 'Rename one of them.',
  },
  interrupted: {
    title: 'The work was stopped before it had ended',
    why: 'Somebody stopped the run. What was done is kept, and the stack knows how far it got.',
    fix: 'Run the same command again: it goes on from there.',
  },
  'irregular-form': {
    title: 'A file or a key has an old or misspelt name',
    why: 'AWS Proton took this form, and so does Protium. Other tools may not.',
    fix: 'Rename it as the message says.',
  },
  'keep-nothing': {
    title: 'An id is kept that the template does not have',
    why: 'Under `keep:` stands which logical id the live stacks have for a resource that the template calls otherwise. The template has no resource of this name, so the line does nothing.',
    fix: 'Correct the name, which is that in the template; or remove the line, if the resource is gone.',
  },
  'keep-taken': {
    title: 'A kept id belongs to something else',
    why: 'Under `keep:` a resource is given the logical id that the live stacks have. The template has something else of this id, and a stack has each id once.',
    fix: 'Correct the line. If the template has a new resource of the old name, it has to take another.',
  },
  'ledger-broken': {
    title: 'The ledger is not as it was written',
    why: 'The ledger is a branch to which each deployment adds one record, which names the digest of the record before it. Nothing in it is ever changed or taken away; where that was done all the same, the digests no longer fit.',
    fix: 'Find the commit that did it with `git log origin/protium-ledger`, bring the record back, and protect the branch by a ruleset that lets it move forward only.',
  },
  'listener-priority-taken': {
    title: 'Two rules of a listener have one priority',
    why: 'A load balancer reads the rules of a listener in the order of their priorities, so each has a number of its own. Templates often compute the number from a name, and two names may give the same one. AWS would refuse the second rule in the middle of a deployment.',
    fix: 'Give one of the two services another number: `rule_priority:` under its `inputs:`. Only units that are rendered together are compared, so `protium validate` without a name finds what a check of one service does not.',
  },
  'lock-held': {
    title: 'Somebody else holds the lock',
    why: 'A service or one of its stages has one lock at a time, and it was taken before. The message says by whom, since when and why.',
    fix: 'Ask who holds it to give it back. The members of the catalog’s `locks.by` may break it, which is recorded.',
  },
  'manifest-invalid': {
    title: 'The manifest is not built as Proton wants it',
    why: '`manifest.yaml` says which file is rendered, and by which engine. It has one entry, or one for each of several CloudFormation files that are one stack.',
    fix: 'Correct what the message names.',
  },
  'migration-example': {
    title: 'An example of a migration does not come out',
    why: 'Each file in `migrations/` shows by examples what becomes of inputs, and the examples are tried. A migration whose examples fail would change the files of services in a way that nobody wanted.',
    fix: 'Correct the steps, or the example. `ask:` and `block:` of an example name the inputs that are asked for, or that stand in the way.',
  },
  'migration-missing': {
    title: 'A new required input has no migration',
    why: 'A version asks for an input that nobody has given so far. Whoever upgrades would have to find out what to write there, in every service by hand.',
    fix: 'Give the input a default, or add a migration to `templates/<name>/migrations/<version>.yaml` that says where its value comes from: `rename`, `default`, `compute` or `ask`.',
  },
  'migration-step': {
    title: 'A step of a migration has no meaning',
    why: 'Steps are taken in the files of all services, and once more where an upgrade is made again. A step that writes to an input that is none, whose expression cannot be read, or that would change again what it has changed, is refused before.',
    fix: 'Correct the step; the message says what is in its way.',
  },
  'migration-version': {
    title: 'A migration does not say which version it leads to',
    why: 'The name of the file is the exact version: `templates/<name>/migrations/3.0.0.yaml`. On the way from a lower version to that one or a higher one its steps are taken.',
    fix: 'Rename the file, or correct `to:`.',
  },
  'missing-argument': {
    title: 'A command lacks an argument that it needs',
    why: 'A command was called without a value that it cannot do without, so it did not start.',
    fix: 'Give the value that the message names. `protium help <command>` shows all of them.',
  },
  'missing-file': {
    title: 'A file is missing',
    why: 'A file that a command or another file names, or that a bundle cannot do without, is not there.',
    fix: 'Add the file, or correct its name.',
  },
  'missing-input': {
    title: 'An input without a default is not given',
    why: 'The template requires this input and has no default for it.',
    fix: 'Add the input under `inputs:`.',
  },
  'missing-key': {
    title: 'A key is missing',
    why: 'The file lacks a key without which it means nothing.',
    fix: 'Add the key that the message names.',
  },
  'no-base': {
    title: 'It is not known what a change is compared with',
    why: 'What a change of templates does is seen by rendering everything as it was before, and as it is now. The commit before is not named, the clone does not reach back to it, or there is no catalog in it.',
    fix: 'Fetch the whole history: `fetch-depth: 0` of actions/checkout, `git fetch --unshallow` at a terminal. Or name another commit, a branch or a tag: `--since main`.',
  },
  'no-folder': {
    title: 'There is no such folder',
    why: 'A command was told to read a folder that is not there.',
    fix: 'Correct the path, or make the folder.',
  },
  'no-ledger': {
    title: 'There is no ledger to check',
    why: 'The ledger is the branch `protium-ledger` of the repository in which deployments run. Git checks what it has fetched, and it has fetched no such branch; before the first deployment there is none.',
    fix: 'Run `git fetch origin protium-ledger:refs/remotes/origin/protium-ledger` in a clone of that repository, and check again.',
  },
  'no-pipeline': {
    title: 'The template has no pipeline',
    why: '`pipeline:` asks for the pipeline of the template, and this version of it has none.',
    fix: 'Remove `pipeline:`.',
  },
  'no-product': {
    title: 'This is no copy of Protium to begin from',
    why: 'A new catalog is given templates, workflows and, if wanted, the actions of the copy of Protium that `protium init` runs from. A step of a workflow has only the built actions.',
    fix: 'Run `protium init` at a terminal, in a clone of Protium.',
  },
  'no-stages': {
    title: 'The service is in no stage',
    why: 'The hosts of a service say its stages. A service that answers on no host names them under `stages:`.',
    fix: 'Add `hosts:` or `stages:`.',
  },
  'not-a-domain': {
    title: 'It is no domain',
    why: 'Services answer below a domain that somebody holds, `checkout.dev.example.com`. What was given is no name of DNS, or one that belongs to nobody.',
    fix: 'Write the name alone, such as example.com: no protocol, no path, no port.',
  },
  'not-a-file': {
    title: 'An entry is no regular file',
    why: 'Links, pipes and submodules lead to content that nobody reviewed here, so they are never followed.',
    fix: 'Put a copy of the content in its place, or remove the entry.',
  },
  'not-at-github': {
    title: 'There is no pull request to speak to',
    why: 'What was asked for is said on GitHub: on a pull request or a commit. That takes a step of a workflow that is about one, and a token for it.',
    fix: 'Call the action from the workflows that `protium workflows --write` makes; or leave out the option that speaks to GitHub.',
  },
  'not-merged': {
    title: 'The commit is not what is merged',
    why: 'A deployment from a workflow is that of a commit on the default branch, as it was pushed there; a rollback is started there, and goes back to such a commit. The run is about something else, or its files are those of another commit.',
    fix: 'Merge the pull request, and let the workflow on `push` deploy it.',
  },
  'nothing-to-render': {
    title: 'The template has nothing to provision',
    why: 'The bundle is one of the kind that the customer manages: it describes outputs and has no infrastructure.',
    fix: 'Name a template with infrastructure, or leave the unit out.',
  },
  'nothing-to-roll-back-to': {
    title: 'There is nothing to roll back to',
    why: 'A rollback goes to an earlier deployment that ended well, and the records name none, or none that was made from a commit.',
    fix: 'Name another record with `--to`, or revert the change in git and deploy that.',
  },
  'option-value': {
    title: 'The value of an option is not of its kind',
    why: 'An option was given a value that it cannot read, or none at all, so the command did not start.',
    fix: 'Correct the value; the message says what it may be. `protium help <command>` shows all options.',
  },
  'outcome-unknown': {
    title: 'It is not known how the operation ended',
    why: 'What was begun could not be followed to its end: the credentials expired, or the cloud did not answer any more. It goes on by itself there.',
    fix: 'Run the same command again: it takes up what is under way, and tells how it ended. `protium status` shows the stack.',
  },
  'parameter-missing': {
    title: 'No parameter takes the input',
    why: 'The template is taken as it is (`rendering_engine: none`), so an input can do nothing but fill a Parameter of its name. Names are compared without regard to case and `_`.',
    fix: 'Add the Parameter to the template, correct the name, or take the input out of the schema.',
  },
  'parameter-secret': {
    title: 'A parameter that is not to be shown is filled by an open input',
    why: 'What fills a Parameter with `NoEcho` stands in a file that everybody reads. So it must be a reference to a secret, and never the secret.',
    fix: 'Write `x-protium-secret: true` at the input in the schema. It takes the ARN or the path of a secret then, or `{{resolve:secretsmanager:…}}`.',
  },
  'parameter-unfilled': {
    title: 'Nothing fills a parameter',
    why: 'A Parameter without a `Default` has to get a value: from an input of its name, from an output of the environment of its name, or as one of `ServiceName`, `StageName`, `EnvironmentName` and `ComponentName`.',
    fix: 'Add an input to the schema, an output to the environment, or a `Default` to the Parameter.',
  },
  'parameter-value': {
    title: 'A parameter cannot take the value',
    why: 'Parameters are texts. A list becomes one with commas between its elements, which an element with a comma in it would break.',
    fix: 'Change the value, or take it in another form, such as a text.',
  },
  'path-outside-bundle': {
    title: 'A path leads out of the bundle',
    why: 'A bundle is versioned, reviewed and hashed as a whole. What lies outside of it could change without a new version.',
    fix: 'Move the file into the bundle, and name it from the folder of the manifest.',
  },
  'path-taken': {
    title: 'Something else has the name of a file or folder to be written',
    why: 'A folder is where a file shall be, or a file or a link where a folder shall be. Nothing is written through a link.',
    fix: 'Move it away, or choose another folder.',
  },
  'path-twins': {
    title: 'Two files differ only in upper and lower case',
    why: 'Windows and macOS see such names as one file, so a checkout there holds only one of the two.',
    fix: 'Rename one of them.',
  },
  'plan-edited': {
    title: 'The plan was changed after it was made',
    why: 'A plan carries the digest of its units. It no longer fits, so what would be applied is not what was reviewed.',
    fix: 'Make the plan again with `protium plan --out <file>`, and have that one reviewed.',
  },
  'plan-format': {
    title: 'The file is not a plan that this version reads',
    why: 'A plan is the JSON that `protium plan --out <file>` writes. This file is something else, damaged, or written by a newer version.',
    fix: 'Make the plan again with `protium plan --out <file>`, with the version that applies it.',
  },
  'plan-missing': {
    title: 'A stage was not planned',
    why: 'Each stage is planned by a job of its own, which may look into that stage alone. One of them failed, or was not allowed to look; so nobody has seen what merging would do there.',
    fix: 'See in the log of that job why it failed, mend it, and run the failed jobs again.',
  },
  'plan-stale': {
    title: 'A plan no longer holds',
    why: 'A plan is applied as it was reviewed or not at all. Since it was made, what is wanted or what is live has changed, so something else would happen than was shown. Nothing was touched.',
    fix: 'Make the plan again with `protium plan --out <file>` and have that one reviewed.',
  },
  'policy-log-retention': {
    title: 'A log is kept for ever',
    why: 'A log group without a retention keeps everything it ever got: it costs more each month, and holds personal data longer than anyone answers for.',
    fix: 'Set `RetentionInDays`, and let functions and containers write into that group.',
  },
  'policy-open-ingress': {
    title: 'A security group lets everybody in',
    why: 'Whatever listens behind the group can be reached, and attacked, from the whole internet. Only a public load balancer is meant for everybody, on the ports 80 and 443 it listens on.',
    fix: 'Name the security group of the caller as the source. A case of your own is excused in the resource: `Metadata: { protium: { allow: { policy-open-ingress: the reason } } }`.',
  },
  'policy-open-trust': {
    title: 'Everybody may take a role',
    why: 'A role that trusts the principal `*` can be used from any AWS account.',
    fix: 'Name the service or the account that takes the role, or narrow the statement by a `Condition`.',
  },
  'policy-public-listener': {
    title: 'A public listener is not encrypted well',
    why: 'What goes between people and a public load balancer passes through networks of others. Plain HTTP, and TLS before 1.2, can be read and changed there.',
    fix: 'Redirect HTTP to HTTPS, and set an `SslPolicy` of TLS 1.2 or later.',
  },
  'policy-rule': {
    title: 'A rule of the catalog is not kept',
    why: 'The platform team has written a rule under `policy:` in catalog.yaml. Its text says why there is such a rule, and the place is the line of the template that breaks it, with the inputs that took part.',
    fix: 'Mend the line, or the input behind it. What cannot be mended yet gets a waiver in the catalog: `waivers/<name>.yaml`, with an owner, a reason and an end.',
  },
  'policy-unencrypted': {
    title: 'A store is not encrypted at rest',
    why: 'Data on a disk that is copied, kept or thrown away can be read unless it is encrypted.',
    fix: 'Set the property that the message names. On a store with data, look in the plan whether the change replaces it.',
  },
  'policy-unretained-store': {
    title: 'A store of production dies with its stack',
    why: 'A stack that is deleted, or a change that replaces a resource, takes its data along unless the resource says otherwise.',
    fix: 'Write `DeletionPolicy: Retain` and `UpdateReplacePolicy: Retain` for stores in production.',
  },
  'policy-wildcard-action': {
    title: 'A role may do everything',
    why: 'A wildcard grants actions that nobody thought of, also those that AWS adds later. One hole in a service is then a hole in the account.',
    fix: 'List the actions that the service uses. Families that only read, such as `s3:Get*`, may have a star.',
  },
  'policy-wildcard-resource': {
    title: 'A role reaches every resource',
    why: 'An action on `*` reaches the stores of all other services in the account.',
    fix: 'Name the resources by their ARNs. Where AWS knows nothing narrower than `*`, give those actions a statement of their own.',
  },
  'proton-current-value': {
    title: 'The current value is not known',
    why: 'In specs of AWS Proton, `${Proton::CURRENT_VAL}` stood for the value that was deployed. Without Proton there is nobody to ask.',
    fix: 'Write the value itself.',
  },
  'proton-quota': {
    title: 'The bundle is beyond a quota of AWS Proton',
    why: 'Protium has no such limit. It is told because AWS Proton would have refused the bundle.',
    fix: 'Nothing has to be done.',
  },
  'provisioner-missing': {
    title: 'There is no such provisioner in this version',
    why: 'The file of an environment names what brings its stacks to life. This version has `local`, which keeps them as files on this machine.',
    fix: 'Write `provisioner: local` in the environment’s file to rehearse it here, or use a version that has the provisioner.',
  },
  'provisioner-unsupported': {
    title: 'This version cannot deploy to the environment',
    why: 'The environment names a provisioner that this version knows by name alone. All that lives there is rendered and checked as everywhere; `plan` and `deploy` are refused (`provisioner-missing`).',
    fix: 'Nothing has to be done to check it. Write `provisioner: local` to rehearse it on this machine.',
  },
  'proxy-unusable': {
    title: 'The proxy cannot be used',
    why: 'A runner behind a proxy names it in `https_proxy`, `http_proxy` and `no_proxy`. What is named is no address, or the Node of the runner takes it only when it begins.',
    fix: 'Write the address as `http://host:port`. If the runner is an old one, set `NODE_USE_ENV_PROXY: 1` in `env:` of the job.',
  },
  'record-exists': {
    title: 'There is a record with that name already',
    why: 'Each attempt has a record of its own, which is never written again. Two runs began in the same millisecond.',
    fix: 'Run the command again.',
  },
  'record-format': {
    title: 'A record cannot be read',
    why: 'The file is damaged, or was written by a newer version. It is not passed over, because what is deployed is known from the records.',
    fix: 'Use the version that wrote it, or move the file out of the folder of records.',
  },
  'recovery-loses-data': {
    title: 'Mending the stack would lose data',
    why: 'An operation has left the stack in a state from which it can only be deleted or rolled back, and something in it may hold data. That is for a person to decide.',
    fix: 'The message has the exact command, and names what would be lost.',
  },
  'release-changed': {
    title: 'A released version is not what was released',
    why: 'A version is recorded on the ledger with the commit and the digest of its bundle when it is released. The tag now leads to another commit, or to another content; so somebody has moved it, and what would be deployed is not what was reviewed.',
    fix: 'Put the tag back on the commit that the record names, or fetch the tags anew if only this clone has another one (`git fetch --tags --force`). A ruleset for tags keeps them from being moved.',
  },
  'release-damaged': {
    title: 'The record of a release cannot be read',
    why: 'The file of a release on the branch `protium-ledger` was changed by hand, or written by a newer version. What was released can then not be verified, so the version is not used.',
    fix: 'Bring the file back as it was: `protium ledger` names what is wrong, and the branch has its history.',
  },
  'release-taken': {
    title: 'A tag of that name is there with another content',
    why: 'Somebody has made the tag of a version by hand, or two changes have claimed one number. A released version never changes, so the tag is neither moved nor taken over.',
    fix: 'If the tag is wrong and nobody uses it, delete it and run the release again; otherwise give the bundle the next number: `protium version --write`.',
  },
  'rendering-unknown': {
    title: 'Nothing renders to this file',
    why: 'To explain a line of a rendered file, everything is rendered once more and the text that is equal to the file is looked for. There is none: the file was changed, or it was rendered from other files, inputs or outputs.',
    fix: 'Render again with `protium render --out DIR` and name the new file, or name the unit: `protium explain --at checkout/dev:212`.',
  },
  'repository-name': {
    title: 'GitHub takes no repository of that name',
    why: 'The workflows of the catalog are called by the name of its repository, so it has to be one that GitHub takes: an owner with letters, digits and single hyphens, and a name with letters, digits, ".", "-" and "_".',
    fix: 'Correct the name.',
  },
  'request-mismatch': {
    title: 'The plan request is one of another commit',
    why: 'What one job renders is handed to the next ones as an artifact. It says which commit it is of, and each job compares that with the commit of its own run, so that an artifact which was swapped between jobs or runs is not believed.',
    fix: 'Run the whole workflow again. If it comes again, look for a job beside `validate` that writes an artifact of that name.',
  },
  'resume-failed': {
    title: 'A promotion that waits could not be looked after',
    why: 'Of each promotion that waits it is looked whether it may go on, and its job is started again. GitHub did not allow that of this one; the others were looked after.',
    fix: 'Do what is said. The next resume tries it again; a person who may can run the job by hand.',
  },
  'role-unbounded': {
    title: 'A template makes a role without the boundary',
    why: 'A role that a template makes could be allowed more than what made it. So CloudFormation, where its role is made by `protium trust`, may make roles only with the boundary of the account, and a deployment without it would fail.',
    fix: 'Give each role of the template the property `PermissionsBoundary`; docs/accounts.md shows it.',
  },
  'rolled-back': {
    title: 'The commit was rolled back from',
    why: 'Somebody went back from what this commit, or one after it, had deployed. The same commit would bring the same trouble, and one before it was to be live earlier, so the stage waits for a new one.',
    fix: 'Mend what was wrong and push; a new commit goes through the stages again.',
  },
  'rollout-format': {
    title: 'What is kept of rollouts cannot be read',
    why: 'A file on the branch `protium-rollouts` was changed by hand, or written by a newer version. It holds how far releases have come and what people have declined; without it somebody could be asked again who has said no, so nothing is opened.',
    fix: 'Bring the file back as it was; the branch has its history. Where a newer version wrote it, use that one.',
  },
  'rollouts-busy': {
    title: 'Another run is at work on the upgrades',
    why: 'How far rollouts have come is one state, on the branch `protium-rollouts` of the catalog. GitHub took what another run has written there, so this one has stopped before it did anything twice.',
    fix: 'Let the other run end, and run the command again if something is left.',
  },
  'run-over': {
    title: 'A promotion waits whose run cannot be started again',
    why: 'A promotion goes on when the job that held it is started again. GitHub starts no run that is older than 30 days or was started 50 times, and none that was deleted. What waited is still on the board, with this reason.',
    fix: 'Merge a new commit; an empty one does. It goes through the stages again, and takes the place of this one.',
  },

  'schema-default': {
    title: 'A default breaks the rules of its own input',
    why: 'The schema gives an input a default that the same schema would refuse if somebody wrote it.',
    fix: 'Change the default or the rule.',
  },
  'schema-invalid': {
    title: 'The schema file is not built as Proton wants it',
    why: "A bundle's `schema/schema.yaml` holds `schema:` with `format.openapi`, an input type and `types:`. Without them no input can be checked.",
    fix: "Correct what the message names. The layout is that of AWS Proton's schema files.",
  },
  'schema-keyword': {
    title: 'A keyword of a schema is not known',
    why: 'A rule that is not known would be ignored, and inputs that break it would pass.',
    fix: 'Correct the keyword, or remove it. Protium reads the keywords of OpenAPI 3.0 for types, ranges, lengths, patterns, lists and maps, and its own `x-protium-…`.',
  },
  'schema-limit': {
    title: 'The schema is too large',
    why: 'A schema may have 500 properties and 16 levels, so that checking stays fast for a whole organisation.',
    fix: 'Split the template, or drop inputs that nobody sets.',
  },
  'schema-pattern': {
    title: 'The pattern of an input cannot be used',
    why: 'Patterns are matched in time linear in the text, so that no input can stall a check. Look-around, back-references and very large repetitions cannot be matched so.',
    fix: 'Write the pattern without them, or use `enum`, `minLength` and `maxLength`.',
  },
  'schema-ref': {
    title: 'A reference of a schema leads nowhere',
    why: 'A `$ref` names a type that the schema does not have, that lies in another file, or that contains itself.',
    fix: 'Refer to a type under `types:` as `#/TypeName`.',
  },
  'secret-value': {
    title: 'A secret stands in a file',
    why: 'A value that is or looks like a secret would be kept in git for ever and shown in plans.',
    fix: "Put the secret into SSM Parameter Store or Secrets Manager and write its ARN here. If the secret was pushed already, replace it. An input that is none gets `x-protium-secret: false` in the template's schema.",
  },
  'service-folder': {
    title: 'The folder of a service has another name',
    why: 'A service lies in the folder of its name, `services/checkout/service.yaml`. So no two can have one name, and a change of one is checked without reading all others.',
    fix: 'Rename the folder, or the service in `service:` and its hosts.',
  },
  'service-name': {
    title: 'A service cannot have this name',
    why: 'Units are named by service and stage, `checkout/dev`, and environments by `environment/dev`.',
    fix: 'Rename the service.',
  },
  'service-twice': {
    title: 'Two services have one name',
    why: "The name of a service is unique in the catalog's reach: its hosts and stacks are named after it.",
    fix: 'Rename one of them.',
  },
  'skeleton-invalid': {
    title: 'The skeleton of a template is not as it has to be',
    why: 'The files in `skeleton/` are written to the repository of each service of the template, and `skeleton.yaml` says whose they are from then on. What it says has to be of files that there are, and a block needs a type of file that has comments.',
    fix: 'Correct what the message names.',
  },
  'skeleton-path': {
    title: 'A template would write where it must not',
    why: 'A skeleton writes to the repositories of others, in all of them at once. What lies in `.github/` runs with the rights of the repository or decides who has to agree, and some files are those of its people or of Protium; no template writes there, whatever its name renders to.',
    fix: 'Give the file another name. Workflows of services come from the catalog: `protium workflows`.',
  },
  'stack-attribute': {
    title: 'The resource type has no such attribute',
    why: '`Fn::GetAtt` (or `${Name.Attribute}`) asks for an attribute that the resource type does not return, so the stack could not be created.',
    fix: 'Use one of the attributes that the message lists, or `Ref` for the physical id.',
  },
  'stack-busy': {
    title: 'The stack is being worked on',
    why: 'Two operations on one stack would undo each other, so the second one waits its turn.',
    fix: 'Wait until the other run has ended, then run this again.',
  },
  'stack-cycle': {
    title: 'Resources depend on each other in a circle',
    why: 'CloudFormation creates a resource after those that it refers to. In a circle no resource can be the first.',
    fix: 'Break the circle: the message names it in order. A security group rule, for example, can be a resource of its own.',
  },
  'stack-fixed-name': {
    title: 'A resource with a fixed name would be replaced',
    why: 'CloudFormation makes the new resource before it deletes the old one, and two cannot have one name.',
    fix: 'Give the resource another name in the same change, or leave the name to CloudFormation.',
  },
  'stack-import': {
    title: 'No stack exports this name',
    why: '`Fn::ImportValue` takes the value from another stack of the same account and region, and none of them exports this name.',
    fix: 'Deploy the stack that exports it first, or correct the name.',
  },
  'stack-intrinsic': {
    title: 'An intrinsic function is not written or not used as CloudFormation asks',
    why: 'The function has another shape than CloudFormation accepts, or its arguments lead to no value.',
    fix: 'Write it as the message shows.',
  },
  'stack-limit': {
    title: 'The stack is beyond a limit of CloudFormation',
    why: 'CloudFormation refuses a template that is larger, or has more parts or longer names, than its limits allow.',
    fix: 'Split the stack, or shorten what the message names.',
  },
  'stack-name': {
    title: 'A stack cannot have this name',
    why: 'CloudFormation takes letters, digits and `-`, a letter first, at most 128 characters; and each instance needs a stack of its own.',
    fix: 'Shorten or correct the name, or `stacks.name` in `catalog.yaml`.',
  },
  'stack-option': {
    title: 'The catalog asks for something that stacks do not take',
    why: 'What `stages.<name>.stack` says is set on every stack of the stage. CloudFormation would refuse it, or it would not do what it is there for, and that would be seen only when somebody deploys.',
    fix: 'The message says what fits. Without the line, what is safe is done.',
  },
  'stack-owner': {
    title: 'The stack belongs to another repository',
    why: 'A stack carries the id of the repository that deploys it, in the tag `protium:owner`. Two repositories that claim one name would undo each other’s work, so the one that owns the live stack keeps it.',
    fix: 'Choose another name, or a stack of your own by `stack:`. In a terminal, say for which repository you work: `--owner`, or `owner:` in catalog.yaml.',
  },
  'stack-parameter': {
    title: 'A parameter of the stack does not accept its value',
    why: 'A value is missing, is not of the type that the template declares, or breaks one of its rules (`AllowedValues`, `AllowedPattern`, lengths, bounds).',
    fix: 'Give a value that fits, or change the declaration in `Parameters`.',
  },
  'stack-property': {
    title: 'The resource type has no such property',
    why: 'A property is written that the resource type does not have, so CloudFormation would refuse it.',
    fix: 'Correct the name, or remove it. If the property is newer than this version of Protium, go on.',
  },
  'stack-protected': {
    title: 'The stack is protected from deletion',
    why: 'Termination protection is switched on for the stack. Protium never switches it off to delete a stack.',
    fix: 'If the stack may go, switch the protection off as the message shows, and run the command again.',
  },
  'stack-reference': {
    title: 'The template refers to something that it does not have',
    why: 'A `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::FindInMap`, `DependsOn` or `Condition` names a resource, parameter, mapping or condition that is not in the template.',
    fix: 'Correct the name; the message says which is near. What stands under a condition can be asked for only under that condition.',
  },
  'stack-refused': {
    title: 'The provisioner does not take the template',
    why: 'The template evaluates to something that cannot be deployed, given what other stacks export at this moment.',
    fix: 'Mend the template as the message says; `protium validate` finds most of it beforehand.',
  },
  'stack-section': {
    title: 'A part of the template is missing or is not known',
    why: 'The template has a section or an attribute that CloudFormation does not know, or lacks one that it needs.',
    fix: 'Correct or remove what the message names.',
  },
  'stack-stuck': {
    title: 'The stack is stuck, and mending it was tried',
    why: 'An operation has failed, and what brings a stack back from that has failed too. The message names the resources that are in the way, with the reasons that the cloud gives.',
    fix: 'Take away what stops it and run the command again, or run the command that the message shows.',
  },
  'stack-taken': {
    title: 'Two units would share a stack',
    why: 'A unit is a stack. Two of one name in one account and region would overwrite each other.',
    fix: 'Rename one of them, or give it a stack of its own name by `stack:`.',
  },
  'stack-transform': {
    title: 'The template needs a macro that runs only in the account',
    why: 'Transforms and macros are programs in an account. Without one, what they make of the template cannot be known.',
    fix: 'Use plain resources, or deploy this unit with `provisioner: cloudformation`.',
  },
  'stack-type': {
    title: 'The resource type is not known',
    why: 'No resource type of this name is in the specification that Protium carries. It may be misspelt, or newer than this version.',
    fix: "Correct the name, or go on if the type exists in your account's registry.",
  },
  'stage-not-proved': {
    title: 'The stage before has not been proved',
    why: 'Stages come one after the other: a commit is deployed to a stage when it has been deployed to the one before, in the same version of the template, and nothing has failed there since.',
    fix: 'See why the stage before has failed, or run its job again; then this one.',
  },
  'stage-without-host': {
    title: 'A stage is named that the service has no host in',
    why: 'The hosts of a service decide its stages, so what is set for another stage would never be used.',
    fix: 'Add the host of that stage, or remove the stage.',
  },
  'state-damaged': {
    title: 'A state file is damaged',
    why: 'A file in the folder of the local stacks is not what Protium wrote: it was changed by hand, or cut short.',
    fix: 'Restore it from a copy, or remove it; the stack then counts as absent.',
  },
  'state-locked': {
    title: 'Another run works on the state folder',
    why: 'Only one run at a time may change a folder of stacks. This one stepped back and changed nothing.',
    fix: 'Wait until the other has ended. If there is no such process any more, remove the file that the message names.',
  },
  'state-newer-format': {
    title: 'The state folder is of a newer version',
    why: 'A newer version of Protium wrote it, in a form that this one does not know. It is left as it is.',
    fix: 'Use that version, or another folder: `--state`.',
  },
  'state-unreadable': {
    title: 'A state file cannot be read',
    why: 'You have no right to read it, or the disk does not give it.',
    fix: 'Change the rights of the file, or choose another folder: `--state`.',
  },
  'template-bucket': {
    title: 'The bucket for large templates cannot be used',
    why: 'CloudFormation takes a template of more than 51,200 bytes from a bucket only. None is named for this environment, or it cannot be written or read with these credentials.',
    fix: 'Name one with `template_bucket:` in the file of the environment, in its account and region, and allow the role to read and write it.',
  },
  'template-gone': {
    title: 'The catalog no longer has what is in use',
    why: 'The template was renamed or deleted, or the folder of its major is gone. What was released is still rendered from its tag; but it gets no mends, no upgrades and no help.',
    fix: 'Bring the folder back as it was released, or move those who run it to another template first.',
  },
  'template-incompatible': {
    title: 'The template does not run in this environment',
    why: 'A service template lists the environment templates whose outputs it needs. This stage lies in an environment of another one.',
    fix: 'Choose a template or version that fits the environment.',
  },
  'template-kind': {
    title: 'The versions of a template are of different kinds',
    why: 'A template makes environments, services or components, and every version of it the same.',
    fix: 'Correct `kind:` in `template.yaml`, or make another template for the other files.',
  },
  'template-limit': {
    title: 'A template is too large or takes too much',
    why: 'The size of a template, its nesting, its output and the steps that it takes are bounded, so that no file can exhaust whoever checks it.',
    fix: 'Make the template smaller, or loop over less. The message names the bound.',
  },
  'template-merge': {
    title: 'Two templates of one stack have the same name in them',
    why: 'A manifest may list several CloudFormation files. They are rendered one by one and become one stack, so their resources, outputs and parameters have one space of names.',
    fix: 'Rename one of the two, or keep it in one of the files; the others refer to it with `Ref` and `Fn::GetAtt`.',
  },
  'template-name': {
    title: 'A template cannot have this name',
    why: 'The name is part of tags, references and file names.',
    fix: 'Use letters, digits, `-` and `_`, at most 100, with a letter or digit first.',
  },
  'template-not-found': {
    title: 'A template includes, imports or extends a file that is not there',
    why: "Templates can use other files of their own bundle only, by their path from the bundle's root.",
    fix: 'Correct the path, add the file to the bundle, or write `ignore missing` after the include.',
  },
  'template-refused': {
    title: 'A template uses something that is refused',
    why: "Attributes of Python's own objects, random values and the like are refused: a template sees its inputs and nothing else, and gives the same text each time.",
    fix: "Remove the expression. Everything that a template may use is in its context and in Jinja's filters, tests and methods of text, lists and maps.",
  },
  'template-runtime': {
    title: 'A template contradicts itself',
    why: 'Jinja refuses some things only when they are reached: a required block that nobody fills, a template that extends two others, an assignment to an attribute of something that is no namespace.',
    fix: 'Mend the statement that the message names.',
  },
  'template-syntax': {
    title: 'A template cannot be read',
    why: 'The file is not a template as Jinja2 reads it.',
    fix: "Mend the place that the message names. Text with braces that are not the template's own belongs between `{% raw %}` and `{% endraw %}`.",
  },
  'template-type': {
    title: 'An operation does not fit its value',
    why: 'The template adds, compares, calls or iterates something that does not allow it, such as a text and a number.',
    fix: 'Convert the value (`| string`, `| int`), or correct the name of the variable.',
  },
  'template-unknown-name': {
    title: 'A filter, test or name is not known',
    why: 'Jinja2 checks the names of filters and tests before it renders anything.',
    fix: 'Correct the name; the message names a near one if there is one.',
  },
  'template-value': {
    title: 'A value does not fit',
    why: 'A filter, method or operation was given a value that it cannot work with, such as a division by zero.',
    fix: 'Correct the value or the arguments.',
  },
  'tree-too-large': {
    title: 'A folder holds too many files',
    why: 'Files are bounded in number and in size so that no repository can exhaust the reader.',
    fix: 'Run the command in the folder that holds `catalog.yaml` or `service.yaml` alone.',
  },
  'trust-too-long': {
    title: 'A role is too long for IAM',
    why: 'IAM takes names of 64 characters, trust policies of 2,048 and what a role may do in 10,240. What follows from catalog.yaml is longer.',
    fix: 'Let a repository deploy fewer services, or shorten what the message names.',
  },
  'trust-unset': {
    title: 'The catalog does not say who may work in the accounts',
    why: 'Roles are made for repositories by their numbers on GitHub, which nobody else can get, and catalog.yaml is where they are written down and reviewed.',
    fix: 'Add `trust:` to catalog.yaml; docs/accounts.md shows how.',
  },
  'undefined-variable': {
    title: 'A template uses something that is not defined',
    why: 'An undefined reference fails the rendering, as in AWS Proton, because the text would silently lack a part.',
    fix: 'Correct the name, declare the input in `schema/schema.yaml`, or write `| default("…")` or `is defined` where it may be absent.',
  },
  'unexpected-argument': {
    title: 'A command takes fewer arguments',
    why: 'A command was called with a word that has no meaning to it. It is refused rather than ignored, because it may be a slip in an option.',
    fix: 'Remove the word, or put `--` and the name of the option that was meant before it.',
  },
  'unit-needed': {
    title: 'Something else is built on the unit',
    why: 'What lives in an environment is rendered with what the environment gives out, and an instance with what its component gives out. Without these, nothing of it could be deployed or mended any more.',
    fix: 'Remove what is built on it first, or name it in the same command: `protium remove` takes several units and finds their order.',
  },
  'units-cycle': {
    title: 'Units depend on each other in a circle',
    why: 'A stack is deployed after those that it takes values from. In a circle none can be the first.',
    fix: 'Break the circle: the message names it in order. Most often an import goes the wrong way.',
  },
  'unknown-command': {
    title: 'Protium has no such command',
    why: 'The first word after `protium` is the name of a command.',
    fix: 'Correct the name; `protium help` lists the commands.',
  },
  'unknown-engine': {
    title: 'The rendering engine is not known',
    why: 'A manifest names what makes infrastructure of its file: Jinja and CloudFormation, Terraform, or shell commands.',
    fix: 'Write `rendering_engine: jinja`, `none`, `hcl` or `codebuild`.',
  },
  'unknown-environment': {
    title: 'There is no such environment',
    why: 'A stage lies in an environment, a file in `environments/`.',
    fix: 'Correct the name, or add the environment.',
  },
  'unknown-input': {
    title: 'The template has no such input',
    why: "An input is set that the template's schema does not name. It is refused rather than ignored, because it may be a slip.",
    fix: 'Correct or remove the input; the message names the nearest one.',
  },
  'unknown-key': {
    title: 'A key is not known',
    why: 'The file has a key that Protium does not read. It is refused rather than ignored, because it may be a slip in a key that matters.',
    fix: 'Correct or remove the key; the message names the nearest one and those there are.',
  },
  'unknown-option': {
    title: 'The command has no such option',
    why: 'An unknown option is refused rather than ignored: what it was meant to limit could otherwise happen in full.',
    fix: 'Correct the name; `protium help <command>` shows all options.',
  },
  'unknown-problem-code': {
    title: 'There is no problem with that code',
    why: 'A problem code is the word in square brackets at the end of a problem.',
    fix: 'Copy the code from the problem. `protium explain` without a code lists all of them.',
  },
  'unknown-rule': {
    title: 'There is no such rule',
    why: 'A waiver names a rule that is neither built in nor under `policy:` in catalog.yaml, nor one of a check that is switched on there. It would let nothing through.',
    fix: 'Correct the name, or remove the waiver.',
  },
  'unknown-service': {
    title: 'There is no service of this name here',
    why: 'The template marks an input with `x-protium-service`: its texts are names of services, such as those that a service calls. A name that was mistyped gives an address at which nobody answers, and nothing else would notice. It is a warning because services may lie in other repositories.',
    fix: 'Correct the name; or do nothing if the service lies in a repository of its own.',
  },
  'unknown-stage': {
    title: 'There is no such stage',
    why: 'The stages are those of `catalog.yaml`.',
    fix: 'Correct the name; the message names the nearest one.',
  },
  'unknown-template': {
    title: 'The template is not in the catalog',
    why: 'A spec names a template that the catalog does not have, so nothing can be rendered.',
    fix: 'Correct the name in `template:`; the message names the nearest ones. `protium validate` checks again.',
  },
  'unknown-unit': {
    title: 'There is no service, stage or unit of that name',
    why: 'A command was told to work on something that the organisation does not have.',
    fix: 'Correct the name; the message names the nearest one. `protium status` lists what there is.',
  },
  'unknown-version': {
    title: 'The template has no such version',
    why: 'Versions are exact, and this one is neither in the checkout nor released as a tag.',
    fix: 'Use one of the versions that the message names. If it was released, fetch the tags: `git fetch --tags`.',
  },
  'unlock-refused': {
    title: 'The lock is somebody else’s',
    why: 'A lock is given back by who holds it. Whoever else breaks it has to be one of those that `locks.by` in `catalog.yaml` names.',
    fix: 'Ask who holds it to give it back, or one of those who may to break it.',
  },
  'unsafe-path': {
    title: 'The path is not safe',
    why: 'A path that leaves the repository, or that file systems spell in several ways, could read or overwrite what nobody reviewed.',
    fix: 'Write a plain relative path with `/` between its parts: no `..`, no backslash, no special characters.',
  },
  'upgrade-blocked': {
    title: 'A version cannot be had as things are',
    why: 'A move to another version of a template has to come out as a file that the version takes. A migration says that it cannot be done by itself, the file has mistakes, or the new version does not render with it. Nothing was written.',
    fix: 'Do what the message names, and run the command again. Where the template itself is in the way, its owners mend it by a new version or a migration.',
  },
  'upgrade-left': {
    title: 'An upgrade could not be offered to somebody',
    why: 'A repository could not be read or written to, or its file says nothing that could be understood. All others were looked after.',
    fix: 'Do what is said of it. The next run looks again.',
  },
  'version-behind': {
    title: 'The version is lower than one that is released',
    why: 'Versions of a major go up. Something that is older than what is there already would be proposed to nobody.',
    fix: 'Give it the number that `protium version` names.',
  },
  'version-deprecated': {
    title: 'The version ends, or has ended',
    why: 'The owners of the template support the version until a day, which template.yaml names. After it the version still works, and gets no more mends.',
    fix: 'Go to a supported version. The upgrade bot proposes it, or change `template:` by hand.',
  },
  'version-draft': {
    title: 'The version is a draft',
    why: 'A draft may change without a new number, so what was tried today may be another thing tomorrow. It is not released, and not for production.',
    fix: 'Use a released version. The owners of the template release one by removing `draft` from `support:` in template.yaml.',
  },
  'version-major': {
    title: 'A version is of another major than its folder',
    why: 'A folder `v2` holds versions 2.x.y; tags and upgrades rely on it.',
    fix: 'Correct the version in `template.yaml`, or move the bundle to the folder of its major.',
  },
  'version-unchanged': {
    title: 'A released version was changed',
    why: 'The bundle in the checkout is not what was released under its number, and a released version never changes: others rely on what was reviewed.',
    fix: 'Give it a new number: `protium version --write` sets the lowest one that tells the truth.',
  },
  'version-understated': {
    title: 'The number hides a breaking change',
    why: 'By its number a version says whether it can be taken without a look. This one removes, renames or narrows something that services use, or replaces or deletes one of their resources, and its number says that it does not; or it brings something new, and its number says that it only mends.',
    fix: 'Give it the number that the message names; `protium version --write` does. Or take back what breaks.',
  },
  'version-yanked': {
    title: 'The version was taken back',
    why: 'The owners of the template have found something wrong with the version after it was released, and say so in template.yaml. It still works as it did; it is proposed to nobody, and whoever runs it should leave it.',
    fix: 'Go to the version that the message names.',
  },
  'waiver-elsewhere': {
    title: 'A waiver lies where it does not count',
    why: 'Waivers count in the folder `waivers/` of the catalog alone. What a service writes beside its own files does not excuse it: nobody waives a rule for themselves.',
    fix: 'Propose the file in the repository of the catalog, where those look at it who answer for the rules.',
  },
  'waiver-ends': {
    title: 'A waiver ends soon',
    why: 'A waiver has an end, and what it excuses is still there. On the day of its end what needs it is neither planned nor deployed any more.',
    fix: 'Mend what it excuses before that day. If that is not possible, agree with those who answer for the rules on another day.',
  },
  'waiver-expired': {
    title: 'A waiver has ended',
    why: 'A rule was not kept here, for a while that was agreed upon. The while is over, and the rule is still not kept.',
    fix: 'Mend the line, or the input behind it. If that takes longer, agree with those who answer for the rules on another day, and write it into the waiver.',
  },
  'waiver-unused': {
    title: 'Nothing needs a waiver',
    why: 'What a waiver excuses is no longer there. It does nothing now, and would let something through later that nobody has looked at.',
    fix: 'Remove its file.',
  },
  'workflow-stale': {
    title: 'A workflow is not what catalog.yaml makes of it',
    why: 'The stages are jobs in the workflows of the catalog, and those are written from `catalog.yaml`. Where the two differ, a stage would be left out, or deployed in another order than the file says.',
    fix: 'Run `protium workflows --write` and commit what changes. A change of your own belongs into a workflow of your own.',
  },
  'workflows-unset': {
    title: 'The catalog does not say how its workflows are made',
    why: 'The workflows call the actions of Protium, which may lie in this repository or in another one.',
    fix: "Add `workflows:` with `actions:` to `catalog.yaml`: the folder with Protium's actions, or `owner/name/folder@commit`.",
  },
  'wrong-account': {
    title: 'The role belongs to another account',
    why: 'A role that is assumed decides which account is worked on. One of another account would deploy this environment there, whatever its file says of the account.',
    fix: 'Write a role of the account of the environment, or correct `account:`.',
  },
  'wrong-template': {
    title: 'The template is of another kind',
    why: 'A service is made by a template of kind `service`, an environment by one of kind `environment`.',
    fix: 'Choose a template of the right kind; the message names them.',
  },
  'wrong-value': {
    title: 'A value is not of the kind that its key wants',
    why: 'The value has another type or form than the key takes.',
    fix: 'Correct the value; the message says what is wanted. Numbers that are names (an account, a version) stand in quotes.',
  },
  'yaml-alias': {
    title: 'Anchors and aliases are not read',
    why: 'An alias makes a small file mean a large one, and CloudFormation does not take them either.',
    fix: 'Write the value again where the alias stands.',
  },
  'yaml-complex-key': {
    title: 'A key is not a text',
    why: 'A list, a map, nothing at all or a tagged value as a key cannot be addressed by name.',
    fix: 'Write a plain or quoted text as the key.',
  },
  'yaml-control-character': {
    title: 'The file holds an invisible character',
    why: 'Control, zero-width and text-direction characters make a file look different from what it says.',
    fix: 'Delete the character. Where it is wanted, write it as an escape in double quotes: `"\\u200b"`.',
  },
  'yaml-directive': {
    title: 'Lines that begin with % are not read',
    why: 'A directive such as `%YAML 1.1` changes what the rest of the file means.',
    fix: 'Delete the line. If it belongs to a text, indent it or quote the text.',
  },
  'yaml-duplicate-key': {
    title: 'A key stands twice in one map',
    why: 'Only one of the two values can hold, and readers differ on which.',
    fix: 'Keep one of the two. Keys are compared as they are written, so `1` and `"1"` are the same key.',
  },
  'yaml-encoding': {
    title: 'The file is not plain UTF-8',
    why: 'Bytes that are not UTF-8, or a byte order mark, are read differently by different programs.',
    fix: 'Save the file as UTF-8 without a byte order mark.',
  },
  'yaml-merge-key': {
    title: 'Merge keys are not read',
    why: '`<<` belongs to YAML 1.1 and copies entries in ways that a reviewer does not see.',
    fix: 'Write the entries out.',
  },
  'yaml-number': {
    title: 'A number could be read in two ways',
    why: 'Versions of YAML differ on leading zeros, underscores, colons and exponents, and very long numbers lose digits. An account id with a leading zero is the usual victim.',
    fix: 'Put it in quotes if it is a text (an account id, a time), or write it as a plain decimal number.',
  },
  'yaml-reserved-key': {
    title: 'The key is reserved',
    why: '`__proto__` has a meaning of its own in JavaScript and could change objects that have nothing to do with the file.',
    fix: 'Give the key another name.',
  },
  'yaml-several-documents': {
    title: 'The file holds several documents',
    why: 'A file is one document; what follows `---` would be left out without a word.',
    fix: 'Keep one document a file.',
  },
  'yaml-syntax': {
    title: 'The file is not valid YAML or JSON',
    why: 'The text cannot be read, or two readers of YAML would read it differently.',
    fix: 'Correct the line; the message says what was found there. Indent with spaces, and quote texts that hold `: ` or ` #`.',
  },
  'yaml-tag': {
    title: 'The tag is not known',
    why: 'A tag changes the type of a value, and only `!!str` and, in CloudFormation templates, its short functions are read.',
    fix: 'Remove the tag, or correct it; the message names the nearest one.',
  },
  'yaml-too-deep': {
    title: 'The file is nested too deeply',
    why: 'Nesting is bounded so that no file can exhaust the reader.',
    fix: 'Flatten the structure.',
  },
  'yaml-too-large': {
    title: 'The file is too large',
    why: 'Size, number of values and keys in one map are bounded so that no file can exhaust the reader.',
    fix: 'Split the file, or move data out of it. The message names the limit.',
  },
  'yaml-word': {
    title: 'A word could mean true or false',
    why: '`yes`, `no`, `on` and `off` are booleans to YAML 1.1 and texts to YAML 1.2.',
    fix: 'Write `true` or `false`, or put the word in quotes if it is a text.',
  },
} as const satisfies Record<string, ProblemText>

export type ProblemCode = keyof typeof problemCodes

type ProblemText = {
  /** A short headline, without a full stop. */
  readonly title: string
  /** Why it is a problem: one to three sentences. */
  readonly why: string
  /** How to mend it: one to three sentences, Markdown. */
  readonly fix: string
}
